import { Later } from '../later.js'
import { andThen } from '../maybe-promise.js'
import type { BoundModel } from './bound-model.js'
import { missing, type RowChange, updateOf, withVersion } from './change-request.js'
import { type CallLimits, type PlanRunner, planOf } from './query-plan.js'
import { type PlainRow, readFirst } from './selection.js'
import { withPart } from './with-part.js'

const THEN_READ = new Later('rows that are changed and then read', () => import('./change-then-read.js'))

/**
 * Updates the one row of a checked condition and gives it back.
 *
 * @throws {NotFoundError} no such row
 * @throws {StaleVersionError} the row has another version
 */
export function changeRow(model: BoundModel, runner: PlanRunner, change: RowChange, limits?: CallLimits): PlainRow | Promise<PlainRow> {
  if (!model.dialect.capabilities.updateReturning)
    return withPart(THEN_READ, runner, model.labelOf(change.operation), (part) => part.changeThenRead(model, runner, change, limits))
  const { operation, selection, shape, assignments } = change
  shape.key += selection.key
  const condition = withVersion(model, change)
  const plan = planOf(model, {
    operation,
    access: 'write',
    shape,
    exactIntegers: selection.exactIntegers,
    build: () => updateOf(model, assignments, condition).returning(selection.references),
    read: (result) => readFirst(selection, result),
    writing: { kind: 'update', condition, assignments, shape },
  })
  const unlessMissing = (row: PlainRow | null) => row ?? missing(model, runner, change, limits)
  return andThen(runner.run(plan, limits), unlessMissing)
}
