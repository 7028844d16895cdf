import type { SelectType } from 'kysely'
import type { FieldConditions } from './condition-types.js'
import type { Direction, FieldName, Row, Where } from './row-types.js'

/** One value that is computed over the rows of a group. */
export type Aggregate<M> =
  /** How many rows there are. */
  | '$count'
  /** In how many of them the field is not null. */
  | { readonly $count: FieldName<M> }
  /** How many different values the field has. */
  | { readonly $countDistinct: FieldName<M> }
  /** Exact, of the field's own type; null of no value. */
  | { readonly $sum: NumericFieldName<M> }
  /** A double; null of no value. */
  | { readonly $avg: NumericFieldName<M> }
  | { readonly $min: FieldName<M> }
  | { readonly $max: FieldName<M> }

// a decimal is a string to the compiler: a sum of plain text is refused when the call is checked
type NumericFieldName<M> = {
  [K in FieldName<M>]: NonNullable<SelectType<M[K]>> extends number | bigint | string ? K : never
}[FieldName<M>]

/** What is computed, by the name it has in the result. */
export type AggregateValues<M> = { readonly [alias: string]: Aggregate<M> }

export interface AggregateInput<M, V, G> {
  readonly values: V
  /** Which rows count. Default: all. */
  readonly where?: Where<M>
  /** One row of the result for each combination of these fields' values. Default: one row in all. */
  readonly groupBy?: G
  /** Which groups are given, by what was computed for them. */
  readonly having?: { readonly [A in keyof V]?: FieldConditions<NonNullable<AggregateValue<M, V[A]>>> }
  /** By fields of `groupBy` and by what was computed. */
  readonly orderBy?: { readonly [A in keyof V | GroupField<G>]?: Direction }
  readonly limit?: number
  readonly offset?: number
}

type GroupField<G> = G extends readonly (infer K extends string)[] ? K : never

/** A row of the result. */
export type AggregateRow<M, V, G> = G extends readonly (infer F extends string)[]
  ? { [K in F | keyof V]: K extends keyof V ? AggregateValue<M, V[K]> : K extends keyof Row<M> ? Row<M>[K] : never }
  : never

type AggregateValue<M, A> = A extends '$count' | { readonly $count: unknown } | { readonly $countDistinct: unknown }
  ? number
  : A extends { readonly $avg: unknown }
    ? number | null
    : A extends { readonly $sum: infer K } | { readonly $min: infer K } | { readonly $max: infer K }
      ? NonNullable<SelectType<M[K & keyof M]>> | null
      : never
