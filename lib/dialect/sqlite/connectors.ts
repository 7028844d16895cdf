import { type Deadline, deadlineAfter } from '../../deadline.js'
import type { AcquireRequest, Connector } from '../../pool/pool.js'
import { FileWatch } from './file-watch.js'
import { MemoryDatabase } from './memory-database.js'
import { type DatabaseSource, openFile } from './open-database.js'
import { SqliteSession } from './session.js'
import { WriteHold } from './write-hold.js'

const REOPEN_MS = 5_000

/**
 * Opens and keeps the connections to a database file that read, or the one that writes.
 *
 * A session that a user's SQL may have altered continues on a new connection: that takes some 50 µs, and no list of
 * settings to put back would ever be whole.
 */
export class FileConnector implements Connector<SqliteSession> {
  constructor(
    readonly source: DatabaseSource,
    readonly access: AcquireRequest['access'],
  ) {}

  async open(deadline: Deadline, signal: AbortSignal): Promise<SqliteSession> {
    const database = await openFile(this.source, this.access, deadline, signal)
    const session = new SqliteSession(database, this.access, this.access === 'write' ? new WriteHold() : undefined)
    session.watchFile(new FileWatch(this.source.file))
    return session
  }

  async validate(session: SqliteSession): Promise<boolean> {
    return session.isOpen && session.isOnItsFile
  }

  async reset(session: SqliteSession): Promise<void> {
    if (!session.isAltered) return
    const database = await openFile(this.source, this.access, deadlineAfter(REOPEN_MS))
    // the pool may have given it up meanwhile: nobody would close what it continued on
    if (!session.isOpen) return void database.close()
    session.replaceDatabase(database)
    session.watchFile(new FileWatch(this.source.file))
  }

  async close(session: SqliteSession): Promise<void> {
    session.close()
  }
}

/**
 * Lends sessions on one in-memory database, which lives until {@link dispose}: it would be gone with its connection, so
 * that a session that is idle, old or broken ends without it.
 */
export class MemoryConnector implements Connector<SqliteSession> {
  readonly source: DatabaseSource
  #database: MemoryDatabase | undefined
  /** The session that had it last may have altered its connection. */
  #isAltered = false

  constructor(source: DatabaseSource) {
    this.source = source
  }

  async open(): Promise<SqliteSession> {
    this.#database ??= new MemoryDatabase(this.source)
    if (this.#isAltered) this.#database.renew()
    this.#isAltered = false
    return new SqliteSession(this.#database.connection, 'write', undefined, true)
  }

  async validate(session: SqliteSession): Promise<boolean> {
    return session.isOpen
  }

  async reset(session: SqliteSession): Promise<void> {
    if (!session.isAltered || this.#database === undefined) return
    this.#database.renew()
    session.replaceDatabase(this.#database.connection)
  }

  async close(session: SqliteSession): Promise<void> {
    session.isBroken = true
    if (this.#database === undefined) return
    const { connection } = this.#database
    if (connection.inTransaction) connection.exec('rollback')
    this.#isAltered ||= session.isAltered
  }

  dispose(): void {
    this.#database?.close()
    this.#database = undefined
  }
}
