import type { Deadline } from '../deadline.js'
import type { LatencyFigures } from '../latency.js'
import type { SharedResource } from '../lock/shared-resource.js'
import type { EndReason } from './end-reason.js'

/** What a pool lends. The pool knows no database: a connector opens, checks, cleans and closes its members. */
export interface PoolMember {
  /** Set once its socket or handle has failed; a broken member is never lent again. */
  readonly isBroken: boolean
  /** The last statement of a node there, with placeholders for its values: says what a holder is doing. */
  readonly lastStatement?: string | undefined
}

/** How a pool gets its members and keeps them fit. */
export interface Connector<C extends PoolMember> {
  /** Opens one member, init SQL included; breaks off if any of that fails, `deadline` passes or `signal` is aborted. */
  open(deadline: Deadline, signal: AbortSignal): Promise<C>
  /** Answers whether an idle member still works. May take `timeoutMs`; never throws. */
  validate(member: C, timeoutMs: number): Promise<boolean>
  /** Puts a tainted member's session back to its defaults; throws if that fails. */
  reset(member: C): Promise<void>
  /** Ends a member, even in the middle of its work; never throws and never waits for a broken or busy one. */
  close(member: C): Promise<void>
}

/**
 * How a member comes back.
 * `clean`: nothing of its session has changed. `tainted`: a user's own SQL ran, reset before lending.
 * `broken`: busy, cancelled, or in a transaction that could not be ended; it is destroyed.
 */
export type Condition = 'clean' | 'tainted' | 'broken'

export interface AcquireRequest {
  /** Whether the work may write; only engines with one writer (SQLite) tell the two apart. */
  readonly access: 'read' | 'write'
  readonly deadline: Deadline
  readonly signal?: AbortSignal | undefined
  /** Aborted when the database object that asks is closed; says too whose connection it is, for {@link Pool.takeAway}. */
  readonly closing?: AbortSignal | undefined
  /** Who asks, for the message of a time-out: a node's name. */
  readonly label: string
  /** Made where a connection is kept for longer than one statement: its stack is shown if it is never given back. */
  readonly borrower?: Error | undefined
}

/** What a pool has now, and what became of what it had. */
export interface PoolStats {
  /** Most connections that it may have: its `maxConnections`, and on a SQLite file the writer too; 1 in memory. */
  readonly capacity: number
  /** Connections that can be used. */
  readonly open: number
  readonly idle: number
  readonly leased: number
  /** Connections being made. */
  readonly dialling: number
  /** Callers in the queue. */
  readonly waiting: number
  /** Connections made since the pool was opened. */
  readonly created: number
  /** Connections ended since then, by reason. */
  readonly destroyed: Readonly<Record<EndReason, number>>
  /** How long callers waited for a connection, those served at once included. */
  readonly acquireMs: LatencyFigures
  /** How long they kept it. */
  readonly usageMs: LatencyFigures
}

/** A set of connections that calls share. {@link ConnectionPool} is the one for every engine; SQLite puts two together. */
export interface Pool<C extends PoolMember = PoolMember> {
  /** Readable identity without a secret, such as `postgres:127.0.0.1:5432/shop#3f9a02c7`. */
  readonly name: string
  /**
   * Takes a connection: at once (not a promise) where one is idle, else in turn. Never throws: what is thrown below
   * rejects the promise.
   *
   * @throws {PoolTimeoutError} the deadline passed
   * @throws {PoolQueueFullError} `maxQueue` callers wait already
   * @throws {PoolExhaustedError} the connection budget has no room and no connection of this pool can come free
   * @throws {PoolClosedError} the pool is closing, or the database object that asks
   * @throws {AbortedError} the signal was aborted
   * @throws {ConnectionError} no connection could be made
   */
  acquire(request: AcquireRequest): C | Promise<C>
  /**
   * Gives a connection back. One that was taken away may still be given back, once.
   *
   * @throws {ScopeClosedError} it is not lent: released twice, or never taken here
   */
  release(member: C, condition: Condition): void
  /**
   * Refuses new and queued callers, waits for the running ones at most `timeoutMs`, then ends their connections under them.
   * Always settles, a second later at most. Every further call is the same close.
   */
  close(timeoutMs: number): Promise<void>
  /** Ends the connections lent to requests with this `closing`, under their calls. Always settles, within a second. */
  takeAway(closing: AbortSignal): Promise<void>
  /** The connections that a lent one is among, for the graph of waits. */
  slotsOf(member: C): SharedResource
  stats(): PoolStats
}
