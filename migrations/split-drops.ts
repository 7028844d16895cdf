import { alterTable } from '../lib/model/alter-table.js'
import type { Schema, TableSchema } from '../lib/model/schema.js'
import { factName, type SchemaChange, type TableChange } from '../lib/model/schema-change.js'
import { EMPTY_SCHEMA } from '../lib/model/schema-diff.js'

/** Changes without those that lose data, and the names of what these drop. */
export interface SplitDrops {
  /** After all changes but the drops. */
  readonly kept: Schema
  /** As facts name them: tables and columns. */
  readonly drops: readonly string[]
}

/**
 * The schema that is between two releases: everything new is there, and nothing old is gone. Pure.
 *
 * @param from     before the changes
 * @param changes  all of them, in order
 */
export function splitDrops(from: Schema | undefined, changes: readonly SchemaChange[]): SplitDrops {
  const lost = changes.flatMap((change) => {
    if (change.kind === 'dropTable') return [factName(change.table)]
    return change.kind === 'dropColumn' ? [`${factName(change.table)}.${change.column.name}`] : []
  })
  const drops = new Set(lost)
  const tables = new Map((from ?? EMPTY_SCHEMA).tables.map((table) => [factName(table), table]))
  for (const change of changes) {
    if (change.kind === 'createTable') tables.set(factName(change.table), change.table)
    if (!('before' in change) || goesWithDrop(change, drops)) continue
    const { before, table: _, ...step } = change
    const next = alterTable(tables.get(factName(before))!, step)
    tables.delete(factName(before))
    tables.set(factName(next), next)
  }
  return { kept: { version: 1, tables: [...tables.values()] as readonly TableSchema[] }, drops: lost }
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
