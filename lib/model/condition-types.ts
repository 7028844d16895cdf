/** Conditions on one field. All that are given must hold. A comparison never matches a null. */
export interface FieldConditions<T> {
  readonly $eq?: T | null
  readonly $ne?: T | null
  readonly $gt?: T
  readonly $gte?: T
  readonly $lt?: T
  readonly $lte?: T
  /** Any of these; an empty list matches nothing. */
  readonly $in?: readonly T[]
  /** None of these; an empty list matches everything. */
  readonly $nin?: readonly T[]
  /** Between the two, both included. */
  readonly $between?: readonly [T, T]
  /** `true`: is null; `false`: is not null. */
  readonly $null?: boolean
  readonly $not?: FieldConditions<T>
}

/** Conditions on a text field. Upper and lower case differ, except in `$ilike`. */
export interface TextConditions<T> extends FieldConditions<T> {
  /** Holds this text; `%` and `_` stand for themselves. */
  readonly $contains?: string
  readonly $startsWith?: string
  readonly $endsWith?: string
  /** SQL pattern: `%` any text, `_` one character, `\` before either to mean itself. */
  readonly $like?: string
  readonly $ilike?: string
  /** The engine's own regular expression; not on SQLite. */
  readonly $regex?: string
  readonly $not?: TextConditions<T>
}

/** Conditions on a field that is not compared as a whole. */
export interface NullConditions {
  /** `true`: is null; `false`: is not null. */
  readonly $null?: boolean
  readonly $eq?: null
  readonly $ne?: null
}

type JsonScalar = string | number | boolean

/** Conditions on what stands at a path of a JSON column: `{ $path: ['theme'], $eq: 'dark' }`. */
export type JsonWhere<T> = unknown extends T ? Unknown<readonly []> : Below<Exclude<T, JsonScalar | null | undefined>, readonly []>

/** How many steps of a path the compiler follows; what lies deeper it takes as it comes. */
type Followed = 4

type Below<T, P extends readonly unknown[]> = P['length'] extends Followed
  ? Unknown<P>
  : T extends readonly (infer E)[]
    ? Through<E, readonly [...P, number]>
    : T extends object
      ? { [K in keyof T & string]-?: Through<T[K], readonly [...P, K]> }[keyof T & string]
      : never

type Through<T, P extends readonly unknown[]> = unknown extends T
  ? Unknown<P>
  : AtPath<P, Extract<T, JsonScalar>> | Below<Exclude<T, JsonScalar | null | undefined>, P>

/** Whatever lies at `P` and below. */
type Unknown<P extends readonly unknown[]> = AtPath<readonly [...P, ...(string | number)[]], JsonScalar>

/** All that are given must hold. Where nothing or null stands, a comparison does not. */
type AtPath<P, V> = { readonly $path: P } & ([V] extends [never]
  ? NullConditions & Without<Comparing>
  : [Extract<V, string>] extends [never]
    ? FieldConditions<V> & Without<TextOnly>
    : TextConditions<V>)

// said, since the compiler takes an entry that any member of a union has
type Without<K extends PropertyKey> = { readonly [P in K]?: never }
type TextOnly = Exclude<keyof TextConditions<string>, keyof FieldConditions<string>>
type Comparing = Exclude<keyof TextConditions<string>, keyof NullConditions>

/** Conditions on the elements of an array column. */
export interface ArrayConditions<E> extends NullConditions {
  /** It has this element. */
  readonly $has?: E
  /** It has each of these; an empty list is had by every array. */
  readonly $hasEvery?: readonly E[]
  /** It has one of these; an empty list by none. */
  readonly $hasSome?: readonly E[]
  readonly $not?: ArrayConditions<E>
}
