import { createHash } from 'node:crypto'
import { type Deadline, LATE, settledBy } from '../../deadline.js'
import { ConnectionError, ConnectionLostError } from '../../errors.js'
import type { PoolOptions } from '../../pool/pool-options.js'
import type { LockSession } from '../dialect.js'
import type { PostgresConnection } from './connection.js'
import { PostgresConnector } from './connector.js'
import { loadDriver } from './driver.js'
import { type PostgresServer, targetOf } from './server.js'
import { sessionRefusal } from './session-refusal.js'

/** What the session is for, in words for people. */
const NEED = 'a lock of the database'

/**
 * No limit that an administrator has set for a role or a database may end a session that rests while it holds. Should this host
 * go without a word, on the other hand, the server is to notice within half a minute instead of hours. What the server's
 * version does not know is not set.
 */
const SETTINGS = `
  select pg_catalog.set_config(name, value, false)
  from pg_catalog.pg_settings join (values
    ('statement_timeout', '0'), ('idle_session_timeout', '0'),
    ('tcp_keepalives_idle', '10'), ('tcp_keepalives_interval', '5'), ('tcp_keepalives_count', '3')
  ) wanted(name, value) using (name)`

const TRY_LOCK = 'select pg_catalog.pg_try_advisory_lock($1::bigint)'
const UNLOCK = 'select pg_catalog.pg_advisory_unlock($1::bigint)'

/** Where a 64-bit key stands in the list of locks. Source: PostgreSQL 15 manual, 54.12 "pg_locks". */
const HOLDER = `
  select a.pid, a.application_name
  from pg_catalog.pg_locks l join pg_catalog.pg_stat_activity a on a.pid = l.pid
  where l.locktype = 'advisory' and l.granted and l.objsubid = 1
    and l.database = (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database())
    and l.classid::bigint = (($1::bigint >> 32) & 4294967295) and l.objid::bigint = ($1::bigint & 4294967295)`

/**
 * Opens a session for advisory locks, which belong to one database of the server. It runs no init SQL, and is called as the
 * application is, with ` locks` behind it.
 *
 * @throws {DriverMissingError} `pg` is not installed
 * @throws {ConnectionError} no session before `deadline`
 * @throws {AbortedError} the signal was aborted first
 * @throws {PoolerModeError} a pooler in transaction mode: the lock would be that of whoever has the connection next
 */
export async function openLockSession(
  server: PostgresServer,
  { pooler }: PoolOptions,
  deadline: Deadline,
  signal?: AbortSignal,
): Promise<LockSession> {
  if (pooler === 'transaction') throw sessionRefusal(NEED)
  const named = { ...server, applicationName: `${server.applicationName} locks` }
  const connection = await new PostgresConnector(await loadDriver(), named, [], pooler).open(deadline, signal)
  try {
    if (connection.poolerMode === 'transaction') throw sessionRefusal(NEED)
    const settings = await settledBy(connection.run({ sql: SETTINGS, parameters: [] }), deadline, signal)
    if (settings === LATE) throw new ConnectionError(`${targetOf(server)}: preparing the session for locks took longer than was allowed`)
    return new PostgresLockSession(connection)
  } catch (error) {
    connection.destroy()
    throw error
  }
}

class PostgresLockSession implements LockSession {
  readonly #connection: PostgresConnection
  #isClosed = false

  constructor(connection: PostgresConnection) {
    this.#connection = connection
  }

  async tryLock(name: string): Promise<boolean> {
    return (await this.#ask(TRY_LOCK, keyOf(name)))[0]?.[0] === 't'
  }

  async unlock(name: string): Promise<void> {
    if ((await this.#ask(UNLOCK, keyOf(name)))[0]?.[0] === 't') return
    throw new ConnectionLostError('the server says that the session did not have the lock')
  }

  async holderOf(name: string): Promise<string | undefined> {
    const [holder] = await this.#ask(HOLDER, keyOf(name))
    if (holder === undefined) return undefined
    const [pid, application] = holder
    return `the session with process id ${pid}${application === null || application === '' ? '' : ` of "${application}"`}`
  }

  async ping(): Promise<void> {
    await this.#ask('select 1')
  }

  onLost(listener: (error: Error) => void): void {
    this.#connection.client.once('end', () => {
      if (!this.#isClosed) listener(new ConnectionLostError('the connection that holds locks ended'))
    })
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#connection.close()
  }

  async #ask(sql: string, ...parameters: string[]): Promise<readonly (readonly unknown[])[]> {
    return (await this.#connection.run({ sql, parameters })).rows
  }
}

/** The 64 bits by which the server knows a lock, the same in every process. */
function keyOf(name: string): string {
  // as JSON every text differs: halves of surrogate pairs would all become the same letter
  return createHash('sha256')
    .update(`latchwork lock ${JSON.stringify(name)}`)
    .digest()
    .readBigInt64BE()
    .toString()
}
