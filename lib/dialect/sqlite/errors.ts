import {
  CheckViolationError,
  ConnectionError,
  ConnectionLostError,
  ForeignKeyViolationError,
  InvalidValueError,
  LatchworkError,
  LockTimeoutError,
  NotNullViolationError,
  QueryError,
  ReadOnlyError,
  SerializationError,
  UniqueViolationError,
} from '../../errors.js'
import type { ConstraintCatalogue, DriverWords } from '../dialect.js'
import { invalidValue } from './invalid-value.js'
import { columnsNamedIn, constraintNamedIn, NOTHING_NAMED } from './named-constraint.js'
import { withoutLiterals } from './statement-message.js'
import { failedRunOf } from './statement-run.js'

interface Refusal {
  readonly code: string
  /** The driver's words: may hold values. */
  readonly words: string
  readonly catalogue: ConstraintCatalogue
  /** What an error may carry as its cause. */
  readonly options: { readonly cause: Error }
}

type ErrorFactory = (refusal: Refusal) => LatchworkError

/** Result code, extended or else primary → error. Source: SQLite, "Result and Error Codes". */
const ERRORS: Readonly<Record<string, ErrorFactory>> = {
  SQLITE_CONSTRAINT_UNIQUE: uniqueViolation,
  SQLITE_CONSTRAINT_PRIMARYKEY: uniqueViolation,
  SQLITE_CONSTRAINT_ROWID: uniqueViolation,
  SQLITE_CONSTRAINT_FOREIGNKEY: foreignKeyViolation,
  SQLITE_CONSTRAINT_TRIGGER: refusedByTrigger,
  SQLITE_CONSTRAINT_CHECK: ({ words, catalogue, options }) => new CheckViolationError(constraintNamedIn(words, catalogue), options),
  SQLITE_CONSTRAINT_NOTNULL: ({ words, catalogue, options }) => new NotNullViolationError(columnsNamedIn(words, catalogue), options),
  SQLITE_CONSTRAINT_DATATYPE: ({ words, catalogue, options }) =>
    new InvalidValueError('a value is of another type than its column takes', columnsNamedIn(words, catalogue), options),
  SQLITE_MISMATCH: refusedValue('a value is of another type than its column takes'),
  SQLITE_RANGE: refusedValue('more values are bound than the statement takes'),
  SQLITE_TOOBIG: refusedValue('a value or the statement is longer than SQLite takes'),
  SQLITE_BUSY_SNAPSHOT: ({ options }) =>
    new SerializationError('the transaction read before another one wrote, and can no longer write; repeat it', options),
  SQLITE_BUSY: locked,
  SQLITE_LOCKED: locked,
  SQLITE_READONLY: ({ code, options }) => new ReadOnlyError(`the database takes no writes here (${code})`, options),
  SQLITE_NOTADB: notConnected('the file is not a SQLite database'),
  SQLITE_CANTOPEN: notConnected('a file of the database cannot be opened'),
  SQLITE_IOERR: connectionLost('reading or writing the database file failed'),
  SQLITE_CORRUPT: connectionLost('the database file is damaged; restore it, or look at it with PRAGMA integrity_check'),
  SQLITE_FULL: ({ code, options }) =>
    new QueryError('the disk, or the size that the database may have, is full; nothing was written', code, options),
}

/** What the driver itself refuses, without a code. */
const REFUSED_BY_DRIVER: readonly (readonly [words: RegExp, factory: ErrorFactory])[] = [
  [/^SQLite3 can only bind/, refusedValue('a bound value is not a number, string, bigint, Uint8Array or null')],
  [/^The bound string, buffer, or bigint is too big/, refusedValue('a bound value is larger than SQLite takes')],
  [/^The database connection is not open/, notConnected('the connection was closed before the statement ran')],
  [
    /^(?:Too (?:few|many) parameter values|Missing named parameter)/,
    queryError('the statement has other parameters than the values given'),
  ],
  [/contains no statements$/, queryError('the SQL text holds no statement')],
  [/contains more than one statement$/, queryError('the SQL text holds more than one statement; send them one by one')],
]

/** The typed error for what better-sqlite3 threw. Bound values are in none of its parts. */
export function toDataError(error: unknown, catalogue: ConstraintCatalogue): LatchworkError {
  if (error instanceof LatchworkError) return error
  const words = error instanceof Error ? error.message : ''
  const code = driverCode(error)
  const factory =
    code === undefined
      ? REFUSED_BY_DRIVER.find(([pattern]) => pattern.test(words))?.[1]
      : (ERRORS[code] ?? ERRORS[primaryCode(code)] ?? refused)
  // not the driver's: a fault of the program, whose own words are wanted
  if (factory === undefined) return new QueryError('the statement could not be run', undefined, { cause: error })
  return factory({ code: code ?? 'DRIVER', words, catalogue, options: { cause: withoutValues(error) } })
}

/** All that the driver says of an error; of a statement that ran once a row, the values that it failed with. */
export function wordsOf(error: unknown): DriverWords {
  const message = error instanceof Error ? error.message : String(error)
  const parameters = failedRunOf(error)
  return parameters === undefined ? { message } : { message, parameters }
}

const EVICTING = new Set(['SQLITE_CORRUPT', 'SQLITE_NOTADB', 'SQLITE_IOERR', 'SQLITE_CANTOPEN'])

/** Whether the connection that gave this error is of no more use. */
export function evicts(error: unknown): boolean {
  const code = driverCode(error)
  return code !== undefined && (EVICTING.has(primaryCode(code)) || code === 'SQLITE_READONLY_DBMOVED')
}

/** The result code by name, such as `SQLITE_BUSY`; undefined where it is not SQLite's error. */
export function driverCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  return typeof error.code === 'string' && error.code.startsWith('SQLITE_') ? error.code : undefined
}

/** A copy of the driver's error that holds its code and nothing that could hold a value. */
export function withoutValues(error: unknown): Error {
  const code = driverCode(error)
  return Object.assign(new Error(`better-sqlite3 refused it${code === undefined ? '' : ` with ${code}`}`), { code })
}

function primaryCode(code: string): string {
  return /^SQLITE_[A-Z]+/.exec(code)?.[0] ?? code
}

function uniqueViolation({ words, catalogue, options }: Refusal): LatchworkError {
  const detail = /failed: index '/.test(words) ? constraintNamedIn(words, catalogue) : columnsNamedIn(words, catalogue)
  return new UniqueViolationError(detail, options)
}

function foreignKeyViolation({ options }: Refusal): LatchworkError {
  return new ForeignKeyViolationError(NOTHING_NAMED, options)
}

function refusedByTrigger(refusal: Refusal): LatchworkError {
  // ON DELETE RESTRICT is a trigger inside SQLite
  if (refusal.words === 'FOREIGN KEY constraint failed') return foreignKeyViolation(refusal)
  return new QueryError('a trigger refused the statement', refusal.code, refusal.options)
}

function locked({ code, options }: Refusal): LatchworkError {
  return new LockTimeoutError(`another connection holds a lock on the database (${code})`, options)
}

function refused({ code, words, options }: Refusal): LatchworkError {
  return new QueryError(`SQLite refused the statement: ${withoutLiterals(words) ?? code}`, code, options)
}

function refusedValue(what: string): ErrorFactory {
  return ({ options }) => invalidValue(what, options)
}

function notConnected(what: string): ErrorFactory {
  return ({ code, options }) => new ConnectionError(`${what} (${code})`, options)
}

function connectionLost(what: string): ErrorFactory {
  return ({ code, options }) => new ConnectionLostError(`${what} (${code})`, options)
}

function queryError(what: string): ErrorFactory {
  return ({ options }) => new QueryError(what, undefined, options)
}
