import type { Expression } from 'kysely'
import type { BoundModel } from './bound-model.js'
import { parseFlag, parseInput, parseOptions } from './call-input.js'
import { InputIssues } from './input-issues.js'
import { type OrderItem, orderExpressions, orderKey, parseOrder } from './order.js'
import { type PlanRunner, planOf } from './query-plan.js'
import { parseFilter } from './row-filter.js'
import { type PlainRow, parseSelect, readRows } from './select.js'
import { StatementShape, slot } from './statement-cache.js'
import type { Condition } from './where.js'
import { whereExpression } from './where-expression.js'

export interface ListResult {
  readonly rows: readonly PlainRow[]
  /** How many rows the filter matches in all; asked for with `total: true`. */
  readonly total?: number
}

/** The rows that a filter matches, in order; all of them unless `limit` says otherwise. */
export async function listRows(model: BoundModel, runner: PlanRunner, input: unknown = {}, options?: unknown): Promise<ListResult> {
  const issues = new InputIssues(model.definition.name, 'list')
  const given = parseInput(input, ['where', 'orderBy', 'limit', 'offset', 'total'], issues)
  const call = parseOptions(options, issues, ['select'])
  const shape = new StatementShape('list')
  const condition = parseFilter(model, given.where, shape, issues)
  const page = parsePage(given, issues)
  const order = parseOrder(model, given.orderBy, issues)
  const selection = parseSelect(model, call?.select, issues)
  const wantsTotal = parseFlag(given.total, 'total', issues)
  issues.throwIfAny()
  const counting = wantsTotal ? countPlan(model, 'list', condition, shape) : undefined
  const items = page === undefined ? order : inTotalOrder(model, order)
  shape.key += `${selection.key}|${orderKey(items)}|`
  const slots = page && pageSlots(page, shape)
  const plan = planOf(model, {
    operation: 'list',
    access: 'read',
    shape,
    exactIntegers: selection.exactIntegers,
    build: () => {
      let query = model.compiler.selectFrom(model.table).select(selection.references).where(whereExpression(model, condition))
      for (const expression of orderExpressions(model, items)) query = query.orderBy(expression)
      if (slots !== undefined) query = query.limit(numberSlot(slots.limit))
      return slots?.offset === undefined ? query : query.offset(numberSlot(slots.offset))
    },
    read: (result) => readRows(selection, result),
  })
  const rows = await runner.run(plan, call)
  return counting === undefined ? { rows } : { rows, total: await runner.run(counting, call) }
}

/** How many rows a filter matches. */
export async function countRows(model: BoundModel, runner: PlanRunner, input: unknown = {}, options?: unknown): Promise<number> {
  const issues = new InputIssues(model.definition.name, 'count')
  const { where } = parseInput(input, ['where'], issues)
  const call = parseOptions(options, issues)
  const shape = new StatementShape('')
  const condition = parseFilter(model, where, shape, issues)
  issues.throwIfAny()
  return runner.run(countPlan(model, 'count', condition, shape), call)
}

function countPlan(model: BoundModel, operation: string, condition: Condition, filter: StatementShape) {
  const shape = filter.followedBy('count')
  return planOf(model, {
    operation,
    access: 'read',
    shape,
    build: () =>
      model.compiler.selectFrom(model.table).select(model.compiler.fn.countAll().as('n')).where(whereExpression(model, condition)),
    read: (result) => Number(result.rows[0]![0]),
  })
}

interface Page {
  readonly limit: number | undefined
  readonly offset: number | undefined
}

function parsePage({ limit, offset }: Record<string, unknown>, issues: InputIssues): Page | undefined {
  if (limit === undefined && offset === undefined) return undefined
  return { limit: parseCount(limit, 'limit', issues), offset: parseCount(offset, 'offset', issues) }
}

function parseCount(value: unknown, name: string, issues: InputIssues): number | undefined {
  if (value !== undefined && !(Number.isSafeInteger(value) && (value as number) >= 0))
    issues.add([name], 'expected a whole number, 0 or more')
  return value as number | undefined
}

/** The order with the primary key behind it, so that two pages never share a row or miss one between them. */
function inTotalOrder(model: BoundModel, items: readonly OrderItem[]): readonly OrderItem[] {
  const named = new Set(items.map(({ field }) => field))
  const rest = model.keys[0]!.filter((field) => !named.has(field))
  return [...items, ...rest.map((field): OrderItem => ({ field, direction: 'asc', nulls: 'last' }))]
}

/** Stands for "all of them" where an engine takes no OFFSET without a LIMIT. */
const NO_LIMIT = '9223372036854775807'

function pageSlots({ limit, offset }: Page, shape: StatementShape): { readonly limit: number; readonly offset: number | undefined } {
  // bound as text: a binary protocol that sends numbers as doubles has them refused here (MySQL 8)
  const slots = {
    limit: shape.add(limit === undefined ? NO_LIMIT : String(limit)),
    offset: offset === undefined ? undefined : shape.add(String(offset)),
  }
  shape.key += offset === undefined ? 'l' : 'lo'
  return slots
}

function numberSlot(index: number): Expression<number> {
  return slot(index) as Expression<number>
}
