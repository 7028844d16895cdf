/** Exact decimals as text: `-12.50`. Loops instead of regular expressions where those would take quadratic time. */

/** A decimal taken apart, without the zeros that mean nothing. */
export interface DecimalParts {
  readonly isNegative: boolean
  /** Digits before the point, none for zero. */
  readonly whole: string
  /** Digits after the point, none for a whole number. */
  readonly fraction: string
}

const DECIMAL = /^-?\d+(?:\.\d+)?$/

/** Takes a decimal apart; undefined where the text is none. */
export function parseDecimal(text: string): DecimalParts | undefined {
  if (!DECIMAL.test(text)) return undefined
  const isNegative = text[0] === '-'
  const point = text.indexOf('.')
  const wholeEnd = point === -1 ? text.length : point
  let start = isNegative ? 1 : 0
  while (start < wholeEnd && text[start] === '0') start++
  let end = text.length
  while (end > wholeEnd + 1 && text[end - 1] === '0') end--
  return { isNegative, whole: text.slice(start, wholeEnd), fraction: text.slice(wholeEnd + 1, end) }
}

/** A decimal with exactly `scale` digits after the point. Zero has no sign. `text` is one that has been checked to fit. */
export function canonicalDecimal(text: string, scale: number): string {
  const { isNegative, whole, fraction } = parseDecimal(text)!
  const sign = isNegative && (whole !== '' || fraction !== '') ? '-' : ''
  return `${sign}${whole === '' ? '0' : whole}${scale === 0 ? '' : `.${fraction.padEnd(scale, '0')}`}`
}

/** A finite number in plain digits, exactly as JavaScript shows it; undefined where it shows an exponent. */
export function decimalOfNumber(value: number): string | undefined {
  const text = String(value)
  return DECIMAL.test(text) ? text : undefined
}
