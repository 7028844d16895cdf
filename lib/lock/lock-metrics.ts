import type { LockKind } from '../events.js'
import { LockCounters, type LockFigures } from './lock-counters.js'

/** The figures of every lock that is in use, guards an open pool or was used lately, and of all there ever were. */
export interface LockMetrics {
  readonly total: LockFigures
  /** By what the lock is called: a pool's name, or `key@database` for a lock of an application. */
  readonly byKey: Readonly<Record<string, LockFigures>>
}

/** Keys remembered after their last use. Application locks may have any number of keys; each takes up to 40 kB. */
const KEPT_KEYS = 256
/** How many keys a new one looks at for room: so many may be in use that a look at each would be slow. */
const LOOKED_AT = 8

/** Counts for locks by what they are called. */
export class LockMeter {
  readonly #total = new LockCounters()
  readonly #byName = new Map<string, LockCounters>()
  /** Guard a pool that is open. */
  readonly #pinned = new Set<string>()

  countersOf(name: string, kind: LockKind): LockCounters {
    const known = this.#byName.get(name)
    if (known !== undefined) {
      known.isUsedAgain = true
      return known
    }
    if (this.#byName.size >= KEPT_KEYS) this.#forgetOld()
    const counters = new LockCounters(kind, this.#total)
    this.#byName.set(name, counters)
    return counters
  }

  /** Nobody has the name or waits for it any more. */
  freed(name: string): void {
    if (this.#byName.size > KEPT_KEYS && this.#isUnused(name)) this.#byName.delete(name)
  }

  /** Keeps the figures of a name until it is unpinned. */
  pin(name: string): void {
    this.#pinned.add(name)
  }

  /** The pool is gone: so are its lock's figures, once nobody holds it or waits. */
  unpin(name: string): void {
    this.#pinned.delete(name)
    if (this.#isUnused(name)) this.#byName.delete(name)
  }

  /** The counts of each name. None that is in use is ever missing. */
  entries(): Iterable<readonly [name: string, counters: LockCounters]> {
    return this.#byName.entries()
  }

  metrics(): LockMetrics {
    const byKey = Object.fromEntries([...this.#byName].map(([name, counters]) => [name, counters.figures()]))
    return { total: this.#total.figures(), byKey }
  }

  /** Forgets every name that is not in use. Gives how many. */
  forgetUnused(): number {
    const unused = [...this.#byName.keys()].filter((name) => this.#isUnused(name))
    for (const name of unused) this.#byName.delete(name)
    return unused.length
  }

  /** Makes room among the oldest. One that is in use, or was used again since the last look, becomes the newest instead. */
  #forgetOld(): void {
    let lookedAt = 0
    for (const [name, counters] of this.#byName) {
      if (lookedAt++ === LOOKED_AT || this.#byName.size < KEPT_KEYS) return
      this.#byName.delete(name)
      if (!counters.isUsedAgain && !counters.isInUse && !this.#pinned.has(name)) continue
      counters.isUsedAgain = false
      this.#byName.set(name, counters)
    }
  }

  #isUnused(name: string): boolean {
    return !this.#pinned.has(name) && this.#byName.get(name)?.isInUse !== true
  }
}
