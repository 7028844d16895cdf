import type { Dialect, Statement } from '../dialect/dialect.js'
import { AbortedError, ConfigurationError, LatchworkError } from '../errors.js'
import { kindOf } from '../model/value-kind.js'
import { warn } from '../warn.js'

/** Stands for a value of a redacted field. */
const REDACTED = '[redacted]'

/** What errors with values were made of: the same without. */
const plainErrors = new WeakMap<Error, LatchworkError>()

/** Makes the errors of one database tell what they never tell otherwise: what the driver says, the SQL and its bound values. */
export class DebugValues {
  readonly #dialect: Pick<Dialect, 'wordsOf'>
  readonly #raised = new WeakMap<LatchworkError, unknown>()

  constructor(dialect: Pick<Dialect, 'wordsOf'>) {
    this.#dialect = dialect
  }

  /** Remembers what a driver raised, for an error of ours that is thrown in its place. */
  remember<E extends LatchworkError>(error: E, raised: unknown): E {
    this.#raised.set(error, raised)
    return error
  }

  /**
   * The same error as a new one, with a cause that tells of the statement. Not the same object: `error` may be in an event by now.
   *
   * @param thrown what running the statement threw, of which `error` was made
   */
  tell(error: LatchworkError, thrown: unknown, statement: Statement): LatchworkError {
    const raised = this.#raised.get(error) ?? thrown
    const isOurs = raised instanceof LatchworkError
    const kept = error.cause instanceof Error ? error.cause : undefined
    // ours has a cause where a connection made it of what its driver said; that of an abort is the caller's own
    if (isOurs && (kept === undefined || error instanceof AbortedError)) return error
    const { message, parameters, ...words } = isOurs ? { message: kept!.message } : this.#dialect.wordsOf(raised)
    const cause = new Error(message, kept === raised ? { cause: raised } : undefined)
    const { sql, parameters: bound, redacted } = statement
    Object.assign(cause, kept, words, { sql, parameters: shown(parameters ?? bound, redacted) })
    const told = withCause(error, cause)
    plainErrors.set(told, error)
    return told
  }
}

/** For an event: the error without the values of statements, wherever in its causes they are. */
export function withoutValues(error: Error): Error {
  const plain = plainErrors.get(error)
  if (plain !== undefined) return plain
  // a class of somebody else's may not bear to be copied
  if (!(error instanceof LatchworkError) || !(error.cause instanceof Error)) return error
  const cause = withoutValues(error.cause)
  return cause === error.cause ? error : withCause(error, cause)
}

function shown(values: readonly unknown[], redacted: ReadonlySet<number> | undefined): readonly unknown[] {
  return redacted === undefined ? values : values.map((value, position) => (redacted.has(position) ? REDACTED : value))
}

/** The same error with another cause. */
function withCause(error: LatchworkError, cause: Error): LatchworkError {
  const { stack: _stack, cause: _cause, ...own } = Object.getOwnPropertyDescriptors(error)
  const copy: LatchworkError = Object.setPrototypeOf(new Error(error.message, { cause }), Object.getPrototypeOf(error))
  // where it is an accessor it tells of its own object alone
  return Object.defineProperties(copy, { ...own, stack: { value: error.stack, writable: true, configurable: true } })
}

let hasWarned = false

/**
 * Checks the option of that name; warns once a process where it is on in production.
 *
 * @throws {ConfigurationError} not a boolean
 */
export function debugValuesOf(value: unknown): boolean {
  if (value !== undefined && typeof value !== 'boolean')
    throw new ConfigurationError('debugValues', `expected true or false, got ${kindOf(value)}`)
  if (value === true && process.env.NODE_ENV === 'production' && !hasWarned) {
    hasWarned = true
    warn('LATCHWORK_DEBUG_VALUES', 'debugValues is on in production: what is bound to statements stands in the causes of errors')
  }
  return value === true
}
