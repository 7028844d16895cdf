import { type Expression, sql } from 'kysely'
import type { StatementResult } from '../dialect/dialect.js'
import { UniqueViolationError } from '../errors.js'
import { type Assignment, anyDiffers, bookkeepingOf, type Change, changesOf, setOf } from './assignments.js'
import type { BoundField, BoundModel } from './bound-model.js'
import { type Insert, type InsertTail, insertRows, repeatFor } from './insert-rows.js'
import type { CallLimits, PlanRunner } from './query-plan.js'
import type { PlacedGroup } from './row-groups.js'
import { selectionOf } from './selection.js'
import { type StatementShape, slot } from './statement-cache.js'
import { givesOtherKey, storedColumnsOf } from './upsert-on-conflict.js'
import { guardedSet, isGuardFailure, upsertOnDuplicateKey } from './upsert-on-duplicate-key.js'
import { countsFor, onKey } from './upsert-request.js'

/** Checked rows that give the same fields and set the same fields. */
export interface UpsertGroup extends PlacedGroup {
  readonly key: readonly BoundField[]
  /** What is set, from the row, where its key is there already. */
  readonly set: readonly BoundField[]
}

/** The rows made and changed; the others were as they should be. */
export interface UpsertCounts {
  readonly created: number
  readonly updated: number
}

type UpsertRows = (model: BoundModel, runner: PlanRunner, group: UpsertGroup, limits?: CallLimits) => Promise<UpsertCounts>

/** Upserts a group of rows in as few statements as the engine can. */
export const upsertRows: UpsertRows = (model, runner, group, limits) =>
  WAYS[model.dialect.capabilities.upsert](model, runner, group, limits)

/** How often others may make rows of the group meanwhile. */
const MAX_ATTEMPTS = 5

const onConflict: UpsertRows = async (model, runner, group, limits) => {
  const write = () => insertOnConflict(model, runner, group, limits)
  const names = group.fields.map((field) => field.name)
  if (!givesOtherKey(model, group.key, names)) return write()
  for (let attempt = 1; ; attempt++) {
    try {
      return await runner.attempt(model.labelOf('bulkUpsert'), write, limits)
    } catch (error) {
      // perhaps another caller made one of the rows, and was met at another key: then it is found the next time
      if (!(error instanceof UniqueViolationError) || attempt === MAX_ATTEMPTS) throw error
    }
  }
}

const insertOnConflict: UpsertRows = async (model, runner, group, limits) => {
  const stored = storedColumnsOf(model)
  const inserted = model.dialect.expressions.rowWasInserted!.as('created')
  const results = await insertRows(
    model,
    runner,
    group,
    tailOf(model, group, (insert, bookkeeping) => {
      const changes = changesFrom(model, group, (field) => sql`excluded.${field.reference}`)
      return insert
        .onConflict((conflict) => {
          const target = onKey(conflict, model, group.key)
          if (changes.length === 0) return target.doNothing()
          return target.doUpdateSet(setOf([...changes, ...changesOf(model, bookkeeping, stored)])).where(anyDiffers(model, changes, stored))
        })
        .returning([inserted])
    }),
    limits,
  )
  const flags = results.flatMap((result) => result.rows.map(([flag]) => Number(flag)))
  const created = flags.filter((flag) => flag === 1).length
  return { created, updated: flags.length - created }
}

const onDuplicateKey: UpsertRows = async (model, runner, group, limits) => {
  const tail = tailOf(model, group, (insert, bookkeeping) => {
    const changes = changesFrom(model, group, (field) => sql`values(${field.reference})`)
    return insert.onDuplicateKeyUpdate(guardedSet(model, group.key, changes, changesOf(model, bookkeeping)))
  })
  try {
    // a savepoint, so that a guard that fails undoes what the statements before it did
    return await runner.transaction(model.labelOf('bulkUpsert'), async () => countsOf(await insertRows(model, runner, group, tail, limits)))
  } catch (error) {
    if (!isGuardFailure(error)) throw error
    return upsertOneByOne(model, runner, group, limits)
  }
}

/** `affectedRows` counts 1 for a row made and 2 for one changed; `info` says how many were changed. */
function countsOf(results: readonly StatementResult[]): UpsertCounts {
  let affected = 0
  let updated = 0
  for (const { affectedRows, info } of results) {
    const duplicates = info === undefined ? null : /Duplicates: (\d+)/.exec(info)
    affected += affectedRows
    // a list of one row says nothing but the count
    updated += duplicates === null ? Number(affectedRows === 2) : Number(duplicates[1])
  }
  return { created: affected - 2 * updated, updated }
}

async function upsertOneByOne(
  model: BoundModel,
  runner: PlanRunner,
  { key, rows, set }: UpsertGroup,
  limits?: CallLimits,
): Promise<UpsertCounts> {
  const counts = { created: 0, updated: 0, unchanged: 0 }
  const selection = selectionOf({ fields: key, joined: [], loaded: [] }, '*key')
  for (const row of rows) {
    const values = Object.fromEntries(set.map((field) => [field.name, row[field.name]]))
    const { outcome } = await upsertOnDuplicateKey(model, runner, { key, row, set: values, selection }, limits)
    counts[outcome]++
  }
  return counts
}

const insertThenUpdate: UpsertRows = async (model, runner, group, limits) => {
  const skipping = tailOf(model, group, (insert) => insert.onConflict((conflict) => onKey(conflict, model, group.key).doNothing()))
  const unlessThere = { ...skipping, isToldEach: true }
  const results = await insertRows(model, runner, group, unlessThere, limits)
  const made = results.flatMap((result) => result.affectedEach ?? [])
  const there = group.rows.filter((_, index) => made[index] === 0)
  const created = group.rows.length - there.length
  if (there.length === 0) return { created, updated: 0 }
  return { created, updated: await updateEach(model, runner, { ...group, rows: there }, limits) }
}

/** Updates, row by row with one statement, what differs in the rows that have the keys of these. */
async function updateEach(model: BoundModel, runner: PlanRunner, { key, set, rows }: UpsertGroup, limits?: CallLimits): Promise<number> {
  if (set.length === 0 && revival(model, key).length === 0) return 0
  let bookkeeping: readonly Assignment[] = []
  const fields = [...set, ...key]
  const valueOfRow = (field: BoundField) => model.dialect.expressions.bound(slot(fields.indexOf(field), field), field.definition.type)
  const tail = {
    operation: 'bulkUpsert',
    key: `update ${key.length}`,
    addValues: (shape: StatementShape) => {
      bookkeeping = bookkeepingOf(model, shape)
    },
  }
  const build = () => {
    const changes = [...set.map((field): Change => [field, valueOfRow(field)]), ...revival(model, key)]
    const isRow = [...key.map((field) => sql<boolean>`${field.reference} = ${valueOfRow(field)}`), ...countsFor(model, key)]
    const update = model.compiler.updateTable(model.table).set(setOf([...changes, ...changesOf(model, bookkeeping)]))
    return update.where(sql<boolean>`${sql.join(isRow, sql` and `)}`).where(anyDiffers(model, changes))
  }
  const { affectedRows } = await repeatFor(model, runner, { tail, fields, rows, build }, limits)
  return affectedRows
}

const WAYS: Readonly<Record<BoundModel['dialect']['capabilities']['upsert'], UpsertRows>> = { onConflict, onDuplicateKey, insertThenUpdate }

/** What follows the rows of an upserting INSERT, with the values that the layer keeps. */
function tailOf(
  model: BoundModel,
  { key, set }: UpsertGroup,
  apply: (insert: Insert, bookkeeping: readonly Assignment[]) => Insert,
): InsertTail {
  let bookkeeping: readonly Assignment[] = []
  return {
    operation: 'bulkUpsert',
    key: `on ${columnsOf(key).join()} set ${columnsOf(set).join()}`,
    addValues: (shape) => {
      bookkeeping = bookkeepingOf(model, shape)
    },
    apply: (insert) => apply(insert, bookkeeping),
  }
}

/** What a row that is there is set to; `newValue` is the value of the row that was to be inserted. */
function changesFrom(
  model: BoundModel,
  { key, set }: UpsertGroup,
  newValue: (field: BoundField) => Expression<unknown>,
): readonly Change[] {
  return [...set.map((field): Change => [field, newValue(field)]), ...revival(model, key)]
}

/** A soft-deleted row that is upserted comes back; by a key that it does not count for, it is never met. */
function revival({ roles: { deletedAt }, livingKeys }: BoundModel, key: readonly BoundField[]): readonly Change[] {
  return deletedAt === undefined || livingKeys.has(key) ? [] : [[deletedAt, sql`null`]]
}

function columnsOf(fields: readonly BoundField[]): string[] {
  return fields.map((field) => field.column)
}
