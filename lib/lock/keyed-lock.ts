import AsyncLock from 'async-lock'
import { ConfigurationError } from '../errors.js'
import { type Hold, KeyHold } from './hold.js'
import { abortedError, type LockLine, type LockRequest, LockWaiter } from './lock-line.js'

export type { Hold } from './hold.js'
export type { LockRequest } from './lock-line.js'

/**
 * Mutual exclusion by key, first come first served. Different keys never wait for each other.
 *
 * Each key's queue is kept by async-lock, which is given tickets and never anybody's code: whose turn it is learns that from
 * a promise, and so goes on in its own async context instead of the context of the holder before. A ticket belongs to nobody:
 * when its turn comes, the one who has waited longest takes it. So one who gives up is gone at once, and the ticket left over
 * serves the next to come.
 */
export class KeyedLock {
  readonly #queue = new AsyncLock({ maxPending: Number.POSITIVE_INFINITY })
  readonly #lines = new Map<string, LockLine>()
  readonly #isReentry: boolean

  /** @param options `isReentry` marks the events of a lock that stands for re-entries into another one */
  constructor(options: { readonly isReentry?: boolean } = {}) {
    this.#isReentry = options.isReentry ?? false
  }

  /** How many keys are held or waited for. */
  get size(): number {
    return this.#lines.size
  }

  /** Who holds a key, and how many wait for it; undefined when it is free. */
  stateOf(key: string): { readonly label: string | undefined; readonly heldMs: number; readonly waiting: number } | undefined {
    const line = this.#lines.get(key)
    return line && { label: line.hold?.label, heldMs: line.hold?.heldMs ?? 0, waiting: line.waiters.size }
  }

  /**
   * Holds a key, when its turn has come.
   *
   * @throws {LockTimeoutError} the deadline passed first; the message says who holds the key
   * @throws {AbortedError} the signal was aborted first
   */
  acquire(key: string, request: LockRequest = {}): Promise<Hold> {
    return new Promise((resolve, reject) => {
      // async-lock would take a list for several keys, and any object for the key "[object Object]"
      if (typeof key !== 'string') throw new ConfigurationError('key', `expected a string, got ${typeof key}`)
      if (request.signal?.aborted) throw abortedError(key, request.signal)
      const line = this.#lines.get(key) ?? this.#openLine(key)
      const waiter = new LockWaiter(line, request, resolve, reject)
      line.waiters.add(waiter)
      if (line.tickets < line.waiters.size + (line.hold === undefined ? 0 : 1)) this.#drawTicket(line)
      if (line.waiters.has(waiter)) waiter.watch()
    })
  }

  #openLine(key: string): LockLine {
    const line: LockLine = { key, isReentry: this.#isReentry, hold: undefined, waiters: new Set(), tickets: 0 }
    this.#lines.set(key, line)
    return line
  }

  #drawTicket(line: LockLine): void {
    line.tickets++
    this.#queue.acquire(line.key, (done) => this.#takeTurn(line, done), ignoreOutcome)
  }

  #takeTurn(line: LockLine, done: () => void): void {
    if (this.#serveOldest(line, done)) return
    // everybody gave up. Not passed on from here: a long row of such tickets would be one deep recursion
    queueMicrotask(() => {
      if (!this.#serveOldest(line, done)) this.#endTurn(line, done)
    })
  }

  #serveOldest(line: LockLine, done: () => void): boolean {
    for (const waiter of line.waiters) {
      line.hold = new KeyHold(line.key, waiter.label, line.isReentry, () => this.#endTurn(line, done))
      waiter.serve(line.hold)
      return true
    }
    return false
  }

  #endTurn(line: LockLine, done: () => void): void {
    line.hold = undefined
    line.tickets--
    done()
    if (line.tickets === 0) this.#lines.delete(line.key)
  }
}

// the callback form frees the key at once, and makes async-lock create no promise of its own
function ignoreOutcome(): void {}
