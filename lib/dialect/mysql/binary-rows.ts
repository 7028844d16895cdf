import type { FieldPacket } from 'mysql2'
import { daysSinceEpoch } from '../../model/calendar.js'

/** A row as the server sent it: its bytes begin at `offset`. */
export interface RowPacket {
  readonly buffer: Buffer
  readonly offset: number
}

/** What `toString('utf8', …)` calls, which takes longer to find it than it takes to make a short text. */
interface TextBuffer extends Buffer {
  utf8Slice(start: number, end: number): string
}

/** The ways in which values are written. */
const [INT8, UINT8, INT16, UINT16, INT32, UINT32, INT64, UINT64, FLOAT, DOUBLE, INSTANT, DAY, TIME, TEXT, BYTES] = [
  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14,
] as const

const UNSIGNED_FLAG = 32
const BINARY_CHARSET = 63

/**
 * Reads rows of the prepared protocol, as lists in the order of the columns. Values are those that the driver gives with `supportBigNumbers`,
 * `dateStrings` and `jsonStrings`, but for instants: of a DATETIME or TIMESTAMP in whole milliseconds, these since 1970 in UTC; of one that
 * is finer, or no instant at all (`0000-00-00 00:00:00`), its text. The driver writes every one as text, which took a third of the CPU of
 * a list.
 *
 * Source: MariaDB Knowledge Base, "Result Set Packets", section "Binary Resultset Row".
 */
export class BinaryRows {
  readonly #forms: Uint8Array
  #at = 0

  /** @param forms  of the columns: see {@link formsOf} */
  constructor(forms: Uint8Array) {
    this.#forms = forms
  }

  next({ buffer, offset }: RowPacket): unknown[] {
    const forms = this.#forms
    const row = new Array<unknown>(forms.length)
    // a byte for the kind of packet, then a bit for each column that is null, from the third on
    const nulls = offset + 1
    this.#at = nulls + ((forms.length + 9) >> 3)
    for (let index = 0; index < forms.length; index++) {
      const isNull = (buffer[nulls + ((index + 2) >> 3)]! >> ((index + 2) & 7)) & 1
      row[index] = isNull === 1 ? null : this.#value(buffer, forms[index]!)
    }
    return row
  }

  #value(buffer: Buffer, form: number): unknown {
    switch (form) {
      case INT32:
        return this.#word(buffer) | 0
      case TEXT:
        return this.#text(buffer)
      case INT8:
        return (buffer[this.#skip(1)]! << 24) >> 24
      case INSTANT:
        return this.#instant(buffer)
      case INT64:
      case UINT64:
        return this.#integer(buffer, form)
      case DOUBLE:
        return buffer.readDoubleLE(this.#skip(8))
      case UINT8:
        return buffer[this.#skip(1)]
      case INT16:
        return (this.#half(buffer) << 16) >> 16
      case UINT16:
        return this.#half(buffer)
      case UINT32:
        return this.#word(buffer) >>> 0
      case FLOAT:
        return buffer.readFloatLE(this.#skip(4))
      case DAY:
        return this.#day(buffer)
      case TIME:
        return this.#time(buffer)
      default:
        return this.#bytes(buffer)
    }
  }

  /** Where something of so many bytes begins, to go on behind it. */
  #skip(length: number): number {
    const start = this.#at
    this.#at = start + length
    return start
  }

  #half(buffer: Buffer): number {
    const at = this.#skip(2)
    return buffer[at]! | (buffer[at + 1]! << 8)
  }

  #word(buffer: Buffer): number {
    const at = this.#skip(4)
    return buffer[at]! | (buffer[at + 1]! << 8) | (buffer[at + 2]! << 16) | (buffer[at + 3]! << 24)
  }

  /** A number where it is exact, else text. */
  #integer(buffer: Buffer, form: number): number | string {
    const at = this.#at
    const low = this.#word(buffer) >>> 0
    const high = this.#word(buffer)
    const value = low + 0x1_0000_0000 * (form === INT64 ? high : high >>> 0)
    if (Number.isSafeInteger(value)) return value
    return String(form === INT64 ? buffer.readBigInt64LE(at) : buffer.readBigUInt64LE(at))
  }

  #text(buffer: Buffer): string {
    const length = this.#length(buffer)
    const start = this.#skip(length)
    return (buffer as TextBuffer).utf8Slice(start, start + length)
  }

  /** A window on the packet's bytes. */
  #bytes(buffer: Buffer): Buffer {
    const length = this.#length(buffer)
    const start = this.#skip(length)
    return buffer.subarray(start, start + length)
  }

  #length(buffer: Buffer): number {
    const first = buffer[this.#skip(1)]!
    if (first < 0xfb) return first
    if (first === 0xfc) return this.#half(buffer)
    if (first === 0xfd) return this.#half(buffer) | (buffer[this.#skip(1)]! << 16)
    return Number(buffer.readBigUInt64LE(this.#skip(8)))
  }

  #instant(buffer: Buffer): number | string {
    const at = this.#at
    const length = buffer[this.#skip(1)]!
    this.#at += length
    const year = length === 0 ? 0 : buffer[at + 1]! | (buffer[at + 2]! << 8)
    const month = length === 0 ? 0 : buffer[at + 3]!
    const day = length === 0 ? 0 : buffer[at + 4]!
    const hasTime = length > 4
    const hours = hasTime ? buffer[at + 5]! : 0
    const minutes = hasTime ? buffer[at + 6]! : 0
    const seconds = hasTime ? buffer[at + 7]! : 0
    const microseconds = length > 7 ? buffer.readUInt32LE(at + 8) : 0
    if (month > 0 && day > 0 && microseconds % 1_000 === 0) {
      return (((daysSinceEpoch(year, month, day) * 24 + hours) * 60 + minutes) * 60 + seconds) * 1_000 + microseconds / 1_000
    }
    const time = `${digits(hours, 2)}:${digits(minutes, 2)}:${digits(seconds, 2)}`
    return `${dayText(year, month, day)} ${time}${fraction(microseconds)}`
  }

  #day(buffer: Buffer): string {
    const at = this.#at
    const length = buffer[this.#skip(1)]!
    this.#at += length
    return length === 0 ? dayText(0, 0, 0) : dayText(buffer[at + 1]! | (buffer[at + 2]! << 8), buffer[at + 3]!, buffer[at + 4]!)
  }

  #time(buffer: Buffer): string {
    const at = this.#at
    const length = buffer[this.#skip(1)]!
    this.#at += length
    if (length === 0) return '00:00:00'
    const sign = buffer[at + 1] === 0 ? '' : '-'
    const hours = buffer.readUInt32LE(at + 2) * 24 + buffer[at + 6]!
    const time = `${digits(hours, 2)}:${digits(buffer[at + 7]!, 2)}:${digits(buffer[at + 8]!, 2)}`
    return `${sign}${time}${length > 8 ? fraction(buffer.readUInt32LE(at + 9)) : ''}`
  }
}

/** How the values of these columns are written; undefined where one is of a type that is left to the driver. */
export function formsOf(columns: readonly FieldPacket[]): Uint8Array | undefined {
  const forms = new Uint8Array(columns.length)
  for (let index = 0; index < columns.length; index++) {
    const form = formOf(columns[index]!)
    if (form === undefined) return undefined
    forms[index] = form
  }
  return forms
}

/** By the number of the protocol's type. Source: MariaDB Knowledge Base, "Result Set Packets", "Field Types". */
function formOf({ columnType, characterSet, flags, encoding }: FieldPacket): number | undefined {
  const isUnsigned = ((flags as number) & UNSIGNED_FLAG) !== 0
  switch (columnType) {
    case 1:
      return isUnsigned ? UINT8 : INT8
    case 2:
      return isUnsigned ? UINT16 : INT16
    case 13: // YEAR
      return UINT16
    case 3:
    case 9: // MEDIUMINT
      return isUnsigned ? UINT32 : INT32
    case 8:
      return isUnsigned ? UINT64 : INT64
    case 4:
      return FLOAT
    case 5:
      return DOUBLE
    case 7: // TIMESTAMP
    case 12: // DATETIME
      return INSTANT
    case 10:
      return DAY
    case 11:
      return TIME
    case 0: // DECIMAL
    case 246:
    case 245: // JSON, which MySQL sends as binary
      return TEXT
    case 15: // VARCHAR
    case 16: // BIT
    case 247: // ENUM
    case 248: // SET
    case 249: // BLOB and TEXT of four lengths
    case 250:
    case 251:
    case 252:
    case 253: // VARBINARY
    case 254: // CHAR and BINARY
      if (characterSet === BINARY_CHARSET) return BYTES
      // in another one only where somebody has set the session to it
      return encoding === 'utf8' ? TEXT : undefined
    default:
      return undefined
  }
}

function dayText(year: number, month: number, day: number): string {
  return `${digits(year, 4)}-${digits(month, 2)}-${digits(day, 2)}`
}

/** The rest of a second, without zeros at its end; nothing where there is none. */
function fraction(microseconds: number): string {
  return microseconds === 0 ? '' : `.${digits(microseconds, 6).replace(/0+$/, '')}`
}

function digits(value: number, length: number): string {
  return String(value).padStart(length, '0')
}
