import type { BoundModel } from './bound-model.js'
import { insertColumns, insertOf } from './create.js'
import { type CallLimits, type PlanRunner, planOf, type QueryPlan } from './query-plan.js'
import { type PlainRow, readFirst } from './selection.js'
import { StatementShape } from './statement-cache.js'
import { onKey, readByKey, type UpsertRequest, type UpsertResult, updateIfDifferent } from './upsert-request.js'

/** INSERT unless the key is there, else UPDATE what differs, else read: in one transaction of the only writer. */
export function upsertInsertThenUpdate(
  model: BoundModel,
  runner: PlanRunner,
  request: UpsertRequest,
  limits?: CallLimits,
): Promise<UpsertResult> {
  return runner.together(
    model.labelOf('upsert'),
    async () => {
      const created = await runner.run(insertUnlessThere(model, request), limits)
      if (created !== null) return { row: created, outcome: 'created' }
      const updating = updateIfDifferent(model, request, (result) => readFirst(request.selection, result))
      const updated = updating === undefined ? null : await runner.run(updating, limits)
      if (updated !== null) return { row: updated, outcome: 'updated' }
      return { row: (await readByKey(model, runner, request, limits))!, outcome: 'unchanged' }
    },
    limits,
  )
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
