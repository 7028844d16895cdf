import {
  CheckViolationError,
  ConnectionError,
  ConnectionLostError,
  type ConstraintDetail,
  DeadlockError,
  ForeignKeyViolationError,
  InvalidValueError,
  LatchworkError,
  LockTimeoutError,
  NotNullViolationError,
  QueryError,
  QueryTimeoutError,
  ReadOnlyError,
  SerializationError,
  StatementInvalidatedError,
  UniqueViolationError,
} from '../../errors.js'
import type { ConstraintCatalogue } from '../dialect.js'
import { copyOf, isServerError, refusalOf, type ServerError } from './server-error.js'

type ErrorFactory = (detail: ConstraintDetail, cause: ErrorOptions) => LatchworkError

const lost: ErrorFactory = (_, cause) => new ConnectionLostError('the server ended the session while a statement ran', cause)
const refused: ErrorFactory = (_, cause) => new ConnectionError('the server takes no session', cause)
const invalidValue =
  (what: string): ErrorFactory =>
  (detail, cause) =>
    new InvalidValueError(what, detail, cause)

/** SQLSTATE, else its class (the first two characters), → error. Source: PostgreSQL 18 manual, appendix A "Error Codes". */
const ERRORS: Readonly<Record<string, ErrorFactory>> = {
  '08': lost,
  '08001': refused,
  '08004': refused,
  '22': invalidValue('a value is of a form or size that the database does not take'),
  '22001': invalidValue('a text is too long'),
  '22003': invalidValue('a number is out of range'),
  '22007': invalidValue('a date or time is malformed'),
  '22008': invalidValue('a date or time is out of range'),
  '22012': invalidValue('division by zero'),
  '22021': invalidValue('a text holds a character that the database cannot store'),
  '22025': invalidValue('a pattern ends in an escape character'),
  '2201B': invalidValue('a regular expression is malformed'),
  '22P02': invalidValue('a value is not of the type of its column'),
  '22P05': invalidValue('a text holds a character that the database cannot store'),
  '23001': (detail, cause) => new ForeignKeyViolationError(detail, cause),
  '23502': (detail, cause) => new NotNullViolationError(detail, cause),
  '23503': (detail, cause) => new ForeignKeyViolationError(detail, cause),
  '23505': (detail, cause) => new UniqueViolationError(detail, cause),
  '23514': (detail, cause) => new CheckViolationError(detail, cause),
  // an exclusion constraint: like a unique key, another row stands in the way
  '23P01': (detail, cause) => new UniqueViolationError(detail, cause),
  '25006': (_, cause) => new ReadOnlyError('the server or the transaction takes no writes', cause),
  '25P03': lost,
  '25P04': lost,
  '28': refused,
  '40001': (_, cause) => new SerializationError('the transaction could not be put in order with another; repeat it', cause),
  '40P01': (_, cause) => new DeadlockError('the transaction closed a circle of waits and was chosen to fail; repeat it', cause),
  '44000': (detail, cause) => new CheckViolationError(detail, cause),
  '53300': refused,
  '55P03': (_, cause) => new LockTimeoutError('a lock of the database was not free in time', cause),
  // our own cancelling is answered before the server's word comes: this is its statement_timeout, or an administrator
  '57014': (_, cause) => new QueryTimeoutError('the server stopped the statement', cause),
  '57P01': lost,
  '57P02': lost,
  '57P03': refused,
  '57P04': lost,
  '57P05': lost,
}

/** The typed error for what running a statement threw; errors of ours pass through. */
export function toDataError(error: unknown, catalogue: ConstraintCatalogue): LatchworkError {
  if (error instanceof LatchworkError) return error
  if (!isServerError(error)) return networkError(error) ?? unsent(error)
  const cause = { cause: copyOf(error) }
  if (isInvalidatedStatement(error)) {
    return invalidated(cause)
  }
  const create = ERRORS[error.code] ?? ERRORS[error.code.slice(0, 2)]
  return create === undefined ? new QueryError(refusalOf(error), error.code, cause) : create(constraintOf(error, catalogue), cause)
}

/** The error for a statement whose tables have changed under it. */
export function invalidated(cause: ErrorOptions): StatementInvalidatedError {
  return new StatementInvalidatedError('a migration changed the tables of a prepared statement; repeat the transaction', cause)
}

const REFUSED_DIALS = new Set(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOENT', 'EACCES'])
const LOST_SOCKETS = new Set(['ECONNRESET', 'EPIPE', 'ETIMEDOUT'])

function networkError(error: unknown): LatchworkError | undefined {
  const code = (error as NodeJS.ErrnoException | undefined)?.code ?? ''
  if (REFUSED_DIALS.has(code)) return new ConnectionError(`the server cannot be reached (${code})`, { cause: error })
  if (LOST_SOCKETS.has(code)) return new ConnectionLostError(`the connection broke (${code})`, { cause: error })
  return undefined
}

// its message is left out: it may quote the value that could not be sent
function unsent(error: unknown): LatchworkError {
  return new QueryError(`the driver could not send the statement (${error instanceof Error ? error.name : typeof error})`, undefined)
}

function constraintOf(error: ServerError, catalogue: ConstraintCatalogue): ConstraintDetail {
  const { constraint, schema, table, column } = error
  const named = constraint === undefined ? undefined : catalogue.byName(constraint, table, schema)
  const origin = named ?? (table === undefined || column === undefined ? undefined : catalogue.byColumns(table, [column], schema))
  if (origin !== undefined) return { ...origin, constraint: origin.constraint ?? constraint }
  return { model: undefined, fields: column === undefined ? [] : [column], constraint }
}

/** The statement was prepared for tables as they were, or the session's prepared statements were dropped. Nothing of it has run. */
export function isInvalidatedStatement(error: unknown): boolean {
  if (!isServerError(error)) return false
  return error.code === '26000' || (error.code === '0A000' && error.routine === 'RevalidateCachedQuery')
}

/**
 * Whether a statement that has run before can fail so for being prepared long ago: its values are of types that were found out then,
 * and the columns are of others now. Nothing of it has run; an error from inside a function has a context.
 */
export function mayBeOutdated(error: unknown): boolean {
  return isServerError(error) && (error.code === '42804' || error.code === '42883') && error.where === undefined
}

// the server goes down, fails over or has ended the session: the next statement would fail too
const EVICTING = new Set(['25006', '25P03', '25P04', '57P01', '57P02', '57P03', '57P04', '57P05'])
// these end the session, whatever the code; a server that speaks another language may call them otherwise, and then its closing tells
const ENDING = new Set(['FATAL', 'PANIC'])

/** Whether an error says that its connection is of no more use. */
export function evicts(error: unknown): boolean {
  if (isServerError(error)) return error.code.startsWith('08') || EVICTING.has(error.code) || ENDING.has(error.severity)
  if (error instanceof LatchworkError) return error instanceof ConnectionLostError || error instanceof ConnectionError
  return networkError(error) !== undefined
}
