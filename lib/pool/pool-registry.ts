import { type Deadline, deadlineAfter, LATE, remainingMs, settledBy } from '../deadline.js'
import { LockTimeoutError } from '../errors.js'
import { poolEvents } from '../events.js'
import { KeyedLock } from '../lock/keyed-lock.js'
import type { LockCounters } from '../lock/lock-counters.js'
import { LockMeter } from '../lock/lock-metrics.js'
import { processLocks } from '../lock/lock-registry.js'
import { Alarm } from './alarm.js'
import type { BorrowRequest } from './borrow-request.js'
import { ConnectionBudget } from './connection-budget.js'
import { DedicatedConnections } from './dedicated-connections.js'
import { Lease, type ReleaseOptions } from './lease.js'
import { OpeningWait } from './opening-wait.js'
import { outside } from './outside.js'
import type { Pool } from './pool.js'
import { poolClosed } from './pool-errors.js'
import { PoolKeyring } from './pool-keyring.js'
import type { PoolOptions } from './pool-options.js'
import type { PoolInfo, ProcessPools } from './pool-stats.js'

/** A pool from its opening to its closing. */
interface Entry {
  readonly key: string
  readonly name: string
  readonly options: PoolOptions
  /** Takes the pool's part of the budget away again. */
  readonly removeRoom: () => void
  /** Rings when it may have been unused for `idleTimeoutMs`. */
  readonly unused: Alarm
  /** Settles with its opening. */
  opened: Promise<void>
  /** Breaks the opening off. */
  readonly opening: AbortController
  /** Undefined until it is open. */
  pool: Pool | undefined
  /** Callers who wait for its opening. */
  waiting: number
  leases: number
  unusedSinceMs: number
}

const CLOSE_TIMEOUT_MS = 5_000
/** Set to `true`, one lock serialises the opening and closing of all pools, as before there was one a pool. Deprecated. */
const LEGACY_SWITCH = 'LATCHWORK_LEGACY_POOL_LOCKING'
const SLOT: unique symbol = Symbol.for('latchwork.pools.v1')
const EVERY_POOL = { key: 'every pool', name: 'every pool' }
/** A timer that is later than this was held up by the event loop. */
const STALL_MS = 100
const DONE: Promise<void> = Promise.resolve()

/** The pools of this process: one registry for every copy of the package that is loaded. */
export function poolRegistry(): PoolRegistry {
  const shared = globalThis as { readonly [SLOT]?: PoolRegistry }
  if (shared[SLOT] === undefined) Object.defineProperty(globalThis, SLOT, { value: new PoolRegistry(processLocks().meter) })
  return shared[SLOT]!
}

/** The pools of this process as they are now, its dedicated connections and its connection budget. */
export function poolStats(): ProcessPools {
  return poolRegistry().stats()
}

/**
 * Owns pools by key, and lends them. A pool is opened by the first to ask, while the others wait for that same opening, and
 * closed when nobody has had it for its `idleTimeoutMs`. Who opened it makes no difference.
 */
export class PoolRegistry {
  readonly keyring = new PoolKeyring()
  readonly budget = new ConnectionBudget()
  /** One lock a pool, held while it is opened or closed; never while a query runs. */
  readonly locks: KeyedLock
  readonly #meter: LockMeter
  readonly #entries = new Map<string, Entry>()
  readonly #dedicated = new DedicatedConnections(this.budget)

  /** @param meter counts for the locks */
  constructor(meter = new LockMeter()) {
    this.#meter = meter
    this.locks = new KeyedLock({ kind: 'pool', meter })
  }

  /**
   * Borrows the pool of a key: at once (not a promise) where it is open.
   *
   * Waits for its opening at most `lockTimeoutMs`, then takes a dedicated connection instead.
   *
   * @throws {LockTimeoutError} the pool was not open in time, and there can be no dedicated connection, or no time is left for one
   * @throws {PoolExhaustedError} there is no room for a dedicated connection; `cause` is the time-out
   * @throws {AbortedError} the signal was aborted
   * @throws what `open` throws, to all who waited for it; the next to ask tries anew
   */
  borrow<P extends Pool>(request: BorrowRequest<P>): Lease<P> | Promise<Lease<P>> {
    const entry = this.#entries.get(request.key)
    return entry?.pool === undefined ? this.#awaitPool(request) : this.#lease<P>(entry)
  }

  /** Closes the pool of a key, or ends its opening, unless somebody has it or waits for it. */
  async closeUnused(key: string, timeoutMs: number): Promise<void> {
    const entry = this.#entries.get(key)
    if (entry === undefined || entry.leases + entry.waiting > 0) return
    if (entry.pool === undefined) this.#breakOff(entry)
    else await this.#close(entry, timeoutMs)
  }

  /** The pools of the process as they are now. */
  stats(): ProcessPools {
    return {
      pools: [...this.#entries.values()].map((entry) => this.#infoOf(entry)),
      dedicated: this.#dedicated.count,
      budget: { limit: this.budget.limit, taken: this.budget.taken },
    }
  }

  /** The pool of a key as it is now; undefined where it is not open, nor being opened. */
  infoOf(key: string): PoolInfo | undefined {
    const entry = this.#entries.get(key)
    return entry && this.#infoOf(entry)
  }

  #infoOf(entry: Entry): PoolInfo {
    const { name, pool, leases, options } = entry
    const lock = lockOf(entry)
    const state = this.locks.stateOf(lock.key)
    return {
      name,
      state: pool === undefined ? 'opening' : 'open',
      leases,
      minConnections: options.minConnections,
      maxConnections: options.maxConnections,
      stats: pool?.stats(),
      lock: { holder: state && { label: state.label, heldMs: state.heldMs }, ...this.#countersOf(entry).figures() },
    }
  }

  #lease<P extends Pool>(entry: Entry): Lease<P> {
    entry.leases++
    // equal keys come from equal configurations, and so from the same engine
    return new Lease('shared', entry.pool as P, (options) => this.#giveBack(entry, options))
  }

  async #awaitPool<P extends Pool>(request: BorrowRequest<P>): Promise<Lease<P>> {
    const { key, deadline, options } = request
    const sinceMs = performance.now()
    const lockDeadline = Math.min(deadline, sinceMs + options.lockTimeoutMs)
    for (;;) {
      const entry = this.#entries.get(key)
      if (entry?.pool !== undefined) return this.#lease<P>(entry)
      const wait = this.#waitOf(request, entry === undefined)
      const outcome = await this.#awaitOpening(entry ?? outside(() => this.#open(request)), request, lockDeadline, wait)
      if (outcome === LATE) {
        const waitedMs = performance.now() - sinceMs
        return this.#dedicated.borrow(request, this.#timeoutOf(request, waitedMs), waitedMs, wait.counters)
      }
      // once more: whoever was told first may have closed the pool again
    }
  }

  async #awaitOpening(entry: Entry, request: BorrowRequest, deadline: Deadline, wait: OpeningWait): Promise<unknown> {
    entry.waiting++
    try {
      let outcome = await settledBy(entry.opened, deadline, request.signal, request.closing)
      // the process stood still, and the opening with it: it is given the half of what time is left
      if (outcome === LATE && performance.now() - deadline > STALL_MS) {
        const later = deadlineAfter(remainingMs(request.deadline) / 2)
        outcome = await settledBy(entry.opened, later, request.signal, request.closing)
      }
      if (outcome === LATE) wait.ended('timedOut')
      else wait.served()
      return outcome
    } catch (error) {
      wait.ended(request.signal?.aborted || request.closing?.aborted ? 'aborted' : 'failed')
      throw error
    } finally {
      entry.waiting--
      if (request.closing?.aborted === true && entry.waiting === 0) this.#breakOff(entry)
      this.#unpin(entry)
    }
  }

  #waitOf({ key, name, label }: BorrowRequest, isOpener: boolean): OpeningWait {
    const lock = lockOf({ key, name })
    return new OpeningWait(this.#countersOf({ key, name }), { lock: lock.name, label, isOpener })
  }

  /** Ends an opening that nobody waits for, so that the process can end: whoever asks now opens another, after that. */
  #breakOff(entry: Entry): void {
    if (entry.pool !== undefined) return
    this.#forget(entry)
    entry.opening.abort()
  }

  #forget(entry: Entry): void {
    if (this.#entries.get(entry.key) === entry) this.#entries.delete(entry.key)
  }

  #countersOf(entry: Pick<Entry, 'key' | 'name'>): LockCounters {
    return this.#meter.countersOf(lockOf(entry).name, 'pool')
  }

  #open(request: BorrowRequest): Entry {
    const { key, name } = request
    const entry: Entry = {
      key,
      name,
      options: request.options,
      removeRoom: this.budget.addPool(request.options.maxConnections),
      unused: new Alarm(() => this.#closeUnused(entry)),
      opened: DONE,
      opening: new AbortController(),
      pool: undefined,
      waiting: 0,
      leases: 0,
      unusedSinceMs: 0,
    }
    this.#entries.set(key, entry)
    this.#meter.pin(name)
    entry.opened = this.#openUnderLock(entry, request)
    // those who wait are told; when all of them have given up, nobody is left to tell
    entry.opened.catch(() => undefined)
    return entry
  }

  async #openUnderLock(entry: Entry, request: BorrowRequest): Promise<void> {
    // without a deadline: each caller has its own, and who holds the lock is bound by one
    const { key, name } = lockOf(entry)
    const hold = await this.locks.acquire(key, { label: request.label, name })
    try {
      const pool = await request.open({ budget: this.budget, callers: entry.waiting, signal: entry.opening.signal })
      // broken off in the very moment in which it succeeded: it is forgotten already, and nobody else would close it
      if (entry.opening.signal.aborted) {
        await pool.close(0)
        throw poolClosed(entry.name)
      }
      entry.pool = pool
      if (poolEvents.hasSubscribers) poolEvents.publish({ type: 'opened', pool: entry.name })
      this.#markUnused(entry)
    } catch (error) {
      this.#forget(entry)
      entry.removeRoom()
      throw error
    } finally {
      hold.release()
      if (entry.pool === undefined) this.#unpin(entry)
    }
  }

  #giveBack(entry: Entry, { closeIfLast = false, timeoutMs = CLOSE_TIMEOUT_MS }: ReleaseOptions): Promise<void> {
    entry.leases--
    if (entry.leases > 0) return DONE
    if (closeIfLast) return this.#close(entry, timeoutMs)
    this.#markUnused(entry)
    return DONE
  }

  #markUnused(entry: Entry): void {
    entry.unusedSinceMs = performance.now()
    entry.unused.setFor(entry.unusedSinceMs + entry.options.idleTimeoutMs)
  }

  #closeUnused(entry: Entry): void {
    if (entry.leases > 0) return
    const dueMs = entry.unusedSinceMs + entry.options.idleTimeoutMs
    if (dueMs > performance.now()) entry.unused.setFor(dueMs)
    // an engine that cannot close finds nobody here who could do anything about it
    else this.#close(entry, CLOSE_TIMEOUT_MS).catch(() => undefined)
  }

  /** Forgets the pool at once, and closes it under its lock: whoever asks now opens another, after that. */
  #close(entry: Entry, timeoutMs: number): Promise<void> {
    this.#forget(entry)
    entry.unused.clear()
    return outside(() => this.#closeUnderLock(entry, timeoutMs))
  }

  async #closeUnderLock(entry: Entry, timeoutMs: number): Promise<void> {
    const { key, name } = lockOf(entry)
    const hold = await this.locks.acquire(key, { name })
    try {
      await entry.pool?.close(timeoutMs)
    } finally {
      entry.removeRoom()
      hold.release()
      this.#unpin(entry)
    }
    if (poolEvents.hasSubscribers) poolEvents.publish({ type: 'closed', pool: entry.name })
  }

  /** Figures last as long as the pool; another one of the name may be open by now. */
  #unpin({ key, name }: Entry): void {
    if (!this.#entries.has(key)) this.#meter.unpin(name)
  }

  /** The lock that was not to be had in time, and by whose doing. */
  #timeoutOf(request: BorrowRequest, waitedMs: number): LockTimeoutError {
    const holder = this.locks.stateOf(lockOf(request).key)
    const held = holder?.label === undefined ? '' : `; held ${Math.round(holder.heldMs)} ms by ${holder.label}`
    return new LockTimeoutError(
      `lock "${request.name}": the pool was not open within ${Math.round(waitedMs)} ms${held}; raise pool.lockTimeoutMs or find what holds it`,
    )
  }
}

/** Which lock guards a pool's opening and closing, and what it is called. */
function lockOf({ key, name }: Pick<Entry, 'key' | 'name'>): { readonly key: string; readonly name: string } {
  return process.env[LEGACY_SWITCH] === 'true' ? EVERY_POOL : { key, name }
}
