import type { StatementResult } from '../dialect/dialect.js'
import { NotFoundError, StaleVersionError, UnsupportedError } from '../errors.js'
import { type Assignment, changesOf, setOf } from './assignments.js'
import { type BoundField, type BoundModel, keysOfDeleted } from './bound-model.js'
import { allOf, type Condition } from './condition.js'
import { keyCondition } from './create.js'
import { existsPlan } from './exists.js'
import { type CallLimits, type PlanRunner, planOf } from './query-plan.js'
import { firstRow, selectFirst } from './read.js'
import { findKey } from './row-filter.js'
import { heldLock, updateLock } from './row-lock.js'
import { type PlainRow, readFirst, type Selection, selectionOf } from './selection.js'
import { StatementShape } from './statement-cache.js'
import { whereExpression } from './where-expression.js'

/** One row to be changed: which one, how, and what comes back of it. */
export interface RowChange {
  readonly operation: string
  readonly shape: StatementShape
  readonly condition: Condition
  readonly assignments: readonly Assignment[]
  /** The version the row must still have. */
  readonly version: number | undefined
  readonly selection: Selection
}

/**
 * Updates the one row of a checked condition and gives it back.
 *
 * @throws {NotFoundError} no such row
 * @throws {StaleVersionError} the row has another version
 */
export function changeRow(model: BoundModel, runner: PlanRunner, change: RowChange, limits?: CallLimits): PlainRow | Promise<PlainRow> {
  if (!model.dialect.capabilities.updateReturning) return changeThenRead(model, runner, change, limits)
  const { operation, selection, shape, assignments } = change
  shape.key += selection.key
  const condition = withVersion(model, change)
  const plan = planOf(model, {
    operation,
    access: 'write',
    shape,
    exactIntegers: selection.exactIntegers,
    build: () => updateOf(model, assignments, condition).returning(selection.references),
    read: (result) => readFirst(selection, result),
    writing: { kind: 'update', condition, assignments, shape },
  })
  // not an async function: each promise costs more while async contexts are followed
  const unlessMissing = (row: PlainRow | null) => row ?? missing(model, runner, change, limits)
  const changed = runner.run(plan, limits)
  return changed instanceof Promise ? changed.then(unlessMissing) : unlessMissing(changed)
}

/** Where no UPDATE gives a row back. */
function changeThenRead(model: BoundModel, runner: PlanRunner, change: RowChange, limits?: CallLimits): Promise<PlainRow> {
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
  // locked, as it is already: a row that was given the values it had may be newer than what the transaction sees else
  const reread = firstRow(model, { operation, shape, condition, selection, lock: heldLock(model) }).statement
  const changed = await runner.run({ ...plan, statement: { ...plan.statement, reread } }, limits)
  return changed ?? missing(model, runner, change, limits)
}

function updateOf(model: BoundModel, assignments: readonly Assignment[], condition: Condition) {
  return model.compiler
    .updateTable(model.table)
    .set(setOf(changesOf(model, assignments)))
    .where(whereExpression(model, condition))
}

/** The condition, and the version where one was given. Adds to the shape: call it once. */
export function withVersion(
  model: BoundModel,
  { condition, version, shape }: Pick<RowChange, 'condition' | 'version' | 'shape'>,
): Condition {
  if (version === undefined) return condition
  shape.key += '@'
  return allOf([condition, { kind: 'compare', field: model.roles.version!, operator: '=', value: shape.add(version) }])
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

/** Says why no row was changed: it is not there, or it has another version. */
export async function missing(
  model: BoundModel,
  runner: PlanRunner,
  { operation, condition, version, shape: changed }: Pick<RowChange, 'operation' | 'condition' | 'version' | 'shape'>,
  limits?: CallLimits,
): Promise<never> {
  const { name } = model.definition
  if (version === undefined) throw new NotFoundError(name, operation)
  // the condition's slots are those of the statement that found nothing: same key, same values
  const isThere = await runner.run(existsPlan(model, operation, condition, changed), limits)
  throw isThere ? new StaleVersionError(name, operation, version) : new NotFoundError(name, operation)
}
