import { NotFoundError } from '../errors.js'
import type { BoundModel } from './bound-model.js'
import { parseInput, parseOptions } from './call-input.js'
import { InputIssues } from './input-issues.js'
import { type CallLimits, type PlanRunner, planOf } from './query-plan.js'
import { parseKeyFilter } from './row-filter.js'
import { type PlainRow, parseSelect, readFirst, type Selection } from './select.js'
import { StatementShape } from './statement-cache.js'
import type { Condition } from './where.js'
import { whereExpression } from './where-expression.js'

/** The row that `where` names, or null. */
export function readOne(
  model: BoundModel,
  runner: PlanRunner,
  input: unknown,
  options?: unknown,
  operation = 'read',
): PlainRow | null | Promise<PlainRow | null> {
  const issues = new InputIssues(model.definition.name, operation)
  const { where } = parseInput(input, ['where'], issues)
  const call = parseOptions(options, issues, ['select'])
  const shape = new StatementShape('read')
  const condition = parseKeyFilter(model, where, shape, issues)
  const selection = parseSelect(model, call?.select, issues)
  issues.throwIfAny()
  return selectFirst(model, runner, { shape, condition, selection, operation }, call)
}

/** As {@link readOne}; a row that is not there is a {@link NotFoundError}. */
export async function readOneOrThrow(model: BoundModel, runner: PlanRunner, input: unknown, options?: unknown): Promise<PlainRow> {
  const operation = 'readOrThrow'
  const row = await readOne(model, runner, input, options, operation)
  if (row === null) throw new NotFoundError(model.definition.name, operation)
  return row
}

export interface RowSelection {
  readonly operation: string
  readonly shape: StatementShape
  readonly condition: Condition
  readonly selection: Selection
  /** Read the row as it is now and lock it, rather than as it was when the transaction began to read. */
  readonly isLocked?: boolean
}

/** The first row that a checked condition matches. */
export function selectFirst(
  model: BoundModel,
  runner: PlanRunner,
  { operation, shape, condition, selection, isLocked = false }: RowSelection,
  limits?: CallLimits,
): PlainRow | null | Promise<PlainRow | null> {
  shape.key += isLocked ? ` locked${selection.key}` : selection.key
  const plan = planOf(model, {
    operation,
    access: isLocked ? 'write' : 'read',
    shape,
    exactIntegers: selection.exactIntegers,
    build: () => {
      const select = model.compiler.selectFrom(model.table).select(selection.references).where(whereExpression(model, condition))
      return isLocked ? select.forUpdate() : select
    },
    read: (result) => readFirst(selection, result),
  })
  return runner.run(plan, limits)
}
