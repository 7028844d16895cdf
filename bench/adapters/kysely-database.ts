import { type ColumnType, type Dialect, type Generated, Kysely, MysqlDialect, PostgresDialect, SqliteDialect } from 'kysely'
import type { EngineName } from '../support/engine-traits.js'
import type { Place } from '../support/place.js'

export interface KyselyTables {
  readonly users: {
    readonly id: Generated<number>
    readonly email: string
    readonly name: string
    readonly age: number
    readonly active: boolean | number
    readonly joined_at: ColumnType<Date | string>
  }
  readonly posts: {
    readonly id: Generated<number>
    readonly user_id: number
    readonly title: string
    readonly words: number
    readonly written_at: ColumnType<Date | string>
  }
}

export const USER_COLUMNS = ['id', 'email', 'name', 'age', 'active', 'joined_at as joinedAt'] as const
export const POST_COLUMNS = ['id', 'user_id as userId', 'title', 'words', 'written_at as writtenAt'] as const

/** Kysely on the engine's driver; the driver alone that is used is loaded. */
export async function openKysely(place: Place): Promise<Kysely<KyselyTables>> {
  return new Kysely({ dialect: await DIALECTS[place.engine](place) })
}

const DIALECTS: Readonly<Record<EngineName, (place: Place) => Promise<Dialect>>> = {
  postgres: async ({ url, maxConnections }) => {
    const { default: pg } = await import('pg')
    return new PostgresDialect({ pool: new pg.Pool({ connectionString: url, max: maxConnections }) })
  },
  mysql: async ({ url, maxConnections }) => {
    const { createPool } = await import('mysql2')
    return new MysqlDialect({ pool: createPool({ uri: url, connectionLimit: maxConnections, timezone: 'Z' }) })
  },
  sqlite: async ({ url }) => {
    const { openSqliteFile } = await import('./raw-sqlite.js')
    return new SqliteDialect({ database: openSqliteFile(url) })
  },
}
