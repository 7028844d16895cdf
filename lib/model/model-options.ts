import type { FieldSpec, FieldSpecFor } from './field-spec.js'
import type { ModelClass, ReferentialAction, StaticCondition } from './model-definition.js'
import type { FieldName, Many, One, OneOf, RelationName } from './row-types.js'

/** One name, or several for a composite key. */
export type Names<F extends string> = F | readonly F[]

interface UniqueOptions<F extends string = string> {
  /** The fields that together are unique. */
  readonly on: readonly F[]
  /** Name of the constraint. Default `<table>_<columns>_key`. */
  readonly name?: string
  /** Only the rows that match count. */
  readonly where?: StaticCondition
  /** Of a key in a model with a deletedAt: rows that are marked as deleted count too. Default: their values are free for new rows. */
  readonly deleted?: 'include'
}

/** An index on fields, or on one SQL expression. */
type IndexOptions<F extends string = string> =
  | (UniqueOptions<F> & { readonly unique?: boolean; readonly expression?: never })
  | {
      /** SQL in the engine's own words, such as `lower(email)`. Goes into the DDL as it is: never from input. */
      readonly expression: string
      readonly name: string
      readonly where?: StaticCondition
      readonly on?: never
      readonly unique?: never
    }

/** What the database holds every row to: a condition, or SQL in the engine's own words. */
type CheckOptions =
  | { readonly where: StaticCondition; readonly name?: string; readonly sql?: never }
  | { readonly sql: string; readonly name: string; readonly where?: never }

/** What `@model()` takes: all of a model that is not said on its properties. */
export interface TableOptions<F extends string = string> {
  /** Name of the model and, with the operation, of its nodes. Default: the class's name. Say it where code is minified. */
  readonly name?: string
  /** Name of the table. Default: the plural of the class's name in snake_case; see `tableNameOf` for the rule. */
  readonly table?: string
  /**
   * Schema (PostgreSQL), made by `createTables` where it is missing; or another database of the server (MySQL, MariaDB), which is not. SQLite has none. Default: the
   * connection's own.
   */
  readonly schema?: string
  /**
   * What the constraint of the primary key is called: for a table that another tool has made. Default: `<table>_pkey`, which a rename of the table
   * leaves as it was. MySQL and MariaDB call it PRIMARY whatever is said.
   */
  readonly primaryKeyName?: string
  readonly indexes?: readonly IndexOptions<F>[]
  readonly uniques?: readonly UniqueOptions<F>[]
  readonly checks?: readonly CheckOptions[]
  /** Stored with the table where the engine can. */
  readonly comment?: string
  /** The table's former name, for migrations. */
  readonly renamedFrom?: string
  /**
   * Write down every change of its rows in the table of `AuditEntry`, in the transaction of the change; of the fields in `omit` no value.
   * Default false.
   */
  readonly audit?: boolean | { readonly omit: readonly F[] }
}

/** What a belongsTo takes beside its target. */
export interface BelongsToOptions<F extends string = string, R extends string = string> {
  /** The fields of this model that hold the target's key. */
  readonly foreignKey: Names<F>
  /** The fields of the target that the key points at. Default: its primary key. */
  readonly references?: Names<R>
  /** What becomes of this row when the target's goes. Default `'noAction'`: the database refuses. */
  readonly onDelete?: ReferentialAction
  /** What becomes of the key when the target's changes. Default `'noAction'`. */
  readonly onUpdate?: ReferentialAction
  /** `false`: no foreign key constraint in the database. Default true. */
  readonly constraint?: boolean
  /** Name of the foreign key constraint. Default `<table>_<columns>_fkey`. */
  readonly constraintName?: string
}

/** What a hasOne or hasMany takes beside its target. */
export interface HasOptions<F extends string = string, R extends string = string> {
  /** The fields of the target that hold this model's key. */
  readonly foreignKey: Names<F>
  /** The fields of this model that the key points at. Default: the primary key. */
  readonly references?: Names<R>
}

/** What a manyToMany takes beside its target. */
export interface ThroughOptions<J = object, F extends string = string> {
  /** The model between the two, with a foreign key to each. */
  readonly through: () => ModelClass<J>
  /** The fields of `through` that hold this model's key. */
  readonly foreignKey: Names<F>
  /** The fields of `through` that hold the target's key. */
  readonly otherKey: Names<F>
}

/** What a polymorphic relation takes beside the relations that it chooses among. */
export interface PolymorphicOptions<N extends boolean = boolean> {
  /** A row may have none of them. Default false: it has exactly one. */
  readonly nullable?: N
}

type PolymorphicSpec<R extends string = string, N extends boolean = boolean> = { readonly kind: 'polymorphic' } & PolymorphicOptions<N> & {
    /** The names of at least two belongsTo relations, whose keys take null. */
    readonly of: readonly R[]
  }

type Target<T> = { readonly target: () => ModelClass<T> }

type BelongsToSpec<T, F extends string = string, R extends string = string> = { readonly kind: 'belongsTo' } & Target<T> &
  BelongsToOptions<F, R>
type HasSpec<K extends 'hasOne' | 'hasMany', T, F extends string = string, R extends string = string> = { readonly kind: K } & Target<T> &
  HasOptions<F, R>
type ManyToManySpec<T> = { readonly kind: 'manyToMany' } & Target<T> & ThroughOptions

/** A relation as plain data. */
export type RelationSpec = BelongsToSpec<object> | HasSpec<'hasOne' | 'hasMany', object> | ManyToManySpec<object> | PolymorphicSpec

/** The {@link RelationSpec}s that a property declared as `V` of model `M` can have. */
type RelationSpecFor<M, V> =
  NonNullable<V> extends Many<infer T>
    ? HasSpec<'hasMany', T, FieldName<T>, FieldName<M>> | ManyToManySpec<T>
    : NonNullable<V> extends One<infer T>
      ? BelongsToSpec<T, FieldName<M>, FieldName<T>> | (null extends V ? HasSpec<'hasOne', T, FieldName<T>, FieldName<M>> : never)
      : NonNullable<V> extends OneOf<infer T>
        ? PolymorphicSpec<keyof T & RelationName<M>, null extends V ? boolean : false>
        : never

/** A model as plain data: what `defineModel` takes. Fields and relations are held to the class's properties. */
export type ModelOptions<M> = TableOptions<FieldName<M>> & {
  readonly fields: { readonly [K in FieldName<M>]: FieldSpecFor<M[K]> }
} & (RelationName<M> extends never
    ? { readonly relations?: Readonly<Record<string, never>> }
    : { readonly relations: { readonly [K in RelationName<M>]: RelationSpecFor<M, M[K]> } })

/** {@link ModelOptions} of a class whose properties the compiler has not seen. */
export type LooseModelOptions = TableOptions & {
  readonly fields: Readonly<Record<string, FieldSpec>>
  readonly relations?: Readonly<Record<string, RelationSpec>>
}
