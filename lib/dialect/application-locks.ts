import { deadlineAfter } from '../deadline.js'
import { Later } from '../later.js'
import { type HeldLock, WatchedLock } from '../lock/held-lock.js'
import type { Hold } from '../lock/hold.js'
import type { LockRequest } from '../lock/lock-line.js'
import { processLocks } from '../lock/lock-registry.js'
import { currentLocks, holdInScope, withHold } from '../lock/lock-scope.js'
import { callSite } from '../warn.js'
import type { DatabaseLocks } from './database-locks.js'
import { checkHold, checkLock, type HoldOptions, type LockOptions } from './lock-options.js'

const JOINT_HOLDS = new Later('locks across processes', () => import('./joint-hold.js'))

/** Stands behind the name of a lock that all processes see. */
const ACROSS = ' (all processes)'

/** How long work may run under a lock before that is reported, and who asked for it. */
interface Watch {
  readonly maxHoldMs: number
  readonly caller: Error | undefined
}

/** The locks that an application takes by name, for one database: in this process, or in all that work on it. */
export class ApplicationLocks {
  readonly #target: string
  readonly #space: string
  readonly #databaseLocks: Pick<DatabaseLocks, 'hold' | 'close'>
  readonly #timeoutMs: number

  /**
   * @param target readable, without a secret: stands in the locks' names
   * @param space the same for all who are on this database, and for nobody else
   * @param timeoutMs how long to wait where the caller does not say
   */
  constructor(target: string, space: string, databaseLocks: Pick<DatabaseLocks, 'hold' | 'close'>, timeoutMs: number) {
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
   * @throws {LockQueueFullError} `maxQueue` callers of this process wait for it already
   * @throws {DeadlockError} the call chain holds what those wait for who have the key
   * @throws {LockLostError} the session that held it in the database ended while `fn` ran
   * @throws {ConfigurationError} the key or an option is unknown, of the wrong kind or out of bounds
   */
  lock<T>(key: string, fn: (lock: HeldLock) => T | PromiseLike<T>, options: LockOptions = {}): Promise<T> {
    try {
      checkLock(key, options)
    } catch (error) {
      // not an async function: one promise less is a fifth of what a free lock costs
      return Promise.reject(error)
    }
    const request = this.#requestOf(key, options, 'db.lock')
    const watch = options.maxHoldMs === undefined ? undefined : { maxHoldMs: options.maxHoldMs, caller: callSite() }
    return withHold(currentLocks().application(this.#space), key, request, (hold) =>
      options.across === 'database' ? this.#runAcross(key, request, watch, fn) : watched(new WatchedLock(key, hold), watch, fn),
    )
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

  #runAcross<T>(key: string, request: LockRequest, watch: Watch | undefined, fn: (lock: HeldLock) => T | PromiseLike<T>): Promise<T> {
    const named = { ...request, name: `${request.name}${ACROSS}` }
    // never of a registry of a scope's own: it excludes all processes, and so all registries of this one
    return withHold(processLocks().across(this.#space), key, named, async (hold) => {
      const { JointHold } = await JOINT_HOLDS.load()
      const id = `${this.#space} ${key}`
      const joint = hold.isReentry ? JointHold.requireOpen(id, hold.name) : new JointHold(id, await this.#databaseLocks.hold(key, request))
      const lock = new WatchedLock(key, hold)
      return joint.run(lock, () => watched(lock, watch, fn))
    })
  }

  #requestOf(key: string, { timeoutMs = this.#timeoutMs, signal, maxQueue, label }: HoldOptions, defaultLabel: string): LockRequest {
    return { deadline: deadlineAfter(timeoutMs), signal, maxQueue, label: label ?? defaultLabel, name: `${key}@${this.#target}` }
  }
}

function watched<T>(lock: WatchedLock, watch: Watch | undefined, fn: (lock: HeldLock) => T | PromiseLike<T>): T | PromiseLike<T> {
  return watch === undefined ? fn(lock) : runWatched(lock, watch, fn)
}

async function runWatched<T>(lock: WatchedLock, { maxHoldMs, caller }: Watch, fn: (lock: HeldLock) => T | PromiseLike<T>): Promise<T> {
  const endWatch = lock.watch(maxHoldMs, caller)
  try {
    return await fn(lock)
  } finally {
    endWatch()
  }
}
