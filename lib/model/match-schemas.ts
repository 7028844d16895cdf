import { sameJson } from './json-text.js'
import { type ColumnSchema, type Schema, type TableSchema, withoutFormerNames } from './schema.js'
import { factName, type SchemaDecision, type SchemaFacts } from './schema-change.js'

/** A table that both schemas have, and what became of its columns. */
export interface MatchedTable {
  readonly before: TableSchema
  readonly after: TableSchema
  /** Former name → name now, of the columns that both have. */
  readonly columns: ReadonlyMap<string, string>
}

export interface MatchedSchemas {
  readonly matched: readonly MatchedTable[]
  readonly added: readonly TableSchema[]
  readonly removed: readonly TableSchema[]
  readonly decisions: readonly SchemaDecision[]
}

/** Which tables and columns of two schemas are the same, by what is stated alone: names, `renamedFrom` and facts. */
export function matchSchemas(from: Schema, to: Schema, facts: SchemaFacts): MatchedSchemas {
  const tables = matchTables(from, to, facts)
  const plain = new Map(withoutFormerNames(to).tables.map((table, position) => [to.tables[position]!, table]))
  const matched = tables.pairs.map(([before, after]) => ({
    before,
    after: plain.get(after)!,
    columns: matchColumns(before, after, facts),
  }))
  return {
    matched,
    added: tables.added.map((table) => plain.get(table)!),
    removed: tables.removed,
    decisions: [
      ...unknownFacts(from, to, matched, facts),
      ...tableDecisions(tables.removed, tables.added, facts),
      ...matched.flatMap((table) => columnDecisions(table, facts)),
    ],
  }
}

/** The columns of a matched table that are only before, and only after. */
export function unmatchedColumns({ before, after, columns }: MatchedTable): {
  readonly removed: readonly ColumnSchema[]
  readonly added: readonly ColumnSchema[]
} {
  const kept = new Set(columns.values())
  return { removed: before.columns.filter(({ name }) => !columns.has(name)), added: after.columns.filter(({ name }) => !kept.has(name)) }
}

function matchTables(from: Schema, to: Schema, { renamedTables = {} }: SchemaFacts) {
  const olds = new Map(from.tables.map((table) => [factName(table), table]))
  const news = new Map(to.tables.map((table) => [factName(table), table]))
  const pairs: (readonly [before: TableSchema, after: TableSchema])[] = []
  const pair = (oldName: string, newName: string) => {
    const [before, after] = [olds.get(oldName), news.get(newName)]
    if (before === undefined || after === undefined) return
    olds.delete(oldName)
    news.delete(newName)
    pairs.push([before, after])
  }
  for (const [oldName, newName] of Object.entries(renamedTables)) pair(oldName, newName)
  takeFormerNames(olds, news, (table) => table.renamedFrom && factName({ ...table, name: table.renamedFrom }), pair)
  for (const name of [...news.keys()]) pair(name, name)
  const order = new Map(to.tables.map((table, position) => [table, position]))
  pairs.sort(([, one], [, other]) => order.get(one)! - order.get(other)!)
  return { pairs, added: [...news.values()], removed: [...olds.values()] }
}

function matchColumns(before: TableSchema, after: TableSchema, { renamedColumns = {} }: SchemaFacts): ReadonlyMap<string, string> {
  const olds = new Set(before.columns.map(({ name }) => name))
  const news = new Map(after.columns.map((column) => [column.name, column]))
  const matched = new Map<string, string>()
  const match = (oldName: string, newName: string | undefined) => {
    if (newName === undefined || !olds.has(oldName) || !news.has(newName)) return
    olds.delete(oldName)
    news.delete(newName)
    matched.set(oldName, newName)
  }
  for (const { name } of before.columns) {
    const stated = columnFacts(before, after, name).find((fact) => Object.hasOwn(renamedColumns, fact))
    if (stated !== undefined) match(name, renamedColumns[stated])
  }
  takeFormerNames(olds, news, ({ renamedFrom }) => renamedFrom, match)
  for (const name of [...news.keys()]) match(name, name)
  return matched
}

/** Pairs what is new with what had its former name. What has its new name already was renamed before; unless another has just given it up. */
function takeFormerNames<T>(
  olds: { has(name: string): boolean },
  news: ReadonlyMap<string, T>,
  formerName: (item: T) => string | undefined,
  pair: (oldName: string, newName: string) => void,
): void {
  for (let left = Number.POSITIVE_INFINITY; news.size < left; ) {
    left = news.size
    for (const [name, item] of [...news]) {
      const former = formerName(item)
      if (former !== undefined && !olds.has(name)) pair(former, name)
    }
  }
}

/** What facts may call a column: by the old or the new name of its table. */
function columnFacts(before: TableSchema, after: TableSchema, column: string): readonly string[] {
  return [`${factName(before)}.${column}`, `${factName(after)}.${column}`]
}

function tableDecisions(removed: readonly TableSchema[], added: readonly TableSchema[], { drops = [] }: SchemaFacts): SchemaDecision[] {
  return removed
    .filter((table) => !drops.includes(factName(table)))
    .flatMap((table): SchemaDecision[] => {
      if (added.length === 0) return [{ kind: 'dropTable', table: factName(table) }]
      return added.map((candidate) => ({
        kind: 'renameTable',
        removed: factName(table),
        added: factName(candidate),
        sameColumns: sameJson(columnNames(table), columnNames(candidate)),
      }))
    })
}

function columnNames({ columns }: TableSchema): readonly string[] {
  return columns.map(({ name }) => name).sort()
}

function columnDecisions(match: MatchedTable, { drops = [] }: SchemaFacts): SchemaDecision[] {
  const { removed, added } = unmatchedColumns(match)
  const table = factName(match.after)
  return removed
    .filter(({ name }) => !columnFacts(match.before, match.after, name).some((fact) => drops.includes(fact)))
    .flatMap((column): SchemaDecision[] => {
      if (added.length === 0) return [{ kind: 'dropColumn', table, column: column.name }]
      return added.map((candidate) => ({
        kind: 'renameColumn',
        table,
        removed: column.name,
        added: candidate.name,
        sameType: sameJson(column.type, candidate.type),
      }))
    })
}

function unknownFacts(from: Schema, to: Schema, matched: readonly MatchedTable[], facts: SchemaFacts): SchemaDecision[] {
  const { renamedTables = {}, renamedColumns = {}, drops = [], defaults = {} } = facts
  const [oldTables, newTables] = [namesOf(from), namesOf(to)]
  const oldColumns = new Set(matched.flatMap(({ before, after }) => before.columns.flatMap(({ name }) => columnFacts(before, after, name))))
  const newColumns = new Set(matched.flatMap(({ before, after }) => after.columns.flatMap(({ name }) => columnFacts(before, after, name))))
  const isKnownRename = ([oldName, newName]: readonly [string, string]) => oldTables.has(oldName) && newTables.has(newName)
  const isKnownColumn = ([oldName, newName]: readonly [string, string]) =>
    oldColumns.has(oldName) && newColumns.has(oldName.slice(0, oldName.lastIndexOf('.') + 1) + newName)
  const unknown = (fact: keyof SchemaFacts, names: readonly string[]) => names.map((name) => ({ kind: 'unknownFact', fact, name }) as const)
  return [
    ...unknown('renamedTables', namesUnless(renamedTables, isKnownRename)),
    ...unknown('renamedColumns', namesUnless(renamedColumns, isKnownColumn)),
    ...unknown(
      'drops',
      drops.filter((name) => !oldTables.has(name) && !oldColumns.has(name)),
    ),
    ...unknown(
      'defaults',
      Object.keys(defaults).filter((name) => !newColumns.has(name)),
    ),
  ]
}

function namesOf({ tables }: Schema): ReadonlySet<string> {
  return new Set(tables.map(factName))
}

function namesUnless(facts: Readonly<Record<string, string>>, isKnown: (entry: readonly [string, string]) => boolean): readonly string[] {
  return Object.entries(facts).flatMap((entry) => (isKnown(entry) ? [] : [entry.join(':')]))
}
