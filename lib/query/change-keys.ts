import type { StatementResult } from '../dialect/dialect.js'
import { type Assignment, changesOf, setOf } from './assignments.js'
import type { BoundModel } from './bound-model.js'
import type { Writing } from './foreign-key-probe.js'
import { chunksOfKeys, inKeys } from './in-list.js'
import { type CallLimits, type PlanRunner, planOf } from './query-plan.js'
import { StatementShape } from './statement-cache.js'
import { whereExpression } from './where-expression.js'

/** The values of some fields, as they are bound. */
export type Key = readonly unknown[]

/** A change of rows that are named by their primary keys. */
export interface KeysChange {
  readonly operation: string
  /** The node that it is for. */
  readonly label: string
  readonly limits: CallLimits | undefined
  /** What is set, and the shape that holds its values; undefined: the rows are deleted. */
  readonly set: { readonly assignments: readonly Assignment[]; readonly shape: StatementShape } | undefined
}

/** Changes or deletes the rows of these primary keys; gives how many. */
export async function changeKeys(
  model: BoundModel,
  runner: PlanRunner,
  keys: readonly Key[],
  { operation, label, limits, set }: KeysChange,
): Promise<number> {
  let count = 0
  for (const chunk of chunksOfKeys(model, model.keys[0]!, keys)) {
    const shape = set === undefined ? new StatementShape(`${operation} keys `) : set.shape.followedBy('keys ')
    const condition = inKeys(model, model.keys[0]!, chunk, shape)
    const where = () => whereExpression(model, condition)
    const build = () =>
      set === undefined
        ? model.compiler.deleteFrom(model.table).where(where())
        : model.compiler
            .updateTable(model.table)
            .set(setOf(changesOf(model, set.assignments)))
            .where(where())
    const writing: Writing =
      set === undefined ? { kind: 'delete', condition, shape } : { kind: 'update', condition, assignments: set.assignments, shape }
    const read = ({ affectedRows }: StatementResult) => affectedRows
    const plan = planOf(model, { operation, access: 'write', shape, build, read, writing })
    count += await runner.run({ ...plan, label }, limits)
  }
  return count
}
