import { ConfigurationError } from '../errors.js'
import { kindOf } from '../model/value-kind.js'

/** Milliseconds of a day. */
const DEFAULT_TTL_MS = 86_400_000
/** Ten years. */
const LONGEST_TTL_MS = 315_360_000_000

/**
 * The option `idempotencyTtlMs`, or its default of a day.
 *
 * @throws {ConfigurationError} not a whole number from 1 to 315,360,000,000
 */
export function idempotencyTtlMs(value: unknown = DEFAULT_TTL_MS): number {
  if (Number.isInteger(value) && (value as number) >= 1 && (value as number) <= LONGEST_TTL_MS) return value as number
  const got = typeof value === 'number' ? String(value) : kindOf(value)
  throw new ConfigurationError('idempotencyTtlMs', `expected a whole number from 1 to ${LONGEST_TTL_MS}, got ${got}`)
}
