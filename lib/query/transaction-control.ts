import { type Deadline, deadlineAfter, LATE, settledBy } from '../deadline.js'
import type { BeginOptions, Connection, Dialect, Statement, StatementResult } from '../dialect/dialect.js'
import { AbortedError, CommitUnknownError, ConnectionError, ConnectionLostError, LatchworkError, QueryTimeoutError } from '../errors.js'
import { andThen, type MaybePromise, orElse } from '../maybe-promise.js'
import type { Condition } from '../pool/pool.js'
import { interruptible, requireNotInterrupted } from './interruptible.js'
import type { CallLimits } from './query-plan.js'
import type { TransactionFrame } from './transaction-frame.js'

/** How long a rollback may take before its connection is given up. */
const ROLLBACK_TIMEOUT_MS = 1_000
/** The same where a call that nobody awaits still runs: it is cancelled then. */
const PATIENCE_MS = 100

/** How a commit went: how the connection comes out of it, and why it failed. */
interface CommitOutcome {
  readonly condition: Condition
  readonly error?: Error
}

/** Makes the error that a caller gets of what a statement threw. */
type ToError = (thrown: unknown, statement: Statement) => LatchworkError

/** The statements that begin, keep and undo transactions of one database. */
export class TransactionControl {
  readonly #dialect: Dialect
  readonly #toError: ToError
  readonly #acquireTimeoutMs: number

  /** @param acquireTimeoutMs most milliseconds for BEGIN, where the call has no limit of its own */
  constructor(dialect: Dialect, toError: ToError, acquireTimeoutMs: number) {
    this.#dialect = dialect
    this.#toError = toError
    this.#acquireTimeoutMs = acquireTimeoutMs
  }

  /** A failed statement leaves the transaction usable. */
  get statementErrorKeepsTransaction(): boolean {
    return this.#dialect.capabilities.statementErrorKeepsTransaction
  }

  /**
   * A server that does not answer BEGIN has gone silently: nothing is kept, and nobody waits for it longer than for a connection. Undefined
   * where it goes out with the first statement.
   */
  begin(connection: Connection, options: BeginOptions, limits: CallLimits | undefined): Promise<void> | undefined {
    // a call's own timeoutMs says how long it may take, this included
    const withinMs = limits !== undefined && Number.isFinite(limits.deadline) ? undefined : this.#acquireTimeoutMs
    const unanswered = (cause?: Error) =>
      new ConnectionError(`${this.#dialect.target}: BEGIN was not answered within ${withinMs} ms`, { cause })
    const statements = this.#dialect.begin(options)
    if (connection.beginWithNext !== undefined && statements.length === 1) {
      connection.beginWithNext({ sql: statements[0]!, withinMs, unanswered })
      return undefined
    }
    return this.#sendInTurn(connection, statements, limits, withinMs).catch((error: unknown) => {
      throw withinMs !== undefined && error instanceof QueryTimeoutError ? unanswered(error) : error
    })
  }

  async #sendInTurn(
    connection: Connection,
    statements: readonly string[],
    limits: CallLimits | undefined,
    withinMs = Number.POSITIVE_INFINITY,
  ) {
    const answerBy = deadlineAfter(withinMs)
    for (const sql of statements) await this.#send(connection, sql, limits, answerBy)
  }

  commit(frame: TransactionFrame, limits: CallLimits | undefined): MaybePromise<CommitOutcome> {
    const committed = () => ({ condition: frame.condition })
    const failed = (thrown: unknown) => this.#uncommitted(frame, thrown as LatchworkError)
    return orElse(() => andThen<unknown, CommitOutcome>(this.#send(frame.connection, 'commit', limits), committed), failed)
  }

  async #uncommitted(frame: TransactionFrame, error: LatchworkError): Promise<CommitOutcome> {
    if (isWithoutAnswer(error)) return { condition: 'broken', error: commitUnknown(error) }
    return { error, condition: this.#dialect.capabilities.failedCommitKeepsTransaction ? await this.rollback(frame) : 'broken' }
  }

  /** How the connection comes out of it: a rollback that fails leaves one that nobody may borrow. */
  async rollback(frame: TransactionFrame): Promise<Condition> {
    const { connection, isRunning, failure } = frame
    // what was interrupted may still run, and a rollback would wait behind it: the server rolls back when the session ends
    if (connection.isBroken || (failure !== undefined && isWithoutAnswer(failure))) return 'broken'
    const outcome = await settledBy(this.#sendRollback(frame), deadlineAfter(isRunning ? PATIENCE_MS : ROLLBACK_TIMEOUT_MS))
    if (outcome !== LATE) return outcome
    // the connection goes either way
    if (isRunning) connection.cancel().catch(() => undefined)
    return 'broken'
  }

  async #sendRollback(frame: TransactionFrame): Promise<Condition> {
    try {
      await this.#send(frame.connection, 'rollback')
      // looked at now: a statement may have been cancelled meanwhile, and the word of it reach the server late
      return frame.condition
    } catch {
      // the error that caused the rollback is the one to report
      return 'broken'
    }
  }

  /** @throws {AbortedError | QueryTimeoutError} it is too late for it: where nothing was sent, the transaction around it goes on */
  async setSavepoint(outer: TransactionFrame, savepoint: string, limits: CallLimits | undefined): Promise<void> {
    const sql = `savepoint ${savepoint}`
    if (limits !== undefined) requireNotInterrupted({ label: sql, ...limits })
    await this.#sendWithin(outer, sql, limits)
  }

  /** What was done since the savepoint can be told from the rest no more where that fails: nothing of the whole transaction is kept. */
  releaseSavepoint(outer: TransactionFrame, savepoint: string, limits: CallLimits | undefined): Promise<void> {
    return this.#sendWithin(outer, `release savepoint ${savepoint}`, limits)
  }

  /**
   * Undoes what was done since the savepoint, or gives up the whole transaction.
   *
   * @param nested what was done in it
   * @param reason why it is undone: the error that is reported, however this goes
   */
  async undoSavepoint(outer: TransactionFrame, savepoint: string, nested: TransactionFrame, reason: unknown): Promise<void> {
    // a transaction that is lost or over as a whole has no savepoint to go back to
    if (outer.failure !== undefined || !outer.isOpen) return
    // what was stopped may still run, and this would wait behind it
    if (nested.isRunning && reason instanceof LatchworkError && isWithoutAnswer(reason)) return outer.failWhole(reason)
    // as of BEGIN, the answer is not waited for longer than for a connection
    const answerBy = deadlineAfter(this.#acquireTimeoutMs)
    try {
      await this.#send(outer.connection, `rollback to savepoint ${savepoint}`, undefined, answerBy)
      await this.#send(outer.connection, `release savepoint ${savepoint}`, undefined, answerBy)
    } catch (error) {
      outer.failWhole(error as LatchworkError)
    }
  }

  /** Sends what only makes sense while the frame is open, since its connection may be somebody else's afterwards, and what the frame cannot do without. */
  async #sendWithin(frame: TransactionFrame, sql: string, limits: CallLimits | undefined): Promise<void> {
    frame.requireOpen()
    try {
      await this.#send(frame.connection, sql, limits)
    } catch (error) {
      frame.failWhole(error as LatchworkError)
      throw error
    }
  }

  /** Undefined: it is done already. */
  #send(
    connection: Connection,
    sql: string,
    limits?: CallLimits,
    answerBy: Deadline = Number.POSITIVE_INFINITY,
  ): Promise<StatementResult> | undefined {
    const statement: Statement = { sql, parameters: [], deadline: limits?.deadline }
    const failed = (thrown: unknown): never => {
      throw this.#toError(thrown, statement)
    }
    let running: MaybePromise<StatementResult>
    try {
      running = connection.run(statement)
    } catch (thrown) {
      return failed(thrown)
    }
    if (!(running instanceof Promise)) return undefined
    const deadline = Math.min(answerBy, limits?.deadline ?? Number.POSITIVE_INFINITY)
    const isBound = limits !== undefined || deadline < Number.POSITIVE_INFINITY
    // not an async function: each promise costs more while async contexts are followed
    return (isBound ? interruptible(connection, running, { label: sql, deadline, signal: limits?.signal }) : running).catch(failed)
  }
}

function isWithoutAnswer(error: LatchworkError): boolean {
  return error instanceof ConnectionLostError || error instanceof QueryTimeoutError || error instanceof AbortedError
}

function commitUnknown(cause: LatchworkError): CommitUnknownError {
  return new CommitUnknownError('the connection was lost while COMMIT was on its way; whether it took effect is not known', { cause })
}
