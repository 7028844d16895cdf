import { ModelError } from '../../errors.js'
import type { ColumnType } from '../../model/column-type.js'
import type { ColumnDefault, ColumnSchema, TableSchema } from '../../model/schema.js'
import type { DdlSyntax } from '../ddl-conditions.js'

/** More characters of four bytes than this do not fit a row. */
const MAX_VARCHAR = 16_383

/** The type as it stands in a column. */
export function columnType(type: ColumnType): string {
  switch (type.kind) {
    case 'text':
      return 'longtext'
    case 'varchar':
      return `varchar(${type.length})`
    case 'integer':
      return 'int'
    case 'float':
      return 'double'
    case 'decimal':
      return `decimal(${type.precision},${type.scale})`
    case 'boolean':
      return 'tinyint(1)'
    case 'time':
      return 'time(6)'
    case 'timestamp':
      return `datetime(${type.precision})`
    case 'uuid':
      return 'char(36) character set ascii collate ascii_bin'
    case 'bytes':
      return 'longblob'
    case 'enum':
      return type.native ? `enum(${type.values.map(enumValue).join(', ')})` : `varchar(${longest(type.values)})`
    case 'array':
      return 'json'
    default:
      return type.kind
  }
}

/** How MySQL writes names and constants. */
export const SYNTAX: DdlSyntax = { quote, literal }

export function quote(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``
}

/**
 * Text in quotes; in hex where there is a backslash, since NO_BACKSLASH_ESCAPES decides what that means in quotes.
 * Not `_utf8mb4 x'…'`: MariaDB 10.11 writes it back as `_utf8mb4'\'` and fails to parse its own text.
 */
function text(value: string): string {
  return value.includes('\\') ? `convert(${hex(value)} using utf8mb4)` : `'${value.replaceAll("'", "''")}'`
}

/** A list of values takes a bare hex literal and no function. */
function enumValue(value: string): string {
  return value.includes('\\') ? hex(value) : text(value)
}

function hex(value: string): string {
  return `x'${Buffer.from(value).toString('hex')}'`
}

function longest(values: readonly string[]): number {
  return Math.max(1, ...values.map((value) => [...value].length))
}

/** A constant, in the JSON form of its type. */
export function literal(value: unknown, type: ColumnType): string {
  switch (type.kind) {
    case 'integer':
    case 'bigint':
    case 'float':
    case 'decimal':
      return String(value)
    case 'boolean':
      return value === true ? '1' : '0'
    case 'timestamp':
      return text((value as string).replace('T', ' ').replace('Z', ''))
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
 * A column as it stands in a table.
 *
 * @throws {ModelError} a text of too many characters; a native enum value that ends with a space; a counter that leads no key
 */
export function columnLine(column: ColumnSchema, table: TableSchema): string {
  const { name, type, nullable, default: value, comment } = column
  refuseColumn(column, table)
  return `${quote(name)} ${columnType(type)}${nullable ? '' : ' not null'}${defaultClause(value, type)}${commentClause(comment)}`
}

function refuseColumn({ name, type, default: value }: ColumnSchema, table: TableSchema): void {
  const refuse = (message: string) => new ModelError(table.name, name, message)
  if (type.kind === 'varchar' && type.length > MAX_VARCHAR) {
    throw refuse(`MySQL holds no varchar of more than ${MAX_VARCHAR} characters; leave maxLength out`)
  }
  if (type.kind === 'enum' && type.native && type.values.some((one) => one.endsWith(' '))) {
    throw refuse("MySQL's ENUM drops spaces at the end of a value; leave native out")
  }
  const keys = [table.primaryKey, ...table.uniques].map(({ columns }) => columns[0])
  if (value?.kind === 'increment' && !keys.includes(name)) throw refuse('MySQL counts only in a column that leads a key')
}

/** ` default …`, or how the column counts; empty without a default. */
export function defaultClause(value: ColumnDefault | undefined, type: ColumnType): string {
  switch (value?.kind) {
    case undefined:
      return ''
    case 'increment':
      return ' auto_increment'
    case 'now':
      // not current_timestamp: that is in the time zone of whoever inserts, and the column is in UTC
      return ` default (utc_timestamp(${type.kind === 'timestamp' ? type.precision : 6}))`
    case 'sql':
      return ` default (${value.sql})`
    case 'value':
      return ` default ${constant(literal(value.value, type), type)}`
  }
}

/** Text, JSON and bytes take a default only as an expression, in parentheses; a call is one anywhere. */
function constant(written: string, type: ColumnType): string {
  const isExpression = ['text', 'json', 'array', 'bytes'].includes(type.kind) || written.startsWith('convert(')
  return isExpression ? `(${written})` : written
}

/**
 * Backslashes are doubled always: under NO_BACKSLASH_ESCAPES a comment then shows two, and none can end its quotes.
 * The catalog has no characters beyond the basic plane; MySQL refuses the table for one, MariaDB writes a question mark.
 */
export function commentClause(comment: string | undefined): string {
  if (comment === undefined) return ''
  const kept = comment.replaceAll(/[\u{10000}-\u{10ffff}]/gu, '\ufffd')
  return ` comment '${kept.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
}
