import { existsSync } from 'node:fs'
import { deadlineAfter } from '../../deadline.js'
import { ConfigurationError, UnsupportedError } from '../../errors.js'
import type { LockSession } from '../dialect.js'
import type { MigrationLockHolder, MigrationOpening, MigrationSession } from '../migration-parts.js'
import { type Driver, loadDriver } from './driver.js'
import { openFile } from './open-database.js'
import { SqliteSession } from './session.js'
import { openLockSession } from './session-lock.js'

const REOPEN_MS = 5_000

/**
 * Opens a handle for a run of migrations: see {@link MigrationSession}. Its lock is a file beside the database, which the system
 * frees with the process.
 */
export async function openMigrationSession(file: string, opening: MigrationOpening): Promise<MigrationSession> {
  if (file.startsWith(':memory:')) {
    throw new UnsupportedError('a migration', 'an in-memory SQLite database', 'it is another one for each connection; use a file')
  }
  if (opening.schema !== undefined) throw new ConfigurationError('schema', 'SQLite has no schemas; leave it out')
  const driver = await loadDriver()
  // one that is yet to be made is empty; whoever only looks does not make it
  const path = opening.access === 'read' && !existsSync(file) ? ':memory:' : file
  const open = (deadline: number) =>
    openFile({ driver, file: path, initSql: [] }, path === file ? opening.access : 'write', deadline, opening.signal)
  const session = new SqliteSession(path === file ? await open(opening.deadline) : new driver(':memory:'), 'write')
  return new SqliteMigrationSession(session, driver, file, path === file, opening.table, () => open(deadlineAfter(REOPEN_MS)))
}

class SqliteMigrationSession implements MigrationSession {
  readonly lockPollMs = 100
  readonly schema = undefined
  readonly #driver: Driver
  readonly #lockName: string
  readonly #reopen: () => ReturnType<typeof openFile>
  #locks: Promise<LockSession> | undefined

  constructor(
    readonly connection: SqliteSession,
    driver: Driver,
    readonly database: string,
    readonly isMade: boolean,
    table: string,
    reopen: () => ReturnType<typeof openFile>,
  ) {
    this.#driver = driver
    this.#lockName = `migrations ${table}`
    this.#reopen = reopen
  }

  async tryLock(): Promise<boolean> {
    return (await this.#session()).tryLock(this.#lockName)
  }

  async unlock(): Promise<void> {
    await (await this.#session()).unlock(this.#lockName)
  }

  async holder(): Promise<MigrationLockHolder | undefined> {
    if (!this.isMade) return undefined
    const id = await (await this.#session()).holderOf(this.#lockName)
    return id === undefined ? undefined : { id, application: null, user: null, host: null, since: null, activity: null }
  }

  /** It is a process, which is not ours to end. */
  async endHolder(): Promise<boolean> {
    return false
  }

  async renew(): Promise<void> {
    if (this.connection.isAltered) this.connection.replaceDatabase(await this.#reopen())
  }

  async close(): Promise<void> {
    this.connection.close()
    // one that could not be opened has said so
    const locks = await this.#locks?.catch(() => undefined)
    await locks?.close()
  }

  #session(): Promise<LockSession> {
    this.#locks ??= openLockSession(this.#driver, this.database)
    return this.#locks
  }
}
