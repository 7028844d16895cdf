import { InvalidValueError } from '../../errors.js'
import { padInstant } from '../../model/calendar.js'
import type { BigintMode, ColumnKind, ColumnType } from '../../model/column-type.js'
import { fromJsonValue, toJsonValue } from '../../model/field-type.js'
import { instantText } from '../../model/instant-text.js'
import type { Codec } from '../dialect.js'

type CodecOf<T extends ColumnType> = (type: T, bigintMode: BigintMode) => Codec

const AS_IS: Codec = Object.freeze({})

const BIGINT: Readonly<Record<BigintMode, Codec>> = {
  // the driver gives a number where it is exact, else text
  bigint: { decode: (value) => BigInt(value as number | string) },
  number: { decode: safeInteger },
  string: { encode: (value) => BigInt(value as string), decode: String },
}

const TIMESTAMP: Readonly<Record<3 | 6, Codec>> = {
  // a copy: the caller's own may be changed before it is sent. The driver writes it as eleven bytes, in UTC
  3: { encode: (value) => new Date(value as Date), decode: (value) => dateOf(value as Instant) },
  6: { encode: (text) => (text as string).replace('T', ' ').slice(0, -1), decode: (value) => isoOf(value as Instant) },
}

/** A row a field type: how its values go to the driver and come back. Decimals, dates and text are the same text on both sides. */
const CODECS: { readonly [K in ColumnKind]: CodecOf<Extract<ColumnType, { kind: K }>> } = {
  text: () => AS_IS,
  varchar: () => AS_IS,
  integer: () => AS_IS,
  bigint: (_type, bigintMode) => BIGINT[bigintMode],
  float: () => AS_IS,
  decimal: () => AS_IS,
  boolean: () => ({ decode: (value) => value !== 0 }),
  date: () => AS_IS,
  time: () => ({ decode: (text) => trimFraction(text as string) }),
  timestamp: ({ precision }) => TIMESTAMP[precision],
  uuid: () => ({ encode: (text) => (text as string).toLowerCase() }),
  json: () => ({ encode: JSON.stringify, decode: (text) => JSON.parse(text as string) }),
  // a copy: the driver's bytes are a window on a buffer that many rows share
  bytes: () => ({ decode: (bytes) => new Uint8Array(bytes as Uint8Array) }),
  enum: () => AS_IS,
  array: arrayCodec,
}

/** How a field's value goes to the driver and comes back. */
export function mysqlCodec(type: ColumnType, bigintMode: BigintMode): Codec {
  return (CODECS[type.kind] as CodecOf<ColumnType>)(type, bigintMode)
}

function safeInteger(value: unknown): unknown {
  if (typeof value === 'number') return value
  const unknown = { model: undefined, fields: [], constraint: undefined }
  throw new InvalidValueError('a stored integer is beyond 2^53 and cannot be read as a number; read the field as bigint', unknown)
}

/** An instant as {@link BinaryRows} gives it; the text protocol always has text. */
export type Instant = number | string

/** The instant as a date, with what is finer than a millisecond cut off. */
export function dateOf(value: Instant): Date {
  return typeof value === 'number' ? new Date(value) : datetimeToDate(value)
}

function isoOf(value: Instant): string {
  return typeof value === 'number' ? padInstant(instantText(new Date(value))) : datetimeToIso(value)
}

// of `2026-01-31 09:05:00.123`; the prepared protocol leaves out a fraction of zero
function datetimeToDate(text: string): Date {
  const year = digits(text, 0, 4)
  const month = digits(text, 5, 7)
  // Date.UTC takes these for the 20th century, and a month of 0 for the last one: neither is what is stored
  if (year < 100 || month === 0) return new Date(`${text.slice(0, 10)}T${text.slice(11)}Z`)
  const fraction = text.length > 20 ? digits(text, 20, 23) * (FRACTION_UNITS[text.length - 20] ?? 1) : 0
  return new Date(
    Date.UTC(year, month - 1, digits(text, 8, 10), digits(text, 11, 13), digits(text, 14, 16), digits(text, 17, 19), fraction),
  )
}

/** Milliseconds that the last of so many digits after the point stands for. */
const FRACTION_UNITS = [0, 100, 10]

/** The number that stands from `start` to `end`, or to the end of the text. */
function digits(text: string, start: number, end: number): number {
  let value = 0
  const last = Math.min(end, text.length)
  for (let at = start; at < last; at++) value = value * 10 + text.charCodeAt(at) - ZERO
  return value
}

const ZERO = 48

function datetimeToIso(text: string): string {
  return `${text.slice(0, 10)}T${text.slice(11, 19)}.${text.slice(20).padEnd(6, '0')}Z`
}

function trimFraction(text: string): string {
  if (text.length === 8) return text
  let end = text.length
  while (text[end - 1] === '0') end--
  return text.slice(0, text[end - 1] === '.' ? end - 1 : end)
}

function arrayCodec({ of }: Extract<ColumnType, { kind: 'array' }>, bigintMode: BigintMode): Codec {
  return {
    encode: (list) => JSON.stringify((list as readonly unknown[]).map((element) => toJsonValue(of, element))),
    decode: (text) => (JSON.parse(text as string) as unknown[]).map((element) => fromJsonValue(of, bigintMode, element)),
  }
}
