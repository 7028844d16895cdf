import type { StatementResult } from '../dialect/dialect.js'
import { type Assignment, changesOf, setOf } from './assignments.js'
import { auditedKeys } from './audit.js'
import { type BoundModel, reboundValue } from './bound-model.js'
import { type ParsedOptions, parseCount, parseInput, parseOptions } from './call-input.js'
import type { Key } from './change-keys.js'
import type { Condition } from './condition.js'
import { chunksOfKeys, inKeys } from './in-list.js'
import type { Query } from './include-join.js'
import { loadIncluded } from './include-load.js'
import { InputIssues } from './input-issues.js'
import { keyText } from './key-text.js'
import { inTotalOrder, type OrderItem, orderExpressions, orderKey, parseOrder } from './order.js'
import { limitSlots } from './page.js'
import { type PlanRunner, planOf } from './query-plan.js'
import { rowsPlan } from './read.js'
import { parseBulkFilter } from './row-filter.js'
import { claimLock } from './row-lock.js'
import { parseSelect } from './select.js'
import { type PlainRow, positionIn, readRow, type Selection, selectionOf } from './selection.js'
import { StatementShape } from './statement-cache.js'
import { parseSet } from './update.js'
import { whereExpression } from './where-expression.js'

const DEFAULT_LIMIT = 1

/**
 * Changes the first rows of a filter that nobody else has locked, and gives them back in order: the head of a queue, which no two
 * callers get. In the transaction around the call, or in one of its own.
 */
export async function claimRows(model: BoundModel, runner: PlanRunner, input: unknown, options?: unknown): Promise<readonly PlainRow[]> {
  const issues = new InputIssues(model.definition.name, 'claim')
  const given = parseInput(input, ['where', 'all', 'set', 'orderBy', 'limit'], issues)
  const call = parseOptions(options, issues, ['select', 'include'])
  const finding = new StatementShape('claim find')
  const condition = parseBulkFilter(model, given, finding, issues)
  const order = inTotalOrder(model, parseOrder(model, given.orderBy, issues))
  const limit = parseCount(given.limit, ['limit'], issues) ?? DEFAULT_LIMIT
  const changing = new StatementShape('claim change')
  const assignments = parseSet(model, given.set, changing, issues)
  for (const { field } of assignments) {
    if (model.keys[0]!.includes(field)) issues.add(['set', field.name], 'is part of the key by which the row is found')
  }
  const selection = parseSelect(model, call, issues, { also: model.keys[0]! })
  issues.throwIfAny()
  const label = model.labelOf('claim')
  const rows = await runner.together(
    label,
    async () => {
      const keys = await findFree(model, runner, { condition, order, limit, shape: finding }, call)
      if (keys.length === 0) return []
      const change = () => changeRows(model, runner, keys, { assignments, shape: changing, selection }, call)
      return model.audit === undefined ? change() : auditedKeys(model, runner, { label, limits: call }, keys, change)
    },
    call,
  )
  await loadIncluded(runner, { label, selection, limits: call }, rows)
  return rows
}

interface Search {
  readonly condition: Condition
  readonly order: readonly OrderItem[]
  readonly limit: number
  readonly shape: StatementShape
}

/** The keys of the first rows that nobody has locked, which are locked from now on. */
function findFree(model: BoundModel, runner: PlanRunner, { condition, order, limit, shape }: Search, limits?: ParsedOptions) {
  const key = model.keys[0]!
  const { references, exactIntegers } = selectionOf({ fields: key, joined: [], loaded: [] }, '')
  shape.key += orderKey(order)
  const slots = limitSlots({ limit, offset: undefined }, shape)!
  const plan = planOf(model, {
    operation: 'claim',
    access: 'write',
    shape,
    exactIntegers,
    build: () => {
      const free: Query = model.compiler.selectFrom(model.table).select(references).where(whereExpression(model, condition))
      const first = orderExpressions(model, order).reduce((query: Query, each) => query.orderBy(each), free)
      return claimLock(model).apply(first.limit(slots.limit))
    },
    read: ({ rows }): readonly Key[] => rows.map((values) => key.map((field, index) => reboundValue(field, values[index]))),
  })
  return runner.run(plan, limits)
}

interface RowsChange {
  readonly assignments: readonly Assignment[]
  /** Holds the values of the assignments. */
  readonly shape: StatementShape
  readonly selection: Selection
}

/** Changes the rows of these keys, which are locked, and gives them back in the order of the keys. */
async function changeRows(
  model: BoundModel,
  runner: PlanRunner,
  keys: readonly Key[],
  change: RowsChange,
  limits?: ParsedOptions,
): Promise<readonly PlainRow[]> {
  const fields = model.keys[0]!
  const positions = fields.map((field) => positionIn(change.selection.root, field))
  const changed = new Map<string, readonly unknown[]>()
  for (const chunk of chunksOfKeys(model, fields, keys)) {
    for (const values of await changeChunk(model, runner, chunk, change, limits)) {
      const key = fields.map((field, index) => reboundValue(field, values[positions[index]!]))
      changed.set(keyText(fields, key), values)
    }
  }
  return keys.map((key) => readRow(change.selection, changed.get(keyText(fields, key))!))
}

/** The driver's rows as they are after the change. */
async function changeChunk(
  model: BoundModel,
  runner: PlanRunner,
  keys: readonly Key[],
  { assignments, shape: changing, selection }: RowsChange,
  limits?: ParsedOptions,
): Promise<StatementResult['rows']> {
  const { updateReturning } = model.dialect.capabilities
  const shape = changing.followedBy(updateReturning ? selection.key : '')
  const condition = inKeys(model, model.keys[0]!, keys, shape)
  const plan = planOf(model, {
    operation: 'claim',
    access: 'write',
    shape,
    exactIntegers: selection.exactIntegers,
    build: () => {
      const update = model.compiler.updateTable(model.table).set(setOf(changesOf(model, assignments)))
      const changed = update.where(whereExpression(model, condition))
      return updateReturning ? changed.returning(selection.references) : changed
    },
    read: ({ rows }) => rows,
    writing: { kind: 'update', condition, assignments, shape },
  })
  const rows = await runner.run(plan, limits)
  if (updateReturning) return rows
  const reading = new StatementShape('claim read ')
  return runner.run(rowsPlan(model, 'claim', inKeys(model, model.keys[0]!, keys, reading), selection, reading), limits)
}
