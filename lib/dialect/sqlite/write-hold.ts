/** A transaction that kept other processes from writing for as long as this is followed by a rest. */
const LONG_HOLD_MS = 20
const REST_SHARE = 0.05
/** Longer than the pause between two attempts of a process that waits. */
const MOST_REST_MS = 5

/**
 * Keeps one process from taking the database's write lock over and over. SQLite has no queue: who waits looks from time to
 * time, and would hardly ever look between two long transactions of another that follow each other at once.
 */
export class WriteHold {
  #sinceMs = 0
  #restUntilMs = 0

  begun(): void {
    this.#sinceMs = performance.now()
  }

  ended(): void {
    const nowMs = performance.now()
    const heldMs = nowMs - this.#sinceMs
    if (heldMs >= LONG_HOLD_MS) this.#restUntilMs = nowMs + Math.min(heldMs * REST_SHARE, MOST_REST_MS)
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
