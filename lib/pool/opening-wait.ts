import { lockEvents } from '../events.js'
import type { LockCounters } from '../lock/lock-counters.js'

/** For which lock a caller waits. */
interface OpeningWaitOptions {
  /** What the lock is called. */
  readonly lock: string
  /** Who waits. */
  readonly label: string
  /** Began the opening, whose hold of the lock counts for this caller too, unless the wait fails. */
  readonly isOpener: boolean
}

/** The wait of one caller for the opening of a pool, counted as one for the lock that guards it. */
export class OpeningWait {
  readonly counters: LockCounters
  readonly #options: OpeningWaitOptions
  readonly #sinceMs = performance.now()

  constructor(counters: LockCounters, options: OpeningWaitOptions) {
    this.counters = counters
    this.#options = options
    if (!options.isOpener) counters.joined()
  }

  /** The pool is open. */
  served(): void {
    if (!this.#options.isOpener) this.counters.acquired(this.#waitedMs, false)
  }

  /** The caller goes without the pool; `failed`: because it could not be opened. */
  ended(how: 'timedOut' | 'aborted' | 'failed'): void {
    const { lock, label, isOpener } = this.#options
    if (isOpener) this.counters.joined()
    this.counters.failed(how)
    // a connection that could not be made has been told of
    if (how === 'failed' || !lockEvents.hasSubscribers) return
    lockEvents.publish({ type: how, kind: 'pool', key: lock, label, isReentry: false, waitedMs: this.#waitedMs })
  }

  get #waitedMs(): number {
    return performance.now() - this.#sinceMs
  }
}
