import { onAbort } from '../abort.js'
import { type Deadline, LONGEST_TIMER_MS, remainingMs } from '../deadline.js'
import { AbortedError, LockQueueFullError, LockTimeoutError } from '../errors.js'
import { type LockKind, lockEvents } from '../events.js'
import type { Frame, Resource, Wait } from './frame.js'
import { byLabel } from './hold.js'
import type { HeldLine, KeyHold } from './key-hold.js'
import type { LockCounters, LockFailure } from './lock-counters.js'
import { beginWait, circleOf, deadlockError, endWait } from './wait-graph.js'

/** Each takes about a kilobyte while it waits. */
const MAX_QUEUE = 200_000

/** How to wait for a lock. */
export interface LockRequest {
  /** When to give up. Default: never. A lock that is free at once is given even after it. */
  readonly deadline?: Deadline | undefined
  readonly signal?: AbortSignal | undefined
  /** Most callers in line for the key; one more is refused at once. Default {@link MAX_QUEUE}. */
  readonly maxQueue?: number | undefined
  /** Who asks, for messages and events: a node's name. */
  readonly label?: string | undefined
  /** What the lock is called in messages, events and figures, where that is not its key. */
  readonly name?: string | undefined
}

/** One key while somebody holds it or waits for it. */
export class LockLine implements HeldLine, Resource {
  hold: KeyHold | undefined
  /** The one who has waited longest; each knows who stands behind. */
  oldest: LockWaiter | undefined
  #newest: LockWaiter | undefined
  /** How many wait. */
  waiting = 0

  constructor(
    readonly kind: LockKind,
    readonly key: string,
    /** What it is called in messages, events and figures. */
    readonly name: string,
    /** Stands for re-entries into another lock. */
    readonly isReentry: boolean,
    readonly counters: LockCounters | undefined,
  ) {}

  get description(): string {
    return `lock "${this.name}"`
  }

  holders(): readonly Frame[] | undefined {
    const frame = this.hold?.frame
    return frame && [frame]
  }

  /** @throws {LockQueueFullError} `maxQueue` callers wait already */
  join(waiter: LockWaiter, maxQueue = MAX_QUEUE): void {
    if (this.waiting >= maxQueue)
      throw new LockQueueFullError(`${this.description}: ${this.waiting} callers wait already; raise maxQueue or send less`)
    waiter.before = this.#newest
    if (this.#newest === undefined) this.oldest = waiter
    else this.#newest.behind = waiter
    this.#newest = waiter
    this.waiting++
    this.counters?.joined()
  }

  /** From wherever it stands. */
  leave(waiter: LockWaiter): void {
    const { before, behind } = waiter
    if (before === undefined) this.oldest = behind
    else before.behind = behind
    if (behind === undefined) this.#newest = before
    else behind.before = before
    this.waiting--
  }

  /** Tells how a wait has ended; `waitedMs` undefined: with the key, at once. */
  tell(type: 'acquired' | LockFailure, label: string | undefined, waitedMs?: number): void {
    const { kind, name, isReentry, counters } = this
    if (type === 'acquired') counters?.acquired(waitedMs)
    else counters?.failed(type)
    if (lockEvents.hasSubscribers) lockEvents.publish({ type, kind, key: name, label, isReentry, waitedMs: waitedMs ?? 0 })
  }
}

/** Somebody who stands in a line: served once, or gone when the deadline passes or the signal is aborted. */
export class LockWaiter {
  readonly #sinceMs = performance.now()
  /** Its neighbours in the line. */
  before: LockWaiter | undefined
  behind: LockWaiter | undefined
  isWaiting = true
  readonly #line: LockLine
  readonly #request: LockRequest
  readonly #frame: Frame | undefined
  readonly #resolve: (hold: KeyHold) => void
  readonly #reject: (error: Error) => void
  #timer: NodeJS.Timeout | undefined
  #endListening: (() => void) | undefined
  #wait: Wait | undefined

  constructor(
    line: LockLine,
    request: LockRequest,
    frame: Frame | undefined,
    resolve: (hold: KeyHold) => void,
    reject: (error: Error) => void,
  ) {
    this.#line = line
    this.#request = request
    this.#frame = frame
    this.#resolve = resolve
    this.#reject = reject
  }

  get label(): string | undefined {
    return this.#request.label
  }

  /** Ends the wait with a hold. */
  serve(hold: KeyHold): void {
    this.#leave('acquired')
    this.#resolve(hold)
  }

  /**
   * Joins the line, and watches deadline, signal and the waits of others.
   *
   * @throws {LockQueueFullError} `maxQueue` callers stand in it already
   */
  join(): void {
    const { deadline, signal, maxQueue } = this.#request
    this.#line.join(this, maxQueue)
    if (this.#frame !== undefined && this.#closesCircle(this.#frame)) return
    if (signal !== undefined) {
      this.#endListening = onAbort(signal, () => this.#giveUp('aborted', abortedError(this.#line.name, signal)))
    }
    if (deadline !== undefined && deadline !== Number.POSITIVE_INFINITY) this.#watchDeadline(deadline)
  }

  #closesCircle(frame: Frame): boolean {
    this.#wait = { frame, resource: this.#line, label: this.label, cancel: (error) => this.#giveUp('aborted', error) }
    beginWait(this.#wait)
    const chains = circleOf(this.#wait)
    if (chains === undefined) return false
    this.#giveUp('deadlock', deadlockError(this.#line.description, chains))
    return true
  }

  #watchDeadline(deadline: Deadline): void {
    const leftMs = remainingMs(deadline)
    // looks again when it fires: timers run a little early, and not as long as some deadlines
    if (leftMs > 0) this.#timer = setTimeout(() => this.#watchDeadline(deadline), Math.min(Math.ceil(leftMs), LONGEST_TIMER_MS))
    // after a stall of the event loop timers run before all else that is due, a release among it
    else setImmediate(() => this.#giveUpLate())
  }

  #giveUpLate(): void {
    if (this.isWaiting) this.#giveUp('timedOut', timeoutError(this.#line, performance.now() - this.#sinceMs))
  }

  #giveUp(outcome: LockFailure, error: Error): void {
    this.#leave(outcome)
    this.#reject(error)
  }

  #leave(type: 'acquired' | LockFailure): void {
    if (this.#timer !== undefined) clearTimeout(this.#timer)
    this.#endListening?.()
    if (this.#wait !== undefined) endWait(this.#wait)
    this.isWaiting = false
    this.#line.leave(this)
    this.#line.tell(type, this.label, performance.now() - this.#sinceMs)
  }
}

/** The error of a wait that was aborted, or that never began because it had been. */
export function abortedError(name: string, signal: AbortSignal): AbortedError {
  return new AbortedError(`the wait for lock "${name}" was aborted`, { cause: signal.reason })
}

function timeoutError({ name, hold }: LockLine, waitedMs: number): LockTimeoutError {
  const held = hold === undefined ? '' : `; held ${Math.round(hold.heldMs)} ms${byLabel(hold.label)}`
  return new LockTimeoutError(
    `lock "${name}" was not free within ${Math.round(waitedMs)} ms${held}; raise the time-out or find what holds it`,
  )
}
