import { type Deadline, LATE, remainingMs, settledBy } from '../deadline.js'
import { LockTimeoutError, PoolExhaustedError } from '../errors.js'
import { poolEvents } from '../events.js'
import { KeyedLock } from '../lock/keyed-lock.js'
import { Alarm } from './alarm.js'
import { ConnectionBudget } from './connection-budget.js'
import { Lease, type ReleaseOptions } from './lease.js'
import { outside } from './outside.js'
import type { Pool } from './pool.js'
import { PoolKeyring } from './pool-keyring.js'
import type { PoolOptions } from './pool-options.js'
import type { RegistryStats } from './pool-stats.js'

/** Who wants which pool, and how it is opened where nobody has opened it yet. */
export interface BorrowRequest<P extends Pool = Pool> {
  /** From {@link poolKey}; whoever asks with the same key gets the same pool. */
  readonly key: string
  /** Readable, without a secret. */
  readonly name: string
  readonly options: PoolOptions
  readonly deadline: Deadline
  readonly signal?: AbortSignal | undefined
  /** Who asks: a node's name. */
  readonly label: string
  /** Opens the pool for the `callers` who wait, on {@link PoolRegistry.budget}. Runs once for them all, outside every caller's context. */
  open(callers: number): Promise<P>
  /**
   * Opens a pool of one connection, which the registry counts: it takes no budget itself. Undefined where a second
   * connection would be another database.
   */
  openDedicated?: (() => Promise<P>) | undefined
}

/** A pool from its opening to its closing. */
interface Entry {
  readonly key: string
  readonly name: string
  readonly idleTimeoutMs: number
  /** Takes the pool's part of the budget away again. */
  readonly removeRoom: () => void
  /** Rings when it may have been unused for `idleTimeoutMs`. */
  readonly unused: Alarm
  /** Settles with its opening. */
  opened: Promise<void>
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
const DONE: Promise<void> = Promise.resolve()

/** The pools of this process: one registry for every copy of the package that is loaded. */
export function poolRegistry(): PoolRegistry {
  const shared = globalThis as { readonly [SLOT]?: PoolRegistry }
  if (shared[SLOT] === undefined) Object.defineProperty(globalThis, SLOT, { value: new PoolRegistry() })
  return shared[SLOT]!
}

/**
 * Owns pools by key, and lends them. A pool is opened by the first to ask, while the others wait for that same opening, and
 * closed when nobody has had it for its `idleTimeoutMs`. Who opened it makes no difference.
 */
export class PoolRegistry {
  readonly keyring = new PoolKeyring()
  readonly budget = new ConnectionBudget()
  /** One lock a pool, held while it is opened or closed; never while a query runs. */
  readonly locks = new KeyedLock()
  readonly #entries = new Map<string, Entry>()
  #dedicated = 0

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

  stats(): RegistryStats {
    return {
      pools: [...this.#entries.values()].map(({ name, leases, pool }) => ({ name, leases, stats: pool?.stats() })),
      dedicated: this.#dedicated,
      budget: { limit: this.budget.limit, taken: this.budget.taken },
    }
  }

  #lease<P extends Pool>(entry: Entry): Lease<P> {
    entry.leases++
    // equal keys come from equal configurations, and so from the same engine
    return new Lease('shared', entry.pool as P, (options) => this.#giveBack(entry, options))
  }

  async #awaitPool<P extends Pool>(request: BorrowRequest<P>): Promise<Lease<P>> {
    const { key } = request
    const sinceMs = performance.now()
    const lockDeadline = Math.min(request.deadline, sinceMs + request.options.lockTimeoutMs)
    for (;;) {
      const entry = this.#entries.get(key) ?? outside(() => this.#open(request))
      if (entry.pool !== undefined) return this.#lease<P>(entry)
      entry.waiting++
      const outcome = await settledBy(entry.opened, lockDeadline, request.signal).finally(() => entry.waiting--)
      if (outcome === LATE) {
        const waitedMs = performance.now() - sinceMs
        return this.#borrowDedicated(request, this.#timeoutOf(request.name, key, waitedMs), waitedMs)
      }
      // once more: whoever was told first may have closed the pool again
    }
  }

  #open(request: BorrowRequest): Entry {
    const { key, name } = request
    const entry: Entry = {
      key,
      name,
      idleTimeoutMs: request.options.idleTimeoutMs,
      removeRoom: this.budget.addPool(request.options.maxConnections),
      unused: new Alarm(() => this.#closeUnused(entry)),
      opened: DONE,
      pool: undefined,
      waiting: 0,
      leases: 0,
      unusedSinceMs: 0,
    }
    this.#entries.set(key, entry)
    entry.opened = this.#openUnderLock(entry, request)
    // those who wait are told; when all of them have given up, nobody is left to tell
    entry.opened.catch(() => undefined)
    return entry
  }

  async #openUnderLock(entry: Entry, request: BorrowRequest): Promise<void> {
    // without a deadline: each caller has its own, and who holds the lock is bound by one
    const hold = await this.locks.acquire(lockKey(entry.key), { label: request.label })
    try {
      entry.pool = await request.open(entry.waiting)
      if (poolEvents.hasSubscribers) poolEvents.publish({ type: 'opened', pool: entry.name })
      this.#markUnused(entry)
    } catch (error) {
      this.#entries.delete(entry.key)
      entry.removeRoom()
      throw error
    } finally {
      hold.release()
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
    entry.unused.setFor(entry.unusedSinceMs + entry.idleTimeoutMs)
  }

  #closeUnused(entry: Entry): void {
    if (entry.leases > 0) return
    const dueMs = entry.unusedSinceMs + entry.idleTimeoutMs
    if (dueMs > performance.now()) entry.unused.setFor(dueMs)
    // an engine that cannot close finds nobody here who could do anything about it
    else this.#close(entry, CLOSE_TIMEOUT_MS).catch(() => undefined)
  }

  /** Forgets the pool at once, and closes it under its lock: whoever asks now opens another, after that. */
  #close(entry: Entry, timeoutMs: number): Promise<void> {
    this.#entries.delete(entry.key)
    entry.unused.clear()
    return outside(() => this.#closeUnderLock(entry, timeoutMs))
  }

  async #closeUnderLock(entry: Entry, timeoutMs: number): Promise<void> {
    const hold = await this.locks.acquire(lockKey(entry.key))
    try {
      await entry.pool?.close(timeoutMs)
    } finally {
      entry.removeRoom()
      hold.release()
    }
    if (poolEvents.hasSubscribers) poolEvents.publish({ type: 'closed', pool: entry.name })
  }

  /** The lock that was not to be had in time, and by whose doing. */
  #timeoutOf(name: string, key: string, waitedMs: number): LockTimeoutError {
    const holder = this.locks.stateOf(lockKey(key))
    const held = holder?.label === undefined ? '' : `; held ${Math.round(holder.heldMs)} ms by ${holder.label}`
    return new LockTimeoutError(
      `lock "${name}": the pool was not open within ${Math.round(waitedMs)} ms${held}; raise pool.lockTimeoutMs or find what holds it`,
    )
  }

  async #borrowDedicated<P extends Pool>(request: BorrowRequest<P>, timeout: LockTimeoutError, waitedMs: number): Promise<Lease<P>> {
    const { name, label, deadline, signal, openDedicated } = request
    if (openDedicated === undefined || remainingMs(deadline) === 0) throw timeout
    if (!this.budget.tryTake()) throw this.#exhausted(name, timeout)
    if (poolEvents.hasSubscribers) poolEvents.publish({ type: 'fallback', pool: name, label, waitedMs })
    this.#dedicated++
    const opening = outside(() => this.#openDedicated(openDedicated))
    const pool = await settledBy(opening, deadline, signal).catch((error: unknown) => {
      this.#discard(opening)
      throw error
    })
    if (pool !== LATE) return new Lease('dedicated', pool, ({ timeoutMs }) => this.#closeDedicated(pool, timeoutMs))
    this.#discard(opening)
    throw timeout
  }

  async #openDedicated<P extends Pool>(open: () => Promise<P>): Promise<P> {
    try {
      return await open()
    } catch (error) {
      this.#forgetDedicated()
      throw error
    }
  }

  /** Closes a dedicated pool that comes too late. One that does not come at all has told the caller, or came later than its error. */
  #discard(opening: Promise<Pool>): void {
    opening.then((pool) => this.#closeDedicated(pool)).catch(() => undefined)
  }

  async #closeDedicated(pool: Pool, timeoutMs = CLOSE_TIMEOUT_MS): Promise<void> {
    try {
      await outside(() => pool.close(timeoutMs))
    } finally {
      this.#forgetDedicated()
    }
  }

  #forgetDedicated(): void {
    this.#dedicated--
    this.budget.give()
  }

  #exhausted(name: string, cause: LockTimeoutError): PoolExhaustedError {
    const { taken, limit } = this.budget
    return new PoolExhaustedError(
      `pool "${name}": no room for a dedicated connection, ${taken} of ${limit} in use; raise connectionBudget or pool.lockTimeoutMs`,
      { cause },
    )
  }
}

function lockKey(key: string): string {
  return process.env[LEGACY_SWITCH] === 'true' ? 'every pool' : key
}
