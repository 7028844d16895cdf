import knex, { type Knex } from 'knex'
import { type EngineName, TRAITS } from '../support/engine-traits.js'
import type { Place } from '../support/place.js'

/** Knex on the engine's driver. */
export function openKnex({ engine, url, maxConnections }: Place): Knex {
  return knex({ ...CONFIGURATIONS[engine](url), pool: { min: 0, max: TRAITS[engine].hasServer ? maxConnections : 1 } })
}

/** Rows a statement: Knex writes several rows into SQLite as so many selects united, of which SQLite takes 500. */
export const ROWS_A_STATEMENT: Readonly<Record<EngineName, number>> = { postgres: 1_000, mysql: 1_000, sqlite: 500 }

const CONFIGURATIONS: Readonly<Record<EngineName, (url: string) => Knex.Config>> = {
  postgres: (url) => ({ client: 'pg', connection: url }),
  mysql: (url) => {
    const { hostname: host, port, username, password, pathname } = new URL(url)
    const user = decodeURIComponent(username)
    const database = pathname.slice(1)
    return {
      client: 'mysql2',
      connection: { host, port: Number(port || 3306), user, password: decodeURIComponent(password), database, timezone: 'Z' },
    }
  },
  sqlite: (url) => ({ client: 'better-sqlite3', connection: { filename: url.slice('sqlite:'.length) }, useNullAsDefault: true }),
}

/** The same settings of the file as raw has. */
export async function prepareFile(database: Knex, engine: EngineName): Promise<void> {
  if (TRAITS[engine].hasServer) return
  await database.raw('pragma journal_mode = wal')
  await database.raw('pragma synchronous = normal')
}
