import { sameJson } from './json-text.js'
import type { ForeignKeySchema, TableSchema } from './schema.js'
import { factName } from './schema-change.js'
import type { TableDiff } from './table-diff.js'

/** The foreign keys that stay and cannot while a column or key of theirs changes: they go first, and come again last. */
export interface TouchedForeignKeys {
  of(diff: TableDiff): readonly ForeignKeySchema[]
  /** Those of a table that is to go, its targets called as they will be. */
  ofRemoved(table: TableSchema): readonly ForeignKeySchema[]
}

export function touchedForeignKeys(diffs: readonly TableDiff[]): TouchedForeignKeys {
  const targets = new Map(diffs.map((diff) => [factName(diff.after), diff]))
  const isTouched = ({ columns, target }: ForeignKeySchema, diff: Pick<TableDiff, 'renamed' | 'after'>) => {
    if (isRetyped(diff, columns)) return true
    const other = targets.get(factName({ ...target, name: target.table }))
    return other !== undefined && (isRetyped(other, target.columns) || losesKey(other, target.columns))
  }
  const found = new Map(diffs.map((diff) => [diff, keptForeignKeys(diff).filter((foreignKey) => isTouched(foreignKey, diff))]))
  return {
    of: (diff) => found.get(diff)!,
    ofRemoved: (table) => table.foreignKeys.filter((foreignKey) => isTouched(foreignKey, { renamed: table, after: table })),
  }
}

function isRetyped({ renamed, after }: Pick<TableDiff, 'renamed' | 'after'>, columns: readonly string[]): boolean {
  const typeIn = (table: TableSchema, name: string) => table.columns.find((column) => column.name === name)?.type
  return columns.some((name) => !sameJson(typeIn(renamed, name), typeIn(after, name)))
}

/**
 * Whether one of the keys that a foreign key may refer to by these columns goes, for another one to come or not. A primary key that is only
 * called otherwise stays.
 */
function losesKey({ renamed, after }: TableDiff, columns: readonly string[]): boolean {
  const keysOf = ({ primaryKey, uniques }: TableSchema) =>
    [{ columns: primaryKey.columns }, ...uniques].filter((key) => sameJson(key.columns, columns))
  return keysOf(renamed).some((key) => !keysOf(after).some((other) => sameJson(key, other)))
}

function keptForeignKeys({ renamed, after }: TableDiff): readonly ForeignKeySchema[] {
  return after.foreignKeys.filter((foreignKey) => renamed.foreignKeys.some((other) => sameJson(other, foreignKey)))
}
