import type { ConnectionConfig, ServerConnection, SqliteConnection } from './connection-config.js'
import type { Dialect, Engine } from './dialect.js'
import { mysqlDialect } from './mysql/index.js'
import { postgresDialect } from './postgres/index.js'
import { sqliteDialect } from './sqlite/index.js'

const DIALECTS: Readonly<Record<Engine, (config: never) => Dialect>> = {
  postgres: (config: ServerConnection) => postgresDialect(config),
  mysql: (config: ServerConnection) => mysqlDialect(config),
  sqlite: (config: SqliteConnection) => sqliteDialect(config),
}

/** The dialect of a checked configuration's engine. Loads no driver and connects to nothing. */
export function createDialect(config: ConnectionConfig): Dialect {
  return DIALECTS[config.engine](config as never)
}
