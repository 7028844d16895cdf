import { ConfigurationError } from '../../errors.js'
import type { MigrationOpening } from '../migration-parts.js'
import { type Recreation, sessionText } from '../recreation.js'
import type { Address } from './address.js'
import type { Client } from './client.js'
import { quote } from './column-ddl.js'
import { Dialler } from './dial.js'
import { loadDriver } from './driver.js'
import { errnoOf } from './errors.js'

const TRAITS = 'select default_character_set_name, default_collation_name from information_schema.schemata where schema_name = ?'

const SESSIONS = 'select id, user, host, command from information_schema.processlist where db = ? and id <> connection_id() order by id'

/** "Unknown thread id": the session has ended. */
const NO_SUCH_THREAD = 1094

/** Whole seconds that the drop waits for who came after we looked. */
const PATIENCE = 'set session lock_wait_timeout = 5'

/**
 * Drops the database and makes it anew, with its character set and collation; makes it where it is not there.
 *
 * @param terminate  end the sessions of others in it; else they keep it from being dropped
 */
export async function recreateDatabase(address: Address, opening: MigrationOpening, terminate: boolean): Promise<Recreation> {
  const { database: own, ...server } = address
  const database = opening.schema ?? own
  if (database === undefined) throw new ConfigurationError('url', 'names no database to drop')
  const dialler = new Dialler(await loadDriver(), server)
  const client = await dialler.dial(opening.deadline, async (opened) => void (await opened.query(PATIENCE)), opening.signal)
  try {
    return await recreate(client, database, terminate)
  } finally {
    await client.end()
  }
}

async function recreate(client: Client, database: string, terminate: boolean): Promise<Recreation> {
  const [traits] = (await client.execute(TRAITS, [database])).rows as readonly (readonly [string, string])[]
  if (traits === undefined) {
    await client.query(`create database ${quote(database)} character set utf8mb4`)
    return { wasThere: false, sessions: [] }
  }
  const { rows: others } = await client.execute(SESSIONS, [database])
  if (others.length > 0 && !terminate) return { wasThere: true, sessions: others.map(([id, ...about]) => sessionText(id, ...about)) }
  for (const [id] of others) await end(client, Number(id))
  await client.query(`drop database ${quote(database)}`)
  await client.query(`create database ${quote(database)} character set ${traits[0]} collate ${traits[1]}`)
  return { wasThere: true, sessions: [] }
}

async function end(client: Client, id: number): Promise<void> {
  try {
    await client.query(`kill ${id}`)
  } catch (error) {
    if (errnoOf(error) !== NO_SUCH_THREAD) throw error
  }
}
