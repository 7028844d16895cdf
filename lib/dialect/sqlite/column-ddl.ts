import type { ColumnType } from '../../model/column-type.js'
import type { DdlSyntax, OrderOperator } from '../ddl-conditions.js'
import { quoteStandard as quote } from '../quote-standard.js'

/** The declared type: a name that tells the logical type and has the affinity its stored form needs. */
export function columnType(type: ColumnType): string {
  switch (type.kind) {
    case 'text':
      return 'TEXT'
    case 'varchar':
      return `VARCHAR(${type.length})`
    case 'integer':
      return 'INTEGER'
    case 'bigint':
      return 'BIGINT'
    case 'float':
      return 'REAL'
    case 'decimal':
      // any name with NUMERIC affinity would turn '1.50' into 1.5
      return `DECIMAL_TEXT(${type.precision},${type.scale})`
    case 'boolean':
      return 'BOOLEAN_INTEGER'
    case 'bytes':
      return 'BLOB'
    case 'array':
      return 'JSON_TEXT'
    default:
      return `${type.kind.toUpperCase()}_TEXT`
  }
}

/** How SQLite writes names and constants, and compares decimals. */
export const SYNTAX: DdlSyntax = { quote, literal, compare: compareDecimals }

/** Text in quotes. */
export function text(value: string): string {
  return `'${value.replaceAll("'", "''")}'`
}

/** A constant, in the JSON form of its type. */
export function literal(value: unknown, type: ColumnType): string {
  switch (type.kind) {
    case 'integer':
    case 'bigint':
    case 'float':
      return String(value)
    case 'boolean':
      return value === true ? '1' : '0'
    case 'json':
    case 'array':
      return text(JSON.stringify(value))
    case 'bytes':
      return `x'${Buffer.from(value as string, 'base64').toString('hex')}'`
    default:
      return text(value as string)
  }
}

/**
 * Decimals are text in one form, with all digits of their scale: of two that are not negative, the longer is greater and text
 * order decides between equals, at any precision. CAST AS REAL would round, and a function of ours would keep other tools out.
 */
function compareDecimals(column: string, operator: OrderOperator, value: string, type: ColumnType): string | undefined {
  if (type.kind !== 'decimal') return undefined
  const isNegative = `substr(${column}, 1, 1) = '-'`
  const bySize = (order: string) => `(length(${column}), ${column}) ${order} (length(${value}), ${value})`
  const greater = operator.startsWith('>')
  if (value.startsWith("'-")) {
    const mirrored = bySize(operator.replace(/[<>]/, greater ? '<' : '>'))
    return greater ? `(not ${isNegative} or ${mirrored})` : `(${isNegative} and ${mirrored})`
  }
  return greater ? `(not ${isNegative} and ${bySize(operator)})` : `(${isNegative} or ${bySize(operator)})`
}
