import type { BeginOptions, IsolationLevel } from '../dialect/dialect.js'
import { ConfigurationError } from '../errors.js'
import { isPlainObject, kindOf } from '../model/value-kind.js'
import { requireKnownNames } from '../nearest-name.js'

/** What a transaction may be asked for; on the outermost one only. */
export interface TransactionOptions extends BeginOptions {}

const ISOLATION_LEVELS: readonly IsolationLevel[] = ['read uncommitted', 'read committed', 'repeatable read', 'serializable']
const OPTIONS: readonly string[] = ['isolation', 'readOnly']

/**
 * Checks options before any of them becomes SQL.
 *
 * @throws {ConfigurationError} an option is unknown or of the wrong kind; or one was given to a nested transaction
 */
export function checkTransactionOptions(options: TransactionOptions, isNested: boolean): void {
  if (!isPlainObject(options)) throw new ConfigurationError('options', `expected an object, got ${kindOf(options)}`)
  requireKnownNames('', options, OPTIONS)
  for (const [name, value] of Object.entries(options)) {
    if (value !== undefined && isNested) throw new ConfigurationError(name, 'can be set on the outermost transaction only')
  }
  const { isolation, readOnly }: TransactionOptions = options
  if (isolation !== undefined && !ISOLATION_LEVELS.includes(isolation))
    throw new ConfigurationError('isolation', `expected one of ${ISOLATION_LEVELS.join(', ')}`)
  if (readOnly !== undefined && typeof readOnly !== 'boolean')
    throw new ConfigurationError('readOnly', `expected true or false, got ${kindOf(readOnly)}`)
}
