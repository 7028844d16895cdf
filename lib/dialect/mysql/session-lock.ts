import { createHash } from 'node:crypto'
import type { Deadline } from '../../deadline.js'
import { ConnectionLostError } from '../../errors.js'
import type { LockSession } from '../dialect.js'
import type { Address } from './address.js'
import type { Client } from './client.js'
import { Dialler } from './dial.js'
import { loadDriver } from './driver.js'

/**
 * The server ends a session that is silent for so long, and frees its locks: two minutes instead of hours, for a host that went
 * without a word. Whoever keeps locks here asks for a sign of life far more often.
 */
const SETTINGS = 'set session wait_timeout = 120'

// where the server does not tell capitals apart in names, one database must not have two
const DATABASE = "select coalesce(if(@@lower_case_table_names = 0, database(), lower(database())), '')"

const HOLDER = 'select is_used_lock(?), (select concat(user, ?, host) from information_schema.processlist where id = is_used_lock(?))'

/**
 * Opens a session for the server's named locks. They are the server's, not a database's, and so the database is part of their
 * names. It runs no init SQL.
 *
 * Only this one server knows them: nodes of a Galera cluster or of a replication group that takes writes everywhere do not
 * exclude each other.
 *
 * @throws {DriverMissingError} `mysql2` is not installed
 * @throws {ConnectionError} no session before `deadline`
 * @throws {AbortedError} the signal was aborted first
 */
export async function openLockSession(address: Address, deadline: Deadline, signal?: AbortSignal): Promise<LockSession> {
  const dialler = new Dialler(await loadDriver(), { ...address, applicationName: `${address.applicationName} locks` })
  let database = ''
  const client = await dialler.dial(
    deadline,
    async (opened) => {
      await opened.query(SETTINGS)
      database = String((await opened.query(DATABASE)).rows[0]![0])
    },
    signal,
  )
  return new MysqlLockSession(client, database)
}

class MysqlLockSession implements LockSession {
  readonly #client: Client
  readonly #database: string
  #isClosed = false

  constructor(client: Client, database: string) {
    this.#client = client
    this.#database = database
  }

  async tryLock(name: string): Promise<boolean> {
    // 0: somebody has it; null: the server could not
    return (await this.#ask('select get_lock(?, 0)', this.#lockOf(name)))[0] === 1
  }

  async unlock(name: string): Promise<void> {
    if ((await this.#ask('select release_lock(?)', this.#lockOf(name)))[0] === 1) return
    throw new ConnectionLostError('the server says that the session did not have the lock')
  }

  async holderOf(name: string): Promise<string | undefined> {
    const lock = this.#lockOf(name)
    const [id, account] = await this.#ask(HOLDER, lock, '@', lock)
    if (id === null) return undefined
    return `connection ${id}${account === null ? '' : ` of ${account}`}`
  }

  async ping(): Promise<void> {
    await this.#client.query('do 0')
  }

  onLost(listener: (error: Error) => void): void {
    this.#client.onEnd(() => {
      if (!this.#isClosed) listener(new ConnectionLostError('the connection that holds locks ended'))
    })
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#client.end()
  }

  async #ask(sql: string, ...parameters: string[]): Promise<readonly unknown[]> {
    return (await this.#client.execute(sql, parameters)).rows[0]!
  }

  /** At most 64 characters, and in no letters that the server would take for each other. */
  #lockOf(name: string): string {
    const hash = createHash('sha256')
      .update(JSON.stringify([this.#database, name]))
      .digest('hex')
    return `latchwork-${hash.slice(0, 48)}`
  }
}
