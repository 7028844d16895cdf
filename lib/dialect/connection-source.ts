import { type Deadline, deadlineAfter, remainingMs, settledBy } from '../deadline.js'
import { AbortedError, PoolClosedError } from '../errors.js'
import type { SharedResource } from '../lock/shared-resource.js'
import type { MaybePromise } from '../maybe-promise.js'
import type { Lease } from '../pool/lease.js'
import type { AcquireRequest, Condition, Pool } from '../pool/pool.js'
import { poolKey } from '../pool/pool-key.js'
import type { PoolOptions } from '../pool/pool-options.js'
import { poolRegistry } from '../pool/pool-registry.js'
import type { PoolInfo } from '../pool/pool-stats.js'
import type { Connection, Dialect } from './dialect.js'

/** Who wants a connection, and for what. Without a deadline, the pool's `acquireTimeoutMs` is the only limit. */
export interface ConnectionRequest {
  readonly access: 'read' | 'write'
  readonly label: string
  /** Where it was asked for: see {@link AcquireRequest.borrower}. */
  readonly borrower?: Error | undefined
}

export interface ConnectionLimits {
  readonly deadline: Deadline
  readonly signal: AbortSignal | undefined
}

/**
 * The connections of one database object: borrows its pool on first use and keeps that lease until it is closed.
 * A caller that got a dedicated connection instead gives it back when it releases it.
 */
export class ConnectionSource {
  readonly #dialect: Dialect
  readonly #options: PoolOptions
  /** The pool's readable name, without a secret: `postgres:127.0.0.1:5432/shop#3f9a02c7`. */
  readonly name: string
  readonly #key: string
  readonly #dedicated = new Map<Connection, Lease<Pool<Connection>>>()
  /** Dedicated connections that {@link close} took from whoever had them, until those give them back. */
  readonly #takenAway = new WeakSet<Connection>()
  #lease: Lease<Pool<Connection>> | undefined
  /** Outlives the lease: calls that run while the database is closed give their connections back to it. */
  #pool: Pool<Connection> | undefined
  #isClosed = false
  #hasMetServer: boolean
  readonly #closing = new AbortController()
  #closed: Promise<void> | undefined
  /** Calls that have a connection or wait for one. */
  #calls = 0
  #onIdle: (() => void) | undefined

  /** @throws {ConfigurationError} the database cannot have a pool with these options */
  constructor(dialect: Dialect, options: PoolOptions) {
    dialect.checkPoolOptions?.(options)
    this.#dialect = dialect
    this.#options = options
    this.#hasMetServer = dialect.meet === undefined
    // an owner is equal to itself alone: a pool that is not shared is one that only this object asks for
    const owner = options.share ? undefined : this
    const { key, name } = poolKey(dialect.target, { engine: dialect.engine, identity: dialect.identity, options, owner })
    this.#key = key
    this.name = name
  }

  /** Whether the dialect knows what its server can do: it does from the first connection on. */
  get hasMetServer(): boolean {
    return this.#hasMetServer
  }

  /** Opens the pool, if nobody has yet, so that the dialect learns what its server can do. Throws what {@link acquire} throws of it. */
  async meetServer(request: ConnectionRequest, limits?: ConnectionLimits): Promise<void> {
    const lease = await this.#borrowFor(this.#acquireRequest(request, limits))
    if (lease.kind === 'shared') this.#keep(lease)
    else await lease.release()
  }

  /** See {@link PoolOptions}. */
  get acquireTimeoutMs(): number {
    return this.#options.acquireTimeoutMs
  }

  /** The pool, where it is open already. */
  get pool(): Pool<Connection> | undefined {
    return this.#pool
  }

  /**
   * Takes a connection: at once where the pool is open and has one idle.
   *
   * @throws see {@link Pool.acquire}; and what opening the pool throws
   * @throws {PoolClosedError} the database object was closed
   */
  acquire(request: ConnectionRequest, limits?: ConnectionLimits): MaybePromise<Connection> {
    const acquire = this.#acquireRequest(request, limits)
    const connection = this.#lease === undefined ? this.#borrowAndAcquire(acquire) : this.#lease.pool.acquire(acquire)
    this.#calls++
    if (connection instanceof Promise) connection.catch(() => this.#callEnded())
    return connection
  }

  release(connection: Connection, condition: Condition): void {
    this.#callEnded()
    if (this.#isClosed && this.#takenAway.delete(connection)) return
    const dedicated = this.#dedicated.size === 0 ? undefined : this.#dedicated.get(connection)
    if (dedicated === undefined) {
      this.#pool!.release(connection, condition)
      return
    }
    this.#dedicated.delete(connection)
    dedicated.pool.release(connection, condition)
    void dedicated.release()
  }

  /** The connections that this one, taken here, is among: for the graph of waits. */
  slotsOf(connection: Connection): SharedResource {
    return (this.#dedicated.get(connection)?.pool ?? this.#pool!).slotsOf(connection)
  }

  /** The pool as the process has it; undefined where it is not open. */
  info(): PoolInfo | undefined {
    return poolRegistry().infoOf(this.#key)
  }

  /**
   * Gives the pool back; when nobody else has it, it is closed. New calls are refused from now on; settles when those that
   * run have ended, at the latest after `timeoutMs`.
   */
  close(timeoutMs: number): Promise<void> {
    this.#isClosed = true
    this.#closing.abort()
    this.#closed ??= this.#shutDown(timeoutMs)
    return this.#closed
  }

  async #shutDown(timeoutMs: number): Promise<void> {
    const deadline = deadlineAfter(timeoutMs)
    const lease = this.#lease
    this.#lease = undefined
    // without a lease: its opening may have come too late for every call of ours, and then nobody else would close it
    await (lease === undefined ? poolRegistry().closeUnused(this.#key, timeoutMs) : lease.release({ closeIfLast: true, timeoutMs }))
    // a pool that others have stays open, with our last calls on it
    if (this.#calls > 0) await settledBy(this.#idle(), deadline)
    await this.#pool?.takeAway(this.#closing.signal)
    await Promise.all([...this.#dedicated].map(([connection, dedicated]) => this.#takeAway(connection, dedicated)))
  }

  /** Ends a dedicated connection under the call that has it. */
  #takeAway(connection: Connection, lease: Lease<Pool<Connection>>): Promise<void> {
    this.#dedicated.delete(connection)
    this.#takenAway.add(connection)
    return lease.release({ timeoutMs: 0 })
  }

  #idle(): Promise<void> {
    return new Promise((resolve) => {
      this.#onIdle = resolve
    })
  }

  #callEnded(): void {
    this.#calls--
    if (this.#calls === 0) this.#onIdle?.()
  }

  #acquireRequest({ access, label, borrower }: ConnectionRequest, limits: ConnectionLimits | undefined): AcquireRequest {
    return {
      access,
      label,
      borrower,
      deadline: Math.min(deadlineAfter(this.#options.acquireTimeoutMs), limits?.deadline ?? Number.POSITIVE_INFINITY),
      signal: limits?.signal,
      closing: this.#closing.signal,
    }
  }

  async #borrowAndAcquire(request: AcquireRequest): Promise<Connection> {
    const lease = await this.#borrowFor(request)
    if (lease.kind === 'shared') return this.#keep(lease).acquire(request)
    return this.#acquireDedicated(lease, request)
  }

  async #borrowFor(request: AcquireRequest): Promise<Lease<Pool<Connection>>> {
    const lease = await this.#leaseFor(request)
    if (this.#isClosed) {
      await lease.release({ closeIfLast: true })
      throw this.#closedError()
    }
    if (!this.#hasMetServer) this.#dialect.meet?.(lease.pool)
    this.#hasMetServer = true
    return lease
  }

  /** Callers who still wait for the pool to be opened when the database object is closed are refused at once. */
  async #leaseFor(request: AcquireRequest): Promise<Lease<Pool<Connection>>> {
    try {
      return await this.#borrow(request)
    } catch (error) {
      if (this.#isClosed && error instanceof AbortedError && request.signal?.aborted !== true) throw this.#closedError()
      throw error
    }
  }

  #borrow(request: AcquireRequest): MaybePromise<Lease<Pool<Connection>>> {
    if (this.#isClosed) throw this.#closedError()
    const dialect = this.#dialect
    const registry = poolRegistry()
    // for one caller: it is not opened any longer than that one waits
    const openDedicated = (signal: AbortSignal) => {
      const acquireTimeoutMs = Math.max(1, Math.ceil(remainingMs(request.deadline)))
      const options = { ...this.#options, minConnections: 0, maxConnections: 1, acquireTimeoutMs }
      return dialect.openPool(this.name, options, { signal })
    }
    // name by name: a spread costs more than all the rest of a wait for the opening
    const { deadline, signal, label } = request
    return registry.borrow({
      deadline,
      signal,
      label,
      key: this.#key,
      name: this.name,
      options: this.#options,
      closing: this.#closing.signal,
      open: (opening) => dialect.openPool(this.name, this.#options, opening),
      openDedicated: dialect.capabilities.dedicatedConnections ? openDedicated : undefined,
    })
  }

  /** Keeps the first lease for good; of callers that borrowed at the same time the others give theirs back. */
  #keep(lease: Lease<Pool<Connection>>): Pool<Connection> {
    if (this.#lease !== undefined) {
      // a lease is kept already: nothing is closed by giving this one back, and nothing is to wait for
      void lease.release()
      return this.#lease.pool
    }
    this.#lease = lease
    this.#pool = lease.pool
    return lease.pool
  }

  async #acquireDedicated(lease: Lease<Pool<Connection>>, request: AcquireRequest): Promise<Connection> {
    try {
      const connection = await lease.pool.acquire(request)
      this.#dedicated.set(connection, lease)
      return connection
    } catch (error) {
      await lease.release()
      throw error
    }
  }

  #closedError(): PoolClosedError {
    return new PoolClosedError(`the database ${this.#dialect.target} was closed`)
  }
}
