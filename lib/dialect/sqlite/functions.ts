import type Sqlite from 'better-sqlite3'
import { decimalExtreme, decimalSum, integerSum, registerAggregate } from './aggregate-functions.js'
import { decimalArithmetic, decimalKey } from './decimal-functions.js'
import { floatArithmetic } from './float-functions.js'
import { integerArithmetic } from './integer-functions.js'
import { jsonAt, jsonHas } from './json-functions.js'

/**
 * Makes latchwork's SQL functions known on a connection. Nothing in a schema may use them: other tools open the same file.
 *
 * - `latchwork_decimal_key(text)`: a text that sorts as the decimal number does
 * - `latchwork_decimal(left, operator, right, precision, scale)`: exact decimal arithmetic
 * - `latchwork_decimal_sum(text, scale)`, `latchwork_decimal_min(text)`, `latchwork_decimal_max(text)`: aggregates of decimals
 * - `latchwork_json(text, path, kind)`: what stands at a path of a JSON text
 * - `latchwork_json_has(text, text, quantifier)`: whether a JSON list has the elements of another one
 * - `latchwork_integer_sum(integer)`: a sum as text, of any length
 * - `latchwork_float(left, operator, right)`: arithmetic on doubles that refuses to overflow
 * - `latchwork_integer(left, operator, right, bits)`: integer arithmetic that refuses to overflow
 */
export function registerFunctions(database: Sqlite.Database): void {
  // directOnly: SQLite refuses them inside views, triggers, checks and indexes
  const options = { deterministic: true, directOnly: true }
  database.function('latchwork_decimal_key', options, decimalKey)
  database.function('latchwork_decimal', options, decimalArithmetic)
  database.function('latchwork_float', options, floatArithmetic)
  database.function('latchwork_integer', { ...options, safeIntegers: true }, integerArithmetic)
  database.function('latchwork_json', options, jsonAt)
  database.function('latchwork_json_has', options, jsonHas)
  registerAggregate(database, 'latchwork_decimal_sum', options, decimalSum)
  registerAggregate(
    database,
    'latchwork_decimal_min',
    options,
    decimalExtreme((key, best) => key < best),
  )
  registerAggregate(
    database,
    'latchwork_decimal_max',
    options,
    decimalExtreme((key, best) => key > best),
  )
  registerAggregate(database, 'latchwork_integer_sum', { ...options, safeIntegers: true }, integerSum)
}
