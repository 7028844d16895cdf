/**
 * Every error latchwork throws. All extend {@link LatchworkError}.
 *
 * | code                    | class                      | who can act          | retryable |
 * |-------------------------|----------------------------|----------------------|-----------|
 * | CONFIGURATION           | ConfigurationError         | developer            | no        |
 * | DRIVER_MISSING          | DriverMissingError         | developer            | no        |
 * | MODEL                   | ModelError                 | developer            | no        |
 * | UNSUPPORTED             | UnsupportedError           | developer            | no        |
 * | VALIDATION              | ValidationError            | caller               | no        |
 * | UNKNOWN_FIELD           | UnknownFieldError          | caller               | no        |
 * | REDACTED_FIELD          | RedactedFieldError         | caller               | no        |
 * | NOT_FOUND               | NotFoundError              | caller               | no        |
 * | STALE_VERSION           | StaleVersionError          | caller, after a read | no        |
 * | N_PLUS_ONE              | NPlusOneError              | developer            | no        |
 * | IDEMPOTENCY_KEY_REUSED  | IdempotencyKeyReusedError  | caller               | no        |
 * | TENANT_REQUIRED         | TenantRequiredError        | developer            | no        |
 * | UNIQUE_VIOLATION        | UniqueViolationError       | caller               | no        |
 * | FOREIGN_KEY_VIOLATION   | ForeignKeyViolationError   | caller               | no        |
 * | CHECK_VIOLATION         | CheckViolationError        | caller               | no        |
 * | NOT_NULL_VIOLATION      | NotNullViolationError      | caller               | no        |
 * | INVALID_VALUE           | InvalidValueError          | caller               | no        |
 * | SERIALIZATION           | SerializationError         | caller, by repeating | yes       |
 * | DEADLOCK                | DeadlockError              | caller, by repeating | yes       |
 * | STATEMENT_INVALIDATED   | StatementInvalidatedError  | caller, by repeating | yes       |
 * | LOCK_TIMEOUT            | LockTimeoutError           | operator             | yes       |
 * | LOCK_QUEUE_FULL         | LockQueueFullError         | operator             | yes       |
 * | LOCK_LOST               | LockLostError              | caller: unknown work | no        |
 * | POOL_TIMEOUT            | PoolTimeoutError           | operator             | yes       |
 * | POOL_QUEUE_FULL         | PoolQueueFullError         | operator             | yes       |
 * | POOL_EXHAUSTED          | PoolExhaustedError         | operator             | yes       |
 * | POOL_SELF_DEADLOCK      | PoolSelfDeadlockError      | developer            | no        |
 * | POOL_CLOSED             | PoolClosedError            | developer            | no        |
 * | POOLER_MODE             | PoolerModeError            | developer            | no        |
 * | CONNECTION              | ConnectionError            | operator             | yes       |
 * | CONNECTION_LOST         | ConnectionLostError        | caller: unknown work | no        |
 * | QUERY_TIMEOUT           | QueryTimeoutError          | caller               | no        |
 * | ABORTED                 | AbortedError               | caller               | no        |
 * | SCOPE_CLOSED            | ScopeClosedError           | developer            | no        |
 * | TRANSACTION_ABORTED     | TransactionAbortedError    | developer            | no        |
 * | UNAWAITED_QUERY         | UnawaitedQueryError        | developer            | no        |
 * | COMMIT_UNKNOWN          | CommitUnknownError         | caller, by looking   | no        |
 * | AFTER_COMMIT            | AfterCommitError           | developer            | no        |
 * | WORKFLOW                | WorkflowError              | as its cause says    | no        |
 * | WORKFLOW_DEFINITION     | WorkflowDefinitionError    | developer            | no        |
 * | READ_ONLY               | ReadOnlyError              | operator             | no        |
 * | QUERY                   | QueryError                 | developer            | no        |
 *
 * `retryable` says that the same call, or the whole transaction around it, may be repeated
 * as it is: the failed attempt left nothing behind.
 */

/** The common part: `code` is for programs, `message` for people, `retryable` for retries. */
export abstract class LatchworkError extends Error {
  abstract readonly code: string
  readonly retryable: boolean = false

  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    // a minifier may rename the class; `code` is the stable name, `name` is for reading
    Object.defineProperty(this, 'name', { value: new.target.name, configurable: true, enumerable: false })
  }
}

/** An option is missing, unknown or out of bounds. Nothing was opened. */
export class ConfigurationError extends LatchworkError {
  readonly code = 'CONFIGURATION'
  /** Path of the option, such as `pool.maxConnections`. */
  readonly option: string

  constructor(option: string, message: string, options?: ErrorOptions) {
    super(`${option}: ${message}`, options)
    this.option = option
  }
}

/** The engine's driver package is not installed. */
export class DriverMissingError extends LatchworkError {
  readonly code = 'DRIVER_MISSING'

  constructor(
    /** The npm package to install. */
    readonly driver: string,
    options?: ErrorOptions,
  ) {
    super(`the driver package "${driver}" is not installed; run: npm install ${driver}`, options)
  }
}

/** A model contradicts itself or its engine. Thrown while models are defined or bound, before any I/O. */
export class ModelError extends LatchworkError {
  readonly code = 'MODEL'
  readonly model: string
  readonly field: string | undefined

  constructor(model: string, field: string | undefined, message: string, options?: ErrorOptions) {
    super(`model ${model}${field === undefined ? '' : `, field "${field}"`}: ${message}`, options)
    this.model = model
    this.field = field
  }
}

/** The engine cannot do what was asked. */
export class UnsupportedError extends LatchworkError {
  readonly code = 'UNSUPPORTED'

  constructor(
    /** What is missing, such as `$regex`. */
    readonly feature: string,
    readonly engine: string,
    hint?: string,
  ) {
    super(`${feature} is not available on ${engine}${hint === undefined ? '' : `; ${hint}`}`)
  }
}

/** One thing that is wrong with an input. */
export interface ValidationIssue {
  /** Where: property names and list positions from the root of the input. */
  readonly path: readonly (string | number)[]
  /** What was expected, and the kind of thing that was given. Never the value itself. */
  readonly message: string
}

/** The input cannot be run. Thrown before any SQL; nothing was written. */
export class ValidationError extends LatchworkError {
  readonly code: string = 'VALIDATION'
  readonly model: string
  readonly operation: string
  readonly issues: readonly ValidationIssue[]

  constructor(model: string, operation: string, issues: readonly ValidationIssue[]) {
    super(
      `${model}.${operation}: ${issues.slice(0, 5).map(describeIssue).join('; ')}${issues.length > 5 ? `; and ${issues.length - 5} more` : ''}`,
    )
    this.model = model
    this.operation = operation
    this.issues = issues
  }
}

function describeIssue({ path, message }: ValidationIssue): string {
  return path.length === 0 ? message : `${formatPath(path)}: ${message}`
}

/** `['rows', 3, 'email']` → `rows[3].email`. */
function formatPath(path: readonly (string | number)[]): string {
  return path.reduce<string>((text, part) => (typeof part === 'number' ? `${text}[${part}]` : text === '' ? part : `${text}.${part}`), '')
}

/** A {@link ValidationError} whose first issue names a field or operator that the model does not have. */
export class UnknownFieldError extends ValidationError {
  override readonly code = 'UNKNOWN_FIELD'
  /** The name that was given. */
  readonly field: string

  constructor(model: string, operation: string, field: string, issues: readonly ValidationIssue[]) {
    super(model, operation, issues)
    this.field = field
  }
}

/** A {@link ValidationError} of a call for an outsider, which asks for a field that is redacted. */
export class RedactedFieldError extends ValidationError {
  override readonly code = 'REDACTED_FIELD'
  /** The first such field. */
  readonly field: string

  constructor(model: string, operation: string, field: string, issues: readonly ValidationIssue[]) {
    super(model, operation, issues)
    this.field = field
  }
}

/** The row that was to be read, updated or deleted is not there. */
export class NotFoundError extends LatchworkError {
  readonly code = 'NOT_FOUND'

  constructor(
    readonly model: string,
    readonly operation: string,
  ) {
    super(`${model}.${operation}: no row matches the given key`)
  }
}

/** The row is there, with another version than the one given. Read it again and decide. */
export class StaleVersionError extends LatchworkError {
  readonly code = 'STALE_VERSION'

  constructor(
    readonly model: string,
    readonly operation: string,
    readonly expectedVersion: number,
  ) {
    super(`${model}.${operation}: the row is no longer at version ${expectedVersion}`)
  }
}

/** In strict mode: a read was called again and again in one transaction or lock scope. It was not sent once more. */
export class NPlusOneError extends LatchworkError {
  readonly code = 'N_PLUS_ONE'

  constructor(
    /** Such as `UserReadNode`. */
    readonly node: string,
    /** How often it had run. */
    readonly count: number,
  ) {
    super(
      `${node} has run ${count} times with the same statement in one transaction or lock scope; read the rows together, by readMany, an include or $in, or raise strict.maxRepeats`,
    )
  }
}

/** The idempotency key stands for a call that had another input. Nothing was written. */
export class IdempotencyKeyReusedError extends LatchworkError {
  readonly code = 'IDEMPOTENCY_KEY_REUSED'

  constructor(
    readonly model: string,
    readonly operation: string,
  ) {
    super(`${model}.${operation}: its idempotency key was used for a call with another input; give each call a key of its own`)
  }
}

/** A call on a model with a tenant was made for none. Nothing was sent. */
export class TenantRequiredError extends LatchworkError {
  readonly code = 'TENANT_REQUIRED'
  readonly model: string

  constructor(model: string, message: string) {
    super(`${model}: ${message}`)
    this.model = model
  }
}

/** What a broken constraint names. A field is a property of the model where one is known, else a column. */
export interface ConstraintDetail {
  readonly model: string | undefined
  readonly fields: readonly string[]
  readonly constraint: string | undefined
}

/** A constraint of the database refused the row. */
export abstract class ConstraintError extends LatchworkError implements ConstraintDetail {
  readonly model: string | undefined
  readonly fields: readonly string[]
  readonly constraint: string | undefined

  constructor(what: string, detail: ConstraintDetail, options?: ErrorOptions) {
    const fields = detail.fields.length === 0 ? '' : ` on ${detail.fields.join(', ')}`
    const constraint = detail.constraint === undefined ? '' : ` (constraint ${detail.constraint})`
    super(`${detail.model === undefined ? '' : `${detail.model}: `}${what}${fields}${constraint}`, options)
    this.model = detail.model
    this.fields = detail.fields
    this.constraint = detail.constraint
  }
}

/** Another row already has this value of a unique key. */
export class UniqueViolationError extends ConstraintError {
  readonly code = 'UNIQUE_VIOLATION'
  constructor(detail: ConstraintDetail, options?: ErrorOptions) {
    super('another row has the same unique key', detail, options)
  }
}

/** The row refers to a row that is not there, or is still referred to by another. */
export class ForeignKeyViolationError extends ConstraintError {
  readonly code = 'FOREIGN_KEY_VIOLATION'
  constructor(detail: ConstraintDetail, options?: ErrorOptions) {
    super('a foreign key does not match', detail, options)
  }
}

/** A CHECK constraint refused the row. */
export class CheckViolationError extends ConstraintError {
  readonly code = 'CHECK_VIOLATION'
  constructor(detail: ConstraintDetail, options?: ErrorOptions) {
    super('a check failed', detail, options)
  }
}

/** A column that holds no null was given one. */
export class NotNullViolationError extends ConstraintError {
  readonly code = 'NOT_NULL_VIOLATION'
  constructor(detail: ConstraintDetail, options?: ErrorOptions) {
    // found by its column, which may be a key's too
    super('a value is required', { ...detail, constraint: undefined }, options)
  }
}

/** The database refused a value: too long, out of range, of a form it does not take. */
export class InvalidValueError extends ConstraintError {
  readonly code = 'INVALID_VALUE'
  constructor(what: string, detail: ConstraintDetail, options?: ErrorOptions) {
    super(what, detail, options)
  }
}

/** Two transactions could not be put in order; repeat the whole transaction. */
export class SerializationError extends LatchworkError {
  readonly code = 'SERIALIZATION'
  override readonly retryable = true
}

/** What one call chain holds and what it waits for, outermost first: `['OrderCreateNode holds lock "a"', 'waits for lock "b"']`. */
export type WaitChain = readonly string[]

/**
 * Waits closed a circle and this one was chosen to fail: by the database, or by this process before anybody waited for nothing.
 * Repeat the whole transaction, or all that was done under the lock.
 */
export class DeadlockError extends LatchworkError {
  readonly code = 'DEADLOCK'
  override readonly retryable = true
  /** The chains that wait for each other, this one first; empty where the database found the circle. */
  readonly chains: readonly WaitChain[]

  constructor(message: string, options: ErrorOptions & { readonly chains?: readonly WaitChain[] } = {}) {
    super(message, options)
    this.chains = options.chains ?? []
  }
}

/** A migration changed what a prepared statement of this transaction gives. Nothing of the statement ran; repeat the transaction. */
export class StatementInvalidatedError extends LatchworkError {
  readonly code = 'STATEMENT_INVALIDATED'
  override readonly retryable = true
}

/** What a database may have done beside refusing a statement. */
export interface RefusalOptions extends ErrorOptions {
  /** See {@link LockTimeoutError.endsTransaction}. */
  readonly endsTransaction?: boolean
}

/** A lock, of this process or of the database, was not free in time. */
export class LockTimeoutError extends LatchworkError {
  readonly code = 'LOCK_TIMEOUT'
  override readonly retryable = true
  /**
   * The database rolled back the whole transaction with it, not the statement alone: MySQL and MariaDB do where
   * `innodb_rollback_on_timeout` is on.
   */
  readonly endsTransaction: boolean

  constructor(message: string, { endsTransaction = false, ...options }: RefusalOptions = {}) {
    super(message, options)
    this.endsTransaction = endsTransaction
  }
}

/** As many callers as `maxQueue` says wait for the lock already; the call was refused at once. */
export class LockQueueFullError extends LatchworkError {
  readonly code = 'LOCK_QUEUE_FULL'
  override readonly retryable = true
}

/** The session that held a lock of the database ended while work ran under the lock: another process may have it by now. */
export class LockLostError extends LatchworkError {
  readonly code = 'LOCK_LOST'
}

/** Who keeps a connection: for the message of a time-out. */
export interface PoolHolder {
  readonly label: string
  readonly heldMs: number
  /** The last statement of a node there, with placeholders for its values. */
  readonly statement: string | undefined
}

/** No connection of the pool came free in time. */
export class PoolTimeoutError extends LatchworkError {
  readonly code = 'POOL_TIMEOUT'
  override readonly retryable = true
  /** Connections open, lent out, and callers waiting, when the wait ran out. */
  readonly open: number
  readonly leased: number
  readonly waiting: number
  /** The longest holders, oldest first, at most three. */
  readonly holders: readonly PoolHolder[]

  constructor(
    pool: string,
    waitedMs: number,
    state: { open: number; leased: number; waiting: number; holders: readonly PoolHolder[] },
    options?: ErrorOptions,
  ) {
    const holders = state.holders.map(describeHolder).join(', ')
    super(
      `pool "${pool}": no connection came free within ${Math.round(waitedMs)} ms (${state.leased} of ${state.open} in use, ${state.waiting} waiting` +
        `${holders === '' ? '' : `; held by ${holders}`}); raise pool.maxConnections or pool.acquireTimeoutMs, or find what holds them`,
      options,
    )
    this.open = state.open
    this.leased = state.leased
    this.waiting = state.waiting
    this.holders = state.holders
  }
}

/** Of a long statement its beginning tells which one it is. */
const STATEMENT_SHOWN = 80

function describeHolder({ label, heldMs, statement }: PoolHolder): string {
  const begin = statement === undefined || statement.length <= STATEMENT_SHOWN ? statement : `${statement.slice(0, STATEMENT_SHOWN)}…`
  return `${label} for ${Math.round(heldMs)} ms${begin === undefined ? '' : `, last with ${begin}`}`
}

/** The pool's queue is at `maxQueue`; the call was refused at once. */
export class PoolQueueFullError extends LatchworkError {
  readonly code = 'POOL_QUEUE_FULL'
  override readonly retryable = true
}

/** The process's connection budget has no room for one more connection. */
export class PoolExhaustedError extends LatchworkError {
  readonly code = 'POOL_EXHAUSTED'
  override readonly retryable = true
}

/**
 * The call holds a connection of the pool and asked for another, while all who hold one wait in the same way: none would ever
 * come free. Refused at once.
 */
export class PoolSelfDeadlockError extends LatchworkError {
  readonly code = 'POOL_SELF_DEADLOCK'
  /** The chains that wait for each other, this one first. */
  readonly chains: readonly WaitChain[]

  constructor(message: string, chains: readonly WaitChain[]) {
    super(message)
    this.chains = chains
  }
}

/** The pool, or the database object in front of it, was closed. */
export class PoolClosedError extends LatchworkError {
  readonly code = 'POOL_CLOSED'
}

/** What was asked for needs a session of its own, and a pooler in transaction mode gives none. Nothing was sent. */
export class PoolerModeError extends LatchworkError {
  readonly code = 'POOLER_MODE'
}

/** No connection could be made. No statement was sent. */
export class ConnectionError extends LatchworkError {
  readonly code = 'CONNECTION'
  override readonly retryable = true
}

/** The connection broke after a statement was sent: whether it took effect is not known. */
export class ConnectionLostError extends LatchworkError {
  readonly code = 'CONNECTION_LOST'
}

/** The call's `timeoutMs` ran out. The statement was cancelled on the server where the engine can. */
export class QueryTimeoutError extends LatchworkError {
  readonly code = 'QUERY_TIMEOUT'
}

/** The call's `signal` was aborted; `cause` is the signal's reason. */
export class AbortedError extends LatchworkError {
  readonly code = 'ABORTED'
}

/**
 * The call came after the end of the transaction or lock it belongs to. Of a transaction, `cause` has the stack of where it was begun; of a
 * `db.hold` whose scope ended while it waited, of where it was asked for; neither where `NODE_ENV` is `production`.
 */
export class ScopeClosedError extends LatchworkError {
  readonly code = 'SCOPE_CLOSED'
}

/**
 * A statement of the transaction failed earlier, the error was caught, and the engine keeps nothing of such a
 * transaction: it was rolled back. `cause` is the first error. A nested `db.transaction` around what may fail keeps the rest.
 */
export class TransactionAbortedError extends LatchworkError {
  readonly code = 'TRANSACTION_ABORTED'
}

/** The transaction is committed, and work that waited for that failed. */
export class AfterCommitError extends LatchworkError {
  readonly code = 'AFTER_COMMIT'
  /** What the work threw, in its order; the first is `cause`. */
  readonly errors: readonly unknown[]
  /** What the transaction's callback gave. */
  declare readonly value: unknown

  constructor(errors: readonly unknown[], value: unknown) {
    const count = errors.length === 1 ? 'a function' : `${errors.length} functions`
    super(`the transaction is committed, and ${count} that waited for its commit failed`, { cause: errors[0] })
    this.errors = errors
    // may be any row: not to be printed with the error
    Object.defineProperty(this, 'value', { value, enumerable: false })
  }
}

/** One thing that is wrong with a workflow. */
export interface WorkflowIssue {
  readonly problem: WorkflowProblem
  /** The step that it is about, where it is about one. */
  readonly step: string | undefined
  readonly message: string
}

export type WorkflowProblem =
  | 'UNKNOWN_NODE'
  | 'UNKNOWN_STEP'
  | 'DUPLICATE_STEP'
  | 'INVALID_OPTION'
  | 'CYCLE'
  | 'MISSING_INPUT'
  | 'WRONG_INPUT'
  | 'SKIPPED_RESULT'
  | 'EXTERNAL_IN_TRANSACTION'
  | 'BROKEN_REGION'
  | 'NOT_SERIALIZABLE'
  | 'NEWER_VERSION'

/** A workflow cannot be built: its steps contradict each other or the nodes that they run. Nothing has run. */
export class WorkflowDefinitionError extends LatchworkError {
  readonly code = 'WORKFLOW_DEFINITION'

  constructor(
    readonly workflow: string,
    readonly issues: readonly WorkflowIssue[],
  ) {
    const shown = issues.slice(0, 5).map(({ step, message }) => (step === undefined ? message : `step "${step}": ${message}`))
    super(`workflow ${workflow}: ${shown.join('; ')}${issues.length > 5 ? `; and ${issues.length - 5} more` : ''}`)
  }
}

/** What became of a run that failed. */
export interface FailedRun {
  readonly workflow: string
  readonly runId: string
  /** The step that failed; undefined where the run as a whole did, such as by its deadline or in COMMIT. */
  readonly step: string | undefined
  /** The node of that step. */
  readonly node: string | undefined
  /** Steps that changed something that stays, in the order in which they ended. */
  readonly committed: readonly string[]
  /** Steps of a transaction whose COMMIT was not answered: nobody knows. */
  readonly unknown: readonly string[]
  /** Steps that were still running when the run was given up. */
  readonly running: readonly string[]
  /** Steps that were compensated, in that order. */
  readonly compensated: readonly string[]
  /** Compensations that failed. */
  readonly compensationErrors: readonly { readonly step: string; readonly error: unknown }[]
}

/** A run of a workflow failed; `cause` is what was thrown. It may be repeated where that may be, and nothing of the run stays. */
export class WorkflowError extends LatchworkError implements FailedRun {
  readonly code = 'WORKFLOW'
  override readonly retryable: boolean
  readonly workflow: string
  readonly runId: string
  readonly step: string | undefined
  readonly node: string | undefined
  readonly committed: readonly string[]
  readonly unknown: readonly string[]
  readonly running: readonly string[]
  readonly compensated: readonly string[]
  readonly compensationErrors: FailedRun['compensationErrors']

  constructor(run: FailedRun, cause: unknown) {
    const place = run.step === undefined ? '' : `, step "${run.step}" (${run.node})`
    const stays = run.committed.length === 0 ? 'nothing of it stays' : `what stays: ${run.committed.join(', ')}`
    const unknown = run.unknown.length === 0 ? '' : `; not known: ${run.unknown.join(', ')}`
    const running = run.running.length === 0 ? '' : `; still running: ${run.running.join(', ')}`
    super(`workflow ${run.workflow}${place}: ${cause instanceof Error ? cause.message : String(cause)}; ${stays}${unknown}${running}`, {
      cause,
    })
    this.workflow = run.workflow
    this.runId = run.runId
    this.step = run.step
    this.node = run.node
    this.committed = run.committed
    this.unknown = run.unknown
    this.running = run.running
    this.compensated = run.compensated
    this.compensationErrors = run.compensationErrors
    const isWithoutTrace = run.committed.length + run.unknown.length + run.running.length === 0
    this.retryable = isWithoutTrace && cause instanceof LatchworkError && cause.retryable
  }
}

/** A transaction's callback ended while a call in it was still running: an `await` is missing. It was rolled back. */
export class UnawaitedQueryError extends LatchworkError {
  readonly code = 'UNAWAITED_QUERY'
}

/** COMMIT was sent and its answer was lost. Look before you repeat. */
export class CommitUnknownError extends LatchworkError {
  readonly code = 'COMMIT_UNKNOWN'
  readonly outcome = 'unknown'
}

/** The server, the transaction or the model takes no writes. */
export class ReadOnlyError extends LatchworkError {
  readonly code = 'READ_ONLY'
}

/** Any other refusal by the database; `databaseCode` is its SQLSTATE, errno or result code. */
export class QueryError extends LatchworkError {
  readonly code = 'QUERY'
  /** The database rolled back the whole transaction with it, not the statement alone. */
  readonly endsTransaction: boolean

  constructor(
    message: string,
    readonly databaseCode: string | undefined,
    { endsTransaction = false, ...options }: RefusalOptions = {},
  ) {
    super(message, options)
    this.endsTransaction = endsTransaction
  }
}
