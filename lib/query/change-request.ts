import { NotFoundError, StaleVersionError } from '../errors.js'
import { type Assignment, changesOf, setOf } from './assignments.js'
import type { BoundModel } from './bound-model.js'
import { allOf, type Condition } from './condition.js'
import { existsPlan } from './exists.js'
import type { CallLimits, PlanRunner } from './query-plan.js'
import type { Selection } from './selection.js'
import type { StatementShape } from './statement-cache.js'
import { whereExpression } from './where-expression.js'

/** One row to be changed: which one, how, and what comes back of it. */
export interface RowChange {
  readonly operation: string
  readonly shape: StatementShape
  readonly condition: Condition
  readonly assignments: readonly Assignment[]
  /** The version the row must still have. */
  readonly version: number | undefined
  readonly selection: Selection
}

/** The statement that changes the row. */
export function updateOf(model: BoundModel, assignments: readonly Assignment[], condition: Condition) {
  return model.compiler
    .updateTable(model.table)
    .set(setOf(changesOf(model, assignments)))
    .where(whereExpression(model, condition))
}

/** The condition, and the version where one was given. Adds to the shape: call it once. */
export function withVersion(
  model: BoundModel,
  { condition, version, shape }: Pick<RowChange, 'condition' | 'version' | 'shape'>,
): Condition {
  if (version === undefined) return condition
  shape.key += '@'
  return allOf([condition, { kind: 'compare', field: model.roles.version!, operator: '=', value: shape.add(version) }])
}

/** Says why no row was changed: it is not there, or it has another version. */
export async function missing(
  model: BoundModel,
  runner: PlanRunner,
  { operation, condition, version, shape: changed }: Pick<RowChange, 'operation' | 'condition' | 'version' | 'shape'>,
  limits?: CallLimits,
): Promise<never> {
  const { name } = model.definition
  if (version === undefined) throw new NotFoundError(name, operation)
  // the condition's slots are those of the statement that found nothing: same key, same values
  const isThere = await runner.run(existsPlan(model, operation, condition, changed), limits)
  throw isThere ? new StaleVersionError(name, operation, version) : new NotFoundError(name, operation)
}
