import { alterTable } from '../../model/alter-table.js'
import { sameJson } from '../../model/json-text.js'
import type { ColumnSchema, TableSchema } from '../../model/schema.js'
import type { SchemaChange, TableChange } from '../../model/schema-change.js'
import { createIndex } from '../ddl-clauses.js'
import { type DdlStatement, statements } from '../ddl-statement.js'
import { quoteStandard as quote } from '../quote-standard.js'
import { columnType, literal, SYNTAX } from './column-ddl.js'
import { columnLine, tableStatement } from './table-ddl.js'

/** What stands in the place of some changes: a rebuild where the last of a table's would be, nothing or a drop at the others. */
export function planRebuilds(changes: readonly SchemaChange[]): ReadonlyMap<SchemaChange, readonly DdlStatement[]> {
  const plan = new Map<SchemaChange, readonly DdlStatement[]>()
  for (const { present, group } of alteredTables(changes)) {
    if (!needsRebuild(group)) continue
    for (const change of group) if (!isDropOfIndex(change)) plan.set(change, [])
    const last = group.at(-1)!
    plan.set(last, [...(isDropOfIndex(last) ? dropIndex(last) : []), rebuild(present, group), ...newIndexes(group)])
  }
  return plan
}

interface AlteredTable {
  /** As it stands when only what SQLite does itself has been done: the renames. */
  present: TableSchema
  readonly group: TableChange[]
}

/** The changes of each table that was there, but for renames, and comments, which SQLite has not. */
function alteredTables(changes: readonly SchemaChange[]): readonly AlteredTable[] {
  const made = new Set(changes.flatMap((change) => (change.kind === 'createTable' ? [change.table.name] : [])))
  const altered = new Map<string, AlteredTable>()
  for (const change of changes) {
    if (!('before' in change) || made.has(change.table.name) || change.kind === 'comment') continue
    const { before, table, ...step } = change
    const found = altered.get(before.name) ?? { present: before, group: [] }
    altered.delete(before.name)
    altered.set(table.name, found)
    if (step.kind === 'renameTable' || step.kind === 'renameColumn') found.present = alterTable(found.present, step)
    else found.group.push(change)
  }
  return [...altered.values()]
}

function needsRebuild(group: readonly TableChange[]): boolean {
  return group.some((change) => {
    switch (change.kind) {
      case 'addColumn':
        return !canBeAdded(change.column, change.backfill)
      case 'alterColumn':
        return !isSameColumn(change)
      case 'dropColumn':
        // its check stands in the table
        return isNativeEnum(change.column.type)
      case 'changePrimaryKey':
      case 'addCheck':
      case 'dropCheck':
        return true
      case 'addForeignKey':
        return !group.some((other) => other.kind === 'dropForeignKey' && sameJson(other.foreignKey, change.foreignKey))
      case 'dropForeignKey':
        return !group.some((other) => other.kind === 'addForeignKey' && sameJson(other.foreignKey, change.foreignKey))
      default:
        return false
    }
  })
}

/** ADD COLUMN takes what needs no look at the rows: null, or a constant. A native enum brings a check. */
function canBeAdded({ type, nullable, default: value }: ColumnSchema, backfill: unknown): boolean {
  if (backfill !== undefined || (type.kind === 'enum' && type.native) || (type.kind === 'array' && isNativeEnum(type.of))) return false
  return value === undefined ? nullable : value.kind === 'value'
}

function isNativeEnum(type: ColumnSchema['type']): boolean {
  return type.kind === 'enum' && type.native
}

/** Whether the column is written alike before and after, its check included. */
function isSameColumn({ from, to, table, before }: Extract<TableChange, { kind: 'alterColumn' }>): boolean {
  if (isNativeEnum(to.type) && !sameJson(from.type, to.type)) return false
  return columnLine(from, before) === columnLine(to, table) && from.default?.kind === to.default?.kind
}

function rebuild(present: TableSchema, group: readonly TableChange[]): DdlStatement {
  const table = group.at(-1)!.table
  const filled = table.columns.flatMap((column): (readonly [string, string])[] => {
    const value = sourceOf(column, present, group)
    return value === undefined ? [] : [[quote(column.name), value]]
  })
  const fresh = `__latchwork_new_${table.name}`
  const [columns, values] = [0, 1].map((part) => filled.map((pair) => pair[part]).join(', '))
  const insert = `insert into ${quote(fresh)} (${columns})\nselect ${values} from ${quote(table.name)}`
  return { sql: `${tableStatement(table, fresh)};\n${insert}`, rebuild: table.name }
}

/** What the rows that are there get in a column; undefined: its default, or null. */
function sourceOf(column: ColumnSchema, { columns }: TableSchema, group: readonly TableChange[]): string | undefined {
  const former = columns.find(({ name }) => name === column.name)
  const fill = group
    .flatMap((change) => {
      if (change.kind === 'addColumn' && change.column.name === column.name) return [change.backfill]
      return change.kind === 'alterColumn' && change.to.name === column.name ? [change.backfill] : []
    })
    .find((backfill) => backfill !== undefined)
  if (former === undefined) return fill === undefined ? undefined : literal(fill, column.type)
  const kept = converted(quote(column.name), former, column)
  return fill === undefined ? kept : `coalesce(${kept}, ${literal(fill, column.type)})`
}

/** A value in the stored form of its new type; what does not fit a narrower one is refused by the reader or a check, as ever in SQLite. */
function converted(value: string, { type: from }: ColumnSchema, { type: to }: ColumnSchema): string {
  if (from.kind === 'timestamp' && to.kind === 'timestamp' && from.precision !== to.precision) {
    return `substr(${value}, 1, 23) || '${to.precision === 6 ? '000Z' : 'Z'}'`
  }
  if (from.kind === 'float' && columnType(to) === 'INTEGER') return `cast(round(${value}) as integer)`
  return value
}

function isDropOfIndex(change: TableChange): change is Extract<TableChange, { kind: 'dropIndex' | 'dropUnique' }> {
  return change.kind === 'dropIndex' || change.kind === 'dropUnique'
}

function dropIndex(change: Extract<TableChange, { kind: 'dropIndex' | 'dropUnique' }>): readonly DdlStatement[] {
  return statements(`drop index ${quote('unique' in change ? change.unique.name : change.index.name)}`)
}

function newIndexes(group: readonly TableChange[]): readonly DdlStatement[] {
  return group.flatMap((change) => {
    if (change.kind === 'createIndex') return statements(createIndex('index', change.table, change.index, SYNTAX))
    return change.kind === 'addUnique' ? statements(createIndex('unique index', change.table, change.unique, SYNTAX)) : []
  })
}
