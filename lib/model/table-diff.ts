import { sameJson } from './json-text.js'
import { mentions } from './mentions.js'
import type { ColumnSchema, TableSchema } from './schema.js'
import type { TableStep } from './schema-change.js'

/** The steps between two forms of a table whose columns are called as they will be, sorted by when their turn is. */
export interface TableDiff {
  readonly renamed: TableSchema
  readonly after: TableSchema
  readonly dropForeignKeys: readonly TableStep[]
  /** Checks; and indexes on SQL of the model's, which no rename of a column would follow. */
  readonly dropConditions: readonly TableStep[]
  readonly columns: readonly TableStep[]
  /** Columns of the key before {@link columns} are as they will be, and after. */
  readonly key: readonly TableStep[]
  readonly indexes: readonly IndexStep[]
  readonly dropColumns: readonly TableStep[]
  readonly addChecks: readonly TableStep[]
  readonly addForeignKeys: readonly TableStep[]
  readonly comments: readonly TableStep[]
}

/** What the rows that are there get, for a column that takes no null; undefined: nothing is said. */
export type Backfill = (column: ColumnSchema) => unknown

/** @param movedNames  former names of columns that are gone, or called otherwise: SQL that has one speaks of another column from now on */
export function diffTable(renamed: TableSchema, after: TableSchema, movedNames: readonly string[], backfill: Backfill): TableDiff {
  const fresh = after.columns.filter(({ name }) => !hasName(renamed.columns, name))
  const altered = renamed.columns.flatMap((from): Altered[] => {
    const to = after.columns.find(({ name }) => name === from.name)
    return to === undefined || sameJson(shape(from), shape(to)) ? [] : [{ from, to }]
  })
  const steps = altered.map((each) => alterSteps(each, renamed, after, backfill))
  const [lostIndexes, newIndexes] = changed(renamed.indexes, after.indexes, ({ expression }) => speaksOf(expression, movedNames))
  const [lostChecks, newChecks] = changed(renamed.checks, after.checks, ({ sql }) => speaksOf(sql, movedNames))
  const [lostForeignKeys, newForeignKeys] = changed(renamed.foreignKeys, after.foreignKeys)
  return {
    renamed,
    after,
    dropForeignKeys: lostForeignKeys.map((foreignKey) => ({ kind: 'dropForeignKey', foreignKey })),
    dropConditions: [
      ...lostChecks.map((check) => ({ kind: 'dropCheck', check }) as const),
      ...lostIndexes.filter(({ expression }) => expression !== undefined).map((index) => ({ kind: 'dropIndex', index }) as const),
    ],
    columns: [...fresh.map((column) => addition(column, backfill)), ...steps.flatMap(({ before }) => before)],
    key: [
      ...(sameJson(renamed.primaryKey, after.primaryKey)
        ? []
        : [{ kind: 'changePrimaryKey', from: renamed.primaryKey, to: after.primaryKey } as const]),
      ...steps.flatMap(({ later }) => later),
    ],
    indexes: indexSteps(
      [
        ...changed(renamed.uniques, after.uniques)[0].map((unique) => ({ kind: 'dropUnique', unique }) as const),
        ...lostIndexes.filter(({ expression }) => expression === undefined).map((index) => ({ kind: 'dropIndex', index }) as const),
      ],
      [
        ...changed(renamed.uniques, after.uniques)[1].map((unique) => ({ kind: 'addUnique', unique }) as const),
        ...newIndexes.map((index) => ({ kind: 'createIndex', index }) as const),
      ],
    ),
    dropColumns: renamed.columns.filter(({ name }) => !hasName(after.columns, name)).map((column) => ({ kind: 'dropColumn', column })),
    addChecks: newChecks.map((check) => ({ kind: 'addCheck', check })),
    addForeignKeys: newForeignKeys.map((foreignKey) => ({ kind: 'addForeignKey', foreignKey })),
    comments: commentSteps(renamed, after),
  }
}

interface Altered {
  readonly from: ColumnSchema
  readonly to: ColumnSchema
}

function shape({ type, nullable, default: value }: ColumnSchema): unknown {
  return { type, nullable, default: value }
}

function addition(column: ColumnSchema, backfill: Backfill): TableStep {
  const fill = backfill(column)
  return { kind: 'addColumn', column, ...(fill === undefined ? {} : { backfill: fill }) }
}

/** In two steps where the key changes in between: a column of the old key takes no null, and one counts only in a key. */
function alterSteps({ from, to }: Altered, renamed: TableSchema, after: TableSchema, backfill: Backfill) {
  const fill = from.nullable && !to.nullable ? backfill(to) : undefined
  const last = withComment(to, from.comment)
  if (sameJson(renamed.primaryKey.columns, after.primaryKey.columns)) return { before: alteration(from, last, fill), later: [] }
  const { default: value, ...rest } = last
  const countsLater = value?.kind === 'increment' && from.default?.kind !== 'increment'
  const nullable = to.nullable && !renamed.primaryKey.columns.includes(from.name)
  const between = { ...rest, nullable, ...(value === undefined || countsLater ? {} : { default: value }) }
  return { before: alteration(from, between, fill), later: alteration(between, last, undefined) }
}

function alteration(from: ColumnSchema, to: ColumnSchema, backfill: unknown): TableStep[] {
  return sameJson(from, to) ? [] : [{ kind: 'alterColumn', from, to, ...(backfill === undefined ? {} : { backfill }) }]
}

/** Comments are changed by steps of their own. */
function withComment({ comment: _, ...column }: ColumnSchema, comment: string | undefined): ColumnSchema {
  return { ...column, ...(comment === undefined ? {} : { comment }) }
}

/** What is new before what is lost, since a foreign key may need either; unless both have one name. */
function indexSteps(lost: readonly IndexStep[], fresh: readonly IndexStep[]): readonly IndexStep[] {
  const names = new Set(fresh.map(nameOfIndexStep))
  const replaced = lost.filter((step) => names.has(nameOfIndexStep(step)))
  const replacing = (step: IndexStep) => replaced.filter((other) => nameOfIndexStep(other) === nameOfIndexStep(step))
  return [...fresh.flatMap((step) => [...replacing(step), step]), ...lost.filter((step) => !replaced.includes(step))]
}

export type IndexStep = Extract<TableStep, { kind: 'addUnique' | 'dropUnique' | 'createIndex' | 'dropIndex' }>

/** The name of the key or index that comes or goes. */
export function nameOfIndexStep(step: IndexStep): string {
  return 'unique' in step ? step.unique.name : step.index.name
}

function commentSteps(renamed: TableSchema, after: TableSchema): readonly TableStep[] {
  const step = (comment: string | undefined, column?: string): TableStep => ({
    kind: 'comment',
    ...(column === undefined ? {} : { column }),
    ...(comment === undefined ? {} : { comment }),
  })
  const ofColumns = after.columns.flatMap(({ name, comment }) => {
    const before = renamed.columns.find((column) => column.name === name)
    return before === undefined || before.comment === comment ? [] : [step(comment, name)]
  })
  return renamed.comment === after.comment ? ofColumns : [step(after.comment), ...ofColumns]
}

function changed<T extends { readonly name: string }>(
  before: readonly T[],
  after: readonly T[],
  isAnother: (part: T) => boolean = () => false,
): readonly [lost: readonly T[], fresh: readonly T[]] {
  const isIn = (list: readonly T[]) => (part: T) =>
    !isAnother(part) && list.some((other) => other.name === part.name && sameJson(other, part))
  return [before.filter((part) => !isIn(after)(part)), after.filter((part) => !isIn(before)(part))]
}

function speaksOf(sql: string | undefined, names: readonly string[]): boolean {
  return sql !== undefined && names.some((name) => mentions(sql, name))
}

function hasName(list: readonly { readonly name: string }[], name: string): boolean {
  return list.some((item) => item.name === name)
}
