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
      const hold = this.tryAcquire(key, request)
      if (hold === undefined) new LockWaiter(this.#lines.get(key)!, request, frame, resolve, reject).join()
      else resolve(hold)
    })
  }

  /**
   * Holds a key that is free, without a promise: those are most of what a free lock would cost. Undefined where it is not free.
   *
   * @throws {AbortedError} the signal was aborted first
   */
  tryAcquire(key: string, { signal, name = key, label }: LockRequest = {}): KeyHold | undefined {
    // async-lock would take a list for several keys, and any object for the key "[object Object]"
    if (typeof key !== 'string') throw new ConfigurationError('key', `expected a string, got ${typeof key}`)
    if (signal?.aborted) throw abortedError(name, signal)
    if (this.#lines.has(key)) return undefined
    const line = new LockLine(this.kind, key, name, this.#isReentry, this.#meter?.countersOf(name, this.kind))
    this.#lines.set(key, line)
    line.counters?.joined()
    const hold = this.#holdNow(line, label)
    line.tell('acquired', label)
    return hold
  }

  /** Counts one who has the key already by a call above, and so waits only for others who have it so too. */
  countReentry(name: string): void {
    this.#meter?.countersOf(name, this.kind).reentered()
  }

  /** async-lock gives a ticket at once where nobody has one. */
  #holdNow(line: LockLine, label: string | undefined): KeyHold {
    const beginTurn = (done: () => void) => {
      line.hold = new KeyHold(line, label, () => this.#endTurn(line, done))
    }
    this.#queue.acquire(line.key, beginTurn, ignoreOutcome)
    return line.hold!
  }

  #endTurn(line: LockLine, done: () => void): void {
    line.hold = undefined
    done()
    const waiter = line.oldest
    if (waiter !== undefined) {
      waiter.serve(this.#holdNow(line, waiter.label))
      return
    }
    this.#lines.delete(line.key)
    this.#meter?.freed(line.name)
  }
}

// the callback form frees the key at once, and makes async-lock create no promise of its own
function ignoreOutcome(): void {}
