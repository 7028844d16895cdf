import { deadlineAfter, settledBy } from '../deadline.js'
import { ConfigurationError, PoolClosedError } from '../errors.js'
import { outside } from '../pool/outside.js'
import type { PoolOptions } from '../pool/pool-options.js'
import type { DatabaseHold } from './database-hold.js'
import { type DatabaseLockRequest, DatabaseLockWait } from './database-lock-wait.js'
import type { Dialect } from './dialect.js'
import { CONTROL_TIMES, type ControlTimes, LockControl } from './lock-control.js'

export type { DatabaseHold } from './database-hold.js'
export type { DatabaseLockRequest } from './database-lock-wait.js'

/** How long {@link DatabaseLocks.close} waits for its connection, most of all for what was asked on it. */
const CLOSE_PATIENCE_MS = 3_000

/**
 * The locks of one database object that all processes on the database see: many at a time on one control connection, which is
 * never one of the pool. It is opened for the first lock and again after it was lost, and closed when it has had nothing to do
 * for a second.
 *
 * Who waits asks again and again: processes are served in no order. A server keeps no queue, so that a waiter holds nothing up.
 */
export class DatabaseLocks {
  readonly #dialect: Dialect
  readonly #options: PoolOptions
  readonly #times: ControlTimes
  readonly #waits = new Set<DatabaseLockWait>()
  readonly #closing = new AbortController()
  #control: Promise<LockControl> | undefined
  #closed: Promise<void> | undefined

  constructor(dialect: Dialect, options: PoolOptions, times: ControlTimes = CONTROL_TIMES) {
    this.#dialect = dialect
    this.#options = options
    this.#times = times
  }

  /**
   * Holds a lock of the database, as soon as no session anywhere has it. Not re-entrant: a second call for a name waits for the
   * first, in this process too. A connection that is lost meanwhile is opened again.
   *
   * @throws {LockTimeoutError} the deadline passed first; the message says who holds the lock, where the engine tells
   * @throws {AbortedError} the signal was aborted first
   * @throws {PoolExhaustedError} the process's budget has no room for the control connection
   * @throws {PoolClosedError} the database object was closed
   * @throws {ConfigurationError} the name is not a string
   * @throws what opening the control connection throws: see {@link Dialect.openLockSession}
   */
  async hold(name: string, request: DatabaseLockRequest = {}): Promise<DatabaseHold> {
    if (typeof name !== 'string') throw new ConfigurationError('name', `expected a string, got ${typeof name}`)
    if (this.#closed !== undefined) throw this.#closedError()
    const wait = new DatabaseLockWait(this.#dialect.target, name, request)
    this.#waits.add(wait)
    try {
      for (;;) {
        const hold = await this.#ask(wait)
        if (hold !== undefined) return hold
        await wait.pause()
      }
    } finally {
      this.#waits.delete(wait)
      wait.over()
    }
  }

  /** Refuses new callers and those who wait; what is still held is lost. Settles within three seconds. */
  close(): Promise<void> {
    this.#closed ??= this.#shutDown()
    return this.#closed
  }

  async #shutDown(): Promise<void> {
    for (const wait of this.#waits) wait.stop(this.#closedError())
    this.#closing.abort()
    const closing = this.#control?.then((control) => control.close())
    // one that cannot be opened has told those who waited for it
    await settledBy(closing?.catch(() => undefined) ?? Promise.resolve(), deadlineAfter(CLOSE_PATIENCE_MS))
  }

  async #ask(wait: DatabaseLockWait): Promise<DatabaseHold | undefined> {
    try {
      const control = await wait.settled(this.#connected())
      wait.hasConnection()
      const hold = await this.#tryHold(control, wait)
      // for the message of a time-out alone: where it cannot be told, that time-out is still the error
      if (hold === undefined && wait.refused()) wait.heldBy(await wait.settled(control.holderOf(wait.name).catch(() => undefined)))
      return hold
    } catch (error) {
      if (!wait.bears(error)) throw error
      return undefined
    }
  }

  async #tryHold(control: LockControl, wait: DatabaseLockWait): Promise<DatabaseHold | undefined> {
    const attempt = control.tryHold(wait.name, wait.label, () => wait.isWanted)
    try {
      return await wait.settled(attempt)
    } catch (error) {
      // a lock that comes after its caller has left is nobody's; where the attempt failed there is none
      attempt.then((hold) => hold?.release()).catch(() => undefined)
      throw error
    }
  }

  /** The control connection of now, or the one that is being opened: outside every caller's context, and for all of them. */
  #connected(): Promise<LockControl> {
    if (this.#control !== undefined) return this.#control
    const forget = () => {
      if (this.#control === opening) this.#control = undefined
    }
    const opening = outside(() => LockControl.open(this.#dialect, this.#options, this.#times, this.#closing.signal, forget))
    opening.catch(forget)
    this.#control = opening
    return opening
  }

  #closedError(): PoolClosedError {
    return new PoolClosedError(`the database ${this.#dialect.target} was closed`)
  }
}
