import { ModelError } from '../errors.js'
import { givenOptions, suggestion } from './known-options.js'
import type { FieldDefinition, ModelClass, ReferentialAction, RelationDefinition } from './model-definition.js'
import { codeNameProblem, databaseNameProblem } from './names.js'

const RELATION_OPTIONS: Readonly<Record<RelationDefinition['kind'], readonly string[]>> = {
  belongsTo: ['kind', 'target', 'foreignKey', 'references', 'onDelete', 'onUpdate', 'constraint', 'constraintName'],
  hasOne: ['kind', 'target', 'foreignKey', 'references'],
  hasMany: ['kind', 'target', 'foreignKey', 'references'],
  manyToMany: ['kind', 'target', 'through', 'foreignKey', 'otherKey'],
}

const ACTIONS: readonly ReferentialAction[] = ['cascade', 'restrict', 'setNull', 'setDefault', 'noAction']

type Fields = ReadonlyMap<string, FieldDefinition>

/** What has the relation. */
export interface RelationOwner {
  readonly model: string
  readonly fields: Fields
  readonly isView: boolean
}

/**
 * One checked relation from its plain data. What the target has is looked at where the thunk is called.
 *
 * @throws {ModelError} the relation contradicts itself or this model's fields
 */
export function defineRelation({ model, fields, isView }: RelationOwner, name: string, spec: unknown): RelationDefinition {
  checkRelationName(model, fields, name)
  const kind = relationKind(model, name, spec)
  const options = givenOptions(model, name, spec, RELATION_OPTIONS[kind])
  const ofConstraint = isView
    ? ['onDelete', 'onUpdate', 'constraint', 'constraintName'].find((option) => options[option] !== undefined)
    : undefined
  if (ofConstraint !== undefined) throw new ModelError(model, name, `${ofConstraint}: a view has no foreign keys`)
  const relation: RelationDefinition = Object.freeze({
    name,
    kind,
    target: thunk(model, name, 'target', options.target),
    foreignKey: nameList(model, name, 'foreignKey', options.foreignKey),
    references: options.references === undefined ? NONE : nameList(model, name, 'references', options.references),
    through: kind === 'manyToMany' ? thunk(model, name, 'through', options.through) : undefined,
    otherKey: kind === 'manyToMany' ? nameList(model, name, 'otherKey', options.otherKey) : NONE,
    constraint: kind === 'belongsTo' && !isView && constraintOption(model, name, options.constraint),
    constraintName: constraintName(model, name, options),
    onDelete: action(model, name, 'onDelete', options.onDelete),
    onUpdate: action(model, name, 'onUpdate', options.onUpdate),
  })
  checkOwnFields(model, fields, relation)
  return relation
}

/** @throws {ModelError} a field has the name, or no property can */
export function checkRelationName(model: string, fields: Fields, name: string): void {
  const problem = fields.has(name) ? 'is a field and a relation' : codeNameProblem(name)
  if (problem !== undefined) throw new ModelError(model, name, problem)
}

const NONE: readonly string[] = Object.freeze([])

function relationKind(model: string, name: string, spec: unknown): RelationDefinition['kind'] {
  const kind: unknown = typeof spec === 'object' && spec !== null ? (spec as { kind?: unknown }).kind : undefined
  if (typeof kind === 'string' && Object.hasOwn(RELATION_OPTIONS, kind)) return kind as RelationDefinition['kind']
  throw new ModelError(model, name, `a relation's kind is one of ${Object.keys(RELATION_OPTIONS).join(', ')}, polymorphic`)
}

function thunk(model: string, name: string, option: string, value: unknown): () => ModelClass {
  // a class is a function too, and calling it would fail far from here
  if (typeof value === 'function' && !/^class\b/.test(Function.prototype.toString.call(value))) return value as () => ModelClass
  throw new ModelError(model, name, `${option}: expected a function that gives the model, such as () => Post`)
}

function nameList(model: string, name: string, option: string, value: unknown): readonly string[] {
  const names = typeof value === 'string' ? [value] : value
  if (!Array.isArray(names) || names.length === 0 || !names.every((item) => typeof item === 'string')) {
    throw new ModelError(model, name, `${option}: expected the name of a field, or a list of names`)
  }
  if (new Set(names).size !== names.length) throw new ModelError(model, name, `${option}: names a field twice`)
  return Object.freeze([...names])
}

function constraintOption(model: string, name: string, value: unknown): boolean {
  if (value !== undefined && typeof value !== 'boolean')
    throw new ModelError(model, name, `constraint: expected a boolean, got ${typeof value}`)
  return value !== false
}

function constraintName(model: string, name: string, { constraint, constraintName: given }: Readonly<Record<string, unknown>>) {
  if (given === undefined) return undefined
  const problem = constraint === false ? 'constraint: false makes none' : databaseNameProblem(given)
  if (problem !== undefined) throw new ModelError(model, name, `constraintName: ${problem}`)
  return given as string
}

function action(model: string, name: string, option: string, value: unknown): ReferentialAction {
  if (value === undefined) return 'noAction'
  if (!ACTIONS.includes(value as ReferentialAction)) throw new ModelError(model, name, `${option}: expected one of ${ACTIONS.join(', ')}`)
  return value as ReferentialAction
}

function checkOwnFields(model: string, fields: Fields, relation: RelationDefinition): void {
  const own = relation.kind === 'belongsTo' ? relation.foreignKey : relation.references
  const unknown = own.find((field) => !fields.has(field))
  if (unknown !== undefined) {
    throw new ModelError(
      model,
      relation.name,
      `names "${unknown}", which is no field of ${model}${suggestion(unknown, [...fields.keys()])}`,
    )
  }
  if (relation.references.length > 0 && relation.references.length !== relation.foreignKey.length) {
    throw new ModelError(model, relation.name, 'foreignKey and references name different numbers of fields')
  }
  if (relation.kind !== 'belongsTo') return
  const isRequired = relation.foreignKey.find((field) => !fields.get(field)!.nullable)
  if (isRequired !== undefined && (relation.onDelete === 'setNull' || relation.onUpdate === 'setNull')) {
    throw new ModelError(model, relation.name, `setNull needs "${isRequired}" to be nullable`)
  }
}
