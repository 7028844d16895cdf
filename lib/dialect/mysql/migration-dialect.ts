import type { ServerConnection } from '../connection-config.js'
import type { MigrationDialect } from '../migration-dialect.js'
import { addressOf } from './address.js'
import { ddlIn } from './ddl.js'
import { evicts, toDataError, wordsOf } from './errors.js'
import { mysqlDialect } from './index.js'
import { introspect } from './introspect.js'
import { migrationParts } from './migration-parts.js'

/** The engine's dialect with what migrations need beside. */
export function mysqlMigrationDialect(config: ServerConnection): MigrationDialect {
  return {
    ...mysqlDialect(config),
    toDataError,
    wordsOf,
    evicts,
    ddl: ddlIn(config.database),
    migrations: migrationParts(addressOf(config)),
    introspect: (connection, options = {}) => introspect(connection, options),
  }
}
