import 'reflect-metadata/lite'
import { ModelError } from '../errors.js'
import { defineAudit } from './define-audit.js'
import { type DefinedField, defineField } from './define-field.js'
import { defineChecks, defineIndexes, definePrimaryKey, defineUniques } from './define-keys.js'
import { definePolymorphics, isPolymorphic } from './define-polymorphic.js'
import { defineRelation } from './define-relation.js'
import { frozenMap } from './frozen-copy.js'
import { givenOptions } from './known-options.js'
import type { CheckDefinition, FieldDefinition, FieldRole, ModelClass, ModelDefinition } from './model-definition.js'
import type { LooseModelOptions, ModelOptions } from './model-options.js'
import { codeNameProblem, databaseNameProblem, objectNameProblem, tableNameOf } from './names.js'
import { columnCondition, conditionColumns, keyCondition } from './static-condition.js'
import { isView } from './view.js'

/** `Symbol.for`, so that two copies of the package read each other's models. */
const DEFINITION = Symbol.for('latchwork.model.v1')

/**
 * Gives a class its definition, from plain data: what `@model()` does for a decorated class.
 *
 * Fields and relations are held to the class's properties by the compiler. The definition is checked, frozen and
 * remembered with the class; {@link definitionOf} finds it.
 *
 * ```ts
 * class Country { code!: string; name!: string }
 * defineModel(Country, {
 *   fields: { code: { kind: 'text', maxLength: 2, primary: true }, name: { kind: 'text' } },
 * })
 * ```
 *
 * @throws {ModelError} the model contradicts itself, or the class has a definition already
 */
export function defineModel<M extends object>(target: ModelClass<M>, options: NoInfer<ModelOptions<M>>): ModelDefinition {
  return remember(target, options)
}

/** {@link defineModel} for options that the compiler could not hold to the class's properties, such as those decorators gather. */
export function defineLooseModel(target: ModelClass, options: LooseModelOptions): ModelDefinition {
  return remember(target, options)
}

function remember(target: ModelClass, options: unknown): ModelDefinition {
  if (typeof target !== 'function') throw new ModelError('(unnamed)', undefined, `expected a class, got ${typeof target}`)
  if (hasDefinition(target)) throw new ModelError(target.name, undefined, 'is defined twice')
  const definition = build(target, options)
  Reflect.defineMetadata(DEFINITION, definition, target)
  return definition
}

/**
 * The definition of a class.
 *
 * @throws {ModelError} the class has none of its own; one of its base class does not count
 */
export function definitionOf(target: ModelClass): ModelDefinition {
  const definition = typeof target === 'function' ? Reflect.getOwnMetadata(DEFINITION, target) : undefined
  if (definition !== undefined) return definition as ModelDefinition
  const name = typeof target === 'function' && target.name !== '' ? target.name : `(${typeof target})`
  throw new ModelError(name, undefined, 'has no definition; decorate the class with @model() or call defineModel')
}

/** Whether a class has a definition of its own. */
export function hasDefinition(target: ModelClass): boolean {
  return Reflect.hasOwnMetadata(DEFINITION, target)
}

const MODEL_OPTIONS = [
  'name',
  'table',
  'schema',
  'fields',
  'primaryKeyName',
  'relations',
  'indexes',
  'uniques',
  'checks',
  'comment',
  'renamedFrom',
  'audit',
]

function build(target: ModelClass, given: unknown): ModelDefinition {
  const name = modelName(target.name, given)
  const options = givenOptions(name, undefined, given, MODEL_OPTIONS)
  const table = options.table ?? tableNameOf(name)
  checkNames(name, { ...options, table })
  const defined = Object.entries(entriesOf(name, 'fields', options.fields)).map(([property, spec]) =>
    defineField(name, table as string, property, spec),
  )
  const fields = defined.map(({ field }) => field)
  checkColumns(name, fields)
  const fieldByName = frozenMap(fields.map((field) => [field.name, field]))
  const isOfView = isView(target)
  if (isOfView) refuseOnView(name, defined, options)
  const ties = Object.entries(entriesOf(name, 'relations', options.relations ?? {}))
  const owner = { model: name, fields: fieldByName, isView: isOfView }
  const relations = ties.filter((entry) => !isPolymorphic(entry)).map(([property, spec]) => defineRelation(owner, property, spec))
  const primaryKey = definePrimaryKey(name, defined, isOfView)
  return withConditions({
    name,
    table: table as string,
    isView: isOfView,
    schema: options.schema as string | undefined,
    fields: Object.freeze(fields),
    fieldByName,
    primaryKey,
    primaryKeyName: options.primaryKeyName as string | undefined,
    uniques: defineUniques(name, defined, fieldByName, options),
    indexes: isOfView ? Object.freeze([]) : defineIndexes(name, defined, fieldByName, options),
    checks: defineChecks(name, defined, options.checks),
    relations: Object.freeze(relations),
    polymorphics: definePolymorphics(owner, relations, ties.filter(isPolymorphic)),
    comment: options.comment as string | undefined,
    renamedFrom: options.renamedFrom as string | undefined,
    roles: rolesOf(name, defined),
    audit: defineAudit({ name, fieldByName, primaryKey }, options.audit),
  })
}

/** What only a table can hold. */
function refuseOnView(model: string, defined: readonly DefinedField[], options: Readonly<Record<string, unknown>>): void {
  const option = ['primaryKeyName', 'indexes', 'checks', 'renamedFrom', 'audit'].find((each) => options[each] !== undefined)
  if (option !== undefined) throw new ModelError(model, undefined, `${option}: a view has none`)
  const field = defined.find(({ field: { role }, check, isIndexed }) => check !== undefined || (isIndexed && role !== 'tenant'))
  if (field !== undefined)
    throw new ModelError(model, field.field.name, `${field.check === undefined ? 'index' : 'check'}: a view has none`)
  const isKeyless = !defined.some(({ isPrimary }) => isPrimary)
  if (isKeyless && (options.uniques !== undefined || defined.some(({ isUnique }) => isUnique)))
    throw new ModelError(model, undefined, 'has a unique key and no primary one; give its fields @id')
}

function modelName(className: string, given: unknown): string {
  const said: unknown = typeof given === 'object' && given !== null ? (given as { name?: unknown }).name : undefined
  const name = said ?? className
  const problem = name === '' ? 'the class has no name; say it with the "name" option' : codeNameProblem(name)
  if (problem !== undefined) throw new ModelError(className === '' ? '(anonymous class)' : className, undefined, problem)
  if (said === undefined && className.length <= 2) {
    process.emitWarning(`model "${className}" is named after its class, whose short name may be a minifier's; say @model({ name })`, {
      type: 'LatchworkWarning',
      code: 'LATCHWORK_SHORT_MODEL_NAME',
    })
  }
  return name as string
}

function checkNames(model: string, options: Readonly<Record<string, unknown>>): void {
  const problems = {
    table: objectNameProblem(options.table),
    schema: options.schema === undefined ? undefined : databaseNameProblem(options.schema),
    primaryKeyName: options.primaryKeyName === undefined ? undefined : databaseNameProblem(options.primaryKeyName),
    renamedFrom: options.renamedFrom === undefined ? undefined : objectNameProblem(options.renamedFrom),
    comment:
      options.comment === undefined || typeof options.comment === 'string' ? undefined : `expected a string, got ${typeof options.comment}`,
  }
  const [wrong] = Object.entries(problems).filter(([, problem]) => problem !== undefined)
  if (wrong !== undefined) throw new ModelError(model, undefined, `${wrong[0]}: ${wrong[1]}`)
}

function entriesOf(model: string, option: string, value: unknown): object {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  throw new ModelError(model, undefined, `${option}: expected an object with a key a property`)
}

function checkColumns(model: string, fields: readonly FieldDefinition[]): void {
  const seen = new Map<string, string>()
  for (const { name, column } of fields) {
    // SQLite and MySQL take names that differ in case alone for one
    const folded = column.toLowerCase()
    const other = seen.get(folded)
    if (other !== undefined) throw new ModelError(model, name, `has the column "${column}", as "${other}" has`)
    seen.set(folded, name)
  }
}

function rolesOf(model: string, defined: readonly DefinedField[]): ModelDefinition['roles'] {
  const roles: Partial<Record<FieldRole, FieldDefinition>> = {}
  for (const { field } of defined) {
    if (field.role === undefined) continue
    const other = roles[field.role]
    if (other !== undefined) throw new ModelError(model, field.name, `is ${field.role}, as "${other.name}" is; a model has one`)
    roles[field.role] = field
  }
  return Object.freeze(roles)
}

/** Checks what only a whole model can be checked for: its conditions, and that no two of its keys are the same. */
function withConditions(definition: ModelDefinition): ModelDefinition {
  const fieldByColumn = new Map(definition.fields.map((field) => [field.column, field.name]))
  const checks = definition.checks.map((check): CheckDefinition => {
    if (check.condition === undefined) return check
    const columns = conditionColumns(columnCondition(definition, check.condition))
    return Object.freeze({ ...check, fields: Object.freeze(columns.map((column) => fieldByColumn.get(column)!)) })
  })
  checkDistinctKeys(definition)
  checkDistinctNames(definition)
  return Object.freeze({ ...definition, checks: Object.freeze(checks) })
}

function checkDistinctKeys(definition: ModelDefinition): void {
  const keys = [
    { on: definition.primaryKey, condition: undefined },
    ...definition.uniques.map((unique) => ({ on: unique.fields, condition: keyCondition(definition, unique) })),
    ...definition.indexes.map(({ on, expression, where }) => {
      return { on: expression ?? on, condition: where === undefined ? undefined : columnCondition(definition, where) }
    }),
  ]
  const seen = new Set<string>()
  for (const { on, condition } of keys) {
    const key = JSON.stringify([on, condition])
    if (seen.has(key))
      throw new ModelError(definition.name, undefined, `has two keys or indexes on ${typeof on === 'string' ? on : on.join(', ')}`)
    seen.add(key)
  }
}

function checkDistinctNames({ name, uniques, indexes, checks }: ModelDefinition): void {
  const names = [...uniques, ...indexes, ...checks].flatMap((constraint) => constraint.name ?? [])
  const twice = names.find((constraint, at) => names.slice(0, at).some((other) => other.toLowerCase() === constraint.toLowerCase()))
  if (twice !== undefined) throw new ModelError(name, undefined, `has two constraints or indexes called "${twice}"`)
}
