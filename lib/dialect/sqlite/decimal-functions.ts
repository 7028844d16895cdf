import { type DecimalParts, parseDecimal } from '../../model/decimal-text.js'
import { invalidValue } from './invalid-value.js'

/**
 * A text that sorts, byte by byte, as the decimal number in `value` does; null for null.
 *
 * Above zero: `1`, four digits that count those before the point, then all digits. Below zero: `0`, then the same
 * with every digit taken from 9 and a closing `~`, which sorts after every digit. Equal numbers have equal keys.
 *
 * @throws {InvalidValueError} the value is not a decimal number in digits
 */
export function decimalKey(value: unknown): string | null {
  if (value === null) return null
  const { isNegative, whole, fraction } = digitsOf(value)
  if (whole.length > 9_999) throw invalidValue('a decimal column holds a number of more than 9,999 digits')
  const digits = String(whole.length).padStart(4, '0') + whole + fraction
  return isNegative ? `0${digits.replace(/\d/g, (digit) => String(9 - Number(digit)))}~` : `1${digits}`
}

/**
 * `left` plus, minus or times `right` as a decimal with `scale` digits after the point, halves rounded away from zero;
 * null where either is null.
 *
 * @throws {InvalidValueError} a value is not a decimal number, or the result has more than `precision` digits
 */
export function decimalArithmetic(left: unknown, operator: unknown, right: unknown, precision: unknown, scale: unknown): string | null {
  if (left === null || right === null) return null
  const [a, b] = [digitsOf(left), digitsOf(right)]
  const common = Math.max(a.fraction.length, b.fraction.length, Number(scale))
  const [x, y] = [unitsOf(a, common), unitsOf(b, common)]
  const isProduct = operator === '*'
  const exact = isProduct ? x * y : operator === '-' ? x - y : x + y
  const units = rounded(exact, (isProduct ? 2 * common : common) - Number(scale))
  if (units.toString().replace('-', '').length > Number(precision))
    throw invalidValue('the result has more digits than its decimal column takes')
  return decimalText(units, Number(scale))
}

/** A decimal number's units of 10^-scale.
 *
 * @throws {InvalidValueError} the value is not a decimal number in digits
 */
export function decimalUnits(value: unknown, scale: number): bigint {
  return unitsOf(digitsOf(value), scale)
}

function digitsOf(value: unknown): DecimalParts {
  const parts = parseDecimal(String(value))
  if (parts === undefined) throw invalidValue('a decimal column holds a text that is not a decimal number')
  // negative zero is zero
  return parts.isNegative && parts.whole + parts.fraction === '' ? { ...parts, isNegative: false } : parts
}

/** The number in units of 10^-scale. */
function unitsOf({ isNegative, whole, fraction }: DecimalParts, scale: number): bigint {
  const units = BigInt(whole + fraction.padEnd(scale, '0'))
  return isNegative ? -units : units
}

function rounded(units: bigint, digits: number): bigint {
  if (digits === 0) return units
  const divisor = 10n ** BigInt(digits)
  const half = divisor / 2n
  return (units < 0n ? units - half : units + half) / divisor
}

/** So many units of 10^-scale as a decimal number. */
export function decimalText(units: bigint, scale: number): string {
  const digits = (units < 0n ? -units : units).toString().padStart(scale + 1, '0')
  const whole = digits.slice(0, digits.length - scale)
  return `${units < 0n ? '-' : ''}${whole}${scale === 0 ? '' : `.${digits.slice(-scale)}`}`
}
