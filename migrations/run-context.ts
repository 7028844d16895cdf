import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import { deadlineAfter, LATE, remainingMs, settledBy } from '../lib/deadline.js'
import type { Connection, Statement, StatementResult } from '../lib/dialect/dialect.js'
import type { MigrationDialect } from '../lib/dialect/migration-dialect.js'
import type { MigrationSession } from '../lib/dialect/migration-parts.js'
import { AbortedError, ConnectionLostError, DeadlockError, LockTimeoutError, QueryTimeoutError, SerializationError } from '../lib/errors.js'
import { History } from './history.js'
import type { CheckedOptions, MigrationProgress } from './migrator-options.js'

/** How long a statement that is to be stopped may take until its connection is given up. */
const STOP_PATIENCE_MS = 10_000

/** The longest pause before another try at a lock. */
const LONGEST_PAUSE_MS = 15_000

/** How one statement is run. */
export interface StatementLimits {
  /** Most milliseconds; undefined: as the options say. */
  readonly timeoutMs?: number | undefined
  /** It is not stopped, whatever happens: it is the end of something, and short. */
  readonly isLast?: boolean
}

/** One run on one database: its connection, what is written of it, and when to stop. */
export class RunContext {
  readonly warnings: string[] = []
  #session: MigrationSession
  #history: History

  constructor(
    readonly dialect: MigrationDialect,
    readonly options: CheckedOptions,
    readonly signal: AbortSignal | undefined,
    session: MigrationSession,
  ) {
    this.#session = session
    this.#history = this.#historyOn(session)
  }

  get session(): MigrationSession {
    return this.#session
  }

  get history(): History {
    return this.#history
  }

  /** Goes on over a new connection, which does not have the lock. */
  async reopen(open: () => Promise<MigrationSession>): Promise<void> {
    await this.#session.close()
    this.#session = await open()
    this.#history = this.#historyOn(this.#session)
  }

  progress(progress: MigrationProgress): void {
    try {
      this.options.onProgress(progress)
    } catch (error) {
      // a display that breaks must not look as if a step had
      process.nextTick(() => {
        throw error
      })
    }
  }

  warn(message: string): void {
    this.warnings.push(message)
    this.progress({ type: 'warning', message })
  }

  /** @throws {AbortedError} the signal was aborted */
  throwIfAborted(): void {
    if (this.signal?.aborted) throw new AbortedError('the run was aborted', { cause: this.signal.reason })
  }

  /**
   * Hears what has come meanwhile: a signal that came during statements of SQLite, which let nothing else happen in the process.
   *
   * @throws {AbortedError} the signal was aborted
   */
  async hear(): Promise<void> {
    // the first may be in the turn in which the process has looked for signals already
    for (let turn = 0; turn < 2; turn++) await setImmediate()
    this.throwIfAborted()
  }

  /**
   * The connection for work of several statements, none of which is begun when their time is over or the signal was aborted.
   *
   * @param timeoutMs  for all of them; undefined: as the options say
   */
  limited(timeoutMs = this.options.statementTimeoutMs): Pick<Connection, 'run'> {
    const deadline = timeoutMs === 0 ? Number.POSITIVE_INFINITY : deadlineAfter(timeoutMs)
    return {
      run: async (statement) => {
        await this.hear()
        if (remainingMs(deadline) === 0) throw new QueryTimeoutError(`the step took longer than ${timeoutMs} ms and was stopped`)
        return this.#session.connection.run(statement)
      },
    }
  }

  /**
   * Runs one statement, and stops it on the server when it takes too long or the signal is aborted. One that ends well all the same
   * has ended well.
   *
   * @throws {QueryTimeoutError} it took longer than it may, and was stopped
   * @throws {AbortedError} the signal was aborted, and it was stopped
   * @throws {ConnectionLostError} it could not be stopped: the connection was given up
   * @throws what the driver throws, else
   */
  async run(
    statement: string | Statement,
    { timeoutMs = this.options.statementTimeoutMs, isLast = false }: StatementLimits = {},
  ): Promise<StatementResult> {
    const { connection } = this.#session
    const deadline = deadlineAfter(this.options.ddlLockTimeoutMs)
    const sent: Statement =
      typeof statement === 'string' ? { sql: statement, parameters: [], isSingle: !isLast, deadline } : { ...statement, deadline }
    if (isLast) return connection.run(sent)
    this.throwIfAborted()
    const work = (async () => connection.run(sent))()
    try {
      const outcome = await settledBy(work, timeoutMs === 0 ? Number.POSITIVE_INFINITY : deadlineAfter(timeoutMs), this.signal)
      if (outcome !== LATE) return outcome
    } catch (error) {
      if (!(error instanceof AbortedError) || !this.signal?.aborted) throw error
      return this.#stopped(work, error)
    }
    return this.#stopped(work, new QueryTimeoutError(`the statement took longer than ${timeoutMs} ms and was stopped`))
  }

  async #stopped(work: Promise<StatementResult>, reason: Error): Promise<StatementResult> {
    const { connection } = this.#session
    // where it cannot be asked for, the connection is given up below
    await connection.cancel().catch(() => undefined)
    const outcome = await settledBy(
      work.catch(() => undefined),
      deadlineAfter(STOP_PATIENCE_MS),
    )
    if (outcome === LATE) {
      await this.#session.close()
      throw new ConnectionLostError('a statement could not be stopped, and its connection was given up', { cause: reason })
    }
    if (outcome === undefined) throw reason
    return outcome
  }

  /** Whether the connection can still be used, and so has the lock. */
  async isUsable(): Promise<boolean> {
    // a request to stop a statement that came late may hit the first of them
    return (await this.#answers()) || (await this.#answers())
  }

  async #answers(): Promise<boolean> {
    try {
      return (await settledBy(this.run('select 1', { isLast: true }), deadlineAfter(this.options.connectTimeoutMs))) !== LATE
    } catch {
      // whatever it was, the answer is that it cannot
      return false
    }
  }

  /** Whether the same work may be had by trying again: a lock was not free, or others were in the way. All of it was undone. */
  isWorthRetrying(error: unknown): boolean {
    const typed = this.dialect.toDataError(error, { byName: () => undefined, byColumns: () => undefined })
    return typed instanceof LockTimeoutError || typed instanceof DeadlockError || typed instanceof SerializationError
  }

  /**
   * Waits before another try of a step, and says so: half a second, and twice as long each time.
   *
   * @param attempt  from 0
   * @throws {AbortedError} the signal was aborted
   */
  async pauseBefore(step: { readonly id: string; readonly step: number }, attempt: number): Promise<void> {
    const delayMs = Math.round(Math.min(500 * 2 ** attempt, LONGEST_PAUSE_MS) * (0.75 + Math.random() / 2))
    this.progress({ type: 'retry', ...step, attempt: attempt + 1, delayMs })
    await sleep(delayMs, undefined, this.signal === undefined ? {} : { signal: this.signal }).catch(() => this.throwIfAborted())
  }

  #historyOn(session: MigrationSession): History {
    return new History(session, this.dialect, this.options.table, this.options.actor)
  }
}
