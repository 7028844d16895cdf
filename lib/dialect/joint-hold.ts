import { type LockLostError, ScopeClosedError } from '../errors.js'
import type { WatchedLock } from '../lock/held-lock.js'
import type { DatabaseHold } from './database-hold.js'

/** Those of this process, until they are given back. */
const byId = new Map<string, JointHold>()

/**
 * A lock of the database under which a call runs, and with it all calls below that want the same lock. It is given back with the
 * last of them, and each hears of its loss.
 */
export class JointHold {
  readonly #id: string
  readonly #hold: DatabaseHold
  readonly #running = new Set<WatchedLock>()
  #loss: LockLostError | undefined

  /** @param id the same for all who share it, and for nobody else */
  constructor(id: string, hold: DatabaseHold) {
    this.#id = id
    this.#hold = hold
    byId.set(id, this)
    hold.onLost((error) => this.#lose(error))
  }

  /**
   * The one that a call above has.
   *
   * @throws {ScopeClosedError} it has been given back
   */
  static requireOpen(id: string, name: string): JointHold {
    const known = byId.get(id)
    if (known === undefined) throw new ScopeClosedError(`lock "${name}" has been released; await every call made under a lock`)
    return known
  }

  /**
   * Runs `fn` under it.
   *
   * @throws {LockLostError} it was lost before `fn`, which then does not run, or until it was given back
   */
  async run<T>(lock: WatchedLock, fn: () => T | PromiseLike<T>): Promise<T> {
    this.#running.add(lock)
    let result: T
    try {
      this.#requireKept()
      result = await fn()
    } finally {
      await this.#leave(lock)
    }
    // a loss may first show when the lock is given back
    this.#requireKept()
    return result
  }

  #lose(error: LockLostError): void {
    this.#loss = error
    for (const lock of this.#running) lock.abort(error)
  }

  #requireKept(): void {
    if (this.#loss !== undefined) throw this.#loss
  }

  async #leave(lock: WatchedLock): Promise<void> {
    this.#running.delete(lock)
    if (this.#running.size > 0) return
    byId.delete(this.#id)
    await this.#hold.release()
  }
}
