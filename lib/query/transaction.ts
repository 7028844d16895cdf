import { type Deadline, deadlineAfter, LATE, settledBy } from '../deadline.js'
import type { ConnectionSource } from '../dialect/connection-source.js'
import type { Connection, Dialect, MaybePromise, StatementResult } from '../dialect/dialect.js'
import {
  AbortedError,
  CommitUnknownError,
  ConnectionError,
  ConnectionLostError,
  type LatchworkError,
  QueryTimeoutError,
} from '../errors.js'
import type { HeldResource } from '../lock/frame.js'
import { withResource } from '../lock/lock-scope.js'
import type { Condition } from '../pool/pool.js'
import { callSite } from '../warn.js'
import { interruptible } from './interruptible.js'
import type { CallLimits } from './query-plan.js'
import { currentFrame, enclosingFrame, inFrame, TransactionFrame } from './transaction-frame.js'
import { checkTransactionOptions, type TransactionOptions } from './transaction-options.js'

/** How long a rollback may take before its connection is given up. */
const ROLLBACK_TIMEOUT_MS = 1_000
/** The same where a call that nobody awaits still runs: it is cancelled then. */
const PATIENCE_MS = 100

/** Begins, commits and rolls back the transactions of one database. */
export class Transactions {
  readonly #dialect: Dialect
  readonly #source: ConnectionSource
  readonly #toError: (thrown: unknown) => LatchworkError

  constructor(dialect: Dialect, source: ConnectionSource, toError: (thrown: unknown) => LatchworkError) {
    this.#dialect = dialect
    this.#source = source
    this.#toError = toError
  }

  /** The transaction or savepoint that the current call is in. */
  current(): TransactionFrame | undefined {
    return currentFrame(this)
  }

  /**
   * Runs `fn` in a transaction, committed when it returns and rolled back when it throws; inside another
   * one, in a savepoint of it. Calls below `fn` find it by the async context.
   *
   * @throws {UnawaitedQueryError} a call in `fn` was still running when it returned; rolled back
   * @throws {TransactionAbortedError} a failed statement was caught in `fn` and the engine kept nothing; rolled back
   * @throws {CommitUnknownError} the answer to COMMIT was lost
   * @throws {ConfigurationError} an option is unknown, of the wrong kind, or on a nested transaction
   */
  async run<T>(label: string, fn: () => Promise<T>, limits?: CallLimits, options: TransactionOptions = {}): Promise<T> {
    const outer = this.current()
    checkTransactionOptions(options, outer !== undefined)
    return outer === undefined ? this.#outermost(label, fn, limits, options) : this.#nested(label, outer, fn, limits)
  }

  /**
   * Runs `fn` as one piece: in the current transaction, whose other calls wait for it, or in one of its own. Unlike
   * {@link run} it sets no savepoint, so that an error may leave statements of `fn` behind in the current transaction.
   */
  join<T>(label: string, fn: () => Promise<T>, limits?: CallLimits): Promise<T> {
    const outer = this.current()
    return outer === undefined ? this.#outermost(label, fn, limits, {}) : this.#joined(label, outer, fn, limits)
  }

  async #outermost<T>(label: string, fn: () => Promise<T>, limits: CallLimits | undefined, options: TransactionOptions): Promise<T> {
    const access = options.readOnly === true ? 'read' : 'write'
    const connection = await this.#source.acquire({ access, label, borrower: callSite() }, limits)
    const frame = this.#frame(connection, undefined)
    let condition: Condition = 'broken'
    try {
      await this.#begin(connection, options, limits)
      const value = await this.#callback(frame, label, this.#source.slotsOf(connection), fn).catch(async (error: unknown) => {
        condition = await this.#rollback(frame)
        throw error
      })
      const end = await this.#commit(frame, limits)
      condition = end.condition
      if (end.error !== undefined) throw end.error
      return value
    } finally {
      this.#source.release(connection, condition)
    }
  }

  /** A server that does not answer BEGIN has gone silently: nothing has run, and nobody waits for it longer than for a connection. */
  async #begin(connection: Connection, options: TransactionOptions, limits: CallLimits | undefined): Promise<void> {
    const { acquireTimeoutMs } = this.#source
    // a call's own timeoutMs says how long it may take, this included
    const isLimited = limits !== undefined && Number.isFinite(limits.deadline)
    const answerBy = isLimited ? Number.POSITIVE_INFINITY : deadlineAfter(acquireTimeoutMs)
    try {
      for (const sql of this.#dialect.begin(options)) await this.#control(connection, sql, limits, answerBy)
    } catch (error) {
      if (isLimited || !(error instanceof QueryTimeoutError)) throw error
      throw new ConnectionError(`${this.#dialect.target}: BEGIN was not answered within ${acquireTimeoutMs} ms`, { cause: error })
    }
  }

  async #joined<T>(label: string, outer: TransactionFrame, fn: () => Promise<T>, limits: CallLimits | undefined): Promise<T> {
    const frame = this.#frame(outer.connection, outer)
    const work = () =>
      this.#callback(frame, label, outer.turns, fn).catch((error: unknown) => {
        if (frame.failure !== undefined) outer.fail(frame.failure)
        throw error
      })
    return outer.run(work, label, limits)
  }

  async #nested<T>(label: string, outer: TransactionFrame, fn: () => Promise<T>, limits: CallLimits | undefined): Promise<T> {
    const frame = this.#frame(outer.connection, outer)
    const savepoint = `lw_${frame.depth}`
    const work = async () => {
      await this.#controlWithin(outer, `savepoint ${savepoint}`, limits)
      const value = await this.#callback(frame, label, outer.turns, fn).catch(async (error: unknown) => {
        await this.#undo(outer, savepoint)
        throw error
      })
      await this.#controlWithin(outer, `release savepoint ${savepoint}`, limits)
      return value
    }
    return outer.run(work, label, limits)
  }

  #frame(connection: Connection, parent: TransactionFrame | undefined): TransactionFrame {
    return new TransactionFrame(this, connection, parent, enclosingFrame(), this.#dialect.capabilities.statementErrorKeepsTransaction)
  }

  /** The callback's value, if everything in it had settled by its end. The frame is closed either way, and with it what it holds. */
  async #callback<T>(frame: TransactionFrame, label: string, held: HeldResource, fn: () => Promise<T>): Promise<T> {
    try {
      return await withResource(held, label, async () => {
        const value = await inFrame(frame, fn)
        // before the end of the step turns away those who still wait for their turn
        frame.requireComplete()
        return value
      })
    } finally {
      frame.close()
    }
  }

  /** How the connection comes out of a commit, and why it failed. */
  async #commit(
    frame: TransactionFrame,
    limits: CallLimits | undefined,
  ): Promise<{ readonly condition: Condition; readonly error?: Error }> {
    try {
      await this.#control(frame.connection, 'commit', limits)
      return { condition: frame.condition }
    } catch (thrown) {
      const error = thrown as LatchworkError
      if (isWithoutAnswer(error)) return { condition: 'broken', error: commitUnknown(error) }
      return { error, condition: this.#dialect.capabilities.failedCommitKeepsTransaction ? await this.#rollback(frame) : 'broken' }
    }
  }

  /** How the connection comes out of it: a rollback that fails leaves one that nobody may borrow. */
  async #rollback({ connection, condition, isRunning, failure }: TransactionFrame): Promise<Condition> {
    // what was interrupted may still run, and a rollback would wait behind it: the server rolls back when the session ends
    if (connection.isBroken || (failure !== undefined && isWithoutAnswer(failure))) return 'broken'
    const rolledBack = this.#control(connection, 'rollback').then(
      () => condition,
      // the error that caused the rollback is the one to report
      (): Condition => 'broken',
    )
    const outcome = await settledBy(rolledBack, deadlineAfter(isRunning ? PATIENCE_MS : ROLLBACK_TIMEOUT_MS))
    if (outcome !== LATE) return outcome
    // the connection goes either way
    if (isRunning) connection.cancel().catch(() => undefined)
    return 'broken'
  }

  async #undo(outer: TransactionFrame, savepoint: string): Promise<void> {
    // a transaction that is lost or over as a whole has no savepoint to go back to
    if (outer.failure !== undefined || !outer.isOpen) return
    try {
      await this.#control(outer.connection, `rollback to savepoint ${savepoint}`)
      await this.#control(outer.connection, `release savepoint ${savepoint}`)
    } catch (error) {
      // the callback's error is the one to report; the transaction around it can keep nothing now
      outer.failWhole(error as LatchworkError)
    }
  }

  /** Sends what only makes sense while the frame is open: its connection may be somebody else's afterwards. */
  #controlWithin(frame: TransactionFrame, sql: string, limits: CallLimits | undefined): Promise<void> {
    frame.requireOpen()
    return this.#control(frame.connection, sql, limits)
  }

  async #control(connection: Connection, sql: string, limits?: CallLimits, answerBy: Deadline = Number.POSITIVE_INFINITY): Promise<void> {
    try {
      const running: MaybePromise<StatementResult> = connection.run({ sql, parameters: [], deadline: limits?.deadline })
      if (!(running instanceof Promise)) return
      const deadline = Math.min(answerBy, limits?.deadline ?? Number.POSITIVE_INFINITY)
      const isBound = limits !== undefined || deadline < Number.POSITIVE_INFINITY
      await (isBound ? interruptible(connection, running, { label: sql, deadline, signal: limits?.signal }) : running)
    } catch (thrown) {
      throw this.#toError(thrown)
    }
  }
}

function isWithoutAnswer(error: LatchworkError): boolean {
  return error instanceof ConnectionLostError || error instanceof QueryTimeoutError || error instanceof AbortedError
}

function commitUnknown(cause: LatchworkError): CommitUnknownError {
  return new CommitUnknownError('the connection was lost while COMMIT was on its way; whether it took effect is not known', { cause })
}
