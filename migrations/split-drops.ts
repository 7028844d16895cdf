import type { ColumnSchema, Schema, TableSchema } from '../lib/model/schema.js'
import { factName, type SchemaChange, type TableChange } from '../lib/model/schema-change.js'
import { EMPTY_SCHEMA } from '../lib/model/schema-diff.js'
import { SchemaDraft } from '../lib/model/schema-draft.js'

/** Changes without those that lose data, and the names of what these drop. */
export interface SplitDrops {
  /** After all changes but the drops. */
  readonly kept: Schema
  /** As facts name them: tables and columns. */
  readonly drops: readonly string[]
  /** What would have to be kept, and leaves its name to something else. */
  readonly taken: readonly string[]
}

/**
 * The schema that is between two releases: everything new is there, nothing old is gone, and nothing needs what goes. Pure.
 *
 * @param from     before the changes
 * @param changes  all of them, in order
 */
export function splitDrops(from: Schema | undefined, changes: readonly SchemaChange[]): SplitDrops {
  const lost = changes.flatMap((change) => {
    if (change.kind === 'dropTable') return [factName(change.table)]
    return change.kind === 'dropColumn' ? [`${factName(change.table)}.${change.column.name}`] : []
  })
  const draft = new SchemaDraft(from ?? EMPTY_SCHEMA)
  // what goes with a column may go before its table is renamed
  const drops = new Set([...lost, ...changes.flatMap((change) => (change.kind === 'renameTable' ? namesBefore(change, lost) : []))])
  const taken = changes.flatMap((change) => nameTaken(change, drops))
  for (const change of changes) {
    if (change.kind === 'createTable') draft.push(change)
    if (!('before' in change) || goesWithDrop(change, drops)) continue
    const { before, table: _, ...step } = change
    draft.alter(before, step)
  }
  return { kept: { version: 1, tables: draft.tables.map((table) => withoutDemands(table, drops)) }, drops: lost, taken }
}

/** What goes is renamed before only where it stands in the way of its name. */
function nameTaken(change: SchemaChange, drops: ReadonlySet<string>): readonly string[] {
  if (change.kind === 'renameTable') return drops.has(factName(change.to)) ? [factName(change.before)] : []
  if (change.kind !== 'renameColumn') return []
  const table = factName(change.table)
  return drops.has(`${table}.${change.to}`) ? [`${table}.${change.from}`] : []
}

function namesBefore({ before, to }: Extract<TableChange, { kind: 'renameTable' }>, lost: readonly string[]): readonly string[] {
  const prefix = `${factName(to)}.`
  return lost.filter((name) => name.startsWith(prefix)).map((name) => `${factName(before)}.${name.slice(prefix.length)}`)
}

/** The release that does without a column makes rows without a value in it. */
function withoutDemands(table: TableSchema, drops: ReadonlySet<string>): TableSchema {
  const isOptional = ({ name, default: value }: ColumnSchema) =>
    drops.has(`${factName(table)}.${name}`) && value === undefined && !table.primaryKey.columns.includes(name)
  return { ...table, columns: table.columns.map((column) => (isOptional(column) ? { ...column, nullable: true } : column)) }
}

/** The drop of a column, or of a key, index or check that is only dropped because of it. */
function goesWithDrop(change: TableChange, drops: ReadonlySet<string>): boolean {
  const table = factName(change.before)
  const isLost = (column: string) => drops.has(`${table}.${column}`)
  if (drops.has(table)) return true
  switch (change.kind) {
    case 'dropColumn':
      return true
    case 'dropUnique':
      return change.unique.columns.some(isLost)
    case 'dropIndex':
      return change.index.columns.some(isLost)
    case 'dropForeignKey':
      return (
        change.foreignKey.columns.some(isLost) || drops.has(factName({ ...change.foreignKey.target, name: change.foreignKey.target.table }))
      )
    case 'dropCheck':
      return change.check.columns.some(isLost)
    default:
      return false
  }
}
