import { invalidValue } from './invalid-value.js'

/**
 * `left` plus, minus or times `right` as a signed integer of `bits` bits; null where either is null.
 * SQLite's own operators turn a result beyond 64 bits into a rounded double.
 *
 * @throws {InvalidValueError} a value is not an integer, or the result does not fit
 */
export function integerArithmetic(left: unknown, operator: unknown, right: unknown, bits: unknown): bigint | null {
  if (left === null || right === null) return null
  const [a, b] = [integerOf(left), integerOf(right)]
  const result = operator === '*' ? a * b : operator === '-' ? a - b : a + b
  if (BigInt.asIntN(Number(bits), result) !== result) throw invalidValue('the result is out of the range of its integer column')
  return result
}

// a number of JavaScript is bound as a double
function integerOf(value: unknown): bigint {
  if (typeof value === 'bigint') return value
  if (Number.isSafeInteger(value)) return BigInt(value as number)
  throw invalidValue('arithmetic on an integer column takes whole numbers')
}
