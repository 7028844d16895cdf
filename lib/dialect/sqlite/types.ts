import { instantMsOf, isInstant, padInstant, trimTime } from '../../model/calendar.js'
import type { BigintMode, ColumnKind, ColumnType } from '../../model/column-type.js'
import { canonicalDecimal, parseDecimal } from '../../model/decimal-text.js'
import { fromJsonValue, toJsonValue } from '../../model/field-type.js'
import { instantText } from '../../model/instant-text.js'
import type { Codec } from '../dialect.js'
import { invalidValue } from './invalid-value.js'

type CodecOf<T extends ColumnType> = (type: T, bigintMode: BigintMode) => Codec

const AS_IS: Codec = Object.freeze({})

const BIGINT: Readonly<Record<BigintMode, Codec>> = {
  bigint: { exactIntegers: true, decode: (value) => (typeof value === 'bigint' ? value : BigInt(value as number)) },
  // bound as an integer: a number would be a double, and so would what is added to it
  number: { encode: (value) => BigInt(value as number), decode: safeInteger },
  string: { exactIntegers: true, encode: (value) => BigInt(value as string), decode: String },
}

const TIMESTAMP: Readonly<Record<3 | 6, Codec>> = {
  3: { encode: (value) => instantText(value as Date), decode: (text) => dateOf(text as string) },
  6: { encode: (text) => padInstant(text as string), decode: (text) => microsecondsOf(text as string) },
}

/**
 * A row a field type. What is text in SQLite is stored in its one canonical form, so that equal values are equal texts,
 * and instants, days and times sort as text.
 */
const CODECS: { readonly [K in ColumnKind]: CodecOf<Extract<ColumnType, { kind: K }>> } = {
  text: () => AS_IS,
  varchar: () => AS_IS,
  // a bigint where another column of the statement asked for exact integers
  integer: () => ({ decode: (value) => (typeof value === 'bigint' ? Number(value) : value) }),
  bigint: (_type, bigintMode) => BIGINT[bigintMode],
  float: () => AS_IS,
  decimal: ({ scale }) => ({
    encode: (text) => canonicalDecimal(text as string, scale),
    decode: (value) => decimalOf(value, scale),
  }),
  boolean: () => ({ encode: (value) => (value === true ? 1 : 0), decode: (value) => value === 1 || value === 1n }),
  date: () => AS_IS,
  time: () => ({ encode: (text) => trimTime(text as string), decode: (text) => trimTime(text as string) }),
  timestamp: ({ precision }) => TIMESTAMP[precision],
  uuid: () => ({ encode: (text) => (text as string).toLowerCase() }),
  json: () => ({ encode: (value) => JSON.stringify(value), decode: (text) => JSON.parse(text as string) }),
  bytes: () => ({ decode: (bytes) => withoutBuffer(bytes as Uint8Array) }),
  enum: () => AS_IS,
  array: ({ of }, bigintMode) => ({
    encode: (list) => JSON.stringify((list as readonly unknown[]).map((element) => toJsonValue(of, element))),
    decode: (text) => (JSON.parse(text as string) as unknown[]).map((element) => fromJsonValue(of, bigintMode, element)),
  }),
}

/** How a field's value goes to the driver and comes back, in a column declared as `ddl` declares it. */
export function codec(type: ColumnType, bigintMode: BigintMode): Codec {
  return (CODECS[type.kind] as CodecOf<ColumnType>)(type, bigintMode)
}

// 2^53 and all beyond, which a double may have rounded, are not safe
function safeInteger(value: unknown): number {
  const number = Number(value)
  if (Number.isSafeInteger(number)) return number
  throw invalidValue('a stored integer is beyond 2^53 and cannot be read as a number; read the field as bigint')
}

const POINT = 46

function decimalOf(value: unknown, scale: number): string {
  const text = String(value)
  if (scale > 0 && text.charCodeAt(text.length - scale - 1) === POINT) return text
  // written by SQL of the user's own
  if (parseDecimal(text) === undefined) throw invalidValue('a decimal column holds a text that is not a decimal number')
  return canonicalDecimal(text, scale)
}

function dateOf(text: string): Date {
  const instantMs = instantMsOf(text)
  if (!Number.isNaN(instantMs)) return new Date(instantMs)
  // without its Z, the engine of JavaScript would take it for local time
  const date = new Date(text.length === 24 && text.endsWith('Z') ? text : instantOf(text))
  if (Number.isNaN(date.getTime())) throw notAnInstant()
  return date
}

function microsecondsOf(text: string): string {
  return text.length === 27 ? text : padInstant(instantOf(text))
}

/** For what SQL of the user's own wrote: `CURRENT_TIMESTAMP` gives `2026-01-02 03:04:05`, in UTC. */
function instantOf(text: string): string {
  const instant = `${text.replace(' ', 'T').replace(/Z$/, '')}Z`
  if (!isInstant(instant)) throw notAnInstant()
  return instant
}

function notAnInstant(): Error {
  return invalidValue('a timestamp column holds a text that is not an instant in UTC')
}

function withoutBuffer({ buffer, byteOffset, byteLength }: Uint8Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}
