import type { ConnectionSource } from '../dialect/connection-source.js'
import type { BeginOptions, Connection, Dialect } from '../dialect/dialect.js'
import { CommitUnknownError, ConfigurationError, ConnectionLostError, type LatchworkError } from '../errors.js'
import type { Condition } from '../pool/pool.js'
import type { CallLimits } from './query-plan.js'
import { currentFrame, enclosingFrame, inFrame, TransactionFrame } from './transaction-frame.js'

/** What a transaction may be asked for; on the outermost one only. */
export interface TransactionOptions extends BeginOptions {}

/** How long the end of a transaction may take before its connection is given up. */
const ROLLBACK_TIMEOUT_MS = 5_000

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
   * @throws {ConfigurationError} an option on a nested transaction
   */
  async run<T>(fn: () => Promise<T>, limits?: CallLimits, options: TransactionOptions = {}): Promise<T> {
    const outer = this.current()
    if (outer === undefined) return this.#outermost(fn, limits, options)
    const given = Object.keys(options).find((name) => options[name as keyof TransactionOptions] !== undefined)
    if (given !== undefined) throw new ConfigurationError(given, 'can be set on the outermost transaction only')
    return this.#nested(outer, fn)
  }

  /**
   * Runs `fn` as one piece: in the current transaction, whose other calls wait for it, or in one of its own. Unlike
   * {@link run} it sets no savepoint, so that an error may leave statements of `fn` behind in the current transaction.
   */
  join<T>(fn: () => Promise<T>, limits?: CallLimits): Promise<T> {
    const outer = this.current()
    return outer === undefined ? this.#outermost(fn, limits, {}) : this.#joined(outer, fn)
  }

  async #outermost<T>(fn: () => Promise<T>, limits: CallLimits | undefined, options: TransactionOptions): Promise<T> {
    const access = options.readOnly === true ? 'read' : 'write'
    const connection = await this.#source.acquire({ access, label: 'transaction' }, limits)
    const frame = this.#frame(connection, undefined)
    let condition: Condition = 'broken'
    try {
      for (const sql of this.#dialect.begin(options)) await this.#control(connection, sql)
      const value = await this.#callback(frame, fn).catch(async (error: unknown) => {
        condition = await this.#rollback(frame)
        throw error
      })
      const end = await this.#commit(frame)
      condition = end.condition
      if (end.error !== undefined) throw end.error
      return value
    } finally {
      this.#source.release(connection, condition)
    }
  }

  async #joined<T>(outer: TransactionFrame, fn: () => Promise<T>): Promise<T> {
    const frame = this.#frame(outer.connection, outer)
    return outer.run(() =>
      this.#callback(frame, fn).catch((error: unknown) => {
        if (frame.failure !== undefined) outer.fail(frame.failure)
        throw error
      }),
    )
  }

  async #nested<T>(outer: TransactionFrame, fn: () => Promise<T>): Promise<T> {
    const frame = this.#frame(outer.connection, outer)
    const savepoint = `lw_${frame.depth}`
    return outer.run(async (connection) => {
      await this.#control(connection, `savepoint ${savepoint}`)
      const value = await this.#callback(frame, fn).catch(async (error: unknown) => {
        // a transaction that is lost as a whole has no savepoint to go back to
        if (outer.failure === undefined) await this.#undo(outer, savepoint)
        throw error
      })
      await this.#control(connection, `release savepoint ${savepoint}`)
      return value
    })
  }

  #frame(connection: Connection, parent: TransactionFrame | undefined): TransactionFrame {
    return new TransactionFrame(this, connection, parent, enclosingFrame(), this.#dialect.capabilities.statementErrorKeepsTransaction)
  }

  /** The callback's value, if everything in it had settled by its end. The frame is closed either way. */
  async #callback<T>(frame: TransactionFrame, fn: () => Promise<T>): Promise<T> {
    try {
      const value = await inFrame(frame, fn)
      frame.requireComplete()
      return value
    } finally {
      frame.close()
    }
  }

  /** How the connection comes out of a commit, and why it failed. */
  async #commit(frame: TransactionFrame): Promise<{ readonly condition: Condition; readonly error?: Error }> {
    try {
      await this.#control(frame.connection, 'commit')
      return { condition: 'clean' }
    } catch (thrown) {
      const error = thrown as LatchworkError
      if (error instanceof ConnectionLostError) return { condition: 'broken', error: commitUnknown(error) }
      return { error, condition: this.#dialect.capabilities.failedCommitKeepsTransaction ? await this.#rollback(frame) : 'broken' }
    }
  }

  /** How the connection comes out of it: a rollback that fails leaves one that nobody may borrow. */
  async #rollback({ connection }: TransactionFrame): Promise<Condition> {
    if (connection.isBroken) return 'broken'
    let timer: NodeJS.Timeout | undefined
    const tooLate = new Promise<Condition>((resolve) => {
      timer = setTimeout(resolve, ROLLBACK_TIMEOUT_MS, 'broken')
    })
    const rolledBack = this.#control(connection, 'rollback').then(
      (): Condition => 'clean',
      // the error that caused the rollback is the one to report
      (): Condition => 'broken',
    )
    return Promise.race([rolledBack, tooLate]).finally(() => clearTimeout(timer))
  }

  async #undo(outer: TransactionFrame, savepoint: string): Promise<void> {
    try {
      await this.#control(outer.connection, `rollback to savepoint ${savepoint}`)
      await this.#control(outer.connection, `release savepoint ${savepoint}`)
    } catch (error) {
      // the callback's error is the one to report; the transaction around it can keep nothing now
      outer.failWhole(error as LatchworkError)
    }
  }

  async #control(connection: Connection, sql: string): Promise<void> {
    try {
      await connection.run({ sql, parameters: [] })
    } catch (thrown) {
      throw this.#toError(thrown)
    }
  }
}

function commitUnknown(cause: LatchworkError): CommitUnknownError {
  return new CommitUnknownError('the connection was lost while COMMIT was on its way; whether it took effect is not known', { cause })
}
