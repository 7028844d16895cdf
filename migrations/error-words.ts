import type { MigrationDialect } from '../lib/dialect/migration-dialect.js'
import { LatchworkError, QueryError } from '../lib/errors.js'
import { MigrationError } from './errors.js'
import { CommitLost } from './in-transaction.js'
import type { RunContext } from './run-context.js'

/** What an error says, without values. */
export interface ErrorWords {
  /** SQLSTATE, errno or result code; null where the database gave none. */
  readonly code: string | null
  readonly message: string
  /** Where in the statement, in characters from 0. */
  readonly offset: number | undefined
}

export function wordsOf(context: RunContext, reason: unknown): ErrorWords {
  if (reason instanceof CommitLost) return wordsOf(context, reason.cause)
  if (reason instanceof LatchworkError || reason instanceof MigrationError) {
    const { code } = context.dialect.migrations.describe(reason)
    return { code: code ?? null, message: reason.message, offset: undefined }
  }
  // what a module throws itself says what is wrong better than we can
  if (reason instanceof Error && !('code' in reason && typeof reason.code === 'string')) {
    return { code: null, message: reason.message, offset: undefined }
  }
  const { code, message, offset, needsNoTransaction } = context.dialect.migrations.describe(reason)
  const hint = needsNoTransaction ? '; put a line "-- latchwork:tx none" into the step' : ''
  return { code: code ?? null, message: `${message}${hint}`, offset }
}

/** Of what the driver threw, an error of ours: its own words may hold values. */
export function typedError(dialect: MigrationDialect, error: unknown): unknown {
  if (error instanceof LatchworkError) return error
  if (dialect.evicts(error)) return dialect.toDataError(error, { byName: () => undefined, byColumns: () => undefined })
  const { code, message } = dialect.migrations.describe(error)
  return code === undefined ? error : new QueryError(message, code)
}
