import type { IndexSchema, TableSchema, UniqueSchema } from '../../model/schema.js'
import { factName, type SchemaChange, type TableChange } from '../../model/schema-change.js'
import { columnList, createIndex, qualifiedName } from '../ddl-clauses.js'
import { quote, SYNTAX } from './column-ddl.js'
import { hiddenColumn, hiddenName, isHidden, keyColumns } from './hidden-column.js'
import { refuseLongKey } from './key-length.js'

/** A key or index that comes or goes. */
export type IndexChange = Extract<TableChange, { kind: 'addUnique' | 'dropUnique' | 'createIndex' | 'dropIndex' }>

/** One that takes the place of another by its name does so in one statement: a foreign key may need either. */
export function indexStatements(change: IndexChange, last: SchemaChange | undefined, next: SchemaChange | undefined): readonly string[] {
  if (replaces(change, next)) return []
  const alter = `alter table ${qualifiedName(change.table, SYNTAX)}`
  if (last !== undefined && replaces(last, change)) {
    return [`${alter} ${[...dropClauses(last as IndexChange), ...addClauses(change)].join(', ')}`]
  }
  if (isDrop(change)) return [`${alter} ${dropClauses(change).join(', ')}`]
  const index = indexOf(change)
  const clauses = addClauses(change)
  return change.kind === 'addUnique' || isHidden(index)
    ? [`${alter} ${clauses.join(', ')}`]
    : [createIndex('index', change.table, index, SYNTAX)]
}

function replaces(lost: SchemaChange, fresh: SchemaChange | undefined): boolean {
  if (!isIndexChange(lost) || fresh === undefined || !isIndexChange(fresh)) return false
  return isDrop(lost) && !isDrop(fresh) && factName(lost.table) === factName(fresh.table) && indexOf(lost).name === indexOf(fresh).name
}

function isIndexChange(change: SchemaChange): change is IndexChange {
  return change.kind === 'addUnique' || change.kind === 'dropUnique' || change.kind === 'createIndex' || change.kind === 'dropIndex'
}

function isDrop({ kind }: IndexChange): boolean {
  return kind === 'dropUnique' || kind === 'dropIndex'
}

function indexOf(change: IndexChange): IndexSchema | UniqueSchema {
  return 'unique' in change ? change.unique : change.index
}

function dropClauses(change: IndexChange): readonly string[] {
  return dropIndexClauses(indexOf(change))
}

function addClauses(change: IndexChange): readonly string[] {
  return addIndexClauses(change.table, indexOf(change), change.kind === 'addUnique')
}

/** For an ALTER TABLE, with the hidden column where there is one. */
export function dropIndexClauses(index: IndexSchema | UniqueSchema): readonly string[] {
  const hidden = isHidden(index) ? [`drop column ${quote(hiddenName(index))}`] : []
  return [`drop index ${quote(index.name)}`, ...hidden]
}

/** For an ALTER TABLE, with the hidden column where there is one. */
export function addIndexClauses(table: TableSchema, index: IndexSchema | UniqueSchema, isUnique: boolean): readonly string[] {
  refuseLongKey(table, index.columns)
  const hidden = isHidden(index) ? [`add column ${hiddenColumn(table, index)}`] : []
  const keys = `${quote(index.name)} ${columnList(keyColumns(index), SYNTAX)}`
  return [...hidden, isUnique ? `add unique index ${keys}` : `add index ${keys}`]
}
