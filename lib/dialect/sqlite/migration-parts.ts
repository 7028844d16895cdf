import { leadingWords, type MigrationParts, type StepError } from '../migration-parts.js'
import { driverCode, toDataError } from './errors.js'
import { examine } from './examine.js'
import { openMigrationSession } from './migration-session.js'
import { rebuild } from './rebuild.js'
import { recreateDatabase } from './recreate-database.js'

/** Source: SQLite, "VACUUM", "ATTACH DATABASE", "PRAGMA Statements". */
const ALONE = /^(?:vacuum|attach|detach|pragma (?!user_version|application_id|defer_foreign_keys))/

/** @param file absolute path, or one that begins with `:memory:` */
export function migrationParts(file: string): MigrationParts {
  return {
    isTransactional: (statement) => !ALONE.test(leadingWords(statement, 2)),
    // the deadline of a statement says it
    limitLockWait: () => [],
    leftoverOf: () => undefined,
    inScript: (statement) => `${statement};`,
    describe,
    isAtomic: () => true,
    isDoneAlready: () => false,
    rebuild,
    endsHolders: false,
    driver: { name: 'better-sqlite3', smallest: '12.0.0' },
    examine: (connection) => examine(connection, file),
    open: (opening) => openMigrationSession(file, opening),
    // a file is made, or looked at as an empty one
    saysNoDatabase: () => false,
    target: () => ({ name: file, host: undefined }),
    recreate: () => recreateDatabase(file),
  }
}

function describe(error: unknown): StepError {
  const { message } = toDataError(error, { byName: () => undefined, byColumns: () => undefined })
  const code = driverCode(error) ?? driverCode((error as { readonly cause?: unknown } | null)?.cause)
  return { code, message, offset: undefined, needsNoTransaction: /within a transaction|inside a transaction/i.test(message) }
}
