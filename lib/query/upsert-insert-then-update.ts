import { sql } from 'kysely'
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
): UpsertResult | Promise<UpsertResult> {
  return untilMet(model, async () => {
    const created = await runner.run(insertUnlessThere(model, request), limits)
    if (created !== null) return { row: created, outcome: 'created' }
    const updating = updateIfDifferent(model, request, (result) => readFirst(request.selection, result))
    const updated = updating === undefined ? null : await runner.run(updating, limits)
    if (updated !== null) return { row: updated, outcome: 'updated' }
    const row = await runner.run(readUnlessDifferent(model, request), limits)
    return row === null ? null : { row, outcome: 'unchanged' }
  })
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
