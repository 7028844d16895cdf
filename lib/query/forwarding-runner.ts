import type { CallLimits, PlanRunner, QueryPlan } from './query-plan.js'

/** Does all that another runner does; what is made of it changes a part. */
export class ForwardingRunner implements PlanRunner {
  constructor(readonly inner: PlanRunner) {}

  get isInTransaction(): boolean {
    return this.inner.isInTransaction
  }

  get scope(): object | undefined {
    return this.inner.scope
  }

  run<T>(plan: QueryPlan<T>, limits?: CallLimits): T | Promise<T> {
    return this.inner.run(plan, limits)
  }

  batches<T>(plan: QueryPlan<T>, limits?: CallLimits): AsyncGenerator<T, void, undefined> {
    return this.inner.batches(plan, limits)
  }

  meetServer(label: string, limits?: CallLimits): Promise<void> | undefined {
    return this.inner.meetServer(label, limits)
  }

  transaction<T>(label: string, fn: () => Promise<T>, limits?: CallLimits): Promise<T> {
    return this.inner.transaction(label, fn, limits)
  }

  together<T>(label: string, fn: () => Promise<T>, limits?: CallLimits): Promise<T> {
    return this.inner.together(label, fn, limits)
  }

  attempt<T>(label: string, fn: () => T | Promise<T>, limits?: CallLimits): T | Promise<T> {
    return this.inner.attempt(label, fn, limits)
  }
}

/** Runs every plan in the name of one node. */
export function runnerFor(runner: PlanRunner, label: string): PlanRunner {
  return new LabelledRunner(runner, label)
}

class LabelledRunner extends ForwardingRunner {
  readonly #label: string

  constructor(inner: PlanRunner, label: string) {
    super(inner)
    this.#label = label
  }

  override run<T>(plan: QueryPlan<T>, limits?: CallLimits): T | Promise<T> {
    return super.run({ ...plan, label: this.#label }, limits)
  }

  override batches<T>(plan: QueryPlan<T>, limits?: CallLimits): AsyncGenerator<T, void, undefined> {
    return super.batches({ ...plan, label: this.#label }, limits)
  }

  override meetServer(_label: string, limits?: CallLimits): Promise<void> | undefined {
    return super.meetServer(this.#label, limits)
  }

  override transaction<T>(_label: string, fn: () => Promise<T>, limits?: CallLimits): Promise<T> {
    return super.transaction(this.#label, fn, limits)
  }

  override together<T>(_label: string, fn: () => Promise<T>, limits?: CallLimits): Promise<T> {
    return super.together(this.#label, fn, limits)
  }

  override attempt<T>(_label: string, fn: () => T | Promise<T>, limits?: CallLimits): T | Promise<T> {
    return super.attempt(this.#label, fn, limits)
  }
}
