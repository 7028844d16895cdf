import { KeyedLock } from './keyed-lock.js'
import { LockMeter } from './lock-metrics.js'

const SLOT: unique symbol = Symbol.for('latchwork.locks.v1')

/** The locks that belong together: of one process, or of a lock scope with a registry of its own. */
export class LockRegistry {
  readonly meter = new LockMeter()
  readonly #application = new Map<string, KeyedLock>()
  readonly #across = new Map<string, KeyedLock>()

  /** The locks of the application on one database. */
  application(database: string): KeyedLock {
    return this.#locksOf(this.#application, database)
  }

  /** Where those of this process queue who want locks of the database itself. Their keys are none of {@link application}. */
  across(database: string): KeyedLock {
    return this.#locksOf(this.#across, database)
  }

  /** Forgets the locks of a database that nobody here is on any more; where one is held they stay. */
  forget(database: string): void {
    for (const locks of [this.#application, this.#across]) if (locks.get(database)?.size === 0) locks.delete(database)
  }

  #locksOf(all: Map<string, KeyedLock>, database: string): KeyedLock {
    const known = all.get(database)
    if (known !== undefined) return known
    const locks = new KeyedLock({ meter: this.meter })
    all.set(database, locks)
    return locks
  }
}

/** The locks of this process: one registry for every copy of the package that is loaded, and one a worker thread. */
export function processLocks(): LockRegistry {
  const shared = globalThis as { readonly [SLOT]?: LockRegistry }
  if (shared[SLOT] === undefined) Object.defineProperty(globalThis, SLOT, { value: new LockRegistry() })
  return shared[SLOT]!
}
