import type { LockKind } from '../events.js'
import { type LatencyFigures, LatencyRecorder, NO_LATENCY } from '../latency.js'

/** What has become of those who wanted a lock. */
export interface LockFigures {
  /** Waits that ended with the lock, or with the pool that it guards; re-entries are counted apart. */
  readonly acquisitions: number
  /** Of these, those that were not served at once. */
  readonly contended: number
  readonly timeouts: number
  readonly aborted: number
  readonly deadlocks: number
  /** Waits for a pool that could not be opened. */
  readonly failed: number
  /** Dedicated connections that were tried instead, after a time-out. */
  readonly fallbacks: number
  readonly reentries: number
  /** Now. */
  readonly held: number
  readonly waiting: number
  /** Of those that were not served at once. */
  readonly waitMs: LatencyFigures
  readonly holdMs: LatencyFigures
  /** Acquisitions of all attempts that have ended, 0 to 1; 1 where there was none. */
  readonly successRate: number
}

/** How a wait for a lock ends without it. */
export type LockFailure = 'timedOut' | 'aborted' | 'deadlock'

/** How a wait for a lock, or for the pool that it guards, ends without it. */
type WaitFailure = LockFailure | 'failed'

/** Counts for one key, and for the total that it belongs to. */
export class LockCounters {
  /** Wanted since it was last looked at whether they can be forgotten. */
  isUsedAgain = false
  readonly #total: LockCounters | undefined
  // made when they are needed: a key may be used once and never again
  #waits: LatencyRecorder | undefined
  #holds: LatencyRecorder | undefined
  #failures: Record<WaitFailure, number> | undefined
  #acquisitions = 0
  #contended = 0
  #fallbacks = 0
  #reentries = 0
  #held = 0
  #waiting = 0

  /** @param kind undefined for a total, which may be of both */
  constructor(
    readonly kind?: LockKind,
    total?: LockCounters,
  ) {
    this.#total = total
  }

  get held(): number {
    return this.#held
  }

  get waiting(): number {
    return this.#waiting
  }

  get isInUse(): boolean {
    return this.#held + this.#waiting > 0
  }

  joined(): void {
    this.#waiting++
    this.#total?.joined()
  }

  /** Served after a wait; undefined: at once. Without a hold of its own where several get what one lock guards. */
  acquired(waitedMs: number | undefined, isHeld = true): void {
    this.#waiting--
    this.#acquisitions++
    if (isHeld) this.#held++
    if (waitedMs !== undefined) {
      this.#contended++
      this.#waits ??= new LatencyRecorder()
      this.#waits.record(waitedMs)
    }
    this.#total?.acquired(waitedMs, isHeld)
  }

  failed(how: WaitFailure): void {
    this.#waiting--
    this.#failures ??= { timedOut: 0, aborted: 0, deadlock: 0, failed: 0 }
    this.#failures[how]++
    this.#total?.failed(how)
  }

  released(heldMs: number): void {
    this.#held--
    this.#holds ??= new LatencyRecorder()
    this.#holds.record(heldMs)
    this.#total?.released(heldMs)
  }

  reentered(): void {
    this.#reentries++
    this.#total?.reentered()
  }

  fellBack(): void {
    this.#fallbacks++
    this.#total?.fellBack()
  }

  figures(): LockFigures {
    const { timedOut = 0, aborted = 0, deadlock = 0, failed = 0 } = this.#failures ?? {}
    const attempts = this.#acquisitions + timedOut + aborted + deadlock + failed
    return {
      acquisitions: this.#acquisitions,
      contended: this.#contended,
      timeouts: timedOut,
      aborted,
      deadlocks: deadlock,
      failed,
      fallbacks: this.#fallbacks,
      reentries: this.#reentries,
      held: this.#held,
      waiting: this.#waiting,
      waitMs: this.#waits?.figures() ?? NO_LATENCY,
      holdMs: this.#holds?.figures() ?? NO_LATENCY,
      successRate: attempts === 0 ? 1 : this.#acquisitions / attempts,
    }
  }
}
