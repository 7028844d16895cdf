import { type Deadline, deadlineAfter, settledBy } from '../deadline.js'
import { AbortedError, ConnectionError, PoolTimeoutError, ScopeClosedError } from '../errors.js'
import { SharedResource } from '../lock/shared-resource.js'
import { Alarm } from './alarm.js'
import { BoundedConnector, CLOSE_LIMIT_MS } from './bounded-connector.js'
import type { ConnectionBudget } from './connection-budget.js'
import { DialThrottle } from './dial-throttle.js'
import type { EndReason } from './end-reason.js'
import { outside } from './outside.js'
import type { AcquireRequest, Condition, Connector, Pool, PoolMember, PoolStats } from './pool.js'
import { budgetExhausted, poolClosed, queueFull, selfDeadlock, unanswered } from './pool-errors.js'
import { PoolJournal, PoolTimings } from './pool-journal.js'
import type { PoolOptions } from './pool-options.js'
import { type Slot, SlotTable } from './slot-table.js'
import { Waiter, WaiterQueue } from './waiter-queue.js'
import { failureOf } from './warmed.js'

/**
 * At most `maxConnections` members, lent one at a time: the one used last first, to callers in the order in which they came.
 *
 * A caller who has to wait takes whatever comes first, a member given back or a new one; for each caller who waits one member
 * is on its way, as long as there is room. Knows no database: the connector does what differs.
 */
export class ConnectionPool<C extends PoolMember> implements Pool<C> {
  readonly name: string
  readonly #connector: Connector<C>
  readonly #bounded: BoundedConnector<C>
  readonly #options: PoolOptions
  readonly #budget: ConnectionBudget | undefined
  readonly #timings: PoolTimings
  readonly #journal: PoolJournal
  readonly #resource: SharedResource
  readonly #slots = new SlotTable<C>()
  readonly #waiters: WaiterQueue<C>
  readonly #throttle = new DialThrottle()
  readonly #upkeep = new Alarm((lateMs) => this.#keepUp(lateMs))
  #dialling = 0
  /** Why dials failed while others, made with them, may still go well. */
  #refusals: unknown[] = []
  #isClosed = false
  #closed: Promise<void> | undefined
  /** Ends what is being dialled: nobody waits for it any more. */
  readonly #closing = new AbortController()
  #onEmpty: (() => void) | undefined
  /** Members that {@link close} took from whoever had them, until those give them back. */
  readonly #takenAway = new WeakSet<C>()

  /**
   * @param budget asked for room before each dial; without one, only `maxConnections` limits the pool
   * @param timings shared with another pool where both are one to their callers
   */
  constructor(name: string, connector: Connector<C>, options: PoolOptions, budget?: ConnectionBudget, timings = new PoolTimings()) {
    this.name = name
    this.#connector = connector
    this.#bounded = new BoundedConnector(connector)
    this.#options = options
    this.#budget = budget
    this.#timings = timings
    this.#journal = new PoolJournal(name, timings)
    this.#waiters = new WaiterQueue(name, (nowMs) => this.#expireWaiters(nowMs))
    this.#resource = new SharedResource(`a connection of pool "${name}"`, (held) => this.#isExhausted(held))
  }

  /**
   * Opens connections until there are `count`, now. Begins more, one for each of `callers` as far as there is room, but waits
   * only until `count` are there, whichever they are.
   *
   * @throws what the connector throws, once every dial has ended with too few of them open; those that went well stay
   */
  async warm(count: number, deadline: Deadline, callers = 0): Promise<void> {
    const dials: Promise<unknown>[] = []
    const missing = count - this.#slots.open
    while (this.#slots.open + this.#dialling < Math.max(count, callers) && this.#hasPlace) {
      if (this.#budget?.tryTake() === false) {
        if (dials.length >= missing) break
        throw budgetExhausted(this.name)
      }
      dials.push(outside(() => this.#dial(deadline)))
    }
    const failure = await failureOf(dials, missing)
    if (failure !== undefined) throw failure
    if (this.#isClosed) throw poolClosed(this.name)
  }

  acquire(request: AcquireRequest): C | Promise<C> {
    const nowMs = performance.now()
    if (this.#waiters.size === 0 && request.signal?.aborted !== true) {
      const slot = this.#slots.peekIdle()
      if (slot !== undefined && this.#isFresh(slot, nowMs)) {
        this.#slots.takeIdle()
        return this.#lend(slot, request, nowMs, 0)
      }
    }
    return this.#wait(request, nowMs)
  }

  release(member: C, condition: Condition): void {
    const slot = this.#slots.get(member)
    if (slot?.state !== 'lent') {
      if (this.#takenAway.delete(member)) return
      throw new ScopeClosedError(`pool "${this.name}": the connection is not lent; it was released before, or belongs elsewhere`)
    }
    const nowMs = performance.now()
    this.#journal.released(slot.label, nowMs - slot.sinceMs)
    if (this.#isClosed) this.#end(slot, 'closed')
    else if (condition === 'broken' || member.isBroken) this.#end(slot, 'broken')
    else if (nowMs >= slot.expiresAtMs) this.#end(slot, 'lifetime')
    else if (condition === 'tainted') outside(() => void this.#reset(slot))
    else this.#offer(slot, nowMs)
  }

  slotsOf(): SharedResource {
    return this.#resource
  }

  close(timeoutMs: number): Promise<void> {
    this.#closed ??= outside(() => this.#shutDown(timeoutMs))
    return this.#closed
  }

  async takeAway(closing: AbortSignal): Promise<void> {
    const taken = this.#slots.inState('lent').filter((slot) => slot.closing === closing)
    await Promise.all(taken.map((slot) => this.#takeAway(slot)))
  }

  stats(): PoolStats {
    return {
      capacity: this.#options.maxConnections,
      open: this.#slots.open,
      idle: this.#slots.count('idle'),
      leased: this.#slots.count('lent'),
      waiting: this.#waiters.size,
      dialling: this.#dialling,
      created: this.#slots.created,
      destroyed: { ...this.#slots.endedBy },
      ...this.#timings.figures(),
    }
  }

  get #hasPlace(): boolean {
    return !this.#isClosed && this.#slots.size + this.#dialling < this.#options.maxConnections
  }

  /** Whether every member there can be is lent to one of the `held` call chains that keep theirs while they wait. */
  #isExhausted(held: number): boolean {
    return held > 0 && held === this.#slots.size && this.#dialling === 0 && (!this.#hasPlace || this.#budget?.isTakenBy(held) === true)
  }

  /** Callers for whom no member is on its way. */
  get #unserved(): number {
    return this.#waiters.size - this.#dialling - this.#slots.count('busy')
  }

  #isFresh(slot: Slot<C>, nowMs: number): boolean {
    return nowMs - slot.sinceMs < this.#options.validateAfterIdleMs && !slot.member.isBroken
  }

  #lend(slot: Slot<C>, request: AcquireRequest, nowMs: number, waitedMs: number): C {
    this.#slots.lend(slot, request, nowMs)
    this.#journal.acquired(request.label, waitedMs)
    return slot.member
  }

  #wait(request: AcquireRequest, nowMs: number): Promise<C> {
    return new Promise((resolve, reject) => {
      if (this.#isClosed || request.closing?.aborted) throw poolClosed(this.name)
      if (request.signal?.aborted) throw new AbortedError('the wait for a connection was aborted', { cause: request.signal.reason })
      const waiter = new Waiter(request, nowMs, resolve, reject)
      this.#waiters.join(waiter)
      this.#supply()
      // who is sure to be served does not count: a cold pool without a queue serves too
      if (waiter.isWaiting && this.#unserved > this.#options.maxQueue) this.#refuse(waiter)
      if (waiter.isWaiting) this.#refuseCircle(waiter)
    })
  }

  #refuse(waiter: Waiter<C>): void {
    this.#journal.refused(waiter.request.label, this.#waiters.size)
    this.#waiters.cancel(waiter, queueFull(this.name, this.#options.maxQueue))
  }

  #refuseCircle(waiter: Waiter<C>): void {
    const chains = this.#waiters.circleOf(waiter, this.#resource)
    if (chains === undefined) return
    this.#journal.deadlock(waiter.request.label)
    this.#waiters.cancel(waiter, selfDeadlock(this.name, this.#slots.size, chains))
  }

  /** Gives a fit member to whoever has waited longest, else keeps it. */
  #offer(slot: Slot<C>, nowMs: number): void {
    if (this.#isClosed) {
      this.#end(slot, 'closed')
      return
    }
    const waiter = this.#waiters.shift()
    if (waiter === undefined) this.#slots.keepIdle(slot, nowMs, nowMs + this.#options.idleTimeoutMs)
    else waiter.resolve(this.#lend(slot, waiter.request, nowMs, nowMs - waiter.sinceMs))
  }

  /** Sees to it that one member is on its way for each caller who waits, and keeps `minConnections`. */
  #supply(prefersNew = false): void {
    if (prefersNew) while (this.#unserved > 0 && (this.#tryDial() || this.#tryIdle()));
    // nobody is left to a dial while one is idle: it may have been begun for others, and may not end
    else while (this.#waiters.size > this.#slots.count('busy') && this.#tryIdle());
    while (this.#unserved > 0 && this.#tryDial());
    const nowMs = performance.now()
    while (this.#slots.open + this.#dialling < this.#options.minConnections && this.#throttle.allows(this.#dialling, nowMs)) {
      if (!this.#tryDial()) break
    }
    if (this.#unserved > 0 && this.#throttle.retryAtMs > nowMs) this.#upkeep.setFor(this.#throttle.retryAtMs)
  }

  /** Lends an idle member where it is fresh, and checks it first where it is not. */
  #tryIdle(): boolean {
    for (let slot = this.#slots.takeIdle(); slot !== undefined; slot = this.#slots.takeIdle()) {
      const idle = slot
      if (idle.member.isBroken) {
        this.#end(idle, 'broken')
        continue
      }
      const nowMs = performance.now()
      if (this.#isFresh(idle, nowMs)) this.#offer(idle, nowMs)
      else outside(() => void this.#validate(idle))
      return true
    }
    return false
  }

  #tryDial(): boolean {
    if (!this.#hasPlace || !this.#mayDial(performance.now())) return false
    if (this.#budget?.tryTake() === false) {
      this.#throttle.refused(budgetExhausted(this.name), performance.now())
      if (this.#slots.size + this.#dialling === 0) for (const waiter of this.#waiters.clear()) waiter.reject(budgetExhausted(this.name))
      return false
    }
    outside(() => void this.#dial(deadlineAfter(this.#options.acquireTimeoutMs)))
    return true
  }

  #mayDial(nowMs: number): boolean {
    if (this.#slots.open > 0) return this.#throttle.allows(this.#dialling, nowMs)
    // with nothing open there is nothing to wait for, and a pause would only cost time; but dials made together are judged together
    return this.#refusals.length === 0 || nowMs >= this.#throttle.retryAtMs
  }

  /** Opens a member; the budget has been asked. Gives the error when that fails, and never rejects. */
  async #dial(deadline: Deadline): Promise<unknown> {
    const sinceMs = performance.now()
    this.#dialling++
    let member: C
    try {
      member = await this.#connector.open(deadline, this.#closing.signal)
    } catch (error) {
      const failure = error ?? new ConnectionError(`pool "${this.name}": a connection could not be opened, and nothing says why`)
      this.#dialFailed(failure, sinceMs)
      return failure
    }
    this.#admit(member, sinceMs)
    return undefined
  }

  #admit(member: C, sinceMs: number): void {
    const nowMs = performance.now()
    this.#dialling--
    const slot = this.#slots.add(member, nowMs, this.#options.maxLifetimeMs)
    this.#refusals = []
    this.#throttle.succeeded(sinceMs)
    this.#journal.connected(nowMs - sinceMs)
    this.#scheduleUpkeep(nowMs)
    this.#offer(slot, nowMs)
    this.#supply()
  }

  #dialFailed(error: unknown, sinceMs: number): void {
    const nowMs = performance.now()
    this.#dialling--
    this.#budget?.give()
    this.#throttle.refused(error, nowMs)
    this.#journal.connectFailed(nowMs - sinceMs, error)
    // a server that is full takes some and refuses others: the callers wait while any connection is there or may yet come
    if (this.#slots.open === 0) this.#refusals.push(error)
    if (this.#slots.open + this.#dialling === 0) this.#rejectRefused()
    this.#scheduleUpkeep(nowMs)
    this.#supply()
    this.#reportEmpty()
  }

  /** Each dial that failed costs one caller; those behind get a dial of their own. */
  #rejectRefused(): void {
    for (const refusal of this.#refusals.splice(0)) this.#waiters.shift()?.reject(refusal)
  }

  async #validate(slot: Slot<C>): Promise<void> {
    const isFit = await this.#bounded.validates(slot.member)
    if (slot.state === 'closing') return
    if (isFit) {
      this.#offer(slot, performance.now())
      return
    }
    this.#end(slot, 'validation')
    // what else is idle has been so for longer still: a new one is surer
    if (this.#unserved > 0) this.#tryDial()
  }

  async #reset(slot: Slot<C>): Promise<void> {
    this.#slots.markBusy(slot)
    const isFit = await this.#bounded.resets(slot.member)
    if (slot.state === 'closing') return
    if (isFit) {
      this.#offer(slot, performance.now())
      return
    }
    this.#end(slot, 'reset')
    // who waited for it does not wait for its close too
    this.#supply()
  }

  /** Settles when it is closed, in bounded time, and never rejects. */
  #end(slot: Slot<C>, reason: EndReason): Promise<void> {
    this.#slots.markClosing(slot, reason)
    this.#journal.disconnected(reason, performance.now() - slot.openedAtMs)
    return outside(() => this.#closeMember(slot, reason))
  }

  #takeAway(slot: Slot<C>): Promise<void> {
    this.#takenAway.add(slot.member)
    return this.#end(slot, 'closed')
  }

  async #closeMember(slot: Slot<C>, reason: EndReason): Promise<void> {
    await this.#bounded.close(slot.member)
    this.#slots.delete(slot)
    this.#budget?.give()
    this.#supply(reason === 'validation')
    this.#reportEmpty()
  }

  #expireWaiters(nowMs: number): void {
    const expired = this.#waiters.takeExpired(nowMs)
    if (expired.length === 0) return
    const state = {
      open: this.#slots.open,
      leased: this.#slots.count('lent'),
      waiting: this.#waiters.size + expired.length,
      holders: this.#slots.oldestHolders(nowMs),
    }
    const cause = this.#whyNoneNew()
    for (const { request, sinceMs, reject } of expired) {
      const waitedMs = nowMs - sinceMs
      this.#journal.timedOut(request.label, waitedMs)
      reject(new PoolTimeoutError(this.name, waitedMs, state, cause === undefined ? undefined : { cause }))
    }
  }

  /** What keeps the pool from growing, where it is not its own limit. */
  #whyNoneNew(): unknown {
    const isUnanswered = this.#slots.open === 0 && this.#dialling > 0
    if (!isUnanswered) return this.#throttle.lastRefusal
    return unanswered(this.name, this.#dialling)
  }

  #scheduleUpkeep(nowMs: number): void {
    if (this.#isClosed || (this.#slots.size === 0 && this.#options.minConnections === 0)) return
    const { idleTimeoutMs, maxLifetimeMs, leakAfterMs } = this.#options
    const shortestMs = Math.min(idleTimeoutMs, maxLifetimeMs, leakAfterMs === 0 ? Infinity : leakAfterMs)
    this.#upkeep.setFor(nowMs + Math.min(Math.max(5, shortestMs / 4), 5_000))
  }

  #keepUp(lateMs: number): void {
    const nowMs = performance.now()
    this.#slots.skipTime(lateMs)
    for (const { slot, reason } of this.#slots.takeOverdue(nowMs, this.#options.minConnections)) this.#end(slot, reason)
    for (const { label, sinceMs, borrower } of this.#slots.takeLeaked(nowMs, this.#options.leakAfterMs)) {
      this.#journal.leaked(label, nowMs - sinceMs, borrower?.stack)
    }
    this.#scheduleUpkeep(nowMs)
    this.#supply()
  }

  async #shutDown(timeoutMs: number): Promise<void> {
    this.#isClosed = true
    this.#closing.abort()
    this.#upkeep.clear()
    for (const waiter of this.#waiters.clear()) waiter.reject(poolClosed(this.name))
    for (let slot = this.#slots.takeIdle(); slot !== undefined; slot = this.#slots.takeIdle()) this.#end(slot, 'closed')
    await this.#empty(timeoutMs)
    for (const slot of this.#slots.inState('lent')) void this.#takeAway(slot)
    for (const slot of this.#slots.inState('busy')) void this.#end(slot, 'closed')
    await this.#empty(CLOSE_LIMIT_MS)
  }

  /** Waits until no member is left and none is being made, at most `timeoutMs`. */
  async #empty(timeoutMs: number): Promise<void> {
    if (this.#slots.size + this.#dialling === 0) return
    const empty = new Promise<void>((resolve) => {
      this.#onEmpty = resolve
    })
    await settledBy(empty, deadlineAfter(timeoutMs))
  }

  #reportEmpty(): void {
    if (this.#slots.size + this.#dialling === 0) this.#onEmpty?.()
  }
}
