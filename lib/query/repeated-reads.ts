import { ConfigurationError, NPlusOneError } from '../errors.js'
import { isPlainObject, kindOf } from '../model/value-kind.js'
import { requireKnownNames } from '../nearest-name.js'
import { ForwardingRunner } from './forwarding-runner.js'
import type { CallLimits, PlanRunner, QueryPlan } from './query-plan.js'

/** What is refused in strict mode. */
export interface StrictOptions {
  /** Most times that a read of the same shape may run in one transaction, or else in one lock scope. Default 10. 1 to 1,000,000. */
  readonly maxRepeats?: number
}

const DEFAULT_MAX_REPEATS = 10
const HIGHEST_MAX_REPEATS = 1_000_000

/** How often reads of each shape have run, by the scope that they ran in. */
export class RepeatedReads {
  readonly #counts = new WeakMap<object, Map<string, number>>()

  constructor(readonly maxRepeats: number) {}

  /** The runner of one call: counts its first statement, if that is a read; what it loads after that follows from it. */
  counting(runner: PlanRunner): PlanRunner {
    const { scope } = runner
    return scope === undefined ? runner : new CountingRunner(runner, (plan) => this.#count(scope, plan))
  }

  #count(scope: object, { access, label, statement }: Pick<QueryPlan<unknown>, 'access' | 'label' | 'statement'>): void {
    // rows that are locked are read one by one on purpose
    if (access === 'write') return
    let counts = this.#counts.get(scope)
    if (counts === undefined) {
      counts = new Map()
      this.#counts.set(scope, counts)
    }
    const shape = `${label} ${statement.sql}`
    const count = (counts.get(shape) ?? 0) + 1
    if (count > this.maxRepeats) throw new NPlusOneError(label, this.maxRepeats)
    counts.set(shape, count)
  }
}

class CountingRunner extends ForwardingRunner {
  #isFirst = true

  constructor(
    inner: PlanRunner,
    readonly count: (plan: QueryPlan<unknown>) => void,
  ) {
    super(inner)
  }

  override run<T>(plan: QueryPlan<T>, limits?: CallLimits): T | Promise<T> {
    if (this.#isFirst) this.count(plan)
    this.#isFirst = false
    return super.run(plan, limits)
  }
}

/**
 * The option `strict` of a database; undefined: it is off.
 *
 * @throws {ConfigurationError} neither true nor false nor an object of {@link StrictOptions}
 */
export function repeatedReads(strict: unknown): RepeatedReads | undefined {
  if (strict === undefined || strict === false) return undefined
  if (strict === true) return new RepeatedReads(DEFAULT_MAX_REPEATS)
  if (!isPlainObject(strict)) throw new ConfigurationError('strict', `expected true, false or an object, got ${kindOf(strict)}`)
  requireKnownNames('strict', strict, ['maxRepeats'])
  const { maxRepeats = DEFAULT_MAX_REPEATS } = strict
  if (Number.isInteger(maxRepeats) && (maxRepeats as number) >= 1 && (maxRepeats as number) <= HIGHEST_MAX_REPEATS)
    return new RepeatedReads(maxRepeats as number)
  const got = typeof maxRepeats === 'number' ? String(maxRepeats) : kindOf(maxRepeats)
  throw new ConfigurationError('strict.maxRepeats', `expected a whole number from 1 to ${HIGHEST_MAX_REPEATS}, got ${got}`)
}
