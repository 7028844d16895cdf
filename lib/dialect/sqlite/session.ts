import type Sqlite from 'better-sqlite3'
import type { Deadline } from '../../deadline.js'
import { QueryError, ReadOnlyError, ScopeClosedError } from '../../errors.js'
import type { MaybePromise } from '../../maybe-promise.js'
import type { AcquireRequest } from '../../pool/pool.js'
import type { Connection, RowCursor, Statement, StatementResult } from '../dialect.js'
import { evicts } from './errors.js'
import type { FileWatch } from './file-watch.js'
import { IteratedCursor, type OwnStatement } from './iterated-cursor.js'
import { isBusy, type LockWait, retryWhileBusy } from './lock-wait.js'
import { type PreparedStatement, PreparedStatements } from './prepared-statements.js'
import { CountResult, Repetition, runOnce } from './statement-run.js'
import type { WriteHold } from './write-hold.js'

/**
 * One connection to a SQLite database. Runs at once, and gives a promise only while another process holds the
 * database's lock, or has a moment to take it after a long transaction here.
 */
export class SqliteSession implements Connection {
  isBroken = false
  /** What this session is lent for; one lent to read refuses statements that write. */
  access: AcquireRequest['access']
  lastStatement: string | undefined

  #database: Sqlite.Database
  #prepared: PreparedStatements
  #lockWait: LockWait | undefined
  readonly #writeHold: WriteHold | undefined
  #fileWatch: FileWatch | undefined
  /** Until when the first statement of the call that has the session waits for another process's lock. */
  #lockDeadline: Deadline = Number.POSITIVE_INFINITY
  #hasLostTransaction = false
  readonly #cursors = new Set<IteratedCursor>()
  readonly #isOnlyOne: boolean

  /**
   * @param writeHold given where other processes may want to write too
   * @param isOnlyOne the database has no other connection
   */
  constructor(database: Sqlite.Database, access: AcquireRequest['access'], writeHold?: WriteHold, isOnlyOne = false) {
    this.#isOnlyOne = isOnlyOne
    this.#database = database
    this.#prepared = new PreparedStatements(database)
    this.access = access
    this.#writeHold = writeHold
  }

  get isOpen(): boolean {
    return this.#database.open
  }

  get isInTransaction(): boolean {
    return this.#database.open && this.#database.inTransaction
  }

  /** False once its file was deleted or replaced: what it wrote now would be lost. */
  get isOnItsFile(): boolean {
    return this.#fileWatch === undefined || this.#fileWatch.isThere()
  }

  /** Whether the session may differ from a new one in settings, temporary tables or attached databases. */
  get isAltered(): boolean {
    return this.#prepared.hasAlteredSession
  }

  watchFile(watch: FileWatch): void {
    this.#fileWatch = watch
  }

  /** Readies the session for a call: getting another process's lock is part of what the call waits for. */
  lendFor({ access, deadline }: AcquireRequest): this {
    this.access = access
    this.#lockDeadline = deadline
    return this
  }

  run(statement: Statement): MaybePromise<StatementResult> {
    // without a name it may be somebody's own text, with values in it
    this.lastStatement = statement.name === undefined ? undefined : statement.sql
    if (this.#hasLostTransaction) return this.#runAfterLoss(statement)
    const repetition = statement.repeat === undefined ? undefined : new Repetition(statement.repeat, statement.deadline)
    try {
      const restMs = this.#writeHold === undefined ? 0 : this.#writeHold.restMs()
      if (restMs > 0 && !this.isInTransaction) return this.#runWhenFree(statement, repetition, restMs)
      return this.#runNow(statement, repetition)
    } catch (error) {
      if (!isBusy(error)) throw error
      return this.#runWhenFree(statement, repetition)
    } finally {
      this.#lockDeadline = Number.POSITIVE_INFINITY
    }
  }

  openCursor({ sql, parameters, exactIntegers = false, deadline }: Statement): RowCursor {
    this.lastStatement = undefined
    const start = (): OwnStatement => {
      if (this.#hasLostTransaction) throw lostTransaction()
      const prepared = this.#prepared.own(sql)
      this.#requireAccess(prepared)
      if (!prepared.returnsRows) throw new QueryError('the statement of a cursor gives no rows', undefined)
      prepared.statement.safeIntegers(exactIntegers)
      return { statement: prepared.statement, parameters }
    }
    const whenFree = <T>(work: () => T) => this.#whenFree(work, deadline)
    return new IteratedCursor(start, { open: this.#cursors, isWhole: this.#isOnlyOne, whenFree })
  }

  /** Ends a wait for another process's lock. SQLite cannot stop a statement that runs: it holds the thread. */
  async cancel(): Promise<void> {
    if (this.#lockWait !== undefined) this.#lockWait.isCancelled = true
  }

  /** Continues on another connection to the same database; closes the old one. */
  replaceDatabase(database: Sqlite.Database): void {
    this.#endCursors()
    this.#database.close()
    this.#database = database
    this.#prepared = new PreparedStatements(database)
  }

  close(): void {
    this.isBroken = true
    if (this.#lockWait !== undefined) this.#lockWait.isCancelled = true
    this.#endCursors()
    this.#database.close()
  }

  // no database is closed in the middle of its rows
  #endCursors(): void {
    for (const cursor of [...this.#cursors]) cursor.close()
  }

  #runNow(statement: Statement, repetition: Repetition | undefined): StatementResult {
    const wasInTransaction = this.#database.inTransaction
    try {
      const prepared = this.#prepare(statement)
      const result = repetition === undefined ? runOnce(prepared, statement.parameters) : repetition.run(prepared)
      if (prepared.controls && this.#writeHold !== undefined) this.#watch(this.#writeHold, wasInTransaction)
      return result
    } catch (error) {
      if (evicts(error)) this.isBroken = true
      // a full disk, or ON CONFLICT ROLLBACK: what follows would be committed statement by statement
      if (wasInTransaction && !this.#database.inTransaction) this.#hasLostTransaction = true
      throw error
    }
  }

  #watch(writeHold: WriteHold, wasInTransaction: boolean): void {
    const { inTransaction } = this.#database
    if (inTransaction === wasInTransaction) return
    if (inTransaction) writeHold.begun()
    else writeHold.ended()
  }

  #prepare({ sql, exactIntegers = false }: Statement): PreparedStatement {
    const prepared = this.#prepared.get(sql)
    this.#requireAccess(prepared)
    if (this.#cursors.size > 0 && (prepared.writes || prepared.controls)) for (const cursor of [...this.#cursors]) cursor.keepRest()
    if (prepared.givesBigints !== exactIntegers) {
      prepared.statement.safeIntegers(exactIntegers)
      prepared.givesBigints = exactIntegers
    }
    return prepared
  }

  #requireAccess({ writes }: PreparedStatement): void {
    if (writes && this.access === 'read') throw new ReadOnlyError('the statement writes, and its connection was taken to read')
  }

  #runWhenFree(statement: Statement, repetition: Repetition | undefined, restMs?: number): Promise<StatementResult> {
    return this.#whenFree(() => this.#runNow(statement, repetition), statement.deadline, restMs)
  }

  /** @param callDeadline  a call's own timeoutMs says how long it may take, the wait for a lock included */
  async #whenFree<T>(work: () => T, callDeadline: Deadline | undefined, restMs?: number): Promise<T> {
    const wait: LockWait = { isCancelled: false, restMs }
    this.#lockWait = wait
    const deadline = Number.isFinite(callDeadline) ? callDeadline! : this.#lockDeadline
    try {
      return await retryWhileBusy(work, deadline, wait)
    } finally {
      this.#lockWait = undefined
    }
  }

  #runAfterLoss({ sql }: Statement): StatementResult {
    if (!/^\s*rollback(?:\s+transaction)?\s*;?\s*$/i.test(sql)) {
      throw lostTransaction()
    }
    this.#hasLostTransaction = false
    return new CountResult(0)
  }
}

function lostTransaction(): ScopeClosedError {
  return new ScopeClosedError('the database rolled this transaction back when a statement in it failed; nothing more can run in it')
}
