import type { StatementResult } from '../dialect/dialect.js'
import { NotFoundError } from '../errors.js'
import type { BoundModel } from './bound-model.js'
import { parseInput, parseOptions } from './call-input.js'
import { callShape } from './call-shape.js'
import type { Condition } from './condition.js'
import { joinIncluded, type Query } from './include-join.js'
import { withIncluded } from './include-load.js'
import { InputIssues } from './input-issues.js'
import { sharableRead } from './key-read.js'
import { type OrderItem, orderExpressions } from './order.js'
import type { LimitSlots } from './page.js'
import { keepPlan, type PlannedCall, plannedBefore } from './planned-calls.js'
import { type CallLimits, type PlanRunner, planOf, type QueryPlan, type SharableRead } from './query-plan.js'
import { parseDeleted, parseKeyFilter } from './row-filter.js'
import { parseRowLock, ROW_LOCK_OPTIONS, type RowLock } from './row-lock.js'
import { parseReadSelect } from './select.js'
import { type PlainRow, readFirst, type Selection } from './selection.js'
import { StatementShape } from './statement-cache.js'
import { whereExpression } from './where-expression.js'

const ENTRIES = ['where', 'include'] as const
const OPTIONS = ['select', 'include', 'deleted', 'batch', ...ROW_LOCK_OPTIONS] as const

/** The row that `where` names, or null. */
export function readOne(
  model: BoundModel,
  runner: PlanRunner,
  input: unknown,
  options?: unknown,
  operation = 'read',
): PlainRow | null | Promise<PlainRow | null> {
  const said = options === undefined ? callShape(operation, input) : undefined
  const known = said && plannedBefore<PlainRow | null>(model, said)
  if (known !== undefined) return runRead(runner, known, undefined)
  const issues = new InputIssues(model.definition.name, operation)
  const given = parseInput(input, ENTRIES, issues)
  const call = parseOptions(options, issues, OPTIONS)
  const lock = parseRowLock(model, runner, call, issues)
  const shape = new StatementShape('read')
  const selection = parseReadSelect(model, given, call, issues, { joining: lock === undefined ? shape : undefined })
  const condition = parseKeyFilter(model, given.where, shape, issues, parseDeleted(model, call, issues))
  issues.throwIfAny()
  const read = { operation, shape, condition, selection }
  const sharable = lock === undefined && call?.batch !== false ? sharableRead(model, given.where, read) : undefined
  // name by name: a spread makes an object of a kilobyte
  const plan = firstRow(model, { operation, shape, condition, selection, lock, sharable })
  const planned = { plan, selection }
  if (said !== undefined) keepPlan(model, said, shape, planned)
  return runRead(runner, planned, call)
}

function runRead(
  runner: PlanRunner,
  { plan, selection }: PlannedCall<PlainRow | null>,
  limits: CallLimits | undefined,
): PlainRow | null | Promise<PlainRow | null> {
  const row = runner.run(plan, limits)
  return selection?.hasLoads ? withIncluded(runner, { label: plan.label, selection, limits }, row) : row
}

/** As {@link readOne}; a row that is not there is a {@link NotFoundError}. */
export async function readOneOrThrow(model: BoundModel, runner: PlanRunner, input: unknown, options?: unknown): Promise<PlainRow> {
  const operation = 'readOrThrow'
  const row = await readOne(model, runner, input, options, operation)
  if (row === null) throw new NotFoundError(model.definition.name, operation)
  return row
}

interface RowSelection {
  readonly operation: string
  readonly shape: StatementShape
  readonly condition: Condition
  readonly selection: Selection
  /** Read the row as it is now and lock it, rather than as it was when the transaction began to read. */
  readonly lock?: RowLock | undefined
  readonly sharable?: SharableRead<PlainRow | null> | undefined
}

/** The first row that a checked condition matches. */
export function selectFirst(
  model: BoundModel,
  runner: PlanRunner,
  row: RowSelection,
  limits?: CallLimits,
): PlainRow | null | Promise<PlainRow | null> {
  return runner.run(firstRow(model, row), limits)
}

/** The plan of {@link selectFirst}. */
export function firstRow(
  model: BoundModel,
  { operation, shape, condition, selection, lock, sharable }: RowSelection,
): QueryPlan<PlainRow | null> {
  shape.key += `${lock?.key ?? ''}${selection.key}`
  return planOf(model, {
    operation,
    access: lock === undefined ? 'read' : 'write',
    shape,
    exactIntegers: selection.exactIntegers,
    build: () => {
      const query = orderedRows(model, { selection, condition, items: [], slots: undefined })
      return lock === undefined ? query : lock.apply(query)
    },
    read: (result) => readFirst(selection, result),
    sharable,
  })
}

/** What is read of one model's rows, which ones, in which order and how many. */
interface OrderedRows {
  readonly selection: Selection
  readonly condition: Condition
  readonly items: readonly OrderItem[]
  readonly slots: LimitSlots | undefined
}

/** The SELECT of a selection with what it joins. */
export function orderedRows(model: BoundModel, { selection, condition, items, slots }: OrderedRows): Query {
  const { root, references } = selection
  const joined = joinIncluded(model.compiler.selectFrom(model.table), root)
  let query: Query = joined.select(references).where(whereExpression(model, condition, root.columnOf))
  for (const expression of orderExpressions(model, items, root.columnOf)) query = query.orderBy(expression)
  if (slots !== undefined) query = query.limit(slots.limit)
  return slots?.offset === undefined ? query : query.offset(slots.offset)
}

/** The driver's rows that a condition matches, with the columns of a selection, in any order. */
export function rowsPlan(
  model: BoundModel,
  operation: string,
  condition: Condition,
  { references, exactIntegers, key }: Selection,
  shape: StatementShape,
  lock?: RowLock,
): QueryPlan<StatementResult['rows']> {
  shape.key += key
  return planOf(model, {
    operation,
    access: lock === undefined ? 'read' : 'write',
    shape,
    exactIntegers,
    build: () => {
      const query = model.compiler.selectFrom(model.table).select(references).where(whereExpression(model, condition))
      return lock === undefined ? query : lock.apply(query)
    },
    read: ({ rows }) => rows,
  })
}
