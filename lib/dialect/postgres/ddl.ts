import type { ColumnType } from '../../model/column-type.js'
import { sameJson } from '../../model/json-text.js'
import type { TableSchema } from '../../model/schema.js'
import type { SchemaChange, TableChange } from '../../model/schema-change.js'
import { checkClause, columnList, createIndex, createTable, foreignKeyClause, qualifiedName } from '../ddl-clauses.js'
import { type DdlStatement, statements } from '../ddl-statement.js'
import { quoteStandard as quote } from '../quote-standard.js'
import { alterColumn } from './alter-column.js'
import { columnLine, defaultClause, SYNTAX, text } from './column-ddl.js'
import { replaceEnum } from './replace-enum.js'

/** The statements of changes of the schema on PostgreSQL. */
export function ddl(changes: readonly SchemaChange[]): readonly DdlStatement[] {
  return changes.flatMap((change) => changeStatements(withRenamedEnum(change, changes)))
}

/** A column follows the new name of its type; ALTER COLUMN would write every row anew for it. */
function withRenamedEnum(change: SchemaChange, all: readonly SchemaChange[]): SchemaChange {
  if (change.kind !== 'alterColumn') return change
  const { from, table } = change
  const nameNow = (type: ColumnType): ColumnType => {
    if (type.kind === 'array') return { ...type, of: nameNow(type.of) as typeof type.of }
    if (type.kind !== 'enum' || !type.native) return type
    const renamed = all.find((each) => each.kind === 'renameEnum' && each.name === type.name && each.schema === table.schema)
    return renamed?.kind === 'renameEnum' ? { ...type, name: renamed.to } : type
  }
  return { ...change, from: { ...from, type: nameNow(from.type) } }
}

function changeStatements(change: SchemaChange): readonly DdlStatement[] {
  switch (change.kind) {
    case 'createSchema':
      return statements(schemaStatement(change.name))
    case 'createEnum':
      return statements(`create type ${qualifiedName(change, SYNTAX)} as enum (${change.values.map(text).join(', ')})`)
    case 'renameEnum':
      return statements(`alter type ${qualifiedName(change, SYNTAX)} rename to ${quote(change.to)}`)
    case 'addEnumValue': {
      const place = change.next === undefined ? '' : ` before ${text(change.next)}`
      // a transaction cannot use a value that it has added
      return [{ sql: `alter type ${qualifiedName(change, SYNTAX)} add value ${text(change.value)}${place}`, ownTransaction: true }]
    }
    case 'replaceEnum':
      return statements(...replaceEnum(change))
    case 'dropEnum':
      return statements(`drop type ${qualifiedName(change, SYNTAX)}`)
    case 'createTable':
      return statements(...tableStatements(change.table))
    case 'dropTable':
      return statements(`drop table ${qualifiedName(change.table, SYNTAX)}`)
    default:
      return alterStatements(change)
  }
}

function alterStatements(change: TableChange): readonly DdlStatement[] {
  const { table } = change
  const alter = `alter table ${qualifiedName(table, SYNTAX)}`
  switch (change.kind) {
    case 'renameTable':
      return statements(...renameStatements(change.before, table))
    case 'renameColumn':
      return statements(`${alter} rename column ${quote(change.from)} to ${quote(change.to)}`)
    case 'addColumn':
      return statements(...addColumn(alter, change))
    case 'dropColumn':
      return statements(`${alter} drop column ${quote(change.column.name)}`)
    case 'alterColumn':
      return alterColumn(alter, change)
    case 'changePrimaryKey': {
      const [from, to] = [quote(change.from.name), quote(change.to.name)]
      if (sameJson(change.from.columns, change.to.columns)) return statements(`${alter} rename constraint ${from} to ${to}`)
      return statements(`${alter} drop constraint ${from}, add constraint ${to} primary key ${columnList(change.to.columns, SYNTAX)}`)
    }
    case 'addUnique':
      return statements(
        change.unique.where === undefined
          ? `${alter} add constraint ${quote(change.unique.name)} unique ${columnList(change.unique.columns, SYNTAX)}`
          : createIndex('unique index', table, change.unique, SYNTAX),
      )
    case 'dropUnique':
      return statements(
        change.unique.where === undefined
          ? `${alter} drop constraint ${quote(change.unique.name)}`
          : `drop index ${qualifiedName({ ...table, name: change.unique.name }, SYNTAX)}`,
      )
    case 'createIndex':
      return statements(createIndex('index', table, change.index, SYNTAX))
    case 'dropIndex':
      return statements(`drop index ${qualifiedName({ ...table, name: change.index.name }, SYNTAX)}`)
    case 'addForeignKey':
      return statements(`${alter} add ${foreignKeyClause(change.foreignKey, SYNTAX)}`)
    case 'dropForeignKey':
      return statements(`${alter} drop constraint ${quote(change.foreignKey.name)}`)
    case 'addCheck':
      return statements(`${alter} add ${checkClause(change.check, table, SYNTAX)}`)
    case 'dropCheck':
      return statements(`${alter} drop constraint ${quote(change.check.name)}`)
    case 'comment':
      return statements(commentStatement(table, change.column, change.comment))
  }
}

/** Not `create schema if not exists`: that wants the privilege to create one where it is there, too. */
function schemaStatement(name: string): string {
  const isMissing = `not exists (select from pg_catalog.pg_namespace where nspname = ${text(name)})`
  return `do ${text(`begin if ${isMissing} then create schema ${quote(name)}; end if; end`)}`
}

function tableStatements(table: TableSchema): readonly string[] {
  const whole = table.uniques.filter(({ where }) => where === undefined)
  const partial = table.uniques.filter(({ where }) => where !== undefined)
  const lines = [
    ...table.columns.map((column) => columnLine(column, table)),
    `constraint ${quote(table.primaryKey.name)} primary key ${columnList(table.primaryKey.columns, SYNTAX)}`,
    ...whole.map(({ name, columns }) => `constraint ${quote(name)} unique ${columnList(columns, SYNTAX)}`),
    ...table.checks.map((check) => checkClause(check, table, SYNTAX)),
  ]
  return [
    createTable(table, lines, SYNTAX),
    ...partial.map((unique) => createIndex('unique index', table, unique, SYNTAX)),
    ...(table.comment === undefined ? [] : [commentStatement(table, undefined, table.comment)]),
    ...table.columns.flatMap(({ name, comment }) => (comment === undefined ? [] : [commentStatement(table, name, comment)])),
  ]
}

function commentStatement(table: TableSchema, column: string | undefined, comment: string | undefined): string {
  const name = qualifiedName(table, SYNTAX)
  const object = column === undefined ? `table ${name}` : `column ${name}.${quote(column)}`
  return `comment on ${object} is ${comment === undefined ? 'null' : text(comment)}`
}

function renameStatements(before: TableSchema, after: TableSchema): readonly string[] {
  const isMoved = before.schema !== after.schema
  const { schema: _, ...unplaced } = before
  const moved = after.schema === undefined ? unplaced : { ...before, schema: after.schema }
  const rename = `alter table ${qualifiedName(isMoved ? moved : before, SYNTAX)} rename to ${quote(after.name)}`
  return [...(isMoved ? [moveStatement(before, after.schema)] : []), ...(before.name === after.name ? [] : [rename])]
}

/** @param schema  undefined: the connection's own, whose name the server alone knows */
function moveStatement(table: TableSchema, schema: string | undefined): string {
  const move = `alter table ${qualifiedName(table, SYNTAX)} set schema`
  if (schema !== undefined) return `${move} ${quote(schema)}`
  const format = text(`${move.replaceAll('%', '%%')} %I`)
  return `do ${text(`begin execute pg_catalog.format(${format}, pg_catalog.current_schema()); end`)}`
}

/** What the rows that are there get is the default for the length of one statement: no row is written anew for it. */
function addColumn(alter: string, { column, backfill, table }: Extract<TableChange, { kind: 'addColumn' }>): readonly string[] {
  const { name, comment, default: own } = column
  const commented = comment === undefined ? [] : [commentStatement(table, name, comment)]
  if (backfill === undefined) return [`${alter} add column ${columnLine(column, table)}`, ...commented]
  const filled = columnLine({ ...column, default: { kind: 'value', value: backfill } }, table)
  const back = own === undefined ? 'drop default' : `set${defaultClause(own, column.type, table.schema)}`
  return [`${alter} add column ${filled}`, `${alter} alter column ${quote(name)} ${back}`, ...commented]
}
