import type { ServerConnection } from '../connection-config.js'
import type { MigrationDialect } from '../migration-dialect.js'
import { ddl } from './ddl.js'
import { evicts, toDataError } from './errors.js'
import { postgresDialect } from './index.js'
import { introspect } from './introspect.js'
import { migrationParts } from './migration-parts.js'
import { postgresServer } from './server.js'
import { wordsOf } from './server-error.js'

/** The engine's dialect with what migrations need beside. */
export function postgresMigrationDialect(config: ServerConnection): MigrationDialect {
  return {
    ...postgresDialect(config),
    toDataError,
    wordsOf,
    evicts,
    ddl,
    migrations: migrationParts(postgresServer(config)),
    introspect: (connection, options = {}) => introspect(connection, options),
  }
}
