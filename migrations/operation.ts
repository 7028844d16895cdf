import { factName, type SchemaChange } from '../lib/model/schema-change.js'

/** What one change means, by the database's names: for readers of a migration, and for `merge` and `lint`. */
export interface Operation {
  readonly kind: SchemaChange['kind']
  /** The table as it was called before. */
  readonly table?: string
  /** The column, key, index, check or enum type. */
  readonly name?: string
  /** The new name of what was renamed. */
  readonly to?: string
}

/** A change in short. */
export function operationOf(change: SchemaChange): Operation {
  const { kind } = change
  if (kind === 'createSchema') return { kind, name: change.name }
  if (kind === 'createTable' || kind === 'dropTable') return { kind, table: factName(change.table) }
  if (!('table' in change)) return { kind, name: factName(change), ...(kind === 'renameEnum' ? { to: change.to } : {}) }
  const table = factName(change.before)
  switch (change.kind) {
    case 'renameTable':
      return { kind, table, to: factName(change.to) }
    case 'renameColumn':
      return { kind, table, name: change.from, to: change.to }
    case 'alterColumn':
      return { kind, table, name: change.from.name }
    case 'changePrimaryKey':
      return { kind, table, name: change.to.name }
    case 'comment':
      return { kind, table, ...(change.column === undefined ? {} : { name: change.column }) }
    default:
      return { kind, table, name: partOf(change).name }
  }
}

type Part =
  | 'addColumn'
  | 'dropColumn'
  | 'addUnique'
  | 'dropUnique'
  | 'createIndex'
  | 'dropIndex'
  | 'addForeignKey'
  | 'dropForeignKey'
  | 'addCheck'
  | 'dropCheck'

function partOf(change: Extract<SchemaChange, { kind: Part }>): { readonly name: string } {
  if ('column' in change) return change.column
  if ('unique' in change) return change.unique
  if ('index' in change) return change.index
  return 'foreignKey' in change ? change.foreignKey : change.check
}
