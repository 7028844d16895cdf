import { InvalidValueError } from '../../errors.js'
import type { BigintMode, ColumnType } from '../../model/column-type.js'
import { instantText } from '../../model/instant-text.js'
import type { Codec } from '../dialect.js'
import { arrayText, parseArrayText } from './array-text.js'
import { dateOf, microsecondsOf } from './timestamp-text.js'

const AS_TEXT: Codec = Object.freeze({})

/** How values of `type` go to PostgreSQL and come back; both ways in text, except for bytes on the way in. */
export function codec(type: ColumnType, bigintMode: BigintMode): Codec {
  switch (type.kind) {
    case 'integer':
      return { decode: Number }
    case 'bigint':
      return BIGINT[bigintMode]
    case 'float':
      return { encode: floatText, decode: Number }
    case 'boolean':
      return { decode: (text) => text === 't' }
    case 'timestamp':
      return type.precision === 3
        ? { encode: (date) => instantText(date as Date), decode: (text) => dateOf(text as string) }
        : { decode: (text) => microsecondsOf(text as string) }
    case 'json':
      return { encode: (value) => JSON.stringify(value), decode: (text) => JSON.parse(text as string) }
    case 'bytes':
      return { decode: (text) => bytesOf(text as string) }
    case 'array':
      return arrayCodec(codec(type.of, bigintMode))
    // the server writes these as they are declared: decimals with all digits of their scale, uuids in lower case,
    // times without trailing zeros
    default:
      return AS_TEXT
  }
}

const BIGINT: Readonly<Record<BigintMode, Codec>> = {
  bigint: { decode: (text) => BigInt(text as string) },
  number: { decode: (text) => safeInteger(text as string) },
  string: AS_TEXT,
}

function safeInteger(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value)) {
    refuse('a stored integer is too large for a number; declare the field as bigint or string')
  }
  return value
}

// String(-0) is '0'
function floatText(value: unknown): string {
  return Object.is(value, -0) ? '-0' : String(value)
}

/** Bytes with memory of their own: a small `Buffer` would keep the whole slab alive that it is cut from. */
function bytesOf(text: string): Uint8Array {
  if (!text.startsWith('\\x')) refuse('bytes came back in a form other than hex; leave bytea_output as it is')
  const bytes = new Uint8Array((text.length - 2) / 2)
  Buffer.from(bytes.buffer).write(text.slice(2), 'hex')
  return bytes
}

function arrayCodec({ encode, decode }: Codec): Codec {
  return {
    encode: (list) => arrayText(encode === undefined ? (list as unknown[]) : (list as unknown[]).map(encode)),
    decode: (text) => parseArrayText(text as string, decode),
  }
}

function refuse(reason: string): never {
  throw new InvalidValueError(reason, { model: undefined, fields: [], constraint: undefined })
}

/**
 * The type to cast a bound value to where nothing beside it says one; undefined for texts and enums: they take the type of the
 * column beside them, be it `text`, `varchar`, `citext` or an enum of the database.
 */
export function castType(type: ColumnType): string | undefined {
  return type.kind === 'array' ? arrayCastType(type.of) : CAST_TYPES[type.kind]
}

function arrayCastType(element: ColumnType): string | undefined {
  const type = castType(element)
  // an array of arrays is of the same type as its rows
  return type === undefined || type.endsWith('[]') ? type : `${type}[]`
}

const CAST_TYPES: Readonly<Partial<Record<ColumnType['kind'], string>>> = {
  integer: 'integer',
  bigint: 'bigint',
  float: 'double precision',
  decimal: 'numeric',
  boolean: 'boolean',
  date: 'date',
  time: 'time',
  timestamp: 'timestamptz',
  uuid: 'uuid',
  json: 'jsonb',
  bytes: 'bytea',
}
