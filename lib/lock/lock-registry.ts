import { KeyedLock } from './keyed-lock.js'
import { LockMeter } from './lock-metrics.js'

const SLOT: unique symbol = Symbol.for('latchwork.locks.v1')

/** The locks that belong together: of one process, or of a lock scope with a registry of its own. */
export class LockRegistry {
  readonly meter = new LockMeter()
  readonly #application = new Map<string, KeyedLock>()

  /** The locks of the application on one database. */
  application(database: string): KeyedLock {
    const known = this.#application.get(database)
    if (known !== undefined) return known
    const locks = new KeyedLock({ meter: this.meter })
    this.#application.set(database, locks)
    return locks
  }

  /** Forgets the locks of a database that nobody here is on any more; where one is held they stay. */
  forget(database: string): void {
    if (this.#application.get(database)?.size === 0) this.#application.delete(database)
  }
}

/** The locks of this process: one registry for every copy of the package that is loaded, and one a worker thread. */
export function processLocks(): LockRegistry {
  const shared = globalThis as { readonly [SLOT]?: LockRegistry }
  if (shared[SLOT] === undefined) Object.defineProperty(globalThis, SLOT, { value: new LockRegistry() })
  return shared[SLOT]!
}
