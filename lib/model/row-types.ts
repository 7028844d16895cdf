import type { ColumnType, InsertType, SelectType, UpdateType } from 'kysely'
import type { ArrayConditions, FieldConditions, JsonWhere, NullConditions, TextConditions } from './condition-types.js'

declare const relation: unique symbol

/** A property that holds the many rows on the other side of a relation. No column. */
export interface Many<T> {
  readonly [relation]: 'many'
  readonly target?: T
}

/** A property that holds the one row on the other side of a relation. No column. */
export interface One<T> {
  readonly [relation]: 'one'
  readonly target?: T
}

/**
 * A property that holds one row of several models: of the relation that the row chose. `T` has the model of each relation, by its name. No column.
 */
export interface OneOf<T> {
  readonly [relation]: 'one of'
  readonly targets?: T
}

declare const json: unique symbol

/** What marks a property as a JSON column, so that it is not taken for a column of the type it holds. */
export interface JsonColumn {
  readonly [json]: true
}

/** A JSON column: `T` on the way in and out. */
export type Json<T> = ColumnType<T, T, T> & JsonColumn

/** A JSON column with a default: {@link Json}, and create may leave it out. */
export type GeneratedJson<T> = ColumnType<T, T | undefined, T> & JsonColumn

// biome-ignore lint/complexity/noBannedTypes: any function at all, to be left out
type NotAColumn = Many<unknown> | One<unknown> | OneOf<unknown> | Function

/** The names of a model's columns: its properties, less methods and relations. */
export type FieldName<M> = { [K in keyof M & string]: M[K] extends NotAColumn | null | undefined ? never : K }[keyof M & string]

/** The names of a model's relations. */
export type RelationName<M> = {
  [K in keyof M & string]: M[K] extends Many<unknown> | One<unknown> | OneOf<unknown> | null | undefined ? K : never
}[keyof M & string]

/** The columns of a model as Kysely's table interface. */
export type Columns<M> = { [K in FieldName<M>]: M[K] }

/** A row as it is read: plain data, each field of its declared type. */
export type Row<M> = Printed<{ [K in FieldName<M>]: SelectType<M[K]> }>

/** What `create` takes: `Generated` and nullable fields may be left out. */
export type CreateInput<M> = Printed<{ [K in GivenName<M>]: InsertType<M[K]> } & { [K in LeftOutName<M>]?: InsertType<M[K]> }>

// the compiler prints a mapped type by its alias, and what a condition gives as it stands: its fields
type Printed<T> = [T] extends [unknown] ? T : never

/** The fields that create needs. */
type GivenName<M> = { [K in FieldName<M>]: IsGiven<M[K]> extends true ? K : never }[FieldName<M>]

type LeftOutName<M> = { [K in FieldName<M>]: IsGiven<M[K]> extends false ? K : never }[FieldName<M>]

// undefined of a field that only the database gives
type IsGiven<V> = [InsertType<V>] extends [never]
  ? undefined
  : undefined extends InsertType<V>
    ? false
    : null extends InsertType<V>
      ? false
      : true

/** What `update` sets: each field by value, or a number by `$increment`, `$decrement`, `$multiply`. */
export type UpdateInput<M> = Printed<{ [K in UpdatedName<M>]?: NewValue<M[K]> }>

type NewValue<V> = UpdateType<V> | NumberUpdate<NonNullable<UpdateType<V>>>

type UpdatedName<M> = { [K in FieldName<M>]: [UpdateType<M[K]>] extends [never] ? never : K }[FieldName<M>]

// a decimal is a string to the compiler: an operator on a field of plain text is refused when the call is checked
type NumberUpdate<T> = [T] extends [number | bigint] ? OneOperator<T> : string extends T ? OneOperator<string> : never

type OneOperator<T> =
  | { readonly $increment: T; readonly $decrement?: never; readonly $multiply?: never }
  | { readonly $decrement: T; readonly $increment?: never; readonly $multiply?: never }
  | { readonly $multiply: T; readonly $increment?: never; readonly $decrement?: never }

// what is neither a list nor a scalar is of the application's own type
type Conditions<T> = [T] extends [string] ? TextConditions<T> : [T] extends [readonly (infer E)[]] ? ArrayConditions<E> : FieldConditions<T>

/** A filter over the fields and relations of a model. All entries must hold. */
export type Where<M> = {
  readonly [K in FieldName<M>]?: FieldWhere<M[K]>
} & { readonly [K in FilteredName<M>]?: RelationWhere<M[K]> } & WhereLogic<M>

/** The relations that are conditions: a polymorphic one leaves it to those among which it chooses. */
type FilteredName<M> = { [K in RelationName<M>]: M[K] extends OneOf<unknown> | null ? never : K }[RelationName<M>]

type RelationWhere<V> =
  NonNullable<V> extends Many<infer T> ? ManyConditions<T> : NonNullable<V> extends One<infer T> ? Where<T> | null : never

/** Conditions on the rows of a to-many relation. All that are given must hold. */
export interface ManyConditions<T> {
  /** There is one for which this holds. */
  readonly $some?: Where<T>
  /** There is none for which this does not hold; so too where there are none at all. */
  readonly $every?: Where<T>
  /** There is none for which this holds. */
  readonly $none?: Where<T>
}

type FieldWhere<V> = NonNullable<V> extends JsonColumn ? null | NullConditions | JsonWhere<SelectType<V>> : WhereValue<SelectType<V>>

type WhereValue<T> = (NonNullable<T> extends readonly unknown[] ? never : NonNullable<T>) | null | Conditions<NonNullable<T>>

interface WhereLogic<M> {
  readonly $and?: readonly Where<M>[]
  readonly $or?: readonly Where<M>[]
  readonly $not?: Where<M>
}

export type Direction = 'asc' | 'desc' | { readonly direction: 'asc' | 'desc'; readonly nulls: 'first' | 'last' }

/** Fields to order by, first to last, or a list of such where the order of keys is not to be relied on. */
export type OrderBy<M> = Directions<M> | readonly Directions<M>[]

type Directions<M> = { readonly [K in FieldName<M>]?: Direction }

/** Which fields to read. */
export type Select<M> = readonly FieldName<M>[]

/** The row a `select` leaves. */
export type Selected<M, S> = S extends readonly (infer K)[] ? { [F in K & keyof Row<M>]: Row<M>[F] } : Row<M>
