import type { CheckSchema, ColumnSchema, Schema, TableSchema } from '../lib/model/schema.js'
import { factName, type SchemaChange, type TableChange } from '../lib/model/schema-change.js'

/** What a generated way back puts into rows, and what of their table may refuse it. */
export interface DoubtfulFill {
  /** `users.age` */
  readonly column: string
  /** Names of keys and checks. */
  readonly refusedBy: readonly string[]
}

/**
 * The columns that take no null and come back with a value of the type's own, such as 0, which a key or a check may refuse. Pure.
 *
 * @param changes  of the way back
 * @param past     the schema that it leads to
 */
export function doubtfulFills(changes: readonly SchemaChange[], past: Schema): readonly DoubtfulFill[] {
  return changes.flatMap((change) => {
    const column = filledColumn(change)
    if (column === undefined) return []
    const table = past.tables.find((each) => factName(each) === nameAtEnd(change as TableChange, changes))
    const refusedBy = table === undefined ? [] : constraintsOn(table, column)
    return table === undefined || refusedBy.length === 0 ? [] : [{ column: `${factName(table)}.${column.name}`, refusedBy }]
  })
}

function filledColumn(change: SchemaChange): ColumnSchema | undefined {
  if (change.kind !== 'addColumn' && change.kind !== 'alterColumn') return undefined
  if (change.backfill === undefined) return undefined
  return change.kind === 'addColumn' ? change.column : change.to
}

/** A table may get its name back after its columns. */
function nameAtEnd({ table }: TableChange, changes: readonly SchemaChange[]): string {
  const name = factName(table)
  const later = changes.find((other) => other.kind === 'renameTable' && factName(other.before) === name)
  return later?.kind === 'renameTable' ? factName(later.to) : name
}

function constraintsOn({ primaryKey, uniques, foreignKeys, checks }: TableSchema, column: ColumnSchema): readonly string[] {
  const isOn = ({ columns }: { readonly columns: readonly string[] }) => columns.includes(column.name)
  const keys = [primaryKey, ...uniques, ...foreignKeys].filter(isOn)
  const others = checks.filter((check) => (isOn(check) || check.columns.length === 0) && !listsValues(check, column))
  return [...keys, ...others].map(({ name }) => name)
}

/** The value for an enum is one of its list. */
function listsValues({ condition }: CheckSchema, { name, type }: ColumnSchema): boolean {
  return type.kind === 'enum' && JSON.stringify(condition) === JSON.stringify({ [name]: { $in: type.values } })
}
