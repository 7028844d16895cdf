import type { StatementResult } from '../dialect/dialect.js'
import type { BoundModel } from './bound-model.js'
import { parseFlag, parseInput, parseOptions } from './call-input.js'
import { callShape } from './call-shape.js'
import { allOf, type Condition } from './condition.js'
import { type IncludingCall, loadIncluded } from './include-load.js'
import { InputIssues } from './input-issues.js'
import { orderKey, parseOrder } from './order.js'
import { PAGE_ENTRIES, type PageRows, pageSlots, parsePage, placeCondition, readPage } from './page.js'
import { keepPlan, type PlannedCall, plannedBefore } from './planned-calls.js'
import { type CallLimits, type PlanRunner, planOf, type QueryPlan } from './query-plan.js'
import { orderedRows } from './read.js'
import { parseDeleted, parseFilter } from './row-filter.js'
import { parseRowLock, ROW_LOCK_OPTIONS } from './row-lock.js'
import { parseReadSelect } from './select.js'
import { readRows } from './selection.js'
import { StatementShape } from './statement-cache.js'
import { whereExpression } from './where-expression.js'

export interface ListResult extends PageRows {
  /** How many rows the filter matches in all; asked for with `total: true`. */
  readonly total?: number
}

const LIST_ENTRIES = ['where', 'orderBy', 'total', 'include', ...PAGE_ENTRIES] as const
const LIST_OPTIONS = ['select', 'include', 'deleted', ...ROW_LOCK_OPTIONS] as const

/** The rows that a filter matches, in order; all of them unless `limit` says otherwise. */
export function listRows(model: BoundModel, runner: PlanRunner, input: unknown = {}, options?: unknown): ListResult | Promise<ListResult> {
  const said = options === undefined ? callShape('list', input) : undefined
  const known = said && plannedBefore<PageRows>(model, said)
  if (known !== undefined) return runList(runner, known, undefined)
  const issues = new InputIssues(model.definition.name, 'list')
  const given = parseInput(input, LIST_ENTRIES, issues)
  const call = parseOptions(options, issues, LIST_OPTIONS)
  const lock = parseRowLock(model, runner, call, issues)
  const shape = new StatementShape('list')
  const order = parseOrder(model, given.orderBy, issues)
  const page = parsePage(model, given, order, issues)
  const items = page?.items ?? order
  const selection = parseReadSelect(model, given, call, issues, {
    joining: lock === undefined ? shape : undefined,
    also: page?.items.map(({ field }) => field),
  })
  // the count has no joins: their conditions before must not be taken for the filter
  shape.key += '|'
  const condition = parseFilter(model, given.where, shape, issues, parseDeleted(model, call, issues))
  const wantsTotal = parseFlag(given.total, 'total', issues)
  issues.throwIfAny()
  const counting = wantsTotal ? countPlan(model, 'list', condition, shape) : undefined
  const sought = page === undefined ? condition : allOf([condition, placeCondition(page, shape)])
  shape.key += `${selection.key}|${orderKey(items)}|${lock?.key ?? ''}`
  const slots = page && pageSlots(page, shape)
  const plan = planOf(model, {
    operation: 'list',
    access: lock === undefined ? 'read' : 'write',
    shape,
    exactIntegers: selection.exactIntegers,
    build: () => {
      const query = orderedRows(model, { selection, condition: sought, items, slots })
      return lock === undefined ? query : lock.apply(query)
    },
    read: (result: StatementResult): PageRows =>
      page === undefined ? { rows: readRows(selection, result) } : readPage(model, page, selection, result.rows),
  })
  const planned = { plan, selection }
  if (counting !== undefined) return withTotal(runner, runList(runner, planned, call), counting, call)
  if (said !== undefined) keepPlan(model, said, shape, planned)
  return runList(runner, planned, call)
}

function runList(
  runner: PlanRunner,
  { plan, selection }: PlannedCall<PageRows>,
  limits: CallLimits | undefined,
): PageRows | Promise<PageRows> {
  const found = runner.run(plan, limits)
  return selection?.hasLoads ? withRelations(runner, { label: plan.label, selection, limits }, found) : found
}

async function withRelations(runner: PlanRunner, call: IncludingCall, page: PageRows | Promise<PageRows>): Promise<PageRows> {
  const found = await page
  await loadIncluded(runner, call, found.rows)
  return found
}

async function withTotal(
  runner: PlanRunner,
  page: PageRows | Promise<PageRows>,
  counting: QueryPlan<number>,
  limits: CallLimits | undefined,
): Promise<ListResult> {
  const found = await page
  return { ...found, total: await runner.run(counting, limits) }
}

/** How many rows a filter matches. */
export function countRows(model: BoundModel, runner: PlanRunner, input: unknown = {}, options?: unknown): number | Promise<number> {
  const said = options === undefined ? callShape('count', input) : undefined
  const known = said && plannedBefore<number>(model, said)
  if (known !== undefined) return runner.run(known.plan)
  const issues = new InputIssues(model.definition.name, 'count')
  const { where } = parseInput(input, ['where'], issues)
  const call = parseOptions(options, issues, ['deleted'])
  const shape = new StatementShape('')
  const condition = parseFilter(model, where, shape, issues, parseDeleted(model, call, issues))
  issues.throwIfAny()
  const plan = countPlan(model, 'count', condition, shape)
  if (said !== undefined) keepPlan(model, said, shape, { plan })
  return runner.run(plan, call)
}

function countPlan(model: BoundModel, operation: string, condition: Condition, filter: StatementShape) {
  const shape = filter.followedBy('count')
  return planOf(model, {
    operation,
    access: 'read',
    shape,
    build: () =>
      model.compiler.selectFrom(model.table).select(model.compiler.fn.countAll().as('n')).where(whereExpression(model, condition)),
    // of a statement that is only explained there is none
    read: ({ rows: [row] }) => (row === undefined ? 0 : Number(row[0])),
  })
}
