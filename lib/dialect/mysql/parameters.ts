import { InvalidValueError, QueryError } from '../../errors.js'
import type { Driver } from './driver.js'

const MIN_INT64 = -(2n ** 63n)
const MAX_INT64 = 2n ** 63n - 1n
const MAX_UINT64 = 2n ** 64n - 1n

/**
 * The bound values as mysql2 sends them without a loss.
 *
 * Left to itself it sends a bigint as text, which the server turns into a DOUBLE as soon as it calculates with it:
 * `9007199254740993 + '1'` was 9007199254740992. A number is sent as the DOUBLE that it is (an integer type costs 4 µs a
 * value); it compares exactly, and MySQL, which takes no DOUBLE as LIMIT, says in time that it wants an integer there.
 *
 * @throws {QueryError} a value is undefined, a function or a symbol
 * @throws {InvalidValueError} a number or date that no column can hold
 */
export function bindParameters(values: readonly unknown[], types: Driver['TypedParameter']): unknown[] {
  const bound = new Array<unknown>(values.length)
  for (let index = 0; index < values.length; index++) bound[index] = bindParameter(values[index], index, types)
  return bound
}

function bindParameter(value: unknown, index: number, types: Driver['TypedParameter']): unknown {
  switch (typeof value) {
    case 'number':
      if (Number.isFinite(value)) return value
      throw invalid('NaN and the infinities cannot be stored')
    case 'bigint':
      return bindBigint(value, types)
    case 'object':
      return bindObject(value)
    case 'string':
    case 'boolean':
      return value
    default:
      throw new QueryError(`parameter ${index + 1} of the statement is of type ${typeof value}; bind null for SQL NULL`, undefined)
  }
}

function bindBigint(value: bigint, types: Driver['TypedParameter']): unknown {
  if (value >= MIN_INT64 && value <= MAX_INT64) return types.LONGLONG(value)
  if (value > 0n && value <= MAX_UINT64) return types.LONGLONG.unsigned(value)
  return types.NEWDECIMAL(String(value))
}

function bindObject(value: object | null): unknown {
  if (value instanceof Uint8Array && !Buffer.isBuffer(value)) {
    // only a Buffer is sent as bytes; any other array would be converted between character sets
    return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  }
  if (value instanceof Date && Number.isNaN(value.getTime())) throw invalid('an invalid Date cannot be stored')
  return value
}

function invalid(what: string): InvalidValueError {
  return new InvalidValueError(what, { model: undefined, fields: [], constraint: undefined })
}
