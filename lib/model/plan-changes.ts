import { diffEnums, enumDecisions, replaceEnums } from './enum-diff.js'
import type { MatchedSchemas, MatchedTable } from './match-schemas.js'
import type { Schema, TableSchema } from './schema.js'
import { factName, type SchemaChange, type SchemaDecision, type TableStep } from './schema-change.js'
import { isTarget, SchemaDraft } from './schema-draft.js'
import { renameAll } from './schema-renames.js'
import { type Backfill, diffTable, nameOfIndexStep, type TableDiff } from './table-diff.js'
import { touchedForeignKeys } from './touched-foreign-keys.js'

/** How rows that are there are treated. */
export interface RowTreatment {
  backfillOf(table: MatchedTable): Backfill
  /** Enum types get whatever values they are to have, instead of a decision. */
  readonly replacesEnums: boolean
}

/** Each matched table with its columns, and what it refers to, called as they will be. */
export function renamedTables(from: Schema, match: MatchedSchemas): readonly TableSchema[] {
  const scratch = new SchemaDraft(from)
  renameAll(scratch, match)
  return match.matched.map(({ after }) => scratch.table(after))
}

/** All steps in an order that every engine can run: whatever stands on something else goes before it, and comes after it. */
export function planChanges(
  from: Schema,
  match: MatchedSchemas,
  renamed: readonly TableSchema[],
  treatment: RowTreatment,
): { readonly changes: readonly SchemaChange[]; readonly decisions: readonly SchemaDecision[] } {
  const { matched, added } = match
  const draft = new SchemaDraft(from)
  const diffs = matched.map((each, position) => diffTable(renamed[position]!, each.after, movedNames(each), treatment.backfillOf(each)))
  const after = [...matched.map((each) => each.after), ...added]
  const enums = diffEnums(match, from.tables, after)
  const touched = touchedForeignKeys(diffs)
  const run = (stage: (diff: TableDiff) => readonly TableStep[]) => {
    for (const diff of diffs) for (const step of stage(diff)) draft.alter(diff.after, step)
  }
  for (const name of newSchemas(from.tables, after)) draft.push({ kind: 'createSchema', name })
  for (const change of enums.early) draft.push(change)
  diffs.forEach((diff, position) => {
    const { before } = matched[position]!
    const again = touched.of(diff).map((foreignKey): TableStep => ({ kind: 'dropForeignKey', foreignKey }))
    for (const step of [...diff.dropForeignKeys, ...again, ...diff.dropConditions]) draft.alter(before, asNamedIn(before, step))
  })
  renameAll(draft, match)
  for (const table of removedOf(draft, after)) {
    for (const foreignKey of touched.ofRemoved(table)) draft.alter(table, { kind: 'dropForeignKey', foreignKey })
  }
  if (treatment.replacesEnums) for (const change of replaceEnums(draft.tables, enums)) draft.push(change)
  for (const table of added) draft.push({ kind: 'createTable', table })
  run(({ columns }) => columns)
  run(({ key }) => key)
  const claimed = claimedIndexes(diffs)
  run(({ indexes }) => indexes.filter((step) => claimed.has(step)))
  run(({ indexes }) => indexes.filter((step) => !claimed.has(step)))
  for (const table of added) for (const index of table.indexes) draft.alter(table, { kind: 'createIndex', index })
  run(({ dropColumns }) => dropColumns)
  run(({ addChecks }) => addChecks)
  run((diff) => [...diff.addForeignKeys, ...touched.of(diff).map((foreignKey): TableStep => ({ kind: 'addForeignKey', foreignKey }))])
  for (const table of added) for (const foreignKey of table.foreignKeys) draft.alter(table, { kind: 'addForeignKey', foreignKey })
  dropTables(draft, after)
  for (const change of enums.late) draft.push(change)
  run(({ comments }) => comments)
  return { changes: draft.changes, decisions: treatment.replacesEnums ? [] : enumDecisions(enums) }
}

function movedNames({ before, columns }: MatchedTable): readonly string[] {
  return before.columns.flatMap(({ name }) => (columns.get(name) === name ? [] : [name]))
}

function newSchemas(from: readonly TableSchema[], to: readonly TableSchema[]): ReadonlySet<string> {
  const known = new Set(from.map(({ schema }) => schema))
  return new Set(to.flatMap(({ schema }) => (schema === undefined || known.has(schema) ? [] : [schema])))
}

/** A step that takes something away before the renames: what it takes is told as it is then. */
function asNamedIn({ foreignKeys, checks, indexes }: TableSchema, step: TableStep): TableStep {
  const find = <T extends { readonly name: string }>(list: readonly T[], { name }: T) => list.find((part) => part.name === name)!
  switch (step.kind) {
    case 'dropForeignKey':
      return { ...step, foreignKey: find(foreignKeys, step.foreignKey) }
    case 'dropCheck':
      return { ...step, check: find(checks, step.check) }
    case 'dropIndex':
      return { ...step, index: find(indexes, step.index) }
    default:
      return step
  }
}

/** Indexes and keys that go, of whose names another table makes use. */
function claimedIndexes(diffs: readonly TableDiff[]): ReadonlySet<TableStep> {
  const isDrop = ({ kind }: TableStep) => kind === 'dropIndex' || kind === 'dropUnique'
  const users = new Map<string, TableDiff>()
  for (const diff of diffs) for (const step of diff.indexes) if (!isDrop(step)) users.set(nameOfIndexStep(step), diff)
  const isClaimed = (diff: TableDiff) => (step: TableDiff['indexes'][number]) => {
    const user = users.get(nameOfIndexStep(step))
    return isDrop(step) && user !== undefined && user !== diff
  }
  return new Set(diffs.flatMap((diff) => diff.indexes.filter(isClaimed(diff))))
}

/** Those first that no other refers to; of a circle, one whose foreign keys from the others go before it. */
function dropTables(draft: SchemaDraft, after: readonly TableSchema[]): void {
  let left = removedOf(draft, after)
  while (left.length > 0) {
    const referring = (to: TableSchema) => left.filter((table) => table !== to && foreignKeysTo(to, table).length > 0)
    const next = left.find((table) => referring(table).length === 0) ?? left[0]!
    for (const table of referring(next)) {
      for (const foreignKey of foreignKeysTo(next, table)) draft.alter(table, { kind: 'dropForeignKey', foreignKey })
    }
    draft.push({ kind: 'dropTable', table: next })
    left = left.filter((table) => table !== next).map((table) => draft.table(table))
  }
}

/** After the renames: the tables that are there and not to be. */
function removedOf(draft: SchemaDraft, after: readonly TableSchema[]): readonly TableSchema[] {
  const kept = new Set(after.map(factName))
  return draft.tables.filter((table) => !kept.has(factName(table)))
}

function foreignKeysTo(target: TableSchema, table: TableSchema): TableSchema['foreignKeys'] {
  return table.foreignKeys.filter((foreignKey) => isTarget(foreignKey.target, target))
}
