import { sql } from 'kysely'
import type { BoundModel } from './bound-model.js'
import { parseInput, parseOptions } from './call-input.js'
import type { Condition } from './condition.js'
import { InputIssues } from './input-issues.js'
import { type PlanRunner, planOf, type QueryPlan } from './query-plan.js'
import { parseDeleted, parseFilter } from './row-filter.js'
import { StatementShape } from './statement-cache.js'
import { whereExpression } from './where-expression.js'

/** Whether a filter matches any row. */
export async function rowExists(model: BoundModel, runner: PlanRunner, input: unknown = {}, options?: unknown): Promise<boolean> {
  const issues = new InputIssues(model.definition.name, 'exists')
  const { where } = parseInput(input, ['where'], issues)
  const call = parseOptions(options, issues, ['deleted'])
  const shape = new StatementShape('')
  const condition = parseFilter(model, where, shape, issues, parseDeleted(model, call, issues))
  issues.throwIfAny()
  return runner.run(existsPlan(model, 'exists', condition, shape), call)
}

/** Looks for one row of a condition, whose values are in the shape. */
export function existsPlan(model: BoundModel, operation: string, condition: Condition, of: StatementShape): QueryPlan<boolean> {
  return planOf(model, {
    operation,
    access: 'read',
    shape: of.followedBy('exists'),
    build: () =>
      model.compiler.selectFrom(model.table).select(sql`1`.as('found')).where(whereExpression(model, condition)).limit(sql<number>`1`),
    read: (result) => result.rows.length > 0,
  })
}
