import type { Expression, Kysely } from 'kysely'
import type { Dialect } from '../dialect/dialect.js'
import type { FieldDefinition, ModelDefinition, RelationDefinition } from '../model/model-definition.js'
import type { ListValidator, RowValidator } from '../model/validate-input.js'
import type { Actors } from './actors.js'
import type { ForeignKeyLink } from './foreign-key-link.js'
import type { StatementCache } from './statement-cache.js'
import type { Tenants } from './tenants.js'

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
  /** Both, for the type that the field is stored as: another one where it is the application's own. */
  readonly stored: Pick<BoundField, 'encode' | 'decode'>
  readonly exactIntegers: boolean
}

// biome-ignore lint/suspicious/noExplicitAny: tables and columns are known at run time only
export type Compiler = Kysely<any>

/** The model between the two of a many-to-many relation. */
interface BoundThrough {
  readonly model: BoundModel
  /** Its fields that hold the key of the relation's own model. */
  readonly near: readonly BoundField[]
  /** Its fields that hold the key of the target. */
  readonly far: readonly BoundField[]
}

/** A relation with the ways of one engine: which fields of which models are the same where two rows belong together. */
export interface BoundRelation {
  readonly definition: RelationDefinition
  readonly name: string
  /** The model that has the relation. */
  readonly source: BoundModel
  readonly target: BoundModel
  /** Whether a row has any number of them, or one at most. */
  readonly isMany: boolean
  /** Fields of the source, in the order of those that they are equal to: `targetFields`, or `through.near`. */
  readonly sourceFields: readonly BoundField[]
  /** Fields of the target, in the order of those that they are equal to: `sourceFields`, or `through.far`. */
  readonly targetFields: readonly BoundField[]
  readonly through: BoundThrough | undefined
}

/** Where the changes of a model's rows are written down, and what of them. */
export interface BoundAudit {
  /** The model of `AuditEntry`. */
  readonly entries: BoundModel
  readonly actors: Actors
  /** The fields whose values are written. The one place that decides it: what is not to be read elsewhere is left out here. */
  readonly fields: readonly BoundField[]
}

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
  /** {@link keys} as callers give them: without the tenant, which is known. */
  readonly givenKeys: readonly (readonly BoundField[])[]
  /** The keys that name a row which is there: the primary key first, then the uniques without a condition of their own. A view may have none. */
  readonly keys: readonly (readonly BoundField[])[]
  /** Those of {@link keys} and {@link givenKeys} for which rows that are marked as deleted do not count: they name none of these. */
  readonly livingKeys: ReadonlySet<readonly BoundField[]>
  readonly relations: ReadonlyMap<string, BoundRelation>
  /** The polymorphic relations: those of {@link relations} among which each chooses. */
  readonly polymorphics: ReadonlyMap<string, readonly BoundRelation[]>
  /** The relations by whose foreign keys rows of any model refer to rows of this one. */
  readonly dependents: readonly BoundRelation[]
  /** The foreign keys of all models. */
  readonly foreignKeys: readonly ForeignKeyLink[]
  readonly tenants: Tenants
  /** Undefined: changes of its rows are not written down. */
  readonly audit: BoundAudit | undefined
  readonly roles: { readonly [R in keyof ModelDefinition['roles']]?: BoundField }
  readonly statements: StatementCache
  readonly validateCreate: RowValidator
  readonly validateUpdate: RowValidator
  readonly validateRows: ListValidator
  /** Signs the cursors of lists. */
  readonly cursorKey: string
  /** The current instant, for the timestamps that the layer keeps. */
  readonly now: () => Date
  /** What a call of the operation is called in errors and metrics: its node's name. */
  labelOf(operation: string): string
}

/** The keys that name a row where rows that are marked as deleted are there too, or no others are. */
export function keysOfDeleted(model: BoundModel): Pick<BoundModel, 'keys' | 'givenKeys'> {
  if (model.livingKeys.size === 0) return model
  const counts = (key: readonly BoundField[]) => !model.livingKeys.has(key)
  return { keys: model.keys.filter(counts), givenKeys: model.givenKeys.filter(counts) }
}

/**
 * A driver's value, not null, in the form in which it is bound again. An instant goes back as the driver's own text, where
 * that is what it gave: a `Date` would have lost what is below the millisecond.
 */
export function reboundValue({ stored }: BoundField, value: unknown): unknown {
  const decoded = stored.decode === undefined ? value : stored.decode(value)
  return decoded instanceof Date && typeof value === 'string' ? value : stored.encode(decoded)
}

/** `User` and `bulkCreate` → `UserBulkCreateNode`. */
export function nodeName(model: string, operation: string): string {
  return `${model}${operation[0]!.toUpperCase()}${operation.slice(1)}Node`
}
