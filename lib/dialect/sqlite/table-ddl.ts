import { ModelError } from '../../errors.js'
import type { ColumnType } from '../../model/column-type.js'
import type { ColumnDefault, ColumnSchema, TableSchema } from '../../model/schema.js'
import { checkClause, columnList, createTable, foreignKeyClause } from '../ddl-clauses.js'
import { nativeEnumChecks } from '../native-enum-checks.js'
import { quoteStandard as quote } from '../quote-standard.js'
import { columnType, literal, SYNTAX } from './column-ddl.js'

/**
 * The table alone, called as said. A key but the primary one is an index with its name: a UNIQUE in the table would be one without, which
 * nothing could drop.
 *
 * @throws {ModelError} the table names a schema, or counts in a column that is not the whole primary key
 */
export function tableStatement(table: TableSchema, name = table.name): string {
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
  return createTable({ ...table, name }, lines, SYNTAX)
}

export const NO_SCHEMAS = 'SQLite has no schemas; leave the schema option out'

function refuseSchema(table: TableSchema): void {
  if (table.schema === undefined) return
  throw new ModelError(table.name, undefined, NO_SCHEMAS)
}

/** The column that counts. */
export function counterOf(table: TableSchema): ColumnSchema | undefined {
  const counter = table.columns.find((column) => column.default?.kind === 'increment')
  if (counter === undefined) return undefined
  if (table.primaryKey.columns.length === 1 && table.primaryKey.columns[0] === counter.name) return counter
  throw new ModelError(table.name, counter.name, 'SQLite counts only in a column that is the whole primary key')
}

/** Exactly INTEGER PRIMARY KEY counts. AUTOINCREMENT: without it the key of a deleted last row is given again. */
function counterLine({ name }: ColumnSchema, table: TableSchema): string {
  return `${quote(name)} INTEGER not null constraint ${quote(table.primaryKey.name)} primary key autoincrement`
}

/** A column as it stands in a table. */
export function columnLine(column: ColumnSchema, table: TableSchema): string {
  const { name, type, nullable, default: value } = column
  const isKey = table.primaryKey.columns.length === 1 && table.primaryKey.columns[0] === name
  // INTEGER would make the key an alias of the rowid, and SQLite would invent a value where none is given
  const declared = isKey && type.kind === 'integer' ? 'INT' : columnType(type)
  return `${quote(name)} ${declared}${nullable ? '' : ' not null'}${defaultClause(value, type)}`
}

/** ` default …`; empty without one. */
export function defaultClause(value: ColumnDefault | undefined, type: ColumnType): string {
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
