import { deadlineAfter } from '../../deadline.js'
import type { SharedResource } from '../../lock/shared-resource.js'
import { andThen, type MaybePromise } from '../../maybe-promise.js'
import type { PoolOpening } from '../../pool/borrow-request.js'
import { ConnectionPool } from '../../pool/connection-pool.js'
import type { AcquireRequest, Condition, Pool, PoolStats } from '../../pool/pool.js'
import { PoolTimings } from '../../pool/pool-journal.js'
import type { PoolOptions } from '../../pool/pool-options.js'
import { addPoolStats } from '../../pool/pool-stats.js'
import { warmed } from '../../pool/warmed.js'
import type { Connection } from '../dialect.js'
import { FileConnector, MemoryConnector } from './connectors.js'
import { MemoryName } from './named-memory.js'
import type { DatabaseSource } from './open-database.js'
import type { SqliteSession } from './session.js'

/**
 * Opens the pool of a database file: one connection that writes, whose queue is the lock of the one writer, and up to
 * `maxConnections` that read beside it. The writer is open when this settles; readers open when they are wanted.
 */
export async function openFilePool(
  name: string,
  source: DatabaseSource,
  options: PoolOptions,
  { budget, signal }: PoolOpening,
): Promise<Pool<Connection>> {
  const ofWriter = { ...options, minConnections: Math.min(options.minConnections, 1), maxConnections: 1 }
  const ofReaders = { ...options, minConnections: Math.max(options.minConnections - 1, 0) }
  const timings = new PoolTimings()
  const writer = new ConnectionPool(name, new FileConnector(source, 'write'), ofWriter, budget, timings)
  const readers = new ConnectionPool(name, new FileConnector(source, 'read'), ofReaders, budget, timings)
  const pool = new WriterReadersPool(name, writer, readers)
  const deadline = deadlineAfter(options.acquireTimeoutMs)
  const warm = async () => {
    // the writer first: it makes the file and its log
    await writer.warm(1, deadline)
    await readers.warm(ofReaders.minConnections, deadline)
  }
  return warmed(pool, warm, signal)
}

/**
 * Opens the pool of an in-memory database: one connection for reads and writes, since another would be another database.
 *
 * @throws {ConfigurationError} a database called `memoryName` is open with other pool options
 */
export async function openMemoryPool(
  name: string,
  source: DatabaseSource,
  options: PoolOptions,
  { budget, signal }: PoolOpening,
  memoryName?: string,
): Promise<Pool<Connection>> {
  const taken = memoryName === undefined ? undefined : await MemoryName.take(memoryName, options)
  const connector = new MemoryConnector(source)
  // one always kept open costs nothing more: the database itself lives as long as the pool
  const sessions = new ConnectionPool(name, connector, { ...options, minConnections: 1, maxConnections: 1 }, budget)
  const pool = new MemoryPool(name, sessions, connector, taken)
  return warmed(pool, () => sessions.warm(1, deadlineAfter(options.acquireTimeoutMs)), signal)
}

/** One writer and many readers of a database file behind one pool; the request says which is wanted. */
class WriterReadersPool implements Pool<Connection> {
  readonly name: string
  readonly #writer: ConnectionPool<SqliteSession>
  readonly #readers: ConnectionPool<SqliteSession>

  constructor(name: string, writer: ConnectionPool<SqliteSession>, readers: ConnectionPool<SqliteSession>) {
    this.name = name
    this.#writer = writer
    this.#readers = readers
  }

  acquire(request: AcquireRequest): SqliteSession | Promise<SqliteSession> {
    const session = (request.access === 'write' ? this.#writer : this.#readers).acquire(request)
    return andThen(session, (lent) => this.#lend(lent, request))
  }

  release(session: SqliteSession, condition: Condition): void {
    this.#sideOf(session).release(session, session.isInTransaction ? 'broken' : condition)
  }

  slotsOf(session: SqliteSession): SharedResource {
    return this.#sideOf(session).slotsOf()
  }

  async close(timeoutMs: number): Promise<void> {
    await Promise.all([this.#writer.close(timeoutMs), this.#readers.close(timeoutMs)])
  }

  async takeAway(closing: AbortSignal): Promise<void> {
    await Promise.all([this.#writer.takeAway(closing), this.#readers.takeAway(closing)])
  }

  stats(): PoolStats {
    return addPoolStats(this.#writer.stats(), this.#readers.stats())
  }

  #lend(session: SqliteSession, request: AcquireRequest): MaybePromise<SqliteSession> {
    if (session.isOnItsFile) return session.lendFor(request)
    this.release(session, 'broken')
    return this.acquire(request)
  }

  #sideOf({ access }: SqliteSession): ConnectionPool<SqliteSession> {
    return access === 'write' ? this.#writer : this.#readers
  }
}

/** The sessions of one in-memory database, which ends with this pool. */
class MemoryPool implements Pool<Connection> {
  readonly name: string
  readonly #sessions: ConnectionPool<SqliteSession>
  readonly #connector: MemoryConnector
  readonly #memoryName: MemoryName | undefined
  #closed: Promise<void> | undefined

  constructor(name: string, sessions: ConnectionPool<SqliteSession>, connector: MemoryConnector, memoryName: MemoryName | undefined) {
    this.name = name
    this.#sessions = sessions
    this.#connector = connector
    this.#memoryName = memoryName
  }

  acquire(request: AcquireRequest): SqliteSession | Promise<SqliteSession> {
    const session = this.#sessions.acquire(request)
    // the same refusals as on a file, where readers are connections of their own
    return andThen(session, (lent) => lent.lendFor(request))
  }

  release(session: SqliteSession, condition: Condition): void {
    this.#sessions.release(session, session.isInTransaction ? 'broken' : condition)
  }

  slotsOf(): SharedResource {
    return this.#sessions.slotsOf()
  }

  close(timeoutMs: number): Promise<void> {
    const end = () => this.#end(timeoutMs)
    this.#closed ??= this.#memoryName === undefined ? end() : this.#memoryName.giveBackAfter(end)
    return this.#closed
  }

  takeAway(closing: AbortSignal): Promise<void> {
    return this.#sessions.takeAway(closing)
  }

  stats(): PoolStats {
    return this.#sessions.stats()
  }

  async #end(timeoutMs: number): Promise<void> {
    await this.#sessions.close(timeoutMs)
    this.#connector.dispose()
  }
}
