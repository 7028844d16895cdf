/** Transactions that kept other processes from writing for as long as this, one or many in a row, are followed by a rest. */
const LONG_HOLD_MS = 20
const REST_SHARE = 0.05
/** Longer than the pause between two attempts of a process that waits. */
const MOST_REST_MS = 5

/**
 * Keeps one process from taking the database's write lock over and over. SQLite has no queue: who waits looks from time to
 * time, and would hardly ever look between transactions of another that follow each other at once.
 */
export class WriteHold {
  #sinceMs = 0
  #endedMs = Number.NEGATIVE_INFINITY
  /** In a row: without a pause in which another could have come. */
  #heldMs = 0
  #restUntilMs = 0

  begun(): void {
    this.#sinceMs = performance.now()
    if (this.#sinceMs - this.#endedMs > MOST_REST_MS) this.#heldMs = 0
  }

  ended(): void {
    this.#endedMs = performance.now()
    this.#heldMs += this.#endedMs - this.#sinceMs
    if (this.#heldMs < LONG_HOLD_MS) return
    this.#restUntilMs = this.#endedMs + Math.min(this.#heldMs * REST_SHARE, MOST_REST_MS)
    this.#heldMs = 0
  }

  /** Milliseconds until the lock may be asked for again; 0 nearly always. */
  restMs(): number {
    if (this.#restUntilMs === 0) return 0
    const remainingMs = this.#restUntilMs - performance.now()
    if (remainingMs > 0) return remainingMs
    this.#restUntilMs = 0
    return 0
  }
}
