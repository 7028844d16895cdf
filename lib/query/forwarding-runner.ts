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

  transaction<T>(label: string, fn: () => Promise<T>, limits?: CallLimits): Promise<T> {
    return this.inner.transaction(label, fn, limits)
  }

  together<T>(label: string, fn: () => Promise<T>, limits?: CallLimits): Promise<T> {
    return this.inner.together(label, fn, limits)
  }

  attempt<T>(label: string, fn: () => Promise<T>, limits?: CallLimits): Promise<T> {
    return this.inner.attempt(label, fn, limits)
  }
}
