import { onAbort } from '../abort.js'
import type { Deadline } from '../deadline.js'
import { AbortedError, type WaitChain } from '../errors.js'
import type { Resource, Wait } from '../lock/frame.js'
import { currentFrame } from '../lock/lock-scope.js'
import { beginWait, circleOf, endWait } from '../lock/wait-graph.js'
import { Alarm } from './alarm.js'
import type { AcquireRequest } from './pool.js'
import { poolClosed } from './pool-errors.js'

/** A caller in the queue. Settled once: by who serves it, its deadline, its signal, or the end of the pool. */
export class Waiter<C> {
  previous: Waiter<C> | undefined
  next: Waiter<C> | undefined
  isWaiting = true
  readonly listening: (() => void)[] = []
  /** In the graph of waits, where the caller holds something. */
  wait: Wait | undefined

  constructor(
    readonly request: AcquireRequest,
    readonly sinceMs: number,
    readonly resolve: (member: C) => void,
    readonly reject: (error: unknown) => void,
  ) {}
}

/**
 * Callers in the order in which they came. One who gives up leaves at once, from wherever it stands.
 * One timer watches every deadline; none is ever set anew.
 */
export class WaiterQueue<C> {
  readonly #pool: string
  readonly #expire: (nowMs: number) => void
  readonly #alarm: Alarm
  #first: Waiter<C> | undefined
  #last: Waiter<C> | undefined
  #size = 0

  /**
   * @param pool its name, for errors
   * @param expire asked to call {@link takeExpired}; it runs after what has arrived on sockets was read
   */
  constructor(pool: string, expire: (nowMs: number) => void) {
    this.#pool = pool
    this.#expire = expire
    // after a stall of the event loop timers run first: a connection whose work is done meanwhile must not be missed
    this.#alarm = new Alarm(() => setImmediate(() => this.#expire(performance.now())), { keepsProcess: true })
  }

  get size(): number {
    return this.#size
  }

  join(waiter: Waiter<C>): void {
    waiter.previous = this.#last
    if (this.#last === undefined) this.#first = waiter
    else this.#last.next = waiter
    this.#last = waiter
    this.#size++
    this.#watch(waiter)
  }

  /** Takes the one who has waited longest. */
  shift(): Waiter<C> | undefined {
    const first = this.#first
    if (first !== undefined) this.leave(first)
    return first
  }

  leave(waiter: Waiter<C>): void {
    if (!waiter.isWaiting) return
    waiter.isWaiting = false
    if (waiter.wait !== undefined) endWait(waiter.wait)
    for (const end of waiter.listening) end()
    if (waiter.previous === undefined) this.#first = waiter.next
    else waiter.previous.next = waiter.next
    if (waiter.next === undefined) this.#last = waiter.previous
    else waiter.next.previous = waiter.previous
    waiter.previous = waiter.next = undefined
    if (--this.#size === 0) this.#alarm.holdProcess(false)
  }

  /** Ends a wait with an error. */
  cancel(waiter: Waiter<C>, error: Error): void {
    this.leave(waiter)
    waiter.reject(error)
  }

  /** The circle that this wait closes. A caller who holds nothing delays nobody, and cannot be part of one. */
  circleOf(waiter: Waiter<C>, resource: Resource): readonly WaitChain[] | undefined {
    const frame = currentFrame()
    if (frame === undefined) return undefined
    waiter.wait = { frame, resource, label: waiter.request.label, cancel: (error) => this.cancel(waiter, error) }
    beginWait(waiter.wait)
    return circleOf(waiter.wait)
  }

  /** Takes everybody whose deadline has passed, and sets the timer for the rest. */
  takeExpired(nowMs: number): Waiter<C>[] {
    const expired: Waiter<C>[] = []
    let nextMs: Deadline = Infinity
    for (let waiter = this.#first; waiter !== undefined; waiter = waiter.next) {
      if (waiter.request.deadline <= nowMs) expired.push(waiter)
      else nextMs = Math.min(nextMs, waiter.request.deadline)
    }
    for (const waiter of expired) this.leave(waiter)
    // a look at n callers is followed by n µs of rest: a long queue that times out must not take the whole processor
    if (this.#size > 0) this.#alarm.setFor(Math.max(nextMs, nowMs + this.#size / 1_000))
    return expired
  }

  /** Takes everybody. */
  clear(): Waiter<C>[] {
    const all: Waiter<C>[] = []
    for (let waiter = this.shift(); waiter !== undefined; waiter = this.shift()) all.push(waiter)
    this.#alarm.clear()
    return all
  }

  #watch(waiter: Waiter<C>): void {
    const { deadline, signal, closing } = waiter.request
    this.#alarm.setFor(deadline)
    if (this.#size === 1) this.#alarm.holdProcess(true)
    if (closing !== undefined) waiter.listening.push(onAbort(closing, () => this.cancel(waiter, poolClosed(this.#pool))))
    if (signal === undefined) return
    const aborted = () => this.cancel(waiter, new AbortedError('the wait for a connection was aborted', { cause: signal.reason }))
    waiter.listening.push(onAbort(signal, aborted))
  }
}
