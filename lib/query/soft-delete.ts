import { ForeignKeyViolationError } from '../errors.js'
import { type Assignment, bookkeepingOf } from './assignments.js'
import { auditedKeys } from './audit.js'
import { type BoundField, type BoundModel, type BoundRelation, reboundValue } from './bound-model.js'
import { changeKeys, type Key } from './change-keys.js'
import { allOf, type Condition, visibleOnly } from './condition.js'
import { existsPlan } from './exists.js'
import { chunksOfKeys, inKeys } from './in-list.js'
import { keyText } from './key-text.js'
import type { CallLimits, PlanRunner } from './query-plan.js'
import { rowsPlan } from './read.js'
import { updateLock } from './row-lock.js'
import { selectionOf } from './selection.js'
import { StatementShape } from './statement-cache.js'

/** Rows that are to be marked, or no longer to be, as the driver gave them: locked, with the values by which others refer to them. */
export interface FoundRows {
  readonly model: BoundModel
  readonly fields: readonly BoundField[]
  readonly values: readonly (readonly unknown[])[]
}

/**
 * Marks rows as deleted, and does to the rows that refer to them what a real delete would have the database do: `onDelete` decides. And
 * the way back. Runs in a transaction: what it finds out last may undo all of it.
 */
export class SoftDelete {
  readonly #runner: PlanRunner
  readonly #label: string
  readonly #limits: CallLimits | undefined
  /** Rows that must not be left, looked for when all else is done. */
  readonly #refusals: { readonly relation: BoundRelation; readonly keys: readonly Key[] }[] = []

  constructor(runner: PlanRunner, label: string, limits: CallLimits | undefined) {
    this.#runner = runner
    this.#label = label
    this.#limits = limits
  }

  /** Finds and locks the rows of a condition. */
  async find(model: BoundModel, condition: Condition, shape: StatementShape): Promise<FoundRows> {
    const { deletedAt } = model.roles
    const referred = model.dependents.flatMap(({ targetFields }) => targetFields)
    const fields = [...new Set([...model.keys[0]!, ...referred, ...(deletedAt === undefined ? [] : [deletedAt])])]
    const lock = updateLock(model)
    shape.key += lock.key
    const selection = selectionOf({ fields, joined: [], loaded: [] }, fields.map(({ name }) => name).join())
    const plan = rowsPlan(model, 'delete', condition, selection, shape, lock)
    return { model, fields, values: await this.#runner.run({ ...plan, label: this.#label }, this.#limits) }
  }

  /** Marks rows; gives how many. */
  async mark({ model, ...found }: FoundRows, at: Date): Promise<number> {
    const { deletedAt } = model.roles
    return this.#change({ model, ...found }, (shape) => [
      { field: deletedAt!, operator: '=', value: shape.add(deletedAt!.encode(at)) },
      ...bookkeepingOf(model, shape),
    ])
  }

  /**
   * What becomes of those who refer to rows that were marked.
   *
   * @throws {ForeignKeyViolationError} some do, and are not to be left so
   */
  async follow(marked: FoundRows, at: Date): Promise<void> {
    await this.#followAll(marked, at)
    for (const { relation, keys } of this.#refusals.splice(0)) await this.#refuseLeft(relation, keys)
  }

  /** Takes the mark away from the rows that were marked with these. */
  async followBack(restored: FoundRows): Promise<void> {
    const { deletedAt } = restored.model.roles
    const position = restored.fields.indexOf(deletedAt!)
    for (const relation of restored.model.dependents) {
      const { source, definition, targetFields } = relation
      if (definition.onDelete !== 'cascade') continue
      const mark = source.roles.deletedAt!
      for (const values of restored.values) {
        const [key] = keysOf({ ...restored, values: [values] }, targetFields)
        if (key === undefined) continue
        // one deletion marks all its rows with the same instant
        const of = (shape: StatementShape): Condition => {
          return { kind: 'compare', field: mark, operator: '=', value: shape.add(reboundValue(deletedAt!, values[position])) }
        }
        const shape = new StatementShape('restore find ')
        const found = await this.find(
          source,
          allOf([inKeys(source, relation.sourceFields, [key], shape), of(shape), visibleOnly(source, shape, 'only')]),
          shape,
        )
        if (found.values.length === 0) continue
        await this.#change(found, (change) => [{ field: mark, operator: '=', value: null }, ...bookkeepingOf(source, change)])
        await this.followBack(found)
      }
    }
  }

  async #followAll(marked: FoundRows, at: Date): Promise<void> {
    for (const relation of marked.model.dependents) {
      const keys = keysOf(marked, relation.targetFields)
      if (keys.length > 0) await this.#followRelation(relation, keys, at)
    }
  }

  async #followRelation(relation: BoundRelation, keys: readonly Key[], at: Date): Promise<void> {
    const { source, sourceFields, definition } = relation
    const { onDelete } = definition
    if (onDelete !== 'cascade' && onDelete !== 'setNull') {
      this.#refusals.push({ relation, keys })
      return
    }
    for (const chunk of chunksOfKeys(source, sourceFields, keys)) {
      const shape = new StatementShape('delete find ')
      const found = await this.find(source, referring(relation, chunk, shape), shape)
      if (found.values.length === 0) continue
      if (onDelete === 'setNull') await this.#change(found, (change) => [...nulled(sourceFields), ...bookkeepingOf(source, change)])
      else {
        await this.mark(found, at)
        await this.#followAll(found, at)
      }
    }
  }

  async #refuseLeft(relation: BoundRelation, keys: readonly Key[]): Promise<void> {
    const { source, sourceFields } = relation
    for (const chunk of chunksOfKeys(source, sourceFields, keys)) {
      const shape = new StatementShape('delete left ')
      const plan = existsPlan(source, 'delete', referring(relation, chunk, shape), shape)
      if (await this.#runner.run({ ...plan, label: this.#label }, this.#limits)) throw new ForeignKeyViolationError(originOf(relation))
    }
  }

  /** Changes rows that were found; gives how many. */
  #change(found: FoundRows, assign: (shape: StatementShape) => readonly Assignment[]): Promise<number> {
    const { model } = found
    const keys = keysOf(found, model.keys[0]!)
    const shape = new StatementShape('delete change ')
    const assignments = assign(shape)
    shape.key += assignments.map(({ field, operator, value }) => `${field.name}${operator}${value === null ? '0' : ''}`).join()
    const call = { label: this.#label, limits: this.#limits }
    const change = () => changeKeys(model, this.#runner, keys, { ...call, operation: 'delete', set: { assignments, shape } })
    return model.audit === undefined ? change() : auditedKeys(model, this.#runner, call, keys, change)
  }
}

/** The rows of a relation's own model that refer to these keys and are there. */
function referring({ source, sourceFields }: BoundRelation, keys: readonly Key[], shape: StatementShape): Condition {
  return allOf([inKeys(source, sourceFields, keys, shape), visibleOnly(source, shape)])
}

function nulled(fields: readonly BoundField[]): readonly Assignment[] {
  return fields.map((field) => ({ field, operator: '=', value: null }))
}

/** The values of these fields in the rows, each once; rows with a null among them are referred to by nobody. */
function keysOf({ fields, values }: Pick<FoundRows, 'fields' | 'values'>, wanted: readonly BoundField[]): readonly Key[] {
  const positions = wanted.map((field) => fields.indexOf(field))
  const keys = values
    .map((row) => positions.map((position) => row[position]))
    .filter((key) => !key.includes(null))
    .map((key) => key.map((value, index) => reboundValue(wanted[index]!, value)))
  return [...new Map(keys.map((key) => [keyText(wanted, key), key])).values()]
}

/** The foreign key of a relation, in the words of its model. */
function originOf({ source, sourceFields }: BoundRelation) {
  const columns = sourceFields.map(({ column }) => column)
  const link = source.foreignKeys.find(({ child, columns: own }) => child === source.table && own.join() === columns.join())
  return link?.origin ?? { model: source.definition.name, fields: sourceFields.map(({ name }) => name), constraint: undefined }
}
