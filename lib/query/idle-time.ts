import { transactionEvents } from '../events.js'

/** A transaction whose connection has nothing to do for longer than this is told of: it holds locks, and a place in the pool, for nothing. */
const LONG_MS = 200

/** How long the connection of a transaction has nothing to do between its statements. Costs nothing while nobody listens. */
export class IdleTime {
  readonly #pool: string
  readonly #opener: Error | undefined
  #sinceMs: number | undefined
  #isTold = false

  /** @param opener where the transaction was begun */
  constructor(pool: string, opener: Error | undefined) {
    this.#pool = pool
    this.#opener = opener
  }

  /** From now on the transaction waits for the application. */
  begin(): void {
    this.#sinceMs = transactionEvents.hasSubscribers ? performance.now() : undefined
  }

  /** The wait is over; tells of the first in a transaction that was long. */
  end(label: string): void {
    if (this.#sinceMs === undefined) return
    const idleMs = performance.now() - this.#sinceMs
    this.#sinceMs = undefined
    if (idleMs <= LONG_MS || this.#isTold) return
    this.#isTold = true
    transactionEvents.publish({ type: 'idle', pool: this.#pool, label, idleMs, stack: this.#opener?.stack })
  }
}
