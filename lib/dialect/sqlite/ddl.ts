import { ModelError } from '../../errors.js'
import type { ColumnType } from '../../model/column-type.js'
import type { ColumnDefault, ColumnSchema, TableSchema } from '../../model/schema.js'
import type { SchemaChange } from '../../model/schema-diff.js'
import {
  checkClause,
  columnList,
  createIndex,
  createTable,
  foreignKeyClause,
  nativeEnumChecks,
  quoteStandard as quote,
} from '../ddl-clauses.js'
import type { DdlSyntax, OrderOperator } from '../ddl-conditions.js'

/**
 * The statements of one change of the schema on SQLite. Comments have no place here; they stay in the schema.
 *
 * @throws {ModelError} the table names a schema, or counts in a column that is not the whole primary key
 */
export function ddl(change: SchemaChange): readonly string[] {
  switch (change.kind) {
    case 'createSchema':
      throw new ModelError(change.name, undefined, NO_SCHEMAS)
    case 'createEnum':
      return []
    case 'createTable':
      return tableStatements(change.table)
    case 'createIndex':
      return [createIndex('index', change.table, change.index, SYNTAX)]
    case 'addForeignKey':
      // written with the table: SQLite adds no constraint to a table that is there, and takes references to one that is not
      return []
  }
}

/** The declared type: a name that tells the logical type and has the affinity its stored form needs. */
function columnType(type: ColumnType): string {
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

const SYNTAX: DdlSyntax = { quote, literal, compare: compareDecimals }

function text(value: string): string {
  return `'${value.replaceAll("'", "''")}'`
}

function literal(value: unknown, type: ColumnType): string {
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

function tableStatements(table: TableSchema): readonly string[] {
  refuseSchema(table)
  const counter = counterOf(table)
  const lines = [
    ...table.columns.map((column) => (column === counter ? counterLine(column, table) : columnLine(column, table))),
    ...(counter === undefined
      ? [`constraint ${quote(table.primaryKey.name)} primary key ${columnList(table.primaryKey.columns, SYNTAX)}`]
      : []),
    ...[...table.checks, ...nativeEnumChecks(table)].map((check) => checkClause(check, table, SYNTAX)),
    ...table.foreignKeys.map((foreignKey) => foreignKeyClause(foreignKey, SYNTAX)),
  ]
  // a key is an index with its name: a UNIQUE in the table would be one without, which nothing could drop
  return [createTable(table, lines, SYNTAX), ...table.uniques.map((unique) => createIndex('unique index', table, unique, SYNTAX))]
}

const NO_SCHEMAS = 'SQLite has no schemas; leave the schema option out'

function refuseSchema(table: TableSchema): void {
  if (table.schema === undefined) return
  throw new ModelError(table.name, undefined, NO_SCHEMAS)
}

function counterOf(table: TableSchema): ColumnSchema | undefined {
  const counter = table.columns.find((column) => column.default?.kind === 'increment')
  if (counter === undefined) return undefined
  if (table.primaryKey.columns.length === 1 && table.primaryKey.columns[0] === counter.name) return counter
  throw new ModelError(table.name, counter.name, 'SQLite counts only in a column that is the whole primary key')
}

/** Exactly INTEGER PRIMARY KEY counts. AUTOINCREMENT: without it the key of a deleted last row is given again. */
function counterLine({ name }: ColumnSchema, table: TableSchema): string {
  return `${quote(name)} INTEGER not null constraint ${quote(table.primaryKey.name)} primary key autoincrement`
}

function columnLine(column: ColumnSchema, table: TableSchema): string {
  const { name, type, nullable, default: value } = column
  const isKey = table.primaryKey.columns.length === 1 && table.primaryKey.columns[0] === name
  // INTEGER would make the key an alias of the rowid, and SQLite would invent a value where none is given
  const declared = isKey && type.kind === 'integer' ? 'INT' : columnType(type)
  return `${quote(name)} ${declared}${nullable ? '' : ' not null'}${defaultClause(value, type)}`
}

function defaultClause(value: ColumnDefault | undefined, type: ColumnType): string {
  switch (value?.kind) {
    case undefined:
    case 'increment':
      return ''
    case 'now':
      return ` default (strftime('%Y-%m-%dT%H:%M:%f${type.kind === 'timestamp' && type.precision === 6 ? '000' : ''}Z', 'now'))`
    case 'sql':
      return ` default (${value.sql})`
    case 'value':
      return ` default ${literal(value.value, type)}`
  }
}
