import { ColumnNode, ExpressionWrapper, ReferenceNode } from 'kysely'
import type { Codec, Dialect } from '../dialect/dialect.js'
import { InvalidValueError, ModelError, UnsupportedError } from '../errors.js'
import { AuditEntry } from '../model/audit-entry.js'
import type { CustomCodec } from '../model/custom-codec.js'
import { definitionOf } from '../model/define-model.js'
import { fieldChecker, fieldNormaliser } from '../model/field-type.js'
import type { FieldDefinition, ModelDefinition, RelationDefinition } from '../model/model-definition.js'
import { withRelated } from '../model/relations.js'
import { compileListValidator, compileValidator } from '../model/validate-input.js'
import type { Actors } from './actors.js'
import { type BoundAudit, type BoundField, type BoundModel, type BoundRelation, nodeName } from './bound-model.js'
import { StatementCache } from './statement-cache.js'

/** What all models of a database have in common. */
interface ModelSurroundings extends Pick<BoundModel, 'dialect' | 'compiler' | 'foreignKeys' | 'now' | 'cursorKey' | 'tenants'> {
  readonly actors: Actors
}

/**
 * Binds models, and those that they are related to, to an engine. Pure; done once a database.
 *
 * @throws {UnsupportedError} a model stands in a schema, and the engine has none
 */
export function bindModels(
  definitions: readonly ModelDefinition[],
  surroundings: ModelSurroundings,
): ReadonlyMap<ModelDefinition, BoundModel> {
  const ties = new Map<BoundModel, ModelTies>()
  const models = new Map<ModelDefinition, BoundModel>()
  const bind = (definition: ModelDefinition, entries: BoundModel | undefined) => {
    const own: ModelTies = { relations: new Map(), polymorphics: new Map(), dependents: [], entries }
    const model = bindModel(definition, own, surroundings)
    models.set(definition, model)
    ties.set(model, own)
    return model
  }
  const all = withRelated(definitions)
  // first: the others refer to it
  const entries = all.filter((definition) => definition === definitionOf(AuditEntry)).map((definition) => bind(definition, undefined))[0]
  for (const definition of all) if (!models.has(definition)) bind(definition, entries)
  // when all of them are there: models may refer to each other
  for (const [model, own] of ties) {
    for (const relation of bindRelations(model, (definition) => models.get(definition)!)) {
      own.relations.set(relation.name, relation)
      if (!relation.definition.constraint) continue
      requireRestorable(relation)
      ties.get(relation.target)!.dependents.push(relation)
    }
    for (const { name, choices } of model.definition.polymorphics) {
      const relations = choices.map(({ relation }) => own.relations.get(relation)!)
      own.polymorphics.set(name, relations)
    }
  }
  return models
}

/** What ties a model to others. */
interface ModelTies {
  readonly relations: Map<string, BoundRelation>
  readonly polymorphics: Map<string, readonly BoundRelation[]>
  readonly dependents: BoundRelation[]
  /** The model of `AuditEntry`, where it is one of the database's. */
  readonly entries: BoundModel | undefined
}

function bindAudit(
  { name, audit }: ModelDefinition,
  entries: BoundModel | undefined,
  actors: Actors,
  fields: readonly BoundField[],
): BoundAudit | undefined {
  if (audit === undefined) return undefined
  if (entries === undefined) throw new ModelError(name, undefined, 'is audited; name AuditEntry among the models of the database')
  const isWritten = ({ name: field, definition: { redacted } }: BoundField) => !redacted && !audit.omit.includes(field)
  return { entries, actors, fields: fields.filter(isWritten) }
}

/** What goes with a row that is only marked could not come back with it. */
function requireRestorable({ source, target, name, definition }: BoundRelation): void {
  if (definition.onDelete !== 'cascade' || target.roles.deletedAt === undefined || source.roles.deletedAt !== undefined) return
  throw new ModelError(
    source.definition.name,
    name,
    `onDelete is cascade, and rows of ${target.definition.name} are only marked as deleted: give ${source.definition.name} a @deletedAt, or say another onDelete`,
  )
}

function bindModel(
  definition: ModelDefinition,
  { relations, polymorphics, dependents, entries }: ModelTies,
  { dialect, compiler, foreignKeys, now, cursorKey, tenants, actors }: ModelSurroundings,
): BoundModel {
  if (definition.schema !== undefined && !dialect.capabilities.schemas)
    throw new UnsupportedError(`the schema of ${definition.name}`, dialect.engine, 'leave the schema option out')
  const fields = definition.fields.map((field) => bindField(definition.name, field, dialect))
  const fieldByName = new Map(fields.map((field) => [field.name, field]))
  const fieldsOf = (names: readonly string[]) => names.map((name) => requireField(definition, fieldByName, name))
  const isGiven = ({ definition: { role } }: BoundField) => role !== 'tenant'
  const wholeUniques = definition.uniques.filter((unique) => unique.where === undefined)
  const keys = [definition.primaryKey, ...wholeUniques.map((unique) => unique.fields)].filter((key) => key.length > 0).map(fieldsOf)
  const givenKeys = keys.map((key) => key.filter(isGiven))
  const isLiving = (_: unknown, index: number) => index > 0 && !wholeUniques[index - 1]!.countsDeleted
  return Object.freeze({
    definition,
    dialect,
    compiler,
    table: definition.schema === undefined ? definition.table : `${definition.schema}.${definition.table}`,
    fields,
    fieldByName,
    keys,
    givenKeys: givenKeys.filter((key) => key.length > 0),
    livingKeys: new Set([...keys.filter(isLiving), ...givenKeys.filter(isLiving)]),
    tenants,
    audit: bindAudit(definition, entries, actors, fields),
    relations,
    polymorphics,
    dependents,
    foreignKeys,
    roles: Object.fromEntries(fields.flatMap((field) => (field.definition.role === undefined ? [] : [[field.definition.role, field]]))),
    statements: new StatementCache(),
    validateCreate: compileValidator(definition, 'create'),
    validateUpdate: compileValidator(definition, 'update'),
    validateRows: compileListValidator(definition, 'create'),
    now,
    cursorKey,
    labelOf: labels(definition.name),
  })
}

/** The name of an operation's node, made once: every call asks for it. */
function labels(model: string): BoundModel['labelOf'] {
  const known = new Map<string, string>()
  return (operation) => {
    let label = known.get(operation)
    if (label === undefined) {
      label = nodeName(model, operation)
      known.set(operation, label)
    }
    return label
  }
}

/** Binds a field to an engine. */
export function bindField(model: string, definition: FieldDefinition, dialect: Dialect): BoundField {
  const codec: Codec = dialect.codec(definition.type, definition.bigintMode)
  const stored = Object.freeze({
    encode: compose(fieldNormaliser({ ...definition, custom: undefined }), codec.encode),
    decode: codec.decode,
  })
  return Object.freeze({
    definition,
    name: definition.name,
    column: definition.column,
    reference: new ExpressionWrapper(ReferenceNode.create(ColumnNode.create(definition.column))),
    checkComparison: fieldChecker(comparable(definition)),
    ...(definition.custom === undefined ? stored : customCodec(model, definition, definition.custom, stored)),
    stored,
    exactIntegers: codec.exactIntegers === true,
  })
}

/** The codec of the application's own type around that of the type it is stored as. */
function customCodec(
  model: string,
  { name, redacted }: FieldDefinition,
  { encode, decode }: CustomCodec,
  stored: BoundField['stored'],
): BoundField['stored'] {
  const origin = { model, fields: [name], constraint: undefined }
  const attempt = (what: string, convert: (value: unknown) => unknown, value: unknown) => {
    try {
      return convert(value)
    } catch (cause) {
      // what was thrown may hold the value
      throw new InvalidValueError(what, origin, redacted ? {} : { cause })
    }
  }
  return {
    encode: (value) => stored.encode(attempt('a value is none that its encode takes', encode, value)),
    decode: (value) =>
      attempt('a stored value is none that its decode takes', decode, stored.decode === undefined ? value : stored.decode(value)),
  }
}

function comparable(definition: FieldDefinition): FieldDefinition {
  const isText = definition.type.kind === 'varchar' || definition.type.kind === 'text'
  return isText ? { ...definition, type: { kind: 'text' }, minLength: 0 } : definition
}

function compose(
  first: ((value: unknown) => unknown) | undefined,
  second: ((value: unknown) => unknown) | undefined,
): (value: unknown) => unknown {
  if (first === undefined) return second ?? ((value) => value)
  return second === undefined ? first : (value) => second(first(value))
}

function requireField(definition: ModelDefinition, fields: ReadonlyMap<string, BoundField>, name: string): BoundField {
  const field = fields.get(name)
  if (field === undefined) throw new ModelError(definition.name, name, 'is named in a key and is no field')
  return field
}

type ModelOf = (definition: ModelDefinition) => BoundModel

/**
 * The relations of a model.
 *
 * @param modelOf finds the bound form of any model that a relation names
 */
function bindRelations(source: BoundModel, modelOf: ModelOf): readonly BoundRelation[] {
  return source.definition.relations.map((relation) => bindRelation(source, relation, modelOf))
}

function bindRelation(source: BoundModel, definition: RelationDefinition, modelOf: ModelOf): BoundRelation {
  const { name, kind, foreignKey, references } = definition
  const target = modelOf(definitionOf(definition.target()))
  const isMany = kind === 'hasMany' || kind === 'manyToMany'
  const common = { definition, name, source, target, isMany }
  if (kind === 'manyToMany') {
    const model = modelOf(definitionOf(definition.through!()))
    const through = { model, near: fieldsOf(model, foreignKey), far: fieldsOf(model, definition.otherKey) }
    return { ...common, sourceFields: keyOf(source, source, name), targetFields: keyOf(target, source, name), through }
  }
  const [holder, owner] = kind === 'belongsTo' ? [source, target] : [target, source]
  const key = fieldsOf(holder, foreignKey)
  const referenced = references.length === 0 ? keyOf(owner, source, name) : fieldsOf(owner, references)
  const [sourceFields, targetFields] = kind === 'belongsTo' ? [key, referenced] : [referenced, key]
  return { ...common, sourceFields, targetFields, through: undefined }
}

/** @throws {ModelError} a view without a key */
function keyOf({ keys, definition }: BoundModel, source: BoundModel, relation: string): readonly BoundField[] {
  const [key] = keys
  if (key !== undefined) return key
  throw new ModelError(source.definition.name, relation, `goes by the key of ${definition.name}, which has none; say references`)
}

function fieldsOf(model: BoundModel, names: readonly string[]): readonly BoundField[] {
  return names.map((name) => model.fieldByName.get(name)!)
}
