import { auditedChange } from './audited.js'
import type { BoundModel } from './bound-model.js'
import { missing, type RowChange } from './change-request.js'
import type { CallLimits, PlanRunner } from './query-plan.js'
import type { PlainRow } from './selection.js'

/** Runs a change of the one row of a checked condition; where the model is audited, with what is written down of it. */
export function auditedRow(
  model: BoundModel,
  runner: PlanRunner,
  row: Omit<RowChange, 'selection' | 'assignments'>,
  change: () => PlainRow | Promise<PlainRow>,
  limits?: CallLimits,
): PlainRow | Promise<PlainRow> {
  if (model.audit === undefined) return change()
  const call = { label: model.labelOf(row.operation), limits }
  return auditedChange(model, runner, call, row, async ({ length }) => (length === 0 ? missing(model, runner, row, limits) : change()))
}
