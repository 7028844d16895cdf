import type { SqliteConnection } from '../connection-config.js'
import type { MigrationDialect } from '../migration-dialect.js'
import { ddl } from './ddl.js'
import { evicts, toDataError, wordsOf } from './errors.js'
import { fileOf, sqliteDialect } from './index.js'
import { introspect } from './introspect.js'
import { migrationParts } from './migration-parts.js'

/** The engine's dialect with what migrations need beside. */
export function sqliteMigrationDialect(config: SqliteConnection): MigrationDialect {
  return {
    ...sqliteDialect(config),
    toDataError,
    wordsOf,
    evicts,
    ddl,
    migrations: migrationParts(fileOf(config)),
    introspect: (connection, options = {}) => introspect(connection, options),
  }
}
