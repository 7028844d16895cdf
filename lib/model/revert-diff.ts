import type { ColumnType } from './column-type.js'
import { frozenCopy } from './frozen-copy.js'
import { matchSchemas } from './match-schemas.js'
import { planChanges, renamedTables } from './plan-changes.js'
import type { Schema } from './schema.js'
import { factName, type SchemaChange, type SchemaFacts } from './schema-change.js'
import { EMPTY_SCHEMA, type SchemaDiff } from './schema-diff.js'
import { isWidening } from './type-widening.js'

/** Why a way back does not lead to the rows of before. Names as in {@link SchemaFacts}, of the schema that is gone back to, or from. */
export type SchemaLoss =
  /**
   * It was dropped, and comes back empty; a column that takes no null comes back with zeros, empty texts and the like. Or its nulls were
   * filled, and stay so.
   */
  | { readonly kind: 'notRestored'; readonly table: string; readonly column?: string }
  /** It was made, and goes with all that was written since. */
  | { readonly kind: 'dropped'; readonly table: string; readonly column?: string }
  /** What was written since may not fit the type of before: the way back then fails and changes nothing. */
  | { readonly kind: 'narrowed'; readonly table: string; readonly column: string }

export interface SchemaRevert {
  readonly changes: readonly SchemaChange[]
  /** Empty: the way back restores every row. */
  readonly losses: readonly SchemaLoss[]
}

/**
 * The way back of a difference: to the same schema with the same names, with what that loses. Asks nothing.
 *
 * @param from  what was there before; undefined: nothing
 */
export function revertOf(from: Schema | undefined, diff: SchemaDiff): SchemaRevert {
  const past = from ?? EMPTY_SCHEMA
  const match = matchSchemas(diff.schema, past, inverted(diff.renamed))
  const { changes } = planChanges(diff.schema, match, renamedTables(diff.schema, match), {
    backfillOf: () => (column) => (column.nullable || column.default !== undefined ? undefined : zeroOf(column.type)),
    replacesEnums: true,
  })
  return frozenCopy<SchemaRevert>({ changes, losses: [...changes.flatMap(lossOf), ...diff.changes.flatMap(filledNulls)] })
}

function filledNulls(change: SchemaChange): readonly SchemaLoss[] {
  if (change.kind !== 'alterColumn' || change.backfill === undefined) return []
  return [{ kind: 'notRestored', table: factName(change.table), column: change.to.name }]
}

function inverted({ renamedTables: tables, renamedColumns }: SchemaDiff['renamed']): SchemaFacts {
  const columns = Object.entries(renamedColumns).map(([from, to]) => {
    const dot = from.lastIndexOf('.')
    return [`${from.slice(0, dot)}.${to}`, from.slice(dot + 1)] as const
  })
  return {
    renamedTables: Object.fromEntries(Object.entries(tables).map(([from, to]) => [to, from])),
    renamedColumns: Object.fromEntries(columns),
  }
}

function lossOf(change: SchemaChange): readonly SchemaLoss[] {
  switch (change.kind) {
    case 'createTable':
      return [{ kind: 'notRestored', table: factName(change.table) }]
    case 'dropTable':
      return [{ kind: 'dropped', table: factName(change.table) }]
    case 'addColumn':
      return [{ kind: 'notRestored', table: factName(change.table), column: change.column.name }]
    case 'dropColumn':
      return [{ kind: 'dropped', table: factName(change.table), column: change.column.name }]
    case 'alterColumn':
      return isWidening(change.from.type, change.to.type)
        ? []
        : [{ kind: 'narrowed', table: factName(change.table), column: change.to.name }]
    default:
      return []
  }
}

/** JSON of a value that every column of the type holds. */
function zeroOf(type: ColumnType): unknown {
  switch (type.kind) {
    case 'integer':
    case 'float':
      return 0
    case 'bigint':
      return '0'
    case 'decimal':
      return type.scale === 0 ? '0' : `0.${'0'.repeat(type.scale)}`
    case 'boolean':
      return false
    case 'date':
      return '1970-01-01'
    case 'time':
      return '00:00:00'
    case 'timestamp':
      return `1970-01-01T00:00:00.${'0'.repeat(type.precision)}Z`
    case 'uuid':
      return '00000000-0000-0000-0000-000000000000'
    case 'enum':
      return type.values[0]
    case 'json':
      return null
    case 'array':
      return []
    default:
      return ''
  }
}
