import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { BigintMode, ColumnType } from './column-type.js'
import type { CustomCodec } from './custom-codec.js'

/** A class whose instances have the shape of a row; it is never instantiated. */
export type ModelClass<M = object> = abstract new (...args: never[]) => M

/** What the layer itself writes into a field, so that input may not. */
export type FieldRole = 'createdAt' | 'updatedAt' | 'version' | 'deletedAt' | 'tenant'

/**
 * Where a value comes from when a create leaves the field out:
 * a constant, a function called once a row, SQL evaluated by the database, or the engine's own counter.
 */
export type FieldDefault =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'function'; readonly create: () => unknown }
  | { readonly kind: 'sql'; readonly sql: string }
  | { readonly kind: 'increment' }

/** Comparisons that a CHECK or a partial index can hold; keys are fields, values as in a node's `where`. */
export type StaticCondition = { readonly [fieldOrLogic: string]: unknown }

/** One column of a model. */
export interface FieldDefinition {
  /** The property of the class. */
  readonly name: string
  readonly column: string
  readonly type: ColumnType
  /** Only for bigint columns and arrays of bigint; `'bigint'` elsewhere. */
  readonly bigintMode: BigintMode
  /** Values are of a type of the application's own; `type` is what they are stored as. */
  readonly custom: CustomCodec | undefined
  readonly nullable: boolean
  readonly default: FieldDefault | undefined
  readonly role: FieldRole | undefined
  /** Fewest characters of a text; 0 without a bound. */
  readonly minLength: number
  /** Kept from outsiders: from channels, published schemas and messages. */
  readonly redacted: boolean
  /** Extra validation of input, after the type has been checked; its output is what is stored. */
  readonly schema: StandardSchemaV1 | undefined
  readonly comment: string | undefined
  /** Former name of the column, for migrations. */
  readonly renamedFrom: string | undefined
}

/** A key: fields that together name at most one row. */
export interface UniqueDefinition {
  readonly fields: readonly string[]
  /** Explicit name of the constraint; else made from table and columns. */
  readonly name: string | undefined
  /** Only the rows that match count; such a key does not name a row in a node's `where`. */
  readonly where: StaticCondition | undefined
  /** Whether rows that are marked as deleted count too; true in a model that marks none. Where not, their values are free. */
  readonly countsDeleted: boolean
}

export interface IndexDefinition {
  /** Field names; or SQL expressions, which stand alone. */
  readonly on: readonly string[]
  readonly expression: string | undefined
  readonly name: string | undefined
  readonly where: StaticCondition | undefined
}

export interface CheckDefinition {
  readonly name: string | undefined
  /** One of the two is set. */
  readonly condition: StaticCondition | undefined
  readonly sql: string | undefined
  /** The fields the check speaks of, where that is known. */
  readonly fields: readonly string[]
}

export type ReferentialAction = 'cascade' | 'restrict' | 'setNull' | 'setDefault' | 'noAction'

export interface RelationDefinition {
  readonly name: string
  readonly kind: 'belongsTo' | 'hasOne' | 'hasMany' | 'manyToMany'
  /** A thunk, so that two files may refer to each other. Resolved when a database is made. */
  readonly target: () => ModelClass
  /** belongsTo: the fields of this model; hasOne and hasMany: the fields of the target; manyToMany: of `through`, towards this model. */
  readonly foreignKey: readonly string[]
  /** The fields that `foreignKey` points at; empty: the primary key. */
  readonly references: readonly string[]
  readonly through: (() => ModelClass) | undefined
  /** manyToMany: the fields of `through` towards the target. */
  readonly otherKey: readonly string[]
  /** belongsTo: `false` makes no foreign key constraint. */
  readonly constraint: boolean
  /** belongsTo: what the foreign key constraint is called; undefined: after its columns. */
  readonly constraintName: string | undefined
  readonly onDelete: ReferentialAction
  readonly onUpdate: ReferentialAction
}

/** A relation to a row of one of several models: a choice among the model's relations of kind belongsTo. */
export interface PolymorphicDefinition {
  readonly name: string
  /** In order of declaration. The row's choice is the one of which no key field is null. */
  readonly choices: readonly PolymorphicChoice[]
  /** Whether a row may have none of them; it never has two. */
  readonly nullable: boolean
}

export interface PolymorphicChoice {
  /** The name of a belongsTo. */
  readonly relation: string
  /** Those fields of its foreign key that take null; at least one. */
  readonly keyFields: readonly string[]
}

/** What is written down of the changes of a model's rows. */
export interface AuditDefinition {
  /** Fields whose values are left out. */
  readonly omit: readonly string[]
}

/** A model as plain frozen data: all that decorators and `defineModel` leave behind. */
export interface ModelDefinition {
  readonly name: string
  readonly table: string
  /** It is read and never written, and no DDL is made for it. */
  readonly isView: boolean
  /** Database schema (PostgreSQL) or database (MySQL); undefined: the connection's own. */
  readonly schema: string | undefined
  readonly fields: readonly FieldDefinition[]
  readonly fieldByName: ReadonlyMap<string, FieldDefinition>
  /** Names of the key's fields, in order; empty only for a view without one. */
  readonly primaryKey: readonly string[]
  /** Of its constraint; undefined: it follows from the table. */
  readonly primaryKeyName: string | undefined
  readonly uniques: readonly UniqueDefinition[]
  readonly indexes: readonly IndexDefinition[]
  readonly checks: readonly CheckDefinition[]
  readonly relations: readonly RelationDefinition[]
  readonly polymorphics: readonly PolymorphicDefinition[]
  readonly comment: string | undefined
  /** Former name of the table, for migrations. */
  readonly renamedFrom: string | undefined
  /** The field with a role, where there is one. */
  readonly roles: Readonly<Partial<Record<FieldRole, FieldDefinition>>>
  /** Undefined: changes of its rows are not written down. */
  readonly audit: AuditDefinition | undefined
}
