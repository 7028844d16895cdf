import type { StatementResult } from '../dialect/dialect.js'
import { Later } from '../later.js'
import { type Assignment, bookkeepingOf, changesOf, setOf } from './assignments.js'
import type { Watched } from './audit.js'
import { auditedChange } from './audited.js'
import { auditedRow } from './audited-row.js'
import type { BoundModel } from './bound-model.js'
import { parseInput, parseOptions } from './call-input.js'
import { changeKeys } from './change-keys.js'
import { missing, type RowChange, withVersion } from './change-request.js'
import { changeRow } from './change-row.js'
import type { Condition } from './condition.js'
import type { Writing } from './foreign-key-probe.js'
import { InputIssues } from './input-issues.js'
import { type CallLimits, type PlanRunner, planOf } from './query-plan.js'
import { selectFirst } from './read.js'
import { parseBulkFilter, parseKeyFilter } from './row-filter.js'
import { updateLock } from './row-lock.js'
import { parseSelect } from './select.js'
import { type PlainRow, readFirst } from './selection.js'
import { StatementShape } from './statement-cache.js'
import { parseVersion } from './update.js'
import { whereExpression } from './where-expression.js'

/** What becomes of rows that refer to one which is only marked; loaded inside of the transaction that needs it. */
const SOFT_DELETE = new Later('soft delete', () => import('./soft-delete.js'))

/** Deletes the row that `where` names and gives it back as it was; a model with `deletedAt` keeps it as deleted. */
export function deleteOne(model: BoundModel, runner: PlanRunner, input: unknown, options?: unknown): PlainRow | Promise<PlainRow> {
  const issues = new InputIssues(model.definition.name, 'delete')
  const { where, version } = parseInput(input, ['where', 'version'], issues)
  const call = parseOptions(options, issues, ['select'])
  const shape = new StatementShape('delete')
  const at = model.now()
  const assignments = tombstoneOf(model, at, shape)
  const condition = parseKeyFilter(model, where, shape, issues)
  const expected = parseVersion(model, version, issues)
  const selection = parseSelect(model, call, issues)
  issues.throwIfAny()
  const change: RowChange = { operation: 'delete', shape, condition, assignments, version: expected, selection }
  const remove = () => {
    if (assignments.length === 0) return removeRow(model, runner, change, call)
    return model.dependents.length === 0 ? changeRow(model, runner, change, call) : markRow(model, runner, change, at, call)
  }
  return auditedRow(model, runner, change, remove, call)
}

/** Marks a row that others may refer to. */
function markRow(model: BoundModel, runner: PlanRunner, change: RowChange, at: Date, limits?: CallLimits): Promise<PlainRow> {
  const label = model.labelOf('delete')
  const work = async () => {
    const { SoftDelete } = await SOFT_DELETE.load()
    const deletion = new SoftDelete(runner, label, limits)
    const found = await deletion.find(model, change.condition, change.shape.followedBy('find'))
    if (found.values.length === 0) return missing(model, runner, change, limits)
    const row = await changeRow(model, runner, change, limits)
    await deletion.follow(found, at)
    return row
  }
  return runner.transaction(label, work, limits)
}

/** Deletes every row that `where` matches. */
export async function deleteMany(model: BoundModel, runner: PlanRunner, input: unknown, options?: unknown): Promise<{ count: number }> {
  const issues = new InputIssues(model.definition.name, 'bulkDelete')
  const given = parseInput(input, ['where', 'all'], issues)
  const call = parseOptions(options, issues)
  const shape = new StatementShape('bulkDelete')
  const at = model.now()
  const assignments = tombstoneOf(model, at, shape)
  const condition = parseBulkFilter(model, given, shape, issues)
  issues.throwIfAny()
  const { audit, dependents } = model
  if (assignments.length > 0 && (dependents.length > 0 || audit !== undefined))
    return markRows(model, runner, { condition, shape, at }, call)
  if (audit !== undefined) return removeAudited(model, runner, { condition, shape }, call)
  const build = () => {
    const where = whereExpression(model, condition)
    if (assignments.length === 0) return model.compiler.deleteFrom(model.table).where(where)
    return model.compiler
      .updateTable(model.table)
      .set(setOf(changesOf(model, assignments)))
      .where(where)
  }
  const read = (result: StatementResult) => ({ count: result.affectedRows })
  const writing: Writing =
    assignments.length === 0 ? { kind: 'delete', condition, shape } : { kind: 'update', condition, assignments, shape }
  return runner.run(planOf(model, { operation: 'bulkDelete', access: 'write', shape, build, read, writing }), call)
}

async function removeAudited(
  model: BoundModel,
  runner: PlanRunner,
  watched: Watched,
  limits: CallLimits | undefined,
): Promise<{ count: number }> {
  const call = { label: model.labelOf('bulkDelete'), limits }
  const change = { ...call, operation: 'bulkDelete', set: undefined }
  return { count: await auditedChange(model, runner, call, watched, (keys) => changeKeys(model, runner, keys, change)) }
}

interface Marking {
  readonly condition: Condition
  readonly shape: StatementShape
  readonly at: Date
}

/** Marks rows that others may refer to. */
function markRows(
  model: BoundModel,
  runner: PlanRunner,
  { condition, shape, at }: Marking,
  limits?: CallLimits,
): Promise<{ count: number }> {
  const label = model.labelOf('bulkDelete')
  const work = async () => {
    const { SoftDelete } = await SOFT_DELETE.load()
    const deletion = new SoftDelete(runner, label, limits)
    const found = await deletion.find(model, condition, shape.followedBy('find'))
    const count = await deletion.mark(found, at)
    await deletion.follow(found, at)
    return { count }
  }
  return runner.transaction(label, work, limits)
}

/** What marks a row as deleted; nothing where the model has no `deletedAt` and rows really go. */
function tombstoneOf(model: BoundModel, at: Date, shape: StatementShape): readonly Assignment[] {
  const { deletedAt } = model.roles
  if (deletedAt === undefined) return []
  return [{ field: deletedAt, operator: '=', value: shape.add(deletedAt.encode(at)) }, ...bookkeepingOf(model, shape)]
}

async function removeRow(model: BoundModel, runner: PlanRunner, change: RowChange, limits?: CallLimits): Promise<PlainRow> {
  const { operation, selection, shape } = change
  const label = model.labelOf(operation)
  const meeting = runner.meetServer(label, limits)
  if (meeting !== undefined) await meeting
  if (!model.dialect.capabilities.deleteReturning)
    return runner.together(label, () => readThenRemove(model, runner, change, limits), limits)
  const condition = withVersion(model, change)
  shape.key += selection.key
  const plan = planOf(model, {
    operation,
    access: 'write',
    shape,
    exactIntegers: selection.exactIntegers,
    build: () => model.compiler.deleteFrom(model.table).where(whereExpression(model, condition)).returning(selection.references),
    read: (result) => readFirst(selection, result),
    writing: { kind: 'delete', condition, shape },
  })
  return (await runner.run(plan, limits)) ?? (await missing(model, runner, change, limits))
}

async function readThenRemove(model: BoundModel, runner: PlanRunner, change: RowChange, limits?: CallLimits): Promise<PlainRow> {
  const { shape, selection, operation } = change
  const condition = withVersion(model, change)
  // locked, so that the row given back is the row deleted
  const row = await selectFirst(
    model,
    runner,
    { operation, shape: shape.followedBy('read'), condition, selection, lock: updateLock(model) },
    limits,
  )
  if (row === null) return missing(model, runner, change, limits)
  await runner.run(
    planOf(model, {
      operation,
      access: 'write',
      shape,
      build: () => model.compiler.deleteFrom(model.table).where(whereExpression(model, condition)),
      read: () => undefined,
    }),
    limits,
  )
  return row
}
