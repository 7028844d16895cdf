import { sql } from 'kysely'
import { andThen, type MaybePromise } from '../maybe-promise.js'
import { anyDiffers, changesOf } from './assignments.js'
import type { BoundModel } from './bound-model.js'
import { insertColumns, insertOf } from './create.js'
import { type CallLimits, type PlanRunner, planOf, type QueryPlan } from './query-plan.js'
import { type PlainRow, readFirst } from './selection.js'
import { StatementShape } from './statement-cache.js'
import { hasKey, onKey, type UpsertRequest, type UpsertResult, untilMet, updateIfDifferent, upsertAssignments } from './upsert-request.js'
import { whereExpression } from './where-expression.js'

/**
 * INSERT unless the key is there, else UPDATE what differs, else read what does not. Each finds the row as it is then, and one of them at
 * most changes it: they need no transaction. Where somebody who came between them has left nothing to find, they are made again.
 */
export function upsertInsertThenUpdate(
  model: BoundModel,
  runner: PlanRunner,
  request: UpsertRequest,
  limits?: CallLimits,
): MaybePromise<UpsertResult> {
  const updated = (row: PlainRow): UpsertResult => ({ row, outcome: 'updated' })
  const unchanged = (row: PlainRow | null): UpsertResult | null => (row === null ? null : { row, outcome: 'unchanged' })
  const read = () => andThen(runner.run(readUnlessDifferent(model, request), limits), unchanged)
  const update = () => {
    const updating = updateIfDifferent(model, request, (result) => readFirst(request.selection, result))
    return updating === undefined ? read() : andThen(runner.run(updating, limits), (row) => (row === null ? read() : updated(row)))
  }
  const insert = () =>
    andThen(runner.run(insertUnlessThere(model, request), limits), (row) =>
      row === null ? update() : ({ row, outcome: 'created' } satisfies UpsertResult),
    )
  return untilMet(model, insert)
}

/** The row that has the request's key, where the update would leave it as it is. */
function readUnlessDifferent(model: BoundModel, request: UpsertRequest): QueryPlan<PlainRow | null> {
  const { key, row, selection } = request
  const shape = new StatementShape('upsert same ')
  const assignments = upsertAssignments(model, request, shape)
  const condition = hasKey(model, key, row, shape)
  shape.key += selection.key
  return planOf(model, {
    operation: 'upsert',
    access: 'read',
    shape,
    exactIntegers: selection.exactIntegers,
    build: () =>
      model.compiler
        .selectFrom(model.table)
        .select(selection.references)
        .where(whereExpression(model, condition))
        .where(sql<boolean>`not ${anyDiffers(model, changesOf(model, assignments))}`),
    read: (result) => readFirst(selection, result),
  })
}

function insertUnlessThere(model: BoundModel, { key, row, selection }: UpsertRequest): QueryPlan<PlainRow | null> {
  const shape = new StatementShape(`upsert insert ${key.map((field) => field.name).join()} `)
  const columns = insertColumns(model, row, shape)
  shape.key += selection.key
  return planOf(model, {
    operation: 'upsert',
    access: 'write',
    shape,
    exactIntegers: selection.exactIntegers,
    build: () =>
      insertOf(model, columns)
        .onConflict((conflict) => onKey(conflict, model, key).doNothing())
        .returning(selection.references),
    read: (result) => readFirst(selection, result),
    writing: { kind: 'insert', rows: [row] },
  })
}
