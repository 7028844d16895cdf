import { KeyedLock } from './keyed-lock.js'
import { LockMeter } from './lock-metrics.js'

const SLOT: unique symbol = Symbol.for('latchwork.locks.v1')

/** The locks that belong together: of one process, or of a lock scope with a registry of its own. */
export class LockRegistry {
  readonly meter = new LockMeter()
  /** Locks of the application, by `key@database`. */
  readonly application = new KeyedLock({ meter: this.meter })
}

/** The locks of this process: one registry for every copy of the package that is loaded, and one a worker thread. */
export function processLocks(): LockRegistry {
  const shared = globalThis as { readonly [SLOT]?: LockRegistry }
  if (shared[SLOT] === undefined) Object.defineProperty(globalThis, SLOT, { value: new LockRegistry() })
  return shared[SLOT]!
}
