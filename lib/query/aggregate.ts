import { parseAggregates } from './aggregate-field.js'
import type { BoundField, BoundModel } from './bound-model.js'
import { parseInput, parseOptions } from './call-input.js'
import { InputIssues } from './input-issues.js'
import { orderExpressions, orderKey, parseOrder } from './order.js'
import { limitSlots, parseLimits } from './page.js'
import { type PlanRunner, planOf } from './query-plan.js'
import { parseDeleted, parseFilter } from './row-filter.js'
import { parseFields } from './select.js'
import { type PlainRow, readRows, selectionOf } from './selection.js'
import { StatementShape } from './statement-cache.js'
import { parseWhere } from './where.js'
import { whereExpression } from './where-expression.js'

/** Counts, sums and extremes over the rows of a filter: one row for each group, or one in all. */
export async function aggregateRows(model: BoundModel, runner: PlanRunner, input: unknown, options?: unknown): Promise<PlainRow[]> {
  const issues = new InputIssues(model.definition.name, 'aggregate')
  const given = parseInput(input, ['values', 'where', 'groupBy', 'having', 'orderBy', 'limit', 'offset'], issues)
  const call = parseOptions(options, issues, ['deleted'])
  const groups = given.groupBy === undefined ? [] : parseFields(model, given.groupBy, issues, ['groupBy'])
  const values = parseAggregates(model, given.values, groups, issues)
  const results = resultsOf(model, [...groups, ...values])
  const shape = new StatementShape('aggregate')
  const condition = parseFilter(model, given.where, shape, issues, parseDeleted(model, call, issues))
  const having = given.having === undefined ? undefined : parseWhere(results, given.having, shape, issues, ['having'])
  const order = parseOrder(results, given.orderBy, issues)
  const limits = parseLimits(given, issues)
  issues.throwIfAny()
  const names = groups.map(({ name }) => name)
  shape.key += `|${names.join()}|${JSON.stringify(given.values)}|${having === undefined ? '' : 'having'}|${orderKey(order)}|`
  const slots = limitSlots(limits, shape)
  const selection = selectionOf({ fields: results.fields, joined: [], loaded: [] }, '')
  const plan = planOf(model, {
    operation: 'aggregate',
    access: 'read',
    shape,
    exactIntegers: selection.exactIntegers,
    build: () => {
      let query = model.compiler.selectFrom(model.table).select(selection.references).where(whereExpression(model, condition))
      for (const { reference } of groups) query = query.groupBy(reference)
      if (having !== undefined) query = query.having(whereExpression(results, having))
      for (const expression of orderExpressions(results, order)) query = query.orderBy(expression)
      if (slots !== undefined) query = query.limit(slots.limit)
      return slots?.offset === undefined ? query : query.offset(slots.offset)
    },
    read: (result) => readRows(selection, result),
  })
  return runner.run(plan, call)
}

/** The rows of the result as a model of their own, so that they are filtered and ordered like any other. */
function resultsOf(model: BoundModel, fields: readonly BoundField[]): BoundModel {
  const fieldByName = new Map(fields.map((field) => [field.name, field]))
  return { ...model, fields, fieldByName, relations: new Map(), polymorphics: new Map(), roles: {} }
}
