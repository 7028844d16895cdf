import { frozenCopy } from './frozen-copy.js'
import { keepNames } from './kept-names.js'
import { type MatchedSchemas, matchSchemas } from './match-schemas.js'
import { planChanges, renamedTables } from './plan-changes.js'
import type { Schema, TableSchema } from './schema.js'
import { factName, type SchemaChange, type SchemaDecision, type SchemaFacts } from './schema-change.js'
import { backfillOf, valueDecisions } from './value-decisions.js'

/** How one schema becomes another. */
export interface SchemaDiff {
  /** In an order that can be run; empty while there are decisions. */
  readonly changes: readonly SchemaChange[]
  /** All that a person has to say first, at once; nothing is guessed. */
  readonly decisions: readonly SchemaDecision[]
  /**
   * What is there after the changes: the models' schema, with the names that keys, indexes and constraints were made with. The next
   * difference starts from it.
   */
  readonly schema: Schema
  /** The tables and columns that were found renamed, by whatever said so. */
  readonly renamed: Required<Pick<SchemaFacts, 'renamedTables' | 'renamedColumns'>>
}

/** Nothing. */
export const EMPTY_SCHEMA: Schema = Object.freeze({ version: 1, tables: Object.freeze([]) })

/**
 * The steps that turn one schema into another, or the decisions that are missing for them. Pure, and the same for the same schemas.
 *
 * The order of tables, columns, keys, indexes and checks is never a difference. A rename is stated, by `renamedFrom` or a fact, and a drop
 * is approved by one; else what is gone is a decision. A wider type changes a column where it stands; a narrower one is a decision.
 *
 * @param from  what is there; undefined: nothing
 */
export function diffSchemas(from: Schema | undefined, to: Schema, facts: SchemaFacts = {}): SchemaDiff {
  const present = from ?? EMPTY_SCHEMA
  const match = matchSchemas(present, to, facts)
  const renamed = renamedTables(present, match)
  const kept = keepNames(
    match.matched.map(({ after }, position) => ({ renamed: renamed[position]!, after })),
    match.added,
    match.removed,
  )
  const named: MatchedSchemas = {
    ...match,
    matched: match.matched.map((each, position) => ({ ...each, after: kept.matched[position]! })),
    added: kept.added,
  }
  const plan = planChanges(present, named, renamed, {
    backfillOf: (table) => (column) => backfillOf(table, column, facts),
    replacesEnums: false,
  })
  const decisions = [...match.decisions, ...plan.decisions, ...valueDecisions(named, facts)]
  return frozenCopy<SchemaDiff>({
    changes: decisions.length === 0 ? plan.changes : [],
    decisions,
    schema: { ...to, tables: inOrderOf(to, [...kept.matched, ...kept.added]) },
    renamed: renamesOf(match),
  })
}

function inOrderOf(to: Schema, tables: readonly TableSchema[]): readonly TableSchema[] {
  const byName = new Map(tables.map((table) => [factName(table), table]))
  return to.tables.map((table) => byName.get(factName(table))!)
}

function renamesOf({ matched }: MatchedSchemas): SchemaDiff['renamed'] {
  const tables = matched.filter(({ before, after }) => factName(before) !== factName(after))
  const columns = matched.flatMap(({ before, columns }) =>
    [...columns].filter(([from, to]) => from !== to).map(([from, to]) => [`${factName(before)}.${from}`, to] as const),
  )
  return {
    renamedTables: Object.fromEntries(tables.map(({ before, after }) => [factName(before), factName(after)])),
    renamedColumns: Object.fromEntries(columns),
  }
}
