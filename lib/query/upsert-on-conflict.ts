import { ColumnNode, type Expression, ExpressionWrapper, ReferenceNode, sql, TableNode } from 'kysely'
import { UniqueViolationError } from '../errors.js'
import { andThen, type MaybePromise, orElse } from '../maybe-promise.js'
import { anyDiffers, bookkeepingOf, changesOf, setOf } from './assignments.js'
import type { BoundField, BoundModel } from './bound-model.js'
import { insertColumns, insertOf } from './create.js'
import { type CallLimits, type PlanRunner, planOf } from './query-plan.js'
import { type PlainRow, readFirst } from './selection.js'
import { StatementShape } from './statement-cache.js'
import { hasKey, onKey, readByKey, type UpsertRequest, type UpsertResult, untilMet, upsertAssignments } from './upsert-request.js'
import { whereExpression } from './where-expression.js'

/**
 * INSERT … ON CONFLICT (key) DO UPDATE … WHERE it would change, and the row that it leaves as it is, read by the same statement. That sees
 * what was committed when it began: a row that became what it is since is read after it.
 *
 * Two callers who make the same row may meet at another key than that of `on`, which raises an error there and updates
 * nothing: the one who comes second tries again, where the row is there by then.
 */
export function upsertOnConflict(
  model: BoundModel,
  runner: PlanRunner,
  request: UpsertRequest,
  limits?: CallLimits,
): MaybePromise<UpsertResult> {
  const upsert = () => writeOrRead(model, runner, request, limits)
  return givesOtherKey(model, request.key, Object.keys(request.row)) ? twiceIfOvertaken(model, runner, request, upsert, limits) : upsert()
}

function twiceIfOvertaken(
  model: BoundModel,
  runner: PlanRunner,
  request: UpsertRequest,
  upsert: () => MaybePromise<UpsertResult>,
  limits: CallLimits | undefined,
): MaybePromise<UpsertResult> {
  const failed = async (error: unknown) => {
    const isOvertaken = error instanceof UniqueViolationError && (await readByKey(model, runner, request, limits)) !== null
    if (!isOvertaken) throw error
    return upsert()
  }
  return orElse(() => runner.attempt(model.labelOf('upsert'), upsert, limits), failed)
}

/** Whether rows of these fields could meet another row by another key than this one. */
export function givesOtherKey(model: BoundModel, key: readonly BoundField[], names: readonly string[]): boolean {
  return model.keys.some((other) => other !== key && other.every(({ name }) => names.includes(name)))
}

function writeOrRead(model: BoundModel, runner: PlanRunner, request: UpsertRequest, limits?: CallLimits): MaybePromise<UpsertResult> {
  return untilMet(model, () => {
    const unlessThere = (written: UpsertResult | null) => written ?? andThen(readByKey(model, runner, request, limits), unchanged)
    return andThen(runner.run(upsertPlan(model, request), limits), unlessThere)
  })
}

function unchanged(row: PlainRow | null): UpsertResult | null {
  return row === null ? null : { row, outcome: 'unchanged' }
}

function upsertPlan(model: BoundModel, request: UpsertRequest) {
  const { key, row, selection } = request
  const shape = new StatementShape(`upsert ${key.map((field) => field.name).join()} `)
  const columns = insertColumns(model, row, shape)
  shape.key += ' set '
  const assignments = upsertAssignments(model, request, shape)
  const bookkeeping = bookkeepingOf(model, shape)
  const condition = hasKey(model, key, row, shape)
  shape.key += selection.key
  return planOf<UpsertResult | null>(model, {
    operation: 'upsert',
    access: 'write',
    shape,
    exactIntegers: selection.exactIntegers,
    build: () => {
      const written = insertOf(model, columns)
        .onConflict((conflict) => {
          const target = onKey(conflict, model, key)
          if (assignments.length === 0) return target.doNothing()
          const stored = storedColumnsOf(model)
          const changes = changesOf(model, assignments, stored)
          return target.doUpdateSet(setOf([...changes, ...changesOf(model, bookkeeping, stored)])).where(anyDiffers(model, changes, stored))
        })
        .returning([model.dialect.expressions.rowWasInserted!.as('created'), ...selection.references])
      const unchanged = model.compiler
        .selectFrom(model.table)
        .select([sql`null`.as('created'), ...selection.references])
        .where(whereExpression(model, condition))
        // not as an earlier caller left it who has changed it since
        .where(sql<boolean>`not ${anyDiffers(model, changesOf(model, assignments))}`)
        .where(sql<boolean>`not exists (select from ${sql.table(WRITTEN)})`)
      return model.compiler
        .with(WRITTEN, () => written)
        .selectFrom(WRITTEN)
        .selectAll()
        .unionAll(unchanged as never)
    },
    read: (result) => {
      const row = readFirst(selection, result, 1)
      return row === null ? null : { row, outcome: outcomeOf(result.rows[0]![0]) }
    },
  })
}

/** What the statement calls the row that it wrote. */
const WRITTEN = 'lw_written'

/** @param created 1, or 0, or null where nothing was written */
function outcomeOf(created: unknown): UpsertResult['outcome'] {
  if (created === null) return 'unchanged'
  return Number(created) === 1 ? 'created' : 'updated'
}

/** The columns of the row that is there: beside `excluded`, a bare name would mean either. */
export function storedColumnsOf({ definition }: BoundModel): (field: BoundField) => Expression<unknown> {
  const table = TableNode.create(definition.table)
  return (field) => new ExpressionWrapper(ReferenceNode.create(ColumnNode.create(field.column), table))
}
