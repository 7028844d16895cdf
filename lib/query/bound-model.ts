import { ColumnNode, type Expression, ExpressionWrapper, type Kysely, ReferenceNode } from 'kysely'
import type { Codec, Dialect } from '../dialect/dialect.js'
import { ModelError } from '../errors.js'
import { fieldChecker, fieldNormaliser } from '../model/field-type.js'
import type { FieldDefinition, ModelDefinition } from '../model/model-definition.js'
import { compileListValidator, compileValidator, type ListValidator, type RowValidator } from '../model/validate-input.js'
import type { ForeignKeyLink } from './foreign-key-link.js'
import { StatementCache } from './statement-cache.js'

/** A field with the ways of one engine. */
export interface BoundField {
  readonly definition: FieldDefinition
  readonly name: string
  readonly column: string
  /** The column in an expression. */
  readonly reference: Expression<unknown>
  /** What is wrong with a value to compare the field with; undefined: nothing. Lengths are not looked at. */
  readonly checkComparison: (value: unknown) => string | undefined
  /** A checked value, not null, in the driver's form. */
  readonly encode: (value: unknown) => unknown
  /** A driver's value, not null, as the declared JavaScript type; undefined: as it is. */
  readonly decode: ((value: unknown) => unknown) | undefined
  readonly exactIntegers: boolean
}

// biome-ignore lint/suspicious/noExplicitAny: tables and columns are known at run time only
export type Compiler = Kysely<any>

/** A model with the ways of one engine: everything that is prepared once, so that a call does little. */
export interface BoundModel {
  readonly definition: ModelDefinition
  readonly dialect: Dialect
  /** A Kysely that compiles and never runs. */
  readonly compiler: Compiler
  /** The table as Kysely takes it: `schema.table` where the model has a schema. */
  readonly table: string
  readonly fields: readonly BoundField[]
  readonly fieldByName: ReadonlyMap<string, BoundField>
  /** The keys that name a row: the primary key first, then the uniques that hold for every row. */
  readonly keys: readonly (readonly BoundField[])[]
  /** The foreign keys of all models. */
  readonly foreignKeys: readonly ForeignKeyLink[]
  readonly roles: { readonly [R in keyof ModelDefinition['roles']]?: BoundField }
  readonly statements: StatementCache
  readonly validateCreate: RowValidator
  readonly validateUpdate: RowValidator
  readonly validateRows: ListValidator
  /** The current instant, for the timestamps that the layer keeps. */
  readonly now: () => Date
  /** What a call of the operation is called in errors and metrics: its node's name. */
  labelOf(operation: string): string
}

/** Binds a model to an engine. Pure; done once a database. */
export function bindModel(
  definition: ModelDefinition,
  dialect: Dialect,
  compiler: Compiler,
  foreignKeys: readonly ForeignKeyLink[],
  now: () => Date,
): BoundModel {
  const fields = definition.fields.map((field) => bindField(field, dialect))
  const fieldByName = new Map(fields.map((field) => [field.name, field]))
  const fieldsOf = (names: readonly string[]) => names.map((name) => requireField(definition, fieldByName, name))
  const wholeUniques = definition.uniques.filter((unique) => unique.where === undefined)
  return Object.freeze({
    definition,
    dialect,
    compiler,
    table: definition.schema === undefined ? definition.table : `${definition.schema}.${definition.table}`,
    fields,
    fieldByName,
    keys: [definition.primaryKey, ...wholeUniques.map((unique) => unique.fields)].map(fieldsOf),
    foreignKeys,
    roles: Object.fromEntries(fields.flatMap((field) => (field.definition.role === undefined ? [] : [[field.definition.role, field]]))),
    statements: new StatementCache(),
    validateCreate: compileValidator(definition, 'create'),
    validateUpdate: compileValidator(definition, 'update'),
    validateRows: compileListValidator(definition, 'create'),
    now,
    labelOf: (operation: string) => nodeName(definition.name, operation),
  })
}

function bindField(definition: FieldDefinition, dialect: Dialect): BoundField {
  const codec: Codec = dialect.codec(definition.type, definition.bigintMode)
  const normalise = fieldNormaliser(definition)
  const encode = codec.encode
  return Object.freeze({
    definition,
    name: definition.name,
    column: definition.column,
    reference: new ExpressionWrapper(ReferenceNode.create(ColumnNode.create(definition.column))),
    checkComparison: fieldChecker(comparable(definition)),
    encode: compose(normalise, encode),
    decode: codec.decode,
    exactIntegers: codec.exactIntegers === true,
  })
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

/** `User` and `bulkCreate` → `UserBulkCreateNode`. */
export function nodeName(model: string, operation: string): string {
  return `${model}${operation[0]!.toUpperCase()}${operation.slice(1)}Node`
}
