import { ModelError } from '../errors.js'
import type { DefinedField } from './define-field.js'
import { frozenCopy } from './frozen-copy.js'
import { givenOptions, suggestion } from './known-options.js'
import type { CheckDefinition, FieldDefinition, IndexDefinition, StaticCondition, UniqueDefinition } from './model-definition.js'
import { databaseNameProblem } from './names.js'
import { isPlainObject } from './value-kind.js'

/** What one constraint or index of a model is read with. */
interface Reading {
  readonly model: string
  readonly fields: ReadonlyMap<string, FieldDefinition>
  /** Which of the model's constraints it is, for messages: `indexes[0]`. */
  readonly place: string
}

/** Names of the key's fields, in order of declaration; a view may have none. */
export function definePrimaryKey(model: string, defined: readonly DefinedField[], isView: boolean): readonly string[] {
  const key = defined.filter(({ isPrimary }) => isPrimary).map(({ field }) => field)
  if (key.length === 0 && !isView) throw new ModelError(model, undefined, 'has no primary key; give a field @id(), or "primary: true"')
  const counter = key.find((field) => field.default?.kind === 'increment')
  if (counter !== undefined && key.length > 1)
    throw new ModelError(model, counter.name, 'increment needs a key of one field: not every engine counts in a composite one')
  return Object.freeze(key.map((field) => field.name))
}

/** The keys: of single fields first, then `uniques`, then the `indexes` that are unique. */
export function defineUniques(
  model: string,
  defined: readonly DefinedField[],
  fields: ReadonlyMap<string, FieldDefinition>,
  options: { readonly uniques?: unknown; readonly indexes?: unknown },
): readonly UniqueDefinition[] {
  const mark = defined.find(({ field }) => field.role === 'deletedAt')?.field.name
  const ofFields = defined.filter(({ isUnique }) => isUnique).map(({ field }) => unique([field.name], mark === undefined))
  const ofModel = list(model, 'uniques', options.uniques).map((item, at) =>
    uniqueOf({ model, fields, place: `uniques[${at}]` }, item, UNIQUE_OPTIONS, mark),
  )
  const ofIndexes = list(model, 'indexes', options.indexes)
    .map((item, at) => ({ item, place: `indexes[${at}]` }))
    .filter(({ item }) => isUniqueIndex(item))
    .map(({ item, place }) => uniqueOf({ model, fields, place }, item, [...INDEX_OPTIONS, 'deleted'], mark))
  return Object.freeze([...ofFields, ...ofModel, ...ofIndexes])
}

/** The indexes that are no keys: of single fields first, then `indexes`. */
export function defineIndexes(
  model: string,
  defined: readonly DefinedField[],
  fields: ReadonlyMap<string, FieldDefinition>,
  options: { readonly indexes?: unknown },
): readonly IndexDefinition[] {
  const ofFields = defined.filter(({ isIndexed }) => isIndexed).map(({ field }) => index({ on: Object.freeze([field.name]) }))
  const ofModel = list(model, 'indexes', options.indexes)
    .map((item, at) => ({ item, place: `indexes[${at}]` }))
    .filter(({ item }) => !isUniqueIndex(item))
    .map(({ item, place }) => indexOf({ model, fields, place }, item))
  return Object.freeze([...ofFields, ...ofModel])
}

/** The checks: of single fields first, then `checks`. The fields of a condition are filled in by the caller. */
export function defineChecks(model: string, defined: readonly DefinedField[], checks: unknown): readonly CheckDefinition[] {
  const ofFields = defined
    .filter(({ check }) => check !== undefined)
    .map(({ field, check }) => checkDefinition({ condition: frozenCopy({ [field.name]: check }) }))
  const ofModel = list(model, 'checks', checks).map((item, at) => checkOf(model, `checks[${at}]`, item))
  return Object.freeze([...ofFields, ...ofModel])
}

const UNIQUE_OPTIONS = ['on', 'name', 'where', 'deleted']
const INDEX_OPTIONS = ['on', 'unique', 'expression', 'name', 'where']

function isUniqueIndex(item: unknown): boolean {
  return typeof item === 'object' && item !== null && (item as { unique?: unknown }).unique === true
}

/** @param mark  the field that marks rows as deleted, where there is one */
function uniqueOf(reading: Reading, item: unknown, known: readonly string[], mark: string | undefined): UniqueDefinition {
  const { on, expression, name, where: given, deleted } = givenAt(reading, item, known)
  if (expression !== undefined) refuse(reading, 'an index on an expression cannot be unique')
  if (deleted !== undefined && deleted !== 'include') refuse(reading, "deleted: expected 'include', or nothing")
  if (deleted !== undefined && mark === undefined) refuse(reading, 'deleted: the model has no deletedAt')
  const where = condition(reading, given)
  // a condition that speaks of the mark says itself which rows count
  const countsDeleted = mark === undefined || deleted === 'include' || speaksOf(where, mark)
  return unique(fieldNames(reading, on), countsDeleted, constraintName(reading, name), where)
}

function speaksOf(condition: unknown, field: string): boolean {
  if (Array.isArray(condition)) return condition.some((part) => speaksOf(part, field))
  if (!isPlainObject(condition)) return false
  return Object.entries(condition).some(([key, part]) => key === field || (key.startsWith('$') && speaksOf(part, field)))
}

function unique(fields: readonly string[], countsDeleted: boolean, name?: string, where?: StaticCondition): UniqueDefinition {
  return Object.freeze({ fields: Object.freeze(fields), name, where, countsDeleted })
}

function indexOf(reading: Reading, item: unknown): IndexDefinition {
  const { on, unique: isUnique, expression, name: givenName, where: givenWhere } = givenAt(reading, item, INDEX_OPTIONS)
  if (isUnique !== undefined && typeof isUnique !== 'boolean') refuse(reading, 'unique: expected a boolean')
  const name = constraintName(reading, givenName)
  const where = condition(reading, givenWhere)
  if (expression === undefined) return index({ on: fieldNames(reading, on), name, where })
  if (on !== undefined) refuse(reading, 'on and expression exclude each other')
  if (name === undefined) refuse(reading, 'an index on an expression needs a name')
  return index({ expression: sqlText(reading, 'expression', expression), name, where })
}

function index(given: Partial<IndexDefinition>): IndexDefinition {
  return Object.freeze({ on: Object.freeze([]), expression: undefined, name: undefined, where: undefined, ...given })
}

function checkOf(model: string, place: string, item: unknown): CheckDefinition {
  const reading: Reading = { model, fields: new Map(), place }
  const options = givenAt(reading, item, ['name', 'where', 'sql'])
  const name = constraintName(reading, options.name)
  if ((options.where === undefined) === (options.sql === undefined)) refuse(reading, 'give either where or sql')
  if (options.sql === undefined) return checkDefinition({ name, condition: condition(reading, options.where) })
  if (name === undefined) refuse(reading, 'a check in SQL needs a name')
  return checkDefinition({ name, sql: sqlText(reading, 'sql', options.sql) })
}

function checkDefinition(given: Partial<CheckDefinition>): CheckDefinition {
  return Object.freeze({ name: undefined, condition: undefined, sql: undefined, fields: Object.freeze([]), ...given })
}

function list(model: string, option: string, value: unknown): readonly unknown[] {
  if (value === undefined) return []
  if (!Array.isArray(value)) throw new ModelError(model, undefined, `${option}: expected a list, got ${typeof value}`)
  return value
}

function givenAt(reading: Reading, item: unknown, known: readonly string[]): Readonly<Record<string, unknown>> {
  try {
    return givenOptions(reading.model, undefined, item, known)
  } catch (error) {
    throw error instanceof ModelError
      ? new ModelError(reading.model, undefined, error.message.replace(`model ${reading.model}: `, `${reading.place}: `))
      : error
  }
}

function fieldNames(reading: Reading, on: unknown): readonly string[] {
  if (!Array.isArray(on) || on.length === 0) return refuse(reading, 'on: expected a list of at least one field')
  const unknown: unknown = on.find((name) => !reading.fields.has(name))
  if (unknown !== undefined) refuse(reading, `"${String(unknown)}" is no field${suggestion(String(unknown), [...reading.fields.keys()])}`)
  if (new Set(on).size !== on.length) refuse(reading, 'names a field twice')
  const structured = on.find((name) => ['json', 'array'].includes(reading.fields.get(name)!.type.kind))
  if (structured !== undefined)
    refuse(reading, `"${structured}" cannot be in a key or index: its kind is ${reading.fields.get(structured)!.type.kind}`)
  return Object.freeze([...on])
}

function constraintName(reading: Reading, name: unknown): string | undefined {
  if (name === undefined) return undefined
  const problem = databaseNameProblem(name)
  if (problem !== undefined) refuse(reading, `name: ${problem}`)
  return name as string
}

function condition(reading: Reading, where: unknown): StaticCondition | undefined {
  if (where === undefined) return undefined
  if (typeof where !== 'object' || where === null)
    refuse(reading, `where: expected a condition, got ${where === null ? 'null' : typeof where}`)
  return frozenCopy(where as StaticCondition)
}

function sqlText(reading: Reading, option: string, sql: unknown): string {
  if (typeof sql !== 'string' || sql.trim() === '') refuse(reading, `${option}: expected SQL`)
  return sql as string
}

function refuse(reading: Reading, message: string): never {
  throw new ModelError(reading.model, undefined, `${reading.place}: ${message}`)
}
