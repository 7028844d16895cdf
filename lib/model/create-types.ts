import type { Related } from './include-types.js'
import type { CreateInput, FieldName, Many, One, RelationName } from './row-types.js'
import type { View } from './view.js'

/**
 * What `create` takes: the fields of a row, and rows of its relations that are made with it.
 *
 * A row that is given for a relation to one brings the key: the fields that hold it are left out. The compiler knows them by
 * their name, which begins with the relation's (`author`, `authorId`); what it does not see is checked when the call is made.
 */
export type NewRow<M> =
  string extends RelationName<M>
    ? CreateInput<M> // of a class that the compiler knows nothing of
    : [ParentName<M>] extends [never]
      ? KeyedRow<M>
      : (KeyedRow<M> & WithoutParents<M>) | OwnedByNew<M>

/** A row whose keys are all given. */
type KeyedRow<M> = CreateInput<M> & NewRelated<M, Exclude<RelationName<M>, ParentName<M>>>

type WithoutParents<M> = { readonly [K in ParentName<M>]?: never }

/** A row that takes a key from a row that is made with it. */
type OwnedByNew<M> = {
  [K in ParentName<M>]: { readonly [P in K]: NewRow<Related<M[P]>> } & NewChild<M, KeyName<M, ParentName<M>>>
}[ParentName<M>]

/** A row without the fields `F`, which may be left to the rows around it. */
type NewChild<M, F> = Leaving<CreateInput<M>, F> & NewRelated<M, RelationName<M>>

type NewRelated<M, K extends keyof M> = { readonly [P in K]?: NewRelation<M, NonNullable<M[P]>> }

// a view's rows are not made
type NewRelation<M, V> =
  V extends Many<infer T>
    ? T extends View<string>
      ? never
      : readonly NewRowOf<M, T>[]
    : V extends One<infer T>
      ? T extends View<string>
        ? never
        : NewRowOf<M, T>
      : never

/** A row of `T` made with one of `M`, from which it takes the key of its relations to `M`. */
type NewRowOf<M, T> = [OneTo<T, M>] extends [never] ? NewRow<T> : NewChild<T, KeyName<T, OneTo<T, M> | ParentName<T>>>

/** The relations that a row cannot be without. */
type ParentName<M> = { [K in RelationName<M>]: M[K] extends One<unknown> ? K : never }[RelationName<M>]

/** The relations of `T` to a row of `M`. */
type OneTo<T, M> = { [K in RelationName<T>]: NonNullable<T[K]> extends One<M> ? K : never }[RelationName<T>]

/** The fields that are named after a relation. */
type KeyName<M, R extends string> = Extract<FieldName<M>, `${R}${string}`>

type Leaving<T, F> = Pick<T, Exclude<keyof T, F>> & { [K in keyof T & F]?: T[K] }
