import { invalidValue } from './invalid-value.js'

/**
 * `left` plus, minus or times `right` as a double; null where either is null.
 * SQLite's own operators store infinity, which no other engine takes.
 *
 * @throws {InvalidValueError} a value is not a number, or the result is beyond the largest double
 */
export function floatArithmetic(left: unknown, operator: unknown, right: unknown): number | null {
  if (left === null || right === null) return null
  if (typeof left !== 'number' || typeof right !== 'number') throw invalidValue('arithmetic on a float column takes numbers')
  const result = operator === '*' ? left * right : operator === '-' ? left - right : left + right
  if (!Number.isFinite(result)) throw invalidValue('the result is out of the range of its float column')
  return result
}
