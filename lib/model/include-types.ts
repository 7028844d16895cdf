import type { Many, One, OneOf, OrderBy, RelationName, Row, Select, Selected, Where } from './row-types.js'

/** The model on the other side of a relation's property. */
export type Related<V> = NonNullable<V> extends Many<infer T> | One<infer T> ? T : never

/** Relations to read with a row: `true`, or which of their rows and what of them. */
export type Include<M> = { readonly [K in RelationName<M>]?: true | IncludeOptions<NonNullable<M[K]>> }

type IncludeOptions<V> =
  V extends Many<infer T> ? IncludeMany<T> : V extends One<infer T> ? IncludeOne<T> : V extends OneOf<infer T> ? IncludeOneOf<T> : never

/** What rows that are marked as deleted are to a call, for models with a deletedAt. */
export interface DeletedOption {
  /** `'include'`: they are there like others; `'only'`: no others are. Default: they are not there. */
  readonly deleted?: 'include' | 'only'
}

export interface IncludeOne<T> extends DeletedOption {
  /** Give the row only where this holds, else null. */
  readonly where?: Where<T>
  /** The fields to read. Default: all. */
  readonly select?: Select<T>
  readonly include?: Include<T>
}

export interface IncludeMany<T> extends IncludeOne<T> {
  /** Which of them. Default: all. */
  readonly where?: Where<T>
  readonly orderBy?: OrderBy<T>
  /** Most rows for each owner. Default: all. */
  readonly limit?: number
}

/** Which relations of a polymorphic one to read, and what of them. A row that chose another gets null. */
export type IncludeOneOf<T> = { readonly [K in keyof T]?: true | IncludeOne<T[K]> }

/**
 * `I` without names that mean nothing. A type that the compiler has inferred it compares with no other: a misspelled name would pass beside
 * a right one.
 */
export type Known<M, I> = I & KnownRelations<M, I>

type KnownRelations<M, I> = { readonly [K in keyof I]: K extends keyof M ? KnownOptions<M[K], I[K]> : never }

type KnownOptions<V, O> = {
  readonly [P in keyof O]: P extends OptionName<V>
    ? P extends 'include'
      ? KnownRelations<Related<V>, O[P]>
      : P extends RowOption
        ? unknown
        : KnownOptions<Choice<V, P>, O[P]>
    : never
}

type RowOption = keyof IncludeMany<unknown>

type OptionName<V> =
  NonNullable<V> extends Many<unknown> ? RowOption : NonNullable<V> extends OneOf<infer T> ? keyof T : keyof IncludeOne<unknown>

/** The relation `P` of a polymorphic one. */
type Choice<V, P> = NonNullable<V> extends OneOf<infer T> ? (P extends keyof T ? One<T[P]> : never) : never

/** The row that `select` and `include` make of a model. */
export type RowWith<M, S, I> = [I] extends [undefined] ? Selected<M, S> : Flat<Selected<M, S> & IncludedRows<M, I>>

type IncludedRows<M, I> = { [K in keyof I & keyof M]: IncludedRow<M[K], I[K]> }

type IncludedRow<V, O> =
  NonNullable<V> extends Many<infer T>
    ? RowOfOptions<T, O>[]
    :
        | (NonNullable<V> extends One<infer T>
            ? RowOfOptions<T, O> | LeftOut<O>
            : NonNullable<V> extends OneOf<infer T>
              ? ChosenRow<T, O>
              : never)
        | (null extends V ? null : never)

/** Null where options may leave out a row that is there: by a condition, or for not being marked as deleted. */
type LeftOut<O> = O extends { readonly where: unknown }
  ? null
  : O extends { readonly deleted: infer D }
    ? 'only' extends D
      ? null
      : never
    : never

/** The row of a relation, beside its name; null where the row's own choice is not asked for. */
type ChosenRow<T, O> = O extends true
  ? { [K in keyof T]: { type: K; row: Row<T[K]> } }[keyof T]
  :
      | { [K in keyof O & keyof T]: { type: K; row: RowOfOptions<T[K], O[K]> } | LeftOut<O[K]> }[keyof O & keyof T]
      | (keyof T extends keyof O ? never : null)

type RowOfOptions<T, O> = O extends true ? Row<T> : RowWith<T, Given<O, 'select'>, Given<O, 'include'>>

type Given<O, K extends string> = O extends { readonly [P in K]: infer V } ? V : undefined

/** One object type, so that a tooltip shows its fields. */
// inferred first: the compiler prints a mapped type by its alias, and what a condition gives as it stands
type Flat<T> = T extends infer O ? { [K in keyof O]: O[K] } : never
