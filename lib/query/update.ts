import { type Assignment, assignmentsOf, bookkeepingOf, changesOf, setOf } from './assignments.js'
import type { Watched } from './audit.js'
import { auditedChange } from './audited.js'
import { auditedRow } from './audited-row.js'
import type { BoundModel } from './bound-model.js'
import { parseInput, parseOptions } from './call-input.js'
import { changeKeys } from './change-keys.js'
import type { RowChange } from './change-request.js'
import { changeRow } from './change-row.js'
import { withIncluded } from './include-load.js'
import { InputIssues } from './input-issues.js'
import { type CallLimits, type PlanRunner, planOf } from './query-plan.js'
import { parseBulkFilter, parseKeyFilter } from './row-filter.js'
import { parseSelect } from './select.js'
import type { PlainRow } from './selection.js'
import { StatementShape } from './statement-cache.js'
import { whereExpression } from './where-expression.js'

/** Changes the row that `where` names and gives it back as it is stored. */
export function updateOne(model: BoundModel, runner: PlanRunner, input: unknown, options?: unknown): PlainRow | Promise<PlainRow> {
  const issues = new InputIssues(model.definition.name, 'update')
  const { where, set, version } = parseInput(input, ['where', 'set', 'version'], issues)
  const call = parseOptions(options, issues, ['select', 'include'])
  const shape = new StatementShape('update')
  const assignments = parseSet(model, set, shape, issues)
  const condition = parseKeyFilter(model, where, shape, issues)
  const expected = parseVersion(model, version, issues)
  const selection = parseSelect(model, call, issues)
  issues.throwIfAny()
  const change: RowChange = { operation: 'update', shape, condition, assignments, version: expected, selection }
  const changed = auditedRow(model, runner, change, () => changeRow(model, runner, change, call), call)
  return withIncluded(runner, { label: model.labelOf('update'), selection, limits: call }, changed)
}

/** Changes every row that `where` matches. */
export async function updateMany(model: BoundModel, runner: PlanRunner, input: unknown, options?: unknown): Promise<{ count: number }> {
  const issues = new InputIssues(model.definition.name, 'bulkUpdate')
  const given = parseInput(input, ['where', 'set', 'all'], issues)
  const call = parseOptions(options, issues)
  const shape = new StatementShape('bulkUpdate')
  const assignments = parseSet(model, given.set, shape, issues)
  const condition = parseBulkFilter(model, given, shape, issues)
  issues.throwIfAny()
  if (model.audit !== undefined) return updateAudited(model, runner, { condition, shape }, assignments, call)
  const plan = planOf(model, {
    operation: 'bulkUpdate',
    access: 'write',
    shape,
    build: () =>
      model.compiler
        .updateTable(model.table)
        .set(setOf(changesOf(model, assignments)))
        .where(whereExpression(model, condition)),
    read: (result) => ({ count: result.affectedRows }),
    writing: { kind: 'update', condition, assignments, shape },
  })
  return runner.run(plan, call)
}

async function updateAudited(
  model: BoundModel,
  runner: PlanRunner,
  watched: Watched,
  assignments: readonly Assignment[],
  limits: CallLimits | undefined,
): Promise<{ count: number }> {
  const call = { label: model.labelOf('bulkUpdate'), limits }
  const change = { ...call, operation: 'bulkUpdate', set: { assignments, shape: watched.shape } }
  return { count: await auditedChange(model, runner, call, watched, (keys) => changeKeys(model, runner, keys, change)) }
}

/** The assignments of a checked `set`, and what the layer writes on every change; their values go to the shape. */
export function parseSet(model: BoundModel, set: unknown, shape: StatementShape, issues: InputIssues) {
  const validated = model.validateUpdate(set)
  if (!issues.take(validated, ['set'])) return []
  if (model.audit !== undefined) {
    const named = model.keys[0]!.filter(({ name }) => validated.value[name] !== undefined)
    for (const { name } of named) issues.add(['set', name], 'is part of the primary key, by which the audit names the row')
  }
  return [...assignmentsOf(model, validated.value, shape), ...bookkeepingOf(model, shape)]
}

/** The version that a call says the row must have. */
export function parseVersion(model: BoundModel, version: unknown, issues: InputIssues): number | undefined {
  if (version === undefined) return undefined
  if (model.roles.version === undefined) issues.add(['version'], 'the model has no version field')
  else if (!Number.isInteger(version)) issues.add(['version'], 'expected a whole number')
  return version as number
}
