import { bookkeepingOf } from './assignments.js'
import { auditedRow } from './audited-row.js'
import type { BoundModel } from './bound-model.js'
import { parseInput, parseOptions } from './call-input.js'
import { missing, type RowChange } from './change-request.js'
import { changeRow } from './change-row.js'
import { withIncluded } from './include-load.js'
import { InputIssues } from './input-issues.js'
import type { PlanRunner } from './query-plan.js'
import { parseKeyFilter } from './row-filter.js'
import { parseSelect } from './select.js'
import type { PlainRow } from './selection.js'
import { SoftDelete } from './soft-delete.js'
import { StatementShape } from './statement-cache.js'

/** Takes the mark away from the deleted row that `where` names, and from those that were deleted with it; gives it as it is stored. */
export async function restoreOne(model: BoundModel, runner: PlanRunner, input: unknown, options?: unknown): Promise<PlainRow> {
  const issues = new InputIssues(model.definition.name, 'restore')
  const { where } = parseInput(input, ['where'], issues)
  const call = parseOptions(options, issues, ['select', 'include'])
  const { deletedAt } = model.roles
  if (deletedAt === undefined) issues.add([], 'the model has no deletedAt: what is deleted is gone')
  const shape = new StatementShape('restore')
  const bookkeeping = bookkeepingOf(model, shape)
  const condition = parseKeyFilter(model, where, shape, issues, 'only')
  const selection = parseSelect(model, call, issues)
  issues.throwIfAny()
  const label = model.labelOf('restore')
  const assignments: RowChange['assignments'] = [{ field: deletedAt!, operator: '=', value: null }, ...bookkeeping]
  const change: RowChange = { operation: 'restore', shape, condition, assignments, version: undefined, selection }
  const withOthers = async () => {
    const deletion = new SoftDelete(runner, label, call)
    const found = await deletion.find(model, condition, shape.followedBy('find'))
    if (found.values.length === 0) return missing(model, runner, change, call)
    const row = await changeRow(model, runner, change, call)
    await deletion.followBack(found)
    return row
  }
  const restore = () =>
    model.dependents.length === 0 ? changeRow(model, runner, change, call) : runner.transaction(label, withOthers, call)
  const restored = auditedRow(model, runner, change, restore, call)
  return withIncluded(runner, { label, selection, limits: call }, restored)
}
