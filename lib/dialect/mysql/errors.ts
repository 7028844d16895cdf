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
import type { ConstraintCatalogue, DriverWords } from '../dialect.js'
import { networkReason } from '../network-reason.js'
import { namesIn, type ServerError } from './error-names.js'

/** A server's refusal on its way to a typed error. `detail` reads the names of a broken constraint, `cause` is our own copy. */
interface Refusal {
  readonly error: ServerError
  readonly cause: { readonly cause: Error }
  readonly detail: ConstraintDetail
}

type ErrorFactory = (refusal: Refusal) => LatchworkError

const uniqueViolation: ErrorFactory = ({ detail, cause }) => new UniqueViolationError(detail, cause)
const foreignKeyViolation: ErrorFactory = ({ detail, cause }) => new ForeignKeyViolationError(detail, cause)
const checkViolation: ErrorFactory = ({ detail, cause }) => new CheckViolationError(detail, cause)
const notNullViolation: ErrorFactory = ({ detail, cause }) => new NotNullViolationError(detail, cause)
const lost: ErrorFactory = ({ cause }) => connectionLost(cause)
const refused: ErrorFactory = ({ error, cause }) => new ConnectionError(`the server takes no connection: ${reasonOf(error)}`, cause)

function invalidValue(what: string): ErrorFactory {
  return ({ detail, cause }) => new InvalidValueError(what, detail, cause)
}

function plain(ErrorType: new (message: string, options: ErrorOptions) => LatchworkError, message: string): ErrorFactory {
  return ({ cause }) => new ErrorType(message, cause)
}

function lockTimeout({ error, cause }: Refusal): LockTimeoutError {
  const { endsTransaction = false } = error
  const end = endsTransaction ? ', and the server rolled the whole transaction back (innodb_rollback_on_timeout)' : ''
  return new LockTimeoutError(`a lock of the database was not free in time${end}`, { ...cause, endsTransaction })
}

/** A lock was waited for too long. What that undoes is up to the server: the statement, or the whole transaction. */
export const LOCK_WAIT_TIMEOUT = 1205

/**
 * errno → error, and never by the driver's name for it, which is MySQL's also where MariaDB means another.
 * Sources: MySQL 8.0 Error Reference, "Server Error Message Reference"; MariaDB 10.11, "MariaDB Error Code Reference".
 */
const ERRORS: ReadonlyMap<number, ErrorFactory> = new Map([
  ...all([1062, 1586, 1761, 1762], uniqueViolation),
  ...all([1216, 1217, 1451, 1452], foreignKeyViolation),
  ...all([3819], checkViolation),
  // MariaDB's number for a check; on MySQL another error has it
  ...all([4025], (refusal) =>
    refusal.error.message.startsWith('CONSTRAINT') ? checkViolation(refusal) : unnamed(refusal.error, refusal.cause),
  ),
  ...all([1048, 1364], notNullViolation),
  ...all([1406], invalidValue('a value is too long')),
  ...all([1264, 1365, 1690], invalidValue('a value is out of range')),
  ...all([1265, 1292, 1366, 1367, 1411, 3140], invalidValue('a value has a form the column does not take')),
  ...all([1153], invalidValue('a statement with its values is larger than the server takes (max_allowed_packet)')),
  ...all([1213, 1614, 3058], plain(DeadlockError, 'waits closed a circle and this transaction was rolled back; repeat it')),
  ...all([1020], plain(SerializationError, 'a row has changed since this transaction read it; repeat the transaction')),
  ...all([1243, 1412, 1615], plain(StatementInvalidatedError, 'a migration changed a table of the statement; repeat the transaction')),
  ...all([LOCK_WAIT_TIMEOUT, 3572], lockTimeout),
  ...all(
    [1206],
    ({ error, cause }) =>
      new QueryError(
        'the server had no memory for more locks and rolled the transaction back; change fewer rows at a time, or raise innodb_buffer_pool_size',
        String(error.errno),
        { ...cause, endsTransaction: true },
      ),
  ),
  ...all([1317, 1969, 3024], plain(QueryTimeoutError, 'the statement was stopped on the server')),
  ...all([1290], ({ error, cause }) =>
    error.message.includes('read-only') ? new ReadOnlyError('the server is read-only', cause) : unnamed(error, cause),
  ),
  ...all([1792], plain(ReadOnlyError, 'the transaction is read-only')),
  ...all([1836], plain(ReadOnlyError, 'the server is read-only')),
  ...all([1040, 1045, 1129, 1130, 1203, 1226, 1251, 1698, 1820, 1862, 3032], refused),
  ...all([1053, 1077, 1078, 1079, 1080, 1152, 1154, 1155, 1156, 1157, 1158, 1159, 1160, 1161, 1927, 2006, 2013, 3169], lost),
  // MySQL's number for a session that was idle for too long; on MariaDB another error has it
  ...all([4031], (refusal) => (refusal.error.message.includes('inactivity') ? lost(refusal) : unnamed(refusal.error, refusal.cause))),
])

function all(errnos: readonly number[], factory: ErrorFactory): [number, ErrorFactory][] {
  return errnos.map((errno) => [errno, factory])
}

/** Errors after which the connection is of no more use, or writes would go on failing on it: see "Eviction by code". */
const EVICTING: ReadonlySet<number> = new Set([
  1053, 1077, 1078, 1079, 1080, 1152, 1153, 1154, 1155, 1156, 1157, 1158, 1159, 1160, 1161, 1290, 1792, 1836, 1927, 2006, 2013, 3032, 3169,
  4031,
])

/** Errors whose message holds names of the schema and nothing else, so that it may be shown. */
const SHOWN: ReadonlySet<number> = new Set([1046, 1050, 1051, 1052, 1054, 1060, 1061, 1091, 1109, 1146, 1176, 1242, 1305, 1295, 1461])

/** Why no connection could be made, for people. */
const REASONS: Readonly<Record<string, string>> = {
  1040: 'it has too many connections already',
  1044: 'the user may not use this database',
  1045: 'the user name or the password was refused',
  1049: 'there is no such database',
  1129: 'this host is blocked after too many failures',
  1130: 'this host may not connect',
  1203: 'the user has too many connections already',
  1698: 'the user may not log in with a password',
  1820: 'the password has expired',
  1862: 'the password has expired',
  PROTOCOL_CONNECTION_LOST: 'the server closed the connection',
  HANDSHAKE_NO_SSL_SUPPORT: 'it offers no TLS',
  HANDSHAKE_SSL_ERROR: 'TLS could not be agreed on, or the certificate does not check out',
}

/** The typed error for what the driver threw; errors of ours pass through. Bound values never reach it. */
export function toDataError(error: unknown, catalogue: ConstraintCatalogue): LatchworkError {
  if (error instanceof LatchworkError) return error
  if (isServerError(error)) return fromServer(error, catalogue)
  if (isFatal(error)) return connectionLost({ cause: error })
  // what the driver says about a parameter may hold its value
  return new QueryError('the driver could not send the statement', undefined, { cause: new Error(nameOf(error)) })
}

/** All that the server, or the driver, says of an error. */
export function wordsOf(error: unknown): DriverWords {
  const message = error instanceof Error ? error.message : String(error)
  return isServerError(error) ? { message, sqlMessage: error.sqlMessage } : { message }
}

/** Whether an error of the driver says that its connection is of no more use. */
export function evicts(error: unknown): boolean {
  return isFatal(error) || EVICTING.has(errnoOf(error) ?? 0)
}

/** Whether the driver has given up its connection with this error. */
export function isFatal(error: unknown): boolean {
  return (error as { readonly fatal?: unknown } | null | undefined)?.fatal === true
}

/** The server's number of an error; undefined for any other. */
export function errnoOf(error: unknown): number | undefined {
  return isServerError(error) ? error.errno : undefined
}

/** The error for a connection that could not be made: `step` is what was being done. */
export function connectionRefusal(target: string, step: string, error: unknown): ConnectionError {
  const cause = isServerError(error) ? copyOf(error, undefined) : error
  return new ConnectionError(`${target}: ${step} failed: ${reasonOf(error)}`, { cause })
}

/** The statement was prepared for tables as they were, or the session's prepared statements were dropped. Nothing of it has run. */
export function isInvalidatedStatement(error: unknown): boolean {
  const errno = error === null ? undefined : errnoOf(error)
  return errno === 1243 || errno === 1615
}

function isServerError(error: unknown): error is ServerError {
  return error instanceof Error && 'sqlState' in error && typeof (error as { errno?: unknown }).errno === 'number'
}

function fromServer(error: ServerError, catalogue: ConstraintCatalogue): LatchworkError {
  const detail = constraintDetail(error, catalogue)
  const cause = { cause: copyOf(error, detail.constraint) }
  return ERRORS.get(error.errno)?.({ error, cause, detail }) ?? unnamed(error, cause)
}

function unnamed(error: ServerError, cause: ErrorOptions): QueryError {
  return new QueryError(`the server refused the statement: ${reasonOf(error)}`, String(error.errno), cause)
}

function connectionLost(cause: ErrorOptions): ConnectionLostError {
  return new ConnectionLostError('the connection broke while a statement was running; whether it took effect is not known', cause)
}

function constraintDetail(error: ServerError, catalogue: ConstraintCatalogue): ConstraintDetail {
  const { schema, table, constraint, column } = namesIn(error)
  const named = constraint === undefined ? undefined : catalogue.byName(constraint, table, schema)
  const origin = named ?? (table === undefined || column === undefined ? undefined : catalogue.byColumns(table, [column], schema))
  if (origin !== undefined) return { ...origin, constraint: origin.constraint ?? constraint }
  return { model: undefined, fields: column === undefined ? [] : [column], constraint }
}

/** What may be said about an error: nothing in it comes from a bound value. */
function reasonOf(error: unknown): string {
  const { errno, code, message } = error as { readonly errno?: number; readonly code?: string; readonly message?: string }
  const known = REASONS[String(errno)] ?? REASONS[String(code)] ?? networkReason(code)
  if (known !== undefined) return known
  if (!isServerError(error)) return code ?? 'see cause'
  if (SHOWN.has(error.errno)) return message ?? ''
  const line = error.errno === 1064 ? /at line \d+$/.exec(error.message)?.[0] : undefined
  return `${line === undefined ? '' : `a syntax error ${line}, `}error ${error.errno}, SQLSTATE ${error.sqlState}`
}

/** The `cause` for an error of the server: a copy, since its message, `sql` and `sqlMessage` hold values. */
function copyOf({ errno, sqlState }: ServerError, constraint: string | undefined): Error {
  return Object.assign(new Error(`error ${errno}, SQLSTATE ${sqlState}`), { errno, sqlState, constraint })
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error
}
