import type { ConnectionConfig, ServerConnection, SqliteConnection } from './connection-config.js'
import type { Engine } from './dialect.js'
import type { MigrationDialect } from './migration-dialect.js'
import { mysqlMigrationDialect } from './mysql/migration-dialect.js'
import { postgresMigrationDialect } from './postgres/migration-dialect.js'
import { sqliteMigrationDialect } from './sqlite/migration-dialect.js'

const DIALECTS: Readonly<Record<Engine, (config: never) => MigrationDialect>> = {
  postgres: (config: ServerConnection) => postgresMigrationDialect(config),
  mysql: (config: ServerConnection) => mysqlMigrationDialect(config),
  sqlite: (config: SqliteConnection) => sqliteMigrationDialect(config),
}

/** The dialect of a checked configuration's engine. Loads no driver and connects to nothing. */
export function createMigrationDialect(config: ConnectionConfig): MigrationDialect {
  return DIALECTS[config.engine](config as never)
}
