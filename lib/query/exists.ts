import { sql } from 'kysely'
import type { BoundModel } from './bound-model.js'
import { parseInput, parseOptions } from './call-input.js'
import { callShape } from './call-shape.js'
import type { Condition } from './condition.js'
import { InputIssues } from './input-issues.js'
import { keepPlan, plannedBefore } from './planned-calls.js'
import { type PlanRunner, planOf, type QueryPlan } from './query-plan.js'
import { parseDeleted, parseFilter } from './row-filter.js'
import { StatementShape } from './statement-cache.js'
import { whereExpression } from './where-expression.js'

/** Whether a filter matches any row. */
export function rowExists(model: BoundModel, runner: PlanRunner, input: unknown = {}, options?: unknown): boolean | Promise<boolean> {
  const said = options === undefined ? callShape('exists', input) : undefined
  const known = said && plannedBefore<boolean>(model, said)
  if (known !== undefined) return runner.run(known.plan)
  const issues = new InputIssues(model.definition.name, 'exists')
  const { where } = parseInput(input, ['where'], issues)
  const call = parseOptions(options, issues, ['deleted'])
  const shape = new StatementShape('')
  const condition = parseFilter(model, where, shape, issues, parseDeleted(model, call, issues))
  issues.throwIfAny()
  const plan = existsPlan(model, 'exists', condition, shape)
  if (said !== undefined) keepPlan(model, said, shape, { plan })
  return runner.run(plan, call)
}

/** Looks for one row of a condition, whose values are in the shape. */
export function existsPlan(model: BoundModel, operation: string, condition: Condition, of: StatementShape): QueryPlan<boolean> {
  return planOf(model, {
    operation,
    access: 'read',
    shape: of.followedBy('exists'),
    build: () => anyRow(model, condition).limit(sql<number>`1`),
    read: (result) => result.rows.length > 0,
  })
}

/** A row of a condition, of which nothing is wanted but that it is there. */
export function anyRow(model: BoundModel, condition: Condition) {
  return model.compiler.selectFrom(model.table).select(sql`1`.as('found')).where(whereExpression(model, condition))
}
