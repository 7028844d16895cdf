import type { Generated, InsertType, SelectType, UpdateType } from 'kysely'
import type { FieldSpec } from '../lib/model/field-spec.js'
import type { Json, JsonColumn } from '../lib/model/row-types.js'
import { type DeclareAs, type Declared, type PropertyPlace, type PropertyTarget, propertyDecorator } from './property-decorator.js'

/** Who gives the value on create: the caller; the caller or a default; the layer or the database alone. */
export type Giver = 'caller' | 'default' | 'layer'

/**
 * A decorator for a property of type `T`; the compiler refuses any other, in both modes.
 *
 * `N`: the column takes null. `exact`: the property's type may not be narrower than `T`.
 */
export type FieldDecorator<T, N = false, G extends Giver = 'caller', Exact = false> = <O extends PropertyTarget, A extends PropertyPlace>(
  target: O,
  property: A & Refusal<Declared<O, A>, T, N, G, Exact>,
) => void

/** {@link FieldDecorator} for a JSON column, whose property is a `Json<…>`. */
export type JsonDecorator<N = false, G extends Giver = 'caller'> = <O extends PropertyTarget, A extends PropertyPlace>(
  target: O,
  property: A & JsonRefusal<Declared<O, A>, N, G>,
) => void

/** `'default'` where a default was said in the options, else `'caller'`. */
export type GiverOf<D, S> = [D | S] extends [never] ? 'caller' : 'default'

type Nullable<T, N> = N extends true ? T | null : T

/** What the property should have been declared as. */
type Expected<T, N, G> = G extends 'layer' ? Generated<Nullable<T, N>> : Nullable<T, N>

/** Nothing to add where a property of type `V` fits, else what it should have been declared as. */
export type Refusal<V, T, N, G, Exact> = Fits<V, T, N, G, Exact> extends true ? unknown : DeclareAs<Expected<T, N, G>>

type JsonRefusal<V, N, G> = [V] extends [never]
  ? DeclareAs<Expected<Json<unknown>, N, G>>
  : [NonNullable<V>] extends [JsonColumn]
    ? [FitsNull<SelectType<V>, N>, FitsGiver<InsertType<V>, N, G>] extends [true, true]
      ? unknown
      : DeclareAs<Expected<Json<unknown>, N, G>>
    : DeclareAs<Expected<Json<unknown>, N, G>>

type Fits<V, T, N, G, Exact> = [V] extends [never]
  ? false
  : [NonNullable<V>] extends [JsonColumn]
    ? false
    : [NonNullable<SelectType<V> | InsertType<V> | UpdateType<V>>] extends [T]
      ? [FitsNull<SelectType<V>, N>, FitsGiver<InsertType<V>, N, G>, FitsExactly<SelectType<V>, T, Exact>] extends [true, true, true]
        ? true
        : false
      : false

type FitsNull<S, N> = undefined extends S ? false : N extends true ? (null extends S ? true : false) : null extends S ? false : true

type FitsGiver<I, N, G> = G extends 'default'
  ? true
  : [I] extends [never]
    ? IsLayer<G>
    : undefined extends I
      ? IsLayer<G> extends true
        ? true
        : N
      : IsLayer<G> extends true
        ? N
        : true

type IsLayer<G> = G extends 'layer' ? true : false

type FitsExactly<S, T, Exact> = Exact extends true ? ([T] extends [NonNullable<S>] ? true : false) : true

/** The decorator that collects `spec`; its type is the caller's promise. */
export function fieldDecorator(spec: FieldSpec): (target: unknown, place: unknown, descriptor?: unknown) => void {
  return propertyDecorator(() => ({ field: spec }))
}
