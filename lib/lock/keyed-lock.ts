import AsyncLock from 'async-lock'
import { ConfigurationError } from '../errors.js'
import type { LockKind } from '../events.js'
import type { Frame } from './frame.js'
import { KeyHold } from './key-hold.js'
import { abortedError, LockLine, type LockRequest, LockWaiter } from './lock-line.js'
import type { LockMeter } from './lock-metrics.js'

export type { Hold } from './hold.js'
export type { LockRequest } from './lock-line.js'

interface KeyedLockOptions {
  /** What its events say. Default `application`. */
  readonly kind?: LockKind
  /** Counts for each name. */
  readonly meter?: LockMeter
  /** Its keys stand for re-entries into those of another lock, which counts them: it has no meter of its own. Default false. */
  readonly isReentry?: boolean
}

/**
 * Mutual exclusion by key, first come first served. Different keys never wait for each other.
 *
 * Each key's queue is kept by async-lock, which is given tickets and never anybody's code: whose turn it is learns that from
 * a promise, and so goes on in its own async context instead of the context of the holder before. A line has one ticket at a time,
 * which belongs to nobody: the one who has waited longest takes it. So one who gives up is gone at once, and a long line costs no
 * more to pass than a short one.
 */
export class KeyedLock {
  readonly #queue = new AsyncLock({ maxPending: Number.POSITIVE_INFINITY })
  readonly #lines = new Map<string, LockLine>()
  readonly #meter: LockMeter | undefined
  readonly kind: LockKind
  readonly #isReentry: boolean

  constructor({ kind = 'application', meter, isReentry = false }: KeyedLockOptions = {}) {
    this.kind = kind
    this.#meter = meter
    this.#isReentry = isReentry
  }

  /** How many keys are held or waited for. */
  get size(): number {
    return this.#lines.size
  }

  /** Who holds a key, and how many wait for it; undefined when it is free. */
  stateOf(key: string): { readonly label: string | undefined; readonly heldMs: number; readonly waiting: number } | undefined {
    const line = this.#lines.get(key)
    return line && { label: line.hold?.label, heldMs: line.hold?.heldMs ?? 0, waiting: line.waiting }
  }

  /**
   * Holds a key, when its turn has come.
   *
   * @param frame the step of a call chain that waits: with it a circle of waits is found as soon as it would close
   * @throws {LockTimeoutError} the deadline passed first; the message says who holds the key
   * @throws {AbortedError} the signal was aborted first
   * @throws {LockQueueFullError} `maxQueue` callers wait already
   * @throws {DeadlockError} the chain of `frame` holds what those wait for who have this key
   */
  acquire(key: string, request: LockRequest = {}, frame?: Frame): Promise<KeyHold> {
    return new Promise((resolve, reject) => {
      // async-lock would take a list for several keys, and any object for the key "[object Object]"
      if (typeof key !== 'string') throw new ConfigurationError('key', `expected a string, got ${typeof key}`)
      if (request.signal?.aborted) throw abortedError(request.name ?? key, request.signal)
      const line = this.#lines.get(key) ?? this.#openLine(key, request.name ?? key)
      line.requireRoom(request.maxQueue)
      const waiter = new LockWaiter(line, request, frame, resolve, reject)
      line.join(waiter)
      if (!line.hasTicket) this.#drawTicket(line)
      if (waiter.isWaiting) waiter.watch()
    })
  }

  /** Counts one who has the key already by a call above, and so waits only for others who have it so too. */
  countReentry(name: string): void {
    this.#meter?.countersOf(name, this.kind).reentered()
  }

  #openLine(key: string, name: string): LockLine {
    const line = new LockLine(this.kind, key, name, this.#isReentry, this.#meter?.countersOf(name, this.kind))
    this.#lines.set(key, line)
    return line
  }

  #drawTicket(line: LockLine): void {
    line.hasTicket = true
    this.#queue.acquire(line.key, (done) => this.#serveOldest(line, done), ignoreOutcome)
  }

  #serveOldest(line: LockLine, done: () => void): void {
    const waiter = line.oldest!
    line.hold = new KeyHold(line, waiter.label, () => this.#endTurn(line, done))
    waiter.serve(line.hold)
  }

  #endTurn(line: LockLine, done: () => void): void {
    line.hold = undefined
    line.hasTicket = false
    done()
    if (line.waiting > 0) {
      this.#drawTicket(line)
      return
    }
    this.#lines.delete(line.key)
    this.#meter?.freed(line.name)
  }
}

// the callback form frees the key at once, and makes async-lock create no promise of its own
function ignoreOutcome(): void {}
