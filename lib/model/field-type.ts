import { types } from 'node:util'
import { dateOfIso, isDay, isInstant, isTime, isWithinYears, padInstant, trimTime } from './calendar.js'
import type { BigintMode, ColumnKind, ColumnType } from './column-type.js'
import { encodedChecker } from './custom-codec.js'
import { canonicalDecimal, parseDecimal } from './decimal-text.js'
import { jsonProblem, textProblem } from './json-value.js'
import type { FieldDefinition } from './model-definition.js'
import { kindOf } from './value-kind.js'

/** What a field's type says of its values. */
export type FieldShape = Pick<FieldDefinition, 'type' | 'bigintMode' | 'minLength'> & Partial<Pick<FieldDefinition, 'custom'>>

/** What was expected and what kind of thing was given, never the value; undefined: nothing is wrong. Not called with null. */
export type Checker = (value: unknown) => string | undefined

type Convert = (value: unknown) => unknown

/** One type of field. What is left out means: as it is. */
interface FieldType<T extends ColumnType> {
  /** The JavaScript type, its bounds and its form. */
  checker(type: T, shape: FieldShape): Checker
  /** From any form that passes the check to the one form that is stored. */
  normaliser?(type: T, shape: FieldShape): Convert | undefined
  toJson?(type: T): Convert | undefined
  /** Gives a value that is of another form back as it is: the check then says what is wrong with it. */
  fromJson?(type: T, mode: BigintMode): Convert | undefined
}

const FIELD_TYPES: { readonly [K in ColumnKind]: FieldType<Extract<ColumnType, { kind: K }>> } = {
  /** string */
  text: { checker: (_, { minLength }) => textChecker(minLength, Number.POSITIVE_INFINITY) },
  /** string */
  varchar: { checker: ({ length }, { minLength }) => textChecker(minLength, length) },
  /** number */
  integer: { checker: () => wholeNumberChecker(-(2 ** 31), 2 ** 31 - 1), normaliser: () => withoutMinusZero },
  /** bigint, or a number or text by the field's mode */
  bigint: {
    checker: (_, { bigintMode }) => BIGINT_CHECKERS[bigintMode],
    normaliser: (_, { bigintMode }) => (bigintMode === 'number' ? withoutMinusZero : undefined),
    toJson: () => (value) => (typeof value === 'bigint' ? String(value) : value),
    fromJson: (_, mode) => (value) => bigintOfJson(value, mode),
  },
  /** number */
  float: { checker: () => checkFloat, normaliser: () => withoutMinusZero },
  /** string: digits, and a point where there is a scale */
  decimal: {
    checker: ({ precision, scale }) => decimalChecker(precision, scale),
    normaliser:
      ({ scale }) =>
      (value) =>
        canonicalDecimal(value as string, scale),
  },
  /** boolean */
  boolean: { checker: () => (value) => (typeof value === 'boolean' ? undefined : `expected true or false, got ${kindOf(value)}`) },
  /** string */
  date: { checker: () => formChecker(isDay, 'a day as YYYY-MM-DD') },
  /** string */
  time: {
    checker: () => formChecker(isTime, 'a time as HH:MM:SS or HH:MM:SS.ffffff'),
    normaliser: () => (value) => trimTime(value as string),
  },
  /** Date; with microseconds a string */
  timestamp: {
    checker: ({ precision }) => (precision === 3 ? checkDate : formChecker(isInstant, 'an instant as YYYY-MM-DDTHH:MM:SS.ffffffZ')),
    normaliser: ({ precision }) => (precision === 3 ? undefined : (value) => padInstant(value as string)),
    toJson: ({ precision }) => (precision === 3 ? (value) => (value as Date).toISOString() : undefined),
    fromJson: ({ precision }) => (precision === 3 ? (value) => (typeof value === 'string' && dateOfIso(value)) || value : undefined),
  },
  /** string */
  uuid: {
    checker: () => formChecker(isUuid, 'a uuid as 8-4-4-4-12 hex digits'),
    normaliser: () => (value) => (value as string).toLowerCase(),
  },
  /** whatever JSON holds, but null at the top */
  json: { checker: () => jsonProblem },
  /** Uint8Array */
  bytes: {
    checker: () => (value) => (types.isUint8Array(value) ? undefined : `expected bytes (a Uint8Array), got ${kindOf(value)}`),
    toJson: () => (value) => base64Of(value as Uint8Array),
    fromJson: () => bytesOfJson,
  },
  /** string */
  enum: { checker: ({ values }) => enumChecker(values) },
  /** array, without nulls */
  array: {
    checker: ({ of }, { bigintMode }) => listChecker(fieldChecker({ type: of, bigintMode, minLength: 0 })),
    normaliser: ({ of }, { bigintMode }) => mapped(fieldNormaliser({ type: of, bigintMode, minLength: 0 })),
    toJson: ({ of }) => mapped(typeOf(of).toJson?.(of)),
    fromJson: ({ of }, mode) => mapped(typeOf(of).fromJson?.(of, mode)),
  },
}

function typeOf(type: ColumnType): FieldType<ColumnType> {
  // the row of a kind is only ever given types of that kind
  return FIELD_TYPES[type.kind] as FieldType<ColumnType>
}

/** A check for values of the field, made once. */
export function fieldChecker(shape: FieldShape): Checker {
  const check = typeOf(shape.type).checker(shape.type, shape)
  return shape.custom === undefined ? check : encodedChecker(shape.custom, check)
}

/** What is wrong with a value; undefined: nothing. Null is for the caller to judge. */
export function checkFieldValue(shape: FieldShape, value: unknown): string | undefined {
  return fieldChecker(shape)(value)
}

/** Turns checked values of the field into the form that is stored, made once; undefined where there is but one form. */
export function fieldNormaliser(shape: FieldShape): Convert | undefined {
  const normalise = typeOf(shape.type).normaliser?.(shape.type, shape)
  const encode = shape.custom?.encode
  return encode === undefined || normalise === undefined ? (encode ?? normalise) : (value) => normalise(encode(value))
}

/** A checked value in the form that is stored: encoded, decimals with all their digits, uuids in lower case, no minus zero. */
export function normaliseFieldValue(shape: FieldShape, value: unknown): unknown {
  const normalise = fieldNormaliser(shape)
  return normalise === undefined ? value : normalise(value)
}

/** A value as JSON has it: a bigint and a date as text, bytes in base64. */
export function toJsonValue(type: ColumnType, value: unknown): unknown {
  const convert = typeOf(type).toJson?.(type)
  return convert === undefined ? value : convert(value)
}

/**
 * The value that JSON says, of the field's JavaScript type. JSON of another form comes back as it is, for the check to refuse:
 * so input from outside may be converted before it is checked.
 */
export function fromJsonValue(type: ColumnType, bigintMode: BigintMode, json: unknown): unknown {
  const convert = typeOf(type).fromJson?.(type, bigintMode)
  return convert === undefined ? json : convert(json)
}

/** A field's value as JSON has it; of a custom field, what it is stored as. */
export function fieldToJson(field: FieldShape, value: unknown): unknown {
  return toJsonValue(field.type, normaliseFieldValue(field, value))
}

/** The field's value that {@link fieldToJson} gave as JSON. */
export function fieldFromJson({ type, bigintMode, custom }: FieldShape, json: unknown): unknown {
  const stored = fromJsonValue(type, bigintMode, json)
  return custom === undefined ? stored : custom.decode(stored)
}

function textChecker(minLength: number, maxLength: number): Checker {
  return (value) => {
    if (typeof value !== 'string') return `expected text, got ${kindOf(value)}`
    // a character is one or two code units, so most texts need not be counted
    const isSurelyWithin = value.length <= maxLength && value.length >= minLength * 2
    return textProblem(value) ?? (isSurelyWithin ? undefined : lengthProblem(characterCount(value), minLength, maxLength))
  }
}

function lengthProblem(length: number, minLength: number, maxLength: number): string | undefined {
  if (length > maxLength) return `expected at most ${maxLength} characters, got ${length}`
  return length < minLength ? `expected at least ${minLength} characters, got ${length}` : undefined
}

function characterCount(text: string): number {
  let count = 0
  for (const _ of text) count++
  return count
}

function wholeNumberChecker(lowest: number, highest: number): Checker {
  const expected = `expected a whole number from ${lowest} to ${highest}, got`
  return (value) => {
    if (!Number.isInteger(value)) return `${expected} ${kindOf(value)}`
    return (value as number) >= lowest && (value as number) <= highest ? undefined : `${expected} one outside`
  }
}

function checkFloat(value: unknown): string | undefined {
  return Number.isFinite(value) ? undefined : `expected a finite number, got ${kindOf(value)}`
}

const LOWEST_BIGINT = -(2n ** 63n)
const HIGHEST_BIGINT = 2n ** 63n - 1n
const INTEGER_TEXT = /^(?:0|-?[1-9]\d{0,18})$/

const BIGINT_CHECKERS: Readonly<Record<BigintMode, Checker>> = {
  bigint: (value) => {
    if (typeof value !== 'bigint') return `expected a bigint, got ${kindOf(value)}`
    return isInt64(value) ? undefined : `expected a bigint from ${LOWEST_BIGINT} to ${HIGHEST_BIGINT}, got one outside`
  },
  number: wholeNumberChecker(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
  string: (value) => {
    if (typeof value !== 'string') return `expected a whole number as text, got ${kindOf(value)}`
    return INTEGER_TEXT.test(value) && isInt64(BigInt(value))
      ? undefined
      : `expected a whole number as text, from ${LOWEST_BIGINT} to ${HIGHEST_BIGINT} without a plus or leading zeros, got other text`
  },
}

function isInt64(value: bigint): boolean {
  return value >= LOWEST_BIGINT && value <= HIGHEST_BIGINT
}

function bigintOfJson(value: unknown, mode: BigintMode): unknown {
  const isWhole = typeof value === 'string' ? INTEGER_TEXT.test(value) : Number.isSafeInteger(value)
  if (!isWhole) return value
  if (mode === 'string') return String(value)
  if (mode === 'bigint') return BigInt(value as string | number)
  return Number.isSafeInteger(Number(value)) ? Number(value) : value
}

function decimalChecker(precision: number, scale: number): Checker {
  const before = precision - scale
  const expected = `expected a decimal as text with at most ${before} digits before the point and ${scale} after it, got`
  return (value) => {
    if (typeof value !== 'string') return `${expected} ${kindOf(value)}`
    const parts = parseDecimal(value)
    if (parts === undefined) return `${expected} other text`
    if (parts.whole.length > before) return `${expected} more before it`
    return parts.fraction.length > scale ? `${expected} more after it` : undefined
  }
}

function formChecker(hasForm: (text: string) => boolean, form: string): Checker {
  return (value) => {
    if (typeof value !== 'string') return `expected ${form}, got ${kindOf(value)}`
    return hasForm(value) ? undefined : `expected ${form}, got other text`
  }
}

function checkDate(value: unknown): string | undefined {
  if (!types.isDate(value)) return `expected a Date, got ${kindOf(value)}`
  return isWithinYears(value) ? undefined : 'expected a Date of the years 1 to 9999, got an invalid one or one outside'
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

function isUuid(text: string): boolean {
  return UUID.test(text)
}

function enumChecker(values: readonly string[]): Checker {
  const known = new Set<unknown>(values)
  const shown = values
    .slice(0, 20)
    .map((value) => JSON.stringify(value))
    .join(', ')
  const expected = `expected one of ${shown}${values.length > 20 ? ` or ${values.length - 20} more` : ''}, got`
  return (value) => (known.has(value) ? undefined : `${expected} ${typeof value === 'string' ? 'other text' : kindOf(value)}`)
}

function listChecker(checkElement: Checker): Checker {
  return (value) => {
    if (!Array.isArray(value)) return `expected a list, got ${kindOf(value)}`
    for (let index = 0; index < value.length; index++) {
      const element: unknown = value[index]
      const problem = element === null ? 'expected no null in a list' : checkElement(element)
      if (problem !== undefined) return `${problem} (at position ${index})`
    }
    return undefined
  }
}

function mapped(convert: Convert | undefined): Convert | undefined {
  return convert === undefined ? undefined : (value) => (Array.isArray(value) ? value.map((element: unknown) => convert(element)) : value)
}

function withoutMinusZero(value: unknown): number {
  return (value as number) + 0
}

function base64Of(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
}

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/

function bytesOfJson(value: unknown): unknown {
  if (typeof value !== 'string' || value.length % 4 !== 0 || !BASE64.test(value)) return value
  // memory of their own: a small Buffer is a part of a block that it would keep alive
  return new Uint8Array(Buffer.from(value, 'base64'))
}
