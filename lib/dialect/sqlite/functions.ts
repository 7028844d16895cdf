import type Sqlite from 'better-sqlite3'
import { decimalArithmetic, decimalKey } from './decimal-functions.js'
import { floatArithmetic } from './float-functions.js'
import { integerArithmetic } from './integer-functions.js'

/**
 * Makes latchwork's SQL functions known on a connection. Nothing in a schema may use them: other tools open the same file.
 *
 * - `latchwork_decimal_key(text)`: a text that sorts as the decimal number does
 * - `latchwork_decimal(left, operator, right, precision, scale)`: exact decimal arithmetic
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
}
