import { ConfigurationError } from '../errors.js'

/** Connections that each open pool may have beyond its `maxConnections`: for fallback, locks and second attempts at a dial. */
const SPARE_CONNECTIONS = 2

/**
 * The count of this process's connections, dedicated ones included. The limit is what the open pools may have together,
 * with two spare connections each; or the lowest number given, which then holds for all of them.
 */
export class ConnectionBudget {
  readonly #given = new Set<{ readonly connections: number }>()
  #room = 0
  #taken = 0

  /** Most connections of the process, as things are. */
  get limit(): number {
    if (this.#given.size === 0) return this.#room
    return Math.min(...[...this.#given].map(({ connections }) => connections))
  }

  /** Connections that are open or being opened. */
  get taken(): number {
    return this.#taken
  }

  /** Takes room for one connection, if there is any. */
  tryTake(): boolean {
    if (this.#taken >= this.limit) return false
    this.#taken++
    return true
  }

  /** Whether there is no room left, and one who has this many connections has all of them. */
  isTakenBy(connections: number): boolean {
    return this.#taken >= this.limit && this.#taken === connections
  }

  /** Gives back the room of one connection that has been closed. */
  give(): void {
    this.#taken--
  }

  /** Adds a pool's share to the default limit; the function given back takes it away again. */
  addPool(maxConnections: number): () => void {
    const room = maxConnections + SPARE_CONNECTIONS
    this.#room += room
    return once(() => {
      this.#room -= room
    })
  }

  /**
   * Sets a hard limit, in force until the function given back is called. Of several, the lowest holds.
   *
   * @throws {ConfigurationError} not a whole number from 1
   */
  limitTo(connections: number): () => void {
    if (!Number.isInteger(connections) || connections < 1) {
      throw new ConfigurationError('connectionBudget', `expected a whole number from 1, got ${connections}`)
    }
    const given = { connections }
    this.#given.add(given)
    return () => void this.#given.delete(given)
  }
}

function once(fn: () => void): () => void {
  let isDone = false
  return () => {
    if (isDone) return
    isDone = true
    fn()
  }
}
