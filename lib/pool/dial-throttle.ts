const FIRST_PAUSE_MS = 50
const LONGEST_PAUSE_MS = 500

/**
 * How many dials a pool may try at a time. As many as it likes, until one is refused while others hold: a server at
 * its limit of connections. Then one, after a pause that doubles with each refusal; every success doubles their number.
 */
export class DialThrottle {
  #atATime = Infinity
  #pauseMs = 0
  #retryAtMs = 0
  #refusedAtMs = -Infinity
  #lastRefusal: unknown

  /** Why the last dial failed; undefined when it went well. */
  get lastRefusal(): unknown {
    return this.#lastRefusal
  }

  /** When the pause ends; in the past when there is none. */
  get retryAtMs(): number {
    return this.#retryAtMs
  }

  allows(dialling: number, nowMs: number): boolean {
    return dialling < this.#atATime && nowMs >= this.#retryAtMs
  }

  refused(error: unknown, nowMs: number): void {
    this.#lastRefusal = error
    this.#refusedAtMs = nowMs
    this.#atATime = 1
    // dials that were under way together and failed together count as one
    if (nowMs < this.#retryAtMs) return
    this.#pauseMs = Math.min(Math.max(FIRST_PAUSE_MS, this.#pauseMs * 2), LONGEST_PAUSE_MS)
    this.#retryAtMs = nowMs + this.#pauseMs
  }

  /** A dial begun at `sinceMs` went well. One begun before the last refusal says nothing about the room there is now. */
  succeeded(sinceMs: number): void {
    if (sinceMs <= this.#refusedAtMs) return
    this.#lastRefusal = undefined
    this.#atATime *= 2
    this.#pauseMs = 0
    this.#retryAtMs = 0
  }
}
