import type { BeginOptions, IsolationLevel } from '../dialect/dialect.js'
import { ConfigurationError } from '../errors.js'
import { isPlainObject, kindOf } from '../model/value-kind.js'
import { requireKnownNames } from '../nearest-name.js'
import type { CallOptions } from './query-plan.js'

/**
 * What a transaction is to one around it. `nested`: a savepoint of it. `join`: a part of it, without one. `new`: independent of it, on
 * another connection. `never`: refused there.
 */
export type Propagation = 'nested' | 'join' | 'new' | 'never'

/** What a transaction may be asked for. */
export interface TransactionOptions extends BeginOptions, CallOptions {
  /** Where there is a transaction already. Default `'nested'`. */
  readonly propagation?: Propagation
  /**
   * `'serialization'`: run the whole callback again, in a new transaction, when the database could not serialise it with others or found
   * a deadlock; at most {@link MAX_ATTEMPTS} times and not past `timeoutMs`. Whatever else the callback does is done again too.
   */
  readonly retry?: 'serialization'
}

/** How often a callback is run at the most, the first time included. */
export const MAX_ATTEMPTS = 10

const ISOLATION_LEVELS: readonly IsolationLevel[] = ['read uncommitted', 'read committed', 'repeatable read', 'serializable']
const PROPAGATIONS: readonly Propagation[] = ['nested', 'join', 'new', 'never']
const OPTIONS: readonly string[] = ['isolation', 'readOnly', 'propagation', 'timeoutMs', 'signal', 'retry']
/** Options that only make sense for a transaction that begins. */
const OF_A_BEGINNING = ['isolation', 'readOnly', 'retry'] as const
/** Longest `timeoutMs`: what a timer can hold. */
const MAX_TIMEOUT_MS = 2_147_483_647

/**
 * Checks options before any of them becomes SQL.
 *
 * @param isInside whether there is a transaction around the call
 * @throws {ConfigurationError} an option is unknown, of the wrong kind, or cannot be had there
 */
export function checkTransactionOptions(options: TransactionOptions, isInside: boolean): void {
  if (!isPlainObject(options)) throw new ConfigurationError('options', `expected an object, got ${kindOf(options)}`)
  requireKnownNames('', options, OPTIONS)
  const { isolation, readOnly, propagation, timeoutMs, signal, retry }: TransactionOptions = options
  if (isolation !== undefined && !ISOLATION_LEVELS.includes(isolation))
    throw new ConfigurationError('isolation', `expected one of ${ISOLATION_LEVELS.join(', ')}`)
  if (readOnly !== undefined && typeof readOnly !== 'boolean')
    throw new ConfigurationError('readOnly', `expected true or false, got ${kindOf(readOnly)}`)
  if (propagation !== undefined && !PROPAGATIONS.includes(propagation))
    throw new ConfigurationError('propagation', `expected one of ${PROPAGATIONS.join(', ')}`)
  if (retry !== undefined && retry !== 'serialization') throw new ConfigurationError('retry', "expected 'serialization', or nothing")
  if (signal !== undefined && !(signal instanceof AbortSignal))
    throw new ConfigurationError('signal', `expected an AbortSignal, got ${kindOf(signal)}`)
  if (timeoutMs !== undefined && !(Number.isInteger(timeoutMs) && timeoutMs >= 1 && timeoutMs <= MAX_TIMEOUT_MS))
    throw new ConfigurationError('timeoutMs', `expected a whole number of milliseconds from 1 to ${MAX_TIMEOUT_MS}`)
  if (isInside) checkInside(options)
}

function checkInside(options: TransactionOptions): void {
  const { propagation } = options
  if (propagation === 'never') throw new ConfigurationError('propagation', "'never', and there is a transaction around the call")
  if (propagation === 'new') return
  for (const name of OF_A_BEGINNING) {
    if (options[name] !== undefined)
      throw new ConfigurationError(name, "can be set on the outermost transaction only, or on one with propagation 'new'")
  }
}
