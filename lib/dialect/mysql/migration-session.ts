import { createHash } from 'node:crypto'
import { ConfigurationError, ConnectionError, PoolerModeError, UnsupportedError } from '../../errors.js'
import type { MigrationLockHolder, MigrationOpening, MigrationSession } from '../migration-parts.js'
import { type Address, describeAddress } from './address.js'
import type { Client } from './client.js'
import { MysqlConnection } from './connection.js'
import { Dialler } from './dial.js'
import { loadDriver } from './driver.js'
import { errnoOf } from './errors.js'
import { prepareSession, returnToDatabase } from './session.js'
import { StatementKiller } from './statement-killer.js'

/** A host that goes without a word loses its lock after an hour; one that is killed when its statement has ended. */
const SETTINGS = 'set session wait_timeout = 3600, session foreign_key_checks = 1, session unique_checks = 1, session autocommit = 1'

// where the server does not tell capitals apart in names, one database must not have two locks
const PLACE = 'select database(), if(@@lower_case_table_names = 0, database(), lower(database())), connection_id()'

const HOLDER = `
  select p.id, p.user, p.host, p.command, date_format(utc_timestamp() - interval p.time second, '%Y-%m-%dT%TZ')
  from information_schema.processlist p where p.id = is_used_lock(?)`

/** "Unknown database". */
const NO_DATABASE = 1049

/** "Unknown thread id": the session has ended. */
const NO_SUCH_THREAD = 1094

/** Opens a connection for a run of migrations: see {@link MigrationSession}. It runs no init SQL. */
export async function openMigrationSession(address: Address, opening: MigrationOpening): Promise<MigrationSession> {
  const { schema } = opening
  const named = {
    ...address,
    applicationName: `${address.applicationName} migrations`,
    ...(schema === undefined ? {} : { database: schema }),
  }
  if (named.database === undefined) throw new ConfigurationError('url', 'names no database to migrate')
  const driver = await loadDriver()
  const dialler = new Dialler(driver, named)
  try {
    return await open(dialler, named, opening)
  } catch (error) {
    if (!opening.createDatabase || !saysNoDatabase(error)) throw error
    await createDatabase(new Dialler(driver, withoutDatabase(named)), named.database, opening)
    return open(dialler, named, opening)
  }
}

export function saysNoDatabase(error: unknown): boolean {
  return error instanceof ConnectionError && (error.cause as { readonly errno?: unknown } | undefined)?.errno === NO_DATABASE
}

async function open(
  dialler: Dialler,
  address: Address,
  { table, deadline, signal, allowSessionPooler, singleWriter }: MigrationOpening,
): Promise<MigrationSession> {
  const client = await dialler.dial(deadline, (opened) => prepare(opened), signal)
  try {
    const [database, lockedAs, id] = (await client.query(PLACE)).rows[0] as readonly [string, string, number]
    // the handshake has 32 bits of it
    if (!allowSessionPooler && Number(BigInt(id) % 2n ** 32n) !== client.threadId) throw poolerRefusal(address)
    if (!singleWriter) await refuseCluster(client)
    const killer = new StatementKiller((until) => dialler.dial(until, async () => undefined))
    return new MysqlMigrationSession(new MysqlConnection(client, dialler.parameterTypes, killer), database, lockName(lockedAs, table))
  } catch (error) {
    client.destroy()
    throw error
  }
}

function withoutDatabase({ database: _, ...address }: Address): Address {
  return address
}

async function createDatabase(dialler: Dialler, database: string, { deadline, signal }: MigrationOpening): Promise<void> {
  const name = `\`${database.replaceAll('`', '``')}\``
  const client = await dialler.dial(
    deadline,
    async (opened) => void (await opened.query(`create database if not exists ${name} character set utf8mb4`)),
    signal,
  )
  await client.end()
}

async function prepare(client: Client): Promise<void> {
  await prepareSession(client, [SETTINGS])
}

function poolerRefusal(address: Address): PoolerModeError {
  return new PoolerModeError(
    `${describeAddress(address)}: a proxy stands before the server, and a lock through it may be nobody's; nothing was run. Use a direct URL (LATCHWORK_MIGRATE_URL), or allowSessionPooler where each client has a session of its own`,
  )
}

async function refuseCluster(client: Client): Promise<void> {
  const { rows } = await client.query("show variables like 'wsrep_on'")
  if (String(rows[0]?.[1] ?? 'OFF').toUpperCase() !== 'ON') return
  throw new UnsupportedError(
    'a lock that all nodes see',
    'a Galera cluster',
    'migrate over one node and say singleWriter (--single-writer) where no other node is written to meanwhile',
  )
}

/** Locks are the server's, not a database's; a name has at most 64 characters. */
function lockName(database: string, table: string): string {
  const hash = createHash('sha256')
    .update(JSON.stringify([database, table]))
    .digest('hex')
  return `latchwork-migrations-${hash.slice(0, 40)}`
}

class MysqlMigrationSession implements MigrationSession {
  readonly lockPollMs = 250
  readonly isMade = true
  readonly #lock: string

  constructor(
    readonly connection: MysqlConnection,
    readonly database: string,
    lock: string,
  ) {
    this.#lock = lock
  }

  get schema(): string {
    return this.database
  }

  async tryLock(): Promise<boolean> {
    // 0: somebody has it; null: the server could not
    return (await this.#ask('select get_lock(?, 0)', this.#lock))?.[0] === 1
  }

  async unlock(): Promise<void> {
    await this.#ask('select release_lock(?)', this.#lock)
  }

  async holder(): Promise<MigrationLockHolder | undefined> {
    const [id] = (await this.#ask('select is_used_lock(?)', this.#lock))!
    if (id === null) return undefined
    // without the privilege to see it, there is the number alone
    const [, user = null, host = null, activity = null, since = null] = ((await this.#ask(HOLDER, this.#lock)) ?? []) as readonly (
      | string
      | null
    )[]
    return { id: String(id), application: null, user, host, since, activity: activity?.toLowerCase() ?? null }
  }

  async endHolder({ id }: MigrationLockHolder): Promise<boolean> {
    try {
      await this.connection.client.query(`kill ${Number(id)}`)
    } catch (error) {
      if (errnoOf(error) !== NO_SUCH_THREAD) throw error
    }
    return true
  }

  async renew(): Promise<void> {
    // not by resetting the session, which would free its locks
    await returnToDatabase(this.connection.client, this.database)
    await prepare(this.connection.client)
  }

  close(): Promise<void> {
    return this.connection.close()
  }

  async #ask(sql: string, ...parameters: string[]): Promise<readonly unknown[] | undefined> {
    return (await this.connection.client.execute(sql, parameters)).rows[0]
  }
}
