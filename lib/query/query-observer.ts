import type { Statement, StatementResult } from '../dialect/dialect.js'
import { ConfigurationError } from '../errors.js'
import { type QueryEvent, queryEvents, slowQueryEvents } from '../events.js'
import type { MaybePromise } from '../maybe-promise.js'
import { withoutValues } from './debug-values.js'
import type { QueryPlan } from './query-plan.js'

const LONGEST_MS = 86_400_000

/** Publishes how the statements of one database go, to those who listen. */
export class QueryObserver {
  readonly #pool: string
  readonly #slowQueryMs: number | undefined
  readonly #errorOf: (thrown: unknown) => Error

  /** @param errorOf makes the error of what a driver throws, without values: see `debugValues` */
  constructor(pool: string, slowQueryMs: number | undefined, errorOf: (thrown: unknown) => Error) {
    this.#pool = pool
    this.#slowQueryMs = slowQueryMs
    this.#errorOf = errorOf
  }

  /** Whether anybody would hear of a statement: without, it need not be measured. */
  get isHeard(): boolean {
    return queryEvents.hasSubscribers || (this.#slowQueryMs !== undefined && slowQueryEvents.hasSubscribers)
  }

  /** Runs a statement and publishes how it went. What is there at once stays so. */
  observe<T>(plan: QueryPlan<T>, inTransaction: boolean, start: () => MaybePromise<StatementResult>): MaybePromise<StatementResult> {
    const startedMs = performance.now()
    const publish = ({ sql }: Pick<Statement, 'sql'>, durationMs: number, rowCount: number, error?: Error) =>
      this.#publish({ pool: this.#pool, label: plan.label, sql, durationMs, rowCount, inTransaction, error })
    const done = (result: StatementResult) => {
      const { reread } = plan.statement
      const { rows, affectedRows } = result
      publish(plan.statement, performance.now() - startedMs, reread === undefined ? rowCountOf(plan, result) : affectedRows)
      // the two went together: the first one's time is that of both
      if (reread !== undefined && affectedRows > 0) publish(reread, 0, rows.length)
      return result
    }
    const failed = (thrown: unknown) => {
      publish(plan.statement, performance.now() - startedMs, 0, this.#errorOf(thrown))
      throw thrown
    }
    let running: MaybePromise<StatementResult>
    try {
      running = start()
    } catch (thrown) {
      return failed(thrown)
    }
    return running instanceof Promise ? running.then(done, failed) : done(running)
  }

  /** Publishes how a statement went whose rows came in pieces. */
  tell<T>(
    { label, statement }: QueryPlan<T>,
    inTransaction: boolean,
    durationMs: number,
    rowCount: number,
    error: Error | undefined,
  ): void {
    if (!this.isHeard) return
    this.#publish({
      pool: this.#pool,
      label,
      sql: statement.sql,
      durationMs,
      rowCount,
      inTransaction,
      error: error && withoutValues(error),
    })
  }

  #publish(event: QueryEvent): void {
    const { durationMs } = event
    if (queryEvents.hasSubscribers) queryEvents.publish(event)
    const slowQueryMs = this.#slowQueryMs
    if (slowQueryMs !== undefined && durationMs > slowQueryMs && slowQueryEvents.hasSubscribers) {
      slowQueryEvents.publish({ ...event, slowQueryMs })
    }
  }
}

/** A user's own SQL counts as a write, and gives rows back all the same where it is a read. */
function rowCountOf<T>({ access }: QueryPlan<T>, { rows, affectedRows }: StatementResult): number {
  return access === 'read' ? rows.length : Math.max(rows.length, affectedRows)
}

/**
 * Checks the option of that name.
 *
 * @throws {ConfigurationError} not a whole number from 1 to 86,400,000
 */
export function requireSlowQueryMs(value: unknown): void {
  if (value === undefined || (Number.isInteger(value) && (value as number) >= 1 && (value as number) <= LONGEST_MS)) return
  const got = typeof value === 'number' ? String(value) : typeof value
  throw new ConfigurationError('slowQueryMs', `expected a whole number from 1 to ${LONGEST_MS}, got ${got}`)
}
