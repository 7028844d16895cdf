import { deadlineAfter } from '../deadline.js'
import type { LockLostError } from '../errors.js'
import { type HeldLock, WatchedLock } from '../lock/held-lock.js'
import type { Hold } from '../lock/hold.js'
import type { LockRequest } from '../lock/lock-line.js'
import { processLocks } from '../lock/lock-registry.js'
import { currentLocks, holdInScope, withHold } from '../lock/lock-scope.js'
import { callSite } from '../warn.js'
import type { DatabaseHold, DatabaseLocks } from './database-locks.js'
import { checkHold, checkLock, type HoldOptions, type LockOptions } from './lock-options.js'

/** Stands behind the key and the name of a lock that all processes see. */
const ACROSS = ' (all processes)'

/** How long work may run under a lock before that is reported, and who asked for it. */
interface Watch {
  readonly maxHoldMs: number | undefined
  readonly caller: Error | undefined
}

/** The locks that an application takes by name, for one database: in this process, or in all that work on it. */
export class ApplicationLocks {
  readonly #target: string
  readonly #space: string
  readonly #databaseLocks: DatabaseLocks
  readonly #timeoutMs: number

  /**
   * @param target readable, without a secret: stands in the locks' names
   * @param space the same for all who are on this database, and for nobody else
   * @param timeoutMs how long to wait where the caller does not say
   */
  constructor(target: string, space: string, databaseLocks: DatabaseLocks, timeoutMs: number) {
    this.#target = target
    this.#space = space
    this.#databaseLocks = databaseLocks
    this.#timeoutMs = timeoutMs
  }

  /**
   * Runs `fn` while `key` is held.
   *
   * @throws {LockTimeoutError} `timeoutMs` passed before its turn came
   * @throws {AbortedError} the signal was aborted before its turn came
   * @throws {DeadlockError} the call chain holds what those wait for who have the key
   * @throws {LockLostError} the session that held it in the database ended while `fn` ran
   * @throws {ConfigurationError} the key or an option is unknown, of the wrong kind or out of bounds
   */
  async lock<T>(key: string, fn: (lock: HeldLock) => T | PromiseLike<T>, options: LockOptions = {}): Promise<T> {
    checkLock(key, options)
    const request = this.#requestOf(key, options, 'db.lock')
    const watch: Watch = { maxHoldMs: options.maxHoldMs, caller: options.maxHoldMs === undefined ? undefined : callSite() }
    const locks = currentLocks().application(this.#space)
    return withHold(locks, key, request, (hold) => {
      if (options.across !== 'database') return this.#run(key, hold, watch, fn)
      const across = { ...request, name: `${request.name}${ACROSS}` }
      return withHold(locks, `${key}${ACROSS}`, across, (outer) => {
        // a call above has it already, for this process and so for all
        if (outer.isReentry) return this.#run(key, outer, watch, fn)
        return this.#runAcross(key, outer, request, watch, fn)
      })
    })
  }

  /** Holds `key` in this process until it is released, at the latest until the lock scope around the call ends. */
  async hold(key: string, options: HoldOptions = {}): Promise<Hold> {
    checkHold(key, options)
    return holdInScope(currentLocks().application(this.#space), key, this.#requestOf(key, options, 'db.hold'))
  }

  /** Frees what is held in the database, whose holders are told, and waits for nothing. */
  async close(): Promise<void> {
    await this.#databaseLocks.close()
    processLocks().forget(this.#space)
  }

  #run<T>(key: string, hold: Hold, { maxHoldMs, caller }: Watch, fn: (lock: WatchedLock) => T | PromiseLike<T>): T | PromiseLike<T> {
    const lock = new WatchedLock(key, hold)
    return maxHoldMs === undefined ? fn(lock) : watched(lock, maxHoldMs, caller, fn)
  }

  async #runAcross<T>(key: string, hold: Hold, request: LockRequest, watch: Watch, fn: (lock: HeldLock) => T | PromiseLike<T>): Promise<T> {
    const held: DatabaseHold = await this.#databaseLocks.hold(key, request)
    let loss: LockLostError | undefined
    let result: T
    try {
      result = await this.#run(key, hold, watch, (lock) => {
        held.onLost((error) => {
          loss = error
          lock.abort(error)
        })
        return fn(lock)
      })
    } finally {
      await held.release()
    }
    // a loss may first show when the lock is given back
    if (loss !== undefined) throw loss
    return result
  }

  #requestOf(key: string, { timeoutMs = this.#timeoutMs, signal, label }: HoldOptions, defaultLabel: string): LockRequest {
    return { deadline: deadlineAfter(timeoutMs), signal, label: label ?? defaultLabel, name: `${key}@${this.#target}` }
  }
}

async function watched<T>(
  lock: WatchedLock,
  maxHoldMs: number,
  caller: Error | undefined,
  fn: (lock: WatchedLock) => T | PromiseLike<T>,
): Promise<T> {
  const endWatch = lock.watch(maxHoldMs, caller)
  try {
    return await fn(lock)
  } finally {
    endWatch()
  }
}
