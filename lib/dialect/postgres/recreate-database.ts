import type { MigrationOpening } from '../migration-parts.js'
import { type Recreation, sessionText } from '../recreation.js'
import type { PostgresConnection } from './connection.js'
import { PostgresConnector } from './connector.js'
import { loadDriver } from './driver.js'
import type { PostgresServer } from './server.js'

const SESSIONS = `
  select pid, application_name, usename, coalesce(client_hostname, client_addr::text)
  from pg_catalog.pg_stat_activity where datname = $1 and pid <> pg_catalog.pg_backend_pid() and backend_type = 'client backend' order by pid`

/** What a new one is to have of the old: a template other than the empty one may forbid it. */
const TRAITS = `
  select pg_catalog.pg_encoding_to_char(encoding), datcollate, datctype, pg_catalog.pg_get_userbyid(datdba)
  from pg_catalog.pg_database where datname = $1`

/** "Object in use": somebody has connected since we looked. */
const IN_USE = '55006'

/**
 * Drops the database and makes it anew, with its encoding, locale and owner; makes it where it is not there.
 *
 * @param terminate  end the sessions of others in it; else they keep it from being dropped
 */
export async function recreateDatabase(
  server: PostgresServer,
  { deadline, signal }: MigrationOpening,
  terminate: boolean,
): Promise<Recreation> {
  // every server has these two, and one cannot be dropped over a connection to it
  const database = server.database === 'postgres' ? 'template1' : 'postgres'
  const connector = new PostgresConnector(await loadDriver(), { ...server, database }, [], 'session')
  const connection = await connector.open(deadline, signal)
  try {
    return await recreate(connection, server.database, terminate)
  } finally {
    await connection.close()
  }
}

async function recreate(connection: PostgresConnection, name: string, terminate: boolean): Promise<Recreation> {
  const run = async (sql: string, ...parameters: string[]) => (await connection.run({ sql, parameters })).rows
  const sessions = async () => (await run(SESSIONS, name)).map(([id, ...about]) => sessionText(id, ...about))
  const [traits] = await run(TRAITS, name)
  if (traits === undefined) {
    await run(`create database ${quoted(name)}`)
    return { wasThere: false, sessions: [] }
  }
  const others = await sessions()
  if (others.length > 0 && !terminate) return { wasThere: true, sessions: others }
  try {
    await run(`drop database ${quoted(name)}${terminate ? ' with (force)' : ''}`)
  } catch (error) {
    if ((error as { readonly code?: unknown }).code !== IN_USE) throw error
    return { wasThere: true, sessions: await sessions() }
  }
  const [encoding, collate, ctype, owner] = traits.map(String)
  await run(
    `create database ${quoted(name)} owner ${quoted(owner!)} template template0 encoding ${text(encoding!)} lc_collate ${text(collate!)} lc_ctype ${text(ctype!)}`,
  )
  return { wasThere: true, sessions: [] }
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

function text(value: string): string {
  return `'${value.replaceAll("'", "''")}'`
}
