import type { PolymorphicOptions } from '../lib/model/model-options.js'
import type { One, OneOf } from '../lib/model/row-types.js'
import type { DeclareAs, Declared, Owner, PropertyPlace, PropertyTarget, UnknownChoice } from './property-decorator.js'
import { type NullRefusal, relationDecorator } from './relation.js'

/** A decorator for a property declared `OneOf<…>` of the relations `R` of its own model; `| null` where `N`. */
export type PolymorphicDecorator<R extends string, N extends boolean> = <O extends PropertyTarget, A extends PropertyPlace>(
  target: O,
  property: A & PolymorphicRefusal<Declared<O, A>, Owner<O, A>, R, N>,
) => void

type PolymorphicRefusal<V, M, R extends string, N> = [R] extends [ChoiceName<M>]
  ? [V] extends [never]
    ? DeclareAs<OneOf<Targets<M, R>>>
    : undefined extends V
      ? DeclareAs<OneOf<Targets<M, R>>>
      : [NonNullable<V>, OneOf<Targets<M, R>>] extends [OneOf<Targets<M, R>>, NonNullable<V>]
        ? NullRefusal<V, OneOf<Targets<M, R>>, N extends true ? true : 'either'>
        : DeclareAs<OneOf<Targets<M, R>>>
  : UnknownChoice<Exclude<R, ChoiceName<M>>>

/** The relations to one row that there may not be. */
type ChoiceName<M> = { [K in keyof M & string]: null extends M[K] ? (NonNullable<M[K]> extends One<unknown> ? K : never) : never }[keyof M &
  string]

type Targets<M, R extends string> = { [K in R & keyof M]: NonNullable<M[K]> extends One<infer T> ? T : never }

/**
 * The row of one of several `belongsTo` relations of this model, whose keys take null: a `OneOf<{ post: Post; photo: Photo }>`, with a property
 * for each relation. Makes a check that exactly one of the keys is set; with `nullable: true` at most one, and the property is `… | null`.
 */
export function polymorphic<const R extends string, const N extends boolean = false>(
  relations: readonly R[],
  options: PolymorphicOptions<N> = {},
): PolymorphicDecorator<R, N> {
  return relationDecorator({ ...options, kind: 'polymorphic', of: relations })
}
