import { ModelError } from '../../errors.js'
import type { ColumnType } from '../../model/column-type.js'
import type { ColumnDefault, ColumnSchema, ForeignKeySchema, IndexSchema, TableSchema, UniqueSchema } from '../../model/schema.js'
import type { SchemaChange } from '../../model/schema-diff.js'
import { fitName } from '../../model/schema-names.js'
import { checkClause, columnList, createIndex, createTable, foreignKeyClause, qualifiedName } from '../ddl-clauses.js'
import { conditionSql, type DdlSyntax } from '../ddl-conditions.js'
import { COLLATION } from './collation.js'
import { refuseLongKey } from './key-length.js'

/** Compared by code point, in an engine with transactions and foreign keys. */
const TABLE_OPTIONS = `engine=InnoDB character set utf8mb4 collate ${COLLATION}`

/** More characters of four bytes than this do not fit a row. */
const MAX_VARCHAR = 16_383

/** Of an indexed expression; as much as a key holds. */
const EXPRESSION_LENGTH = 768

/**
 * The statements of one change of the schema, for MySQL and MariaDB alike.
 *
 * @throws {ModelError} a key over text or bytes without a length, or over too many bytes; a counter that is no key; ON … SET DEFAULT;
 *   an action that changes a column of a check
 */
export function ddl(change: SchemaChange): readonly string[] {
  switch (change.kind) {
    case 'createSchema':
      // a database of the whole server: not for tables of one to make
      return []
    case 'createEnum':
      // ENUM lists its values in each column
      return []
    case 'createTable':
      return [tableStatement(change.table)]
    case 'createIndex':
      return [indexStatement(change.table, change.index)]
    case 'addForeignKey':
      return [foreignKeyStatement(change.table, change.foreignKey)]
  }
}

/**
 * The change with the connection's own database at the target of a foreign key from a table elsewhere: without it the target would be
 * looked for beside that table.
 */
export function withOwnDatabase(change: SchemaChange, database: string | undefined): SchemaChange {
  if (change.kind !== 'addForeignKey' || database === undefined) return change
  const { table, foreignKey } = change
  if (table.schema === undefined || foreignKey.target.schema !== undefined) return change
  return { ...change, foreignKey: { ...foreignKey, target: { ...foreignKey.target, schema: database } } }
}

/** The type as it stands in a column. */
function columnType(type: ColumnType): string {
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

const SYNTAX: DdlSyntax = { quote, literal }

function quote(name: string): string {
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

function literal(value: unknown, type: ColumnType): string {
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

function tableStatement(table: TableSchema): string {
  refuseLongKey(table, table.primaryKey.columns)
  for (const { columns } of table.uniques) refuseLongKey(table, columns)
  const partial = table.uniques.filter(({ where }) => where !== undefined)
  const lines = [
    ...table.columns.map((column) => columnLine(column, table)),
    ...partial.map((unique) => hiddenColumn(table, unique)),
    `primary key ${columnList(table.primaryKey.columns, SYNTAX)}`,
    ...table.uniques.map((unique) => `constraint ${quote(unique.name)} unique ${columnList(keyColumns(unique), SYNTAX)}`),
    ...table.checks.map((check) => checkClause(check, table, SYNTAX)),
  ]
  return `${createTable(table, lines, SYNTAX)} ${TABLE_OPTIONS}${commentClause(table.comment)}`
}

function columnLine(column: ColumnSchema, table: TableSchema): string {
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

function defaultClause(value: ColumnDefault | undefined, type: ColumnType): string {
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
function commentClause(comment: string | undefined): string {
  if (comment === undefined) return ''
  const kept = comment.replaceAll(/[\u{10000}-\u{10ffff}]/gu, '\ufffd')
  return ` comment '${kept.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`
}

function indexStatement(table: TableSchema, index: IndexSchema): string {
  refuseLongKey(table, index.columns)
  if (index.where === undefined && index.expression === undefined) return createIndex('index', table, index, SYNTAX)
  const keys = columnList(keyColumns(index), SYNTAX)
  return `alter table ${qualifiedName(table, SYNTAX)} add column ${hiddenColumn(table, index)}, add index ${quote(index.name)} ${keys}`
}

/** Columns first, so that the index serves as a plain one too. */
function keyColumns(index: IndexSchema | UniqueSchema): readonly string[] {
  return index.where === undefined && expressionOf(index) === undefined ? index.columns : [...index.columns, hiddenName(index)]
}

/**
 * What stands for a partial or expression index where the engine has none: a generated column, null outside of the condition,
 * so that a unique key lets those rows be. The two comments are code to MySQL from 8.0.23 and to MariaDB from 10.3.3.
 */
function hiddenColumn(table: TableSchema, index: IndexSchema | UniqueSchema): string {
  const expression = expressionOf(index)
  const [type, value] =
    expression === undefined ? ['tinyint', '1'] : [`varchar(${EXPRESSION_LENGTH})`, `left(${expression}, ${EXPRESSION_LENGTH})`]
  const generated = index.where === undefined ? value : `case when ${conditionSql(index.where, table, SYNTAX)} then ${value} end`
  return `${quote(hiddenName(index))} ${type} generated always as (${generated}) virtual /*!80023 invisible *//*M!100303 invisible */`
}

function expressionOf(index: IndexSchema | UniqueSchema): string | undefined {
  return 'expression' in index ? index.expression : undefined
}

function hiddenName(index: IndexSchema | UniqueSchema): string {
  return fitName(`_lw_${index.name}`, '', 64)
}

function foreignKeyStatement(table: TableSchema, foreignKey: ForeignKeySchema): string {
  if (foreignKey.onDelete === 'setDefault' || foreignKey.onUpdate === 'setDefault') {
    // MariaDB takes the words and drops the action
    throw new ModelError(table.name, undefined, `${foreignKey.name}: InnoDB has no ON DELETE or ON UPDATE SET DEFAULT`)
  }
  refuseUncheckedChange(table, foreignKey)
  return `alter table ${qualifiedName(table, SYNTAX)} add ${foreignKeyClause(foreignKey, SYNTAX)}`
}

/** InnoDB changes a row for a foreign key past the server and its checks, so neither server takes both on one column. */
function refuseUncheckedChange(table: TableSchema, { name, columns, onDelete, onUpdate }: ForeignKeySchema): void {
  if (onDelete !== 'setNull' && onUpdate !== 'setNull' && onUpdate !== 'cascade') return
  const check = table.checks.find((each) => each.columns.some((column) => columns.includes(column)))
  if (check === undefined) return
  const advice = 'leave out setNull and onUpdate'
  throw new ModelError(table.name, undefined, `${name}: MySQL lets no action change a column of a check, here ${check.name}; ${advice}`)
}
