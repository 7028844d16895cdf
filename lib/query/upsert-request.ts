import { type OnConflictBuilder, type RawBuilder, sql } from 'kysely'
import type { StatementResult } from '../dialect/dialect.js'
import { SerializationError } from '../errors.js'
import { andThen, type MaybePromise } from '../maybe-promise.js'
import { type Assignment, anyDiffers, assignmentsOf, bookkeepingOf, changesOf, setOf } from './assignments.js'
import type { BoundField, BoundModel } from './bound-model.js'
import { allOf, type Condition } from './condition.js'
import { keyCondition } from './create.js'
import { type CallLimits, type PlanRunner, planOf, type QueryPlan } from './query-plan.js'
import { selectFirst } from './read.js'
import { updateLock } from './row-lock.js'
import type { PlainRow, Selection } from './selection.js'
import { StatementShape } from './statement-cache.js'
import { whereExpression } from './where-expression.js'

export type UpsertOutcome = 'created' | 'updated' | 'unchanged'

export interface UpsertResult {
  readonly row: PlainRow
  readonly outcome: UpsertOutcome
}

/** One checked upsert: the row to insert, or what to change in the row that has its key. */
export interface UpsertRequest {
  /** The fields of `on`. */
  readonly key: readonly BoundField[]
  /** Every value of the new row, with what the layer writes. */
  readonly row: Record<string, unknown>
  /** What is set in a row that is there already. */
  readonly set: Record<string, unknown>
  readonly selection: Selection
}

/** How an engine upserts: see {@link Capabilities.upsert}. */
export type UpsertStrategy = (
  model: BoundModel,
  runner: PlanRunner,
  request: UpsertRequest,
  limits?: CallLimits,
) => MaybePromise<UpsertResult>

/** How often the row may vanish between a statement of an upsert that met it and the next. */
const MAX_ATTEMPTS = 10

/**
 * What `attempt` gives; made again where it gives null: the row that it met was gone.
 *
 * @throws {SerializationError} it was gone each time
 */
export function untilMet(model: BoundModel, attempt: () => MaybePromise<UpsertResult | null>, made = 1): MaybePromise<UpsertResult> {
  const met = (result: UpsertResult | null) => {
    if (result !== null) return result
    if (made < MAX_ATTEMPTS) return untilMet(model, attempt, made + 1)
    throw new SerializationError(
      `${model.definition.name}.upsert: the row was deleted by others ${MAX_ATTEMPTS} times while it was being read`,
    )
  }
  return andThen(attempt(), met)
}

/** What an upsert sets in a row that is there; one that is marked as deleted comes back, if the key can meet it. */
export function upsertAssignments(model: BoundModel, { key, set }: UpsertRequest, shape: StatementShape): readonly Assignment[] {
  const { deletedAt } = model.roles
  const assignments = assignmentsOf(model, set, shape)
  if (deletedAt === undefined || model.livingKeys.has(key)) return assignments
  return [...assignments, { field: deletedAt, operator: '=', value: null }]
}

/** That a row has these values of a key, and counts for it. */
export function hasKey(model: BoundModel, key: readonly BoundField[], row: Record<string, unknown>, shape: StatementShape): Condition {
  const values = key.map((field) => keyCondition(field, row[field.name], shape))
  if (!model.livingKeys.has(key)) return allOf(values)
  shape.key += '@alive'
  return allOf([...values, { kind: 'null', field: model.roles.deletedAt!, isNull: true }])
}

/** That the row that is there counts for a key; nothing where every row does. */
export function countsFor({ livingKeys, roles }: BoundModel, key: readonly BoundField[]): readonly RawBuilder<boolean>[] {
  return livingKeys.has(key) ? [sql<boolean>`${roles.deletedAt!.reference} is null`] : []
}

// biome-ignore lint/suspicious/noExplicitAny: tables and columns are known at run time only
type OnConflict = OnConflictBuilder<any, any>

/** The key that an INSERT may meet a row by, as its index has it. */
export function onKey(conflict: OnConflict, model: BoundModel, key: readonly BoundField[]): OnConflict {
  return countsFor(model, key).reduce((target, counts) => target.where(counts), conflict.columns(key.map((field) => field.column)))
}

/** The row that has the request's key, or null. */
export function readByKey(
  model: BoundModel,
  runner: PlanRunner,
  request: UpsertRequest,
  limits?: CallLimits,
  isLocked = false,
): MaybePromise<PlainRow | null> {
  const shape = new StatementShape('upsert read')
  const { selection } = request
  return selectFirst(
    model,
    runner,
    {
      operation: 'upsert',
      shape,
      condition: hasKey(model, request.key, request.row, shape),
      selection,
      lock: isLocked ? updateLock(model) : undefined,
    },
    limits,
  )
}

/** Updates the row that has the request's key where that would change it; undefined: there is nothing to set. */
export function updateIfDifferent<T>(
  model: BoundModel,
  request: UpsertRequest,
  read: (result: StatementResult) => T,
): QueryPlan<T> | undefined {
  const { selection } = request
  const shape = new StatementShape('upsert update ')
  const assignments = upsertAssignments(model, request, shape)
  if (assignments.length === 0) return undefined
  const bookkeeping = bookkeepingOf(model, shape)
  const condition = hasKey(model, request.key, request.row, shape)
  shape.key += selection.key
  return planOf(model, {
    operation: 'upsert',
    access: 'write',
    shape,
    exactIntegers: selection.exactIntegers,
    build: () => {
      const update = model.compiler.updateTable(model.table).set(setOf(changesOf(model, [...assignments, ...bookkeeping])))
      const changing = update.where(whereExpression(model, condition)).where(anyDiffers(model, changesOf(model, assignments)))
      return model.dialect.capabilities.updateReturning ? changing.returning(selection.references) : changing
    },
    read,
    writing: { kind: 'update', condition, assignments, shape },
  })
}
