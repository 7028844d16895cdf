import type { ConnectionSource } from '../dialect/connection-source.js'
import type { Connection, ConstraintCatalogue, Dialect, MaybePromise, StatementResult } from '../dialect/dialect.js'
import { AbortedError, ConnectionLostError, type LatchworkError, QueryTimeoutError } from '../errors.js'
import { queryEvents } from '../events.js'
import { type Interruption, interruptible, requireNotInterrupted } from './interruptible.js'
import type { CallLimits, PlanRunner, QueryPlan } from './query-plan.js'
import { type TransactionOptions, Transactions } from './transaction.js'
import type { TransactionFrame } from './transaction-frame.js'

/**
 * Runs the plans of one database: on the ambient transaction's connection, or on one taken from the pool for the call.
 * Gives a result at once, without a promise, where pool and driver do.
 */
export class QueryRunner implements PlanRunner {
  readonly #transactions: Transactions

  constructor(
    readonly dialect: Dialect,
    readonly source: ConnectionSource,
    readonly catalogue: ConstraintCatalogue,
  ) {
    this.#transactions = new Transactions(dialect, source, (thrown) => this.#errorOf(thrown))
  }

  run<T>(plan: QueryPlan<T>, limits?: CallLimits): MaybePromise<T> {
    const interruption = limits && interruptionOf(plan.label, limits)
    const frame = this.#transactions.current()
    if (frame !== undefined) return this.#runInFrame(frame, plan, interruption)
    const connection = this.source.acquire(plan, interruption)
    if (connection instanceof Promise) return connection.then((acquired) => this.#runOn(acquired, plan, interruption))
    return this.#runOn(connection, plan, interruption)
  }

  transaction<T>(fn: () => Promise<T>, limits?: CallLimits, options?: TransactionOptions): Promise<T> {
    return this.#transactions.run(fn, limits, options)
  }

  together<T>(fn: () => Promise<T>, limits?: CallLimits): Promise<T> {
    return this.#transactions.join(fn, limits)
  }

  #runOn<T>(connection: Connection, plan: QueryPlan<T>, interruption: Interruption | undefined): MaybePromise<T> {
    const done = (result: StatementResult) => {
      this.source.release(connection, 'clean')
      return plan.read(result)
    }
    const failed = (thrown: unknown) => {
      const error = this.#errorOf(thrown)
      this.source.release(connection, this.#costsConnection(thrown, error) ? 'broken' : 'clean')
      throw error
    }
    let result: MaybePromise<StatementResult>
    try {
      result = this.#send(connection, plan, interruption, false)
    } catch (thrown) {
      return failed(thrown)
    }
    return result instanceof Promise ? result.then(done, failed) : done(result)
  }

  #runInFrame<T>(frame: TransactionFrame, plan: QueryPlan<T>, interruption: Interruption | undefined): MaybePromise<T> {
    const failed = (thrown: unknown) => {
      const error = this.#errorOf(thrown)
      frame.fail(error)
      throw error
    }
    let result: MaybePromise<StatementResult>
    try {
      result = frame.run((connection) => this.#send(connection, plan, interruption, true))
    } catch (thrown) {
      return failed(thrown)
    }
    return result instanceof Promise ? result.then(plan.read, failed) : plan.read(result)
  }

  #send<T>(
    connection: Connection,
    plan: QueryPlan<T>,
    interruption: Interruption | undefined,
    inTransaction: boolean,
  ): MaybePromise<StatementResult> {
    if (!queryEvents.hasSubscribers) return this.#start(connection, plan, interruption)
    return this.#observe(plan, inTransaction, () => this.#start(connection, plan, interruption))
  }

  #start<T>(connection: Connection, plan: QueryPlan<T>, interruption: Interruption | undefined): MaybePromise<StatementResult> {
    if (interruption === undefined) return connection.run(plan.statement)
    requireNotInterrupted(interruption)
    const running = connection.run({ ...plan.statement, deadline: interruption.deadline })
    return running instanceof Promise ? interruptible(connection, running, interruption) : running
  }

  /** Publishes how a statement went. */
  async #observe<T>(plan: QueryPlan<T>, inTransaction: boolean, start: () => MaybePromise<StatementResult>): Promise<StatementResult> {
    const startedMs = performance.now()
    const publish = (rowCount: number, error: Error | undefined) => {
      const durationMs = performance.now() - startedMs
      queryEvents.publish({
        pool: this.source.name,
        label: plan.label,
        sql: plan.statement.sql,
        durationMs,
        rowCount,
        inTransaction,
        error,
      })
    }
    try {
      const result = await start()
      publish(plan.access === 'read' ? result.rows.length : result.affectedRows, undefined)
      return result
    } catch (thrown) {
      publish(0, this.#errorOf(thrown))
      throw thrown
    }
  }

  /** The one place where a driver's error becomes one of ours. */
  #errorOf(thrown: unknown): LatchworkError {
    return this.dialect.toDataError(thrown, this.catalogue)
  }

  #costsConnection(thrown: unknown, error: LatchworkError): boolean {
    // an interrupted statement may still be running there
    const isBusy = error instanceof QueryTimeoutError || error instanceof AbortedError
    return isBusy || error instanceof ConnectionLostError || this.dialect.evicts(thrown)
  }
}

/** Undefined where nothing can stop the call. */
function interruptionOf(label: string, { deadline, signal }: CallLimits): Interruption | undefined {
  return deadline === Number.POSITIVE_INFINITY && signal === undefined ? undefined : { label, deadline, signal }
}
