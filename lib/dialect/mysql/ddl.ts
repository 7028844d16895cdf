import { ModelError } from '../../errors.js'
import { sameJson } from '../../model/json-text.js'
import type { ForeignKeySchema, TableSchema } from '../../model/schema.js'
import type { SchemaChange, TableChange } from '../../model/schema-change.js'
import { checkClause, columnList, createTable, foreignKeyClause, qualifiedName } from '../ddl-clauses.js'
import { type DdlStatement, statements } from '../ddl-statement.js'
import type { DdlWriter } from '../dialect.js'
import { addColumn, alterColumn, renameColumn } from './alter-column.js'
import { COLLATION } from './collation.js'
import { columnLine, commentClause, quote, SYNTAX } from './column-ddl.js'
import { hiddenColumn, keyColumns } from './hidden-column.js'
import { indexStatements } from './index-ddl.js'
import { refuseLongKey } from './key-length.js'

/** Compared by code point, in an engine with transactions and foreign keys. */
const TABLE_OPTIONS = `engine=InnoDB character set utf8mb4 collate ${COLLATION}`

/**
 * The statements of changes of the schema, for MySQL and MariaDB alike.
 *
 * @throws {ModelError} a key over text or bytes without a length, or over too many bytes; a counter that is no key; ON … SET DEFAULT;
 *   an action that changes a column of a check
 */
export function ddl(changes: readonly SchemaChange[]): readonly DdlStatement[] {
  return changes.flatMap((change, position) => changeStatements(change, changes[position - 1], changes[position + 1]))
}

/** {@link ddl} for a connection whose own database has this name. */
export function ddlIn(database: string | undefined): DdlWriter {
  return (changes) => ddl(changes.map((change) => withOwnDatabase(change, database)))
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

function changeStatements(change: SchemaChange, last: SchemaChange | undefined, next: SchemaChange | undefined): readonly DdlStatement[] {
  switch (change.kind) {
    case 'createSchema':
      // a database of the whole server: not for tables of one to make
      return []
    case 'createEnum':
    case 'renameEnum':
    case 'addEnumValue':
    case 'replaceEnum':
    case 'dropEnum':
      // ENUM lists its values in each column
      return []
    case 'createTable':
      return statements(tableStatement(change.table))
    case 'dropTable':
      return statements(`drop table ${qualifiedName(change.table, SYNTAX)}`)
    case 'addUnique':
    case 'dropUnique':
    case 'createIndex':
    case 'dropIndex':
      return statements(...indexStatements(change, last, next))
    default:
      return statements(...alterStatements(change))
  }
}

type Alteration = Exclude<TableChange, { kind: 'addUnique' | 'dropUnique' | 'createIndex' | 'dropIndex' }>

function alterStatements(change: Alteration): readonly string[] {
  const { table } = change
  const alter = `alter table ${qualifiedName(table, SYNTAX)}`
  switch (change.kind) {
    case 'renameTable':
      return [`rename table ${qualifiedName(change.before, SYNTAX)} to ${qualifiedName(table, SYNTAX)}`]
    case 'renameColumn':
      return renameColumn(alter, change)
    case 'addColumn':
      return addColumn(alter, change)
    case 'dropColumn':
      return [`${alter} drop column ${quote(change.column.name)}`]
    case 'alterColumn':
      return alterColumn(alter, change)
    case 'changePrimaryKey':
      // the engine calls every primary key PRIMARY: another name alone has nothing to say to it
      if (sameJson(change.from.columns, change.to.columns)) return []
      refuseLongKey(table, change.to.columns)
      return [`${alter} drop primary key, add primary key ${columnList(change.to.columns, SYNTAX)}`]
    case 'addForeignKey':
      return [foreignKeyStatement(table, change.foreignKey)]
    case 'dropForeignKey':
      return [`${alter} drop foreign key ${quote(change.foreignKey.name)}`]
    case 'addCheck':
      for (const foreignKey of table.foreignKeys) refuseUncheckedChange(table, foreignKey)
      return [`${alter} add ${checkClause(change.check, table, SYNTAX)}`]
    case 'dropCheck':
      return [`${alter} drop constraint ${quote(change.check.name)}`]
    case 'comment': {
      if (change.column === undefined) return [`${alter}${commentClause(change.comment ?? '')}`]
      const column = table.columns.find(({ name }) => name === change.column)!
      return [`${alter} modify column ${columnLine(column, table)}`]
    }
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
