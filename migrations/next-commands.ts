import type { MigrationDialect } from '../lib/dialect/migration-dialect.js'
import { ConnectionError, ConnectionLostError, DriverMissingError, PoolerModeError, QueryError, UnsupportedError } from '../lib/errors.js'
import { MigrationError, MigrationUsageError } from './errors.js'

/** Errors after which it is to be seen whether the database is fit for migrations. */
const OF_THE_DATABASE = [ConnectionError, ConnectionLostError, DriverMissingError, PoolerModeError, QueryError, UnsupportedError]

/** What to run next after an error, most likely first. */
export function nextCommands(error: unknown, dialect: MigrationDialect): readonly string[] {
  if (error instanceof MigrationError && error.next.length > 0) return error.next
  if (error instanceof MigrationUsageError) return error.file === undefined ? [] : ['latchwork migrate verify --offline']
  if (dialect.migrations.saysNoDatabase(error)) return ['latchwork migrate up --create-database', 'latchwork doctor']
  return OF_THE_DATABASE.some((each) => error instanceof each) ? ['latchwork doctor'] : []
}
