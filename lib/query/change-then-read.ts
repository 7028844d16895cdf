import type { StatementResult } from '../dialect/dialect.js'
import { UnsupportedError } from '../errors.js'
import { type BoundField, type BoundModel, keysOfDeleted } from './bound-model.js'
import { missing, type RowChange, updateOf, withVersion } from './change-request.js'
import { allOf, type Condition } from './condition.js'
import { keyCondition } from './create.js'
import { anyRow } from './exists.js'
import { type CallLimits, type PlanRunner, planOf } from './query-plan.js'
import { firstRow, selectFirst } from './read.js'
import { findKey } from './row-filter.js'
import { updateLock } from './row-lock.js'
import { type PlainRow, readFirst, selectionOf } from './selection.js'
import { StatementShape } from './statement-cache.js'

/**
 * Updates the one row of a checked condition and gives it back, where no UPDATE does.
 *
 * @throws {NotFoundError} no such row
 * @throws {StaleVersionError} the row has another version
 */
export function changeThenRead(model: BoundModel, runner: PlanRunner, change: RowChange, limits?: CallLimits): Promise<PlainRow> {
  if (findKey(keysOfDeleted(model), change.condition) !== undefined) return changeAndReread(model, runner, change, limits)
  const withKey = async () => {
    const lasting = await withLastingKey(model, runner, change, limits)
    return lasting === undefined ? missing(model, runner, change, limits) : changeAndReread(model, runner, lasting, limits)
  }
  return runner.together(model.labelOf(change.operation), withKey, limits)
}

async function changeAndReread(model: BoundModel, runner: PlanRunner, change: RowChange, limits?: CallLimits): Promise<PlainRow> {
  const { operation, selection, assignments } = change
  const matching = withVersion(model, change)
  const build = () => updateOf(model, assignments, matching)
  const read = (result: StatementResult) => (result.affectedRows === 0 ? undefined : readFirst(selection, result)!)
  const plan = planOf(model, { operation, access: 'write', shape: change.shape, build, read })
  const shape = new StatementShape(`${operation} read`)
  const condition = changedKey(model, change, shape)
  const lock = updateLock(model)
  // locked, as it is already: a row that was given the values it had may be newer than what the transaction sees else
  const { sql, parameters, name } = firstRow(model, { operation, shape, condition, selection, lock }).statement
  const locking = planOf(model, {
    operation,
    access: 'write',
    shape: change.shape.followedBy('lock'),
    build: () => lock.apply(anyRow(model, matching)),
    read: () => undefined,
  }).statement
  const statement = { ...plan.statement, reread: { sql, parameters, name, locking } }
  const changed = await runner.run({ ...plan, statement }, limits)
  return changed ?? missing(model, runner, change, limits)
}

/**
 * The change of a row that is named by a key which rows marked as deleted do not count for, with the primary key beside it: that
 * still names the row when the mark has changed. Locks the row. Undefined: it is not there.
 */
async function withLastingKey(
  model: BoundModel,
  runner: PlanRunner,
  change: RowChange,
  limits: CallLimits | undefined,
): Promise<RowChange | undefined> {
  const { operation, condition } = change
  const fields = model.keys[0]!
  const shape = change.shape.followedBy('key')
  const selection = selectionOf({ fields, joined: [], loaded: [] }, fields.map(({ name }) => name).join())
  const row = await selectFirst(model, runner, { operation, shape, condition, selection, lock: updateLock(model) }, limits)
  if (row === null) return undefined
  return { ...change, condition: allOf([condition, ...fields.map((field) => keyCondition(field, row[field.name], change.shape))]) }
}

/** Where the row is to be found after the change: by the key that named it, with the values it has now. */
function changedKey(model: BoundModel, change: RowChange, shape: StatementShape): Condition {
  return allOf(
    findKey(keysOfDeleted(model), change.condition)!.map((field) => {
      shape.key += `${field.name}=,`
      return { kind: 'compare', field, operator: '=', value: shape.add(valueAfter(model, change, field)) }
    }),
  )
}

function valueAfter(model: BoundModel, { assignments, condition, shape }: RowChange, field: BoundField): unknown {
  const assignment = assignments.find((candidate) => candidate.field === field)
  if (assignment === undefined) return shape.values[fixedSlot(condition, field)]
  if (assignment.operator === '=' && assignment.value !== null) return shape.values[assignment.value]
  throw new UnsupportedError(
    `arithmetic on "${field.name}", by which the row is found,`,
    model.dialect.engine,
    'name the row by another key',
  )
}

function fixedSlot(condition: Condition, field: BoundField): number {
  const parts = condition.kind === 'and' ? condition.parts : [condition]
  for (const part of parts) {
    if (part.kind === 'compare' && part.operator === '=' && part.field === field) return part.value
  }
  throw new Error(`no value for ${field.name}`)
}
