import { createHash } from 'node:crypto'
import { LATE, settledBy } from '../../deadline.js'
import { ConfigurationError, ConnectionError, PoolerModeError } from '../../errors.js'
import type { MigrationLockHolder, MigrationOpening, MigrationSession } from '../migration-parts.js'
import type { PostgresConnection } from './connection.js'
import { PostgresConnector } from './connector.js'
import { loadDriver } from './driver.js'
import { type PostgresServer, targetOf } from './server.js'

/**
 * No limit of an administrator ends a step, and a host that goes without a word is noticed within half a minute: one that was
 * killed, in the middle of a statement, within a second (PostgreSQL ≥ 14). What the server's version does not know is not set.
 */
const SETTINGS = `
  select pg_catalog.set_config(name, value, false)
  from pg_catalog.pg_settings join (values
    ('statement_timeout', '0'), ('idle_session_timeout', '0'), ('idle_in_transaction_session_timeout', '0'), ('transaction_timeout', '0'),
    ('lock_timeout', '0'), ('client_connection_check_interval', '1000'),
    ('tcp_keepalives_idle', '10'), ('tcp_keepalives_interval', '5'), ('tcp_keepalives_count', '3')
  ) wanted(name, value) using (name)`

const NO_DATABASE = '3D000'
const DATABASE_EXISTS = '42P04'

const HOLDER = `
  select a.pid, a.application_name, a.usename, coalesce(a.client_hostname, a.client_addr::text),
    pg_catalog.to_char(a.backend_start at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'), a.state
  from pg_catalog.pg_locks l join pg_catalog.pg_stat_activity a on a.pid = l.pid
  where l.locktype = 'advisory' and l.granted and l.objsubid = 1
    and l.database = (select oid from pg_catalog.pg_database where datname = pg_catalog.current_database())
    and l.classid::bigint = (($1::bigint >> 32) & 4294967295) and l.objid::bigint = ($1::bigint & 4294967295)`

/** Opens a connection for a run of migrations: see {@link MigrationSession}. It runs no init SQL. */
export async function openMigrationSession(server: PostgresServer, opening: MigrationOpening): Promise<MigrationSession> {
  try {
    return await open(server, opening)
  } catch (error) {
    if (!opening.createDatabase || !saysNoDatabase(error)) throw error
    await createDatabase(server, opening)
    return open(server, opening)
  }
}

export function saysNoDatabase(error: unknown): boolean {
  return error instanceof ConnectionError && (error.cause as { readonly code?: unknown } | undefined)?.code === NO_DATABASE
}

/** Over the database that every server has. */
async function createDatabase(server: PostgresServer, { deadline, signal }: MigrationOpening): Promise<void> {
  const connector = new PostgresConnector(await loadDriver(), { ...server, database: 'postgres' }, [], 'session')
  const connection = await connector.open(deadline, signal)
  try {
    await connection.run({ sql: `create database "${server.database.replaceAll('"', '""')}"`, parameters: [] })
  } catch (error) {
    // another process was faster
    if ((error as { readonly code?: unknown }).code !== DATABASE_EXISTS) throw error
  } finally {
    await connection.close()
  }
}

async function open(server: PostgresServer, opening: MigrationOpening): Promise<MigrationSession> {
  const { deadline, signal, schema, table, allowSessionPooler } = opening
  const named = { ...server, applicationName: `${server.applicationName} migrations` }
  const connector = new PostgresConnector(await loadDriver(), named, [], allowSessionPooler ? 'session' : 'auto')
  const connection = await connector.open(deadline, signal)
  try {
    if (connection.poolerMode !== 'session') throw poolerRefusal(server)
    const place = await settledBy(prepare(connection, schema), deadline, signal)
    if (place === LATE) throw new ConnectionError(`${targetOf(server)}: preparing the session took longer than was allowed`)
    const [database, current] = place
    if (current === null)
      throw new ConfigurationError(
        'schema',
        `the schema${schema === undefined ? '' : ` "${schema}"`} to migrate in is not there; create it first`,
      )
    return new PostgresMigrationSession(connection, database, current, schema, lockKey(database, current, table))
  } catch (error) {
    connection.destroy()
    throw error
  }
}

async function prepare(
  connection: PostgresConnection,
  schema: string | undefined,
): Promise<readonly [database: string, schema: string | null]> {
  await connection.run({ sql: SETTINGS, parameters: [] })
  if (schema !== undefined) await useSchema(connection, schema)
  const { rows } = await connection.run({ sql: 'select pg_catalog.current_database(), pg_catalog.current_schema()', parameters: [] })
  return rows[0] as unknown as readonly [string, string | null]
}

async function useSchema(connection: PostgresConnection, schema: string): Promise<void> {
  await connection.run({ sql: `select pg_catalog.set_config('search_path', pg_catalog.quote_ident($1), false)`, parameters: [schema] })
}

function poolerRefusal(server: PostgresServer): PoolerModeError {
  return new PoolerModeError(
    `${targetOf(server)}: a pooler stands before the server, and a lock through it may be nobody's; nothing was run. Use a direct URL (LATCHWORK_MIGRATE_URL), or allowSessionPooler where each client has a session of its own`,
  )
}

/** From names that the server returned: two URLs of one database share a lock. */
function lockKey(...place: readonly [database: string, schema: string, table: string]): string {
  return createHash('sha256')
    .update(['latchwork', ...place].join('\0'))
    .digest()
    .readBigInt64BE()
    .toString()
}

class PostgresMigrationSession implements MigrationSession {
  readonly lockPollMs = 250
  readonly isMade = true
  readonly #givenSchema: string | undefined
  readonly #key: string

  constructor(
    readonly connection: PostgresConnection,
    readonly database: string,
    readonly schema: string,
    givenSchema: string | undefined,
    key: string,
  ) {
    this.#givenSchema = givenSchema
    this.#key = key
  }

  /** One that waited on the server would keep a snapshot, for which an index that is built concurrently waits in turn. */
  async tryLock(): Promise<boolean> {
    return (await this.#ask('select pg_catalog.pg_try_advisory_lock($1::bigint)', this.#key))[0]?.[0] === 't'
  }

  async unlock(): Promise<void> {
    await this.#ask('select pg_catalog.pg_advisory_unlock($1::bigint)', this.#key)
  }

  async holder(): Promise<MigrationLockHolder | undefined> {
    const [holder] = await this.#ask(HOLDER, this.#key)
    if (holder === undefined) return undefined
    const [id, application, user, host, since, activity] = holder as readonly (string | null)[]
    const orNull = (text: string | null | undefined) => (text === undefined || text === '' ? null : text)
    return {
      id: String(id),
      application: orNull(application),
      user: orNull(user),
      host: orNull(host),
      since: orNull(since),
      activity: orNull(activity),
    }
  }

  async endHolder({ id }: MigrationLockHolder): Promise<boolean> {
    return (await this.#ask('select pg_catalog.pg_terminate_backend($1::int)', id))[0]?.[0] === 't'
  }

  async renew(): Promise<void> {
    await this.#ask('set session authorization default; reset role; reset all; unlisten *; discard temp')
    await prepare(this.connection, this.#givenSchema)
  }

  close(): Promise<void> {
    return this.connection.close()
  }

  async #ask(sql: string, ...parameters: string[]): Promise<readonly (readonly unknown[])[]> {
    return (await this.connection.run({ sql, parameters })).rows
  }
}
