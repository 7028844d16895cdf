import { LATE, remainingMs, settledBy } from '../deadline.js'
import { type LockTimeoutError, PoolExhaustedError } from '../errors.js'
import { poolEvents } from '../events.js'
import type { LockCounters } from '../lock/lock-counters.js'
import type { BorrowRequest } from './borrow-request.js'
import type { ConnectionBudget } from './connection-budget.js'
import { Lease } from './lease.js'
import { outside } from './outside.js'
import type { Pool } from './pool.js'

const CLOSE_TIMEOUT_MS = 5_000

/** Connections for one caller each, who could not wait for a pool any longer; within the budget, and never a second pool. */
export class DedicatedConnections {
  readonly #budget: ConnectionBudget
  #count = 0

  constructor(budget: ConnectionBudget) {
    this.#budget = budget
  }

  /** How many there are, those being opened included. */
  get count(): number {
    return this.#count
  }

  /**
   * Opens a connection in place of a pool that was not to be had; it is closed with its lease.
   *
   * @throws the time-out, where there can be no dedicated connection or no time is left for one
   * @throws {PoolExhaustedError} the budget has no room for it; `cause` is the time-out
   * @throws what opening it throws
   */
  async borrow<P extends Pool>(
    request: BorrowRequest<P>,
    timeout: LockTimeoutError,
    waitedMs: number,
    counters: LockCounters,
  ): Promise<Lease<P>> {
    const { name, label, deadline, openDedicated } = request
    if (openDedicated === undefined || remainingMs(deadline) === 0) throw timeout
    if (!this.#budget.tryTake()) throw this.#exhausted(name, timeout)
    counters.fellBack()
    if (poolEvents.hasSubscribers) poolEvents.publish({ type: 'fallback', pool: name, label, waitedMs })
    this.#count++
    const abandon = new AbortController()
    const opening = outside(() => this.#open(() => openDedicated(abandon.signal)))
    try {
      const pool = await settledBy(opening, deadline, request.signal, request.closing)
      if (pool !== LATE) return new Lease('dedicated', pool, ({ timeoutMs }) => this.#close(pool, timeoutMs))
    } catch (error) {
      this.#discard(opening, abandon)
      throw error
    }
    this.#discard(opening, abandon)
    throw timeout
  }

  async #open<P extends Pool>(open: () => Promise<P>): Promise<P> {
    try {
      return await open()
    } catch (error) {
      this.#forget()
      throw error
    }
  }

  /** Breaks an opening off, and closes what comes all the same. One that fails has told the caller, or came later than its error. */
  #discard(opening: Promise<Pool>, abandon: AbortController): void {
    abandon.abort()
    opening.then((pool) => this.#close(pool)).catch(() => undefined)
  }

  async #close(pool: Pool, timeoutMs = CLOSE_TIMEOUT_MS): Promise<void> {
    try {
      await outside(() => pool.close(timeoutMs))
    } finally {
      this.#forget()
    }
  }

  #forget(): void {
    this.#count--
    this.#budget.give()
  }

  #exhausted(name: string, cause: LockTimeoutError): PoolExhaustedError {
    const { taken, limit } = this.#budget
    return new PoolExhaustedError(
      `pool "${name}": no room for a dedicated connection, ${taken} of ${limit} in use; raise connectionBudget or pool.lockTimeoutMs`,
      { cause },
    )
  }
}
