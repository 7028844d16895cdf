import type { SelectType } from 'kysely'
import type { ModelClass } from '../lib/model/model-definition.js'
import type { BelongsToOptions, HasOptions, Names, RelationSpec, ThroughOptions } from '../lib/model/model-options.js'
import type { FieldName, Many, One } from '../lib/model/row-types.js'
import {
  type DeclareAs,
  type Declared,
  type Owner,
  type PropertyPlace,
  type PropertyTarget,
  propertyDecorator,
  type UnknownField,
} from './property-decorator.js'

/**
 * A decorator for a property declared `T`, or `T | null` where `Nullable` says so; `F` are fields of the property's own model.
 */
export type RelationDecorator<T, F extends string = never, N extends 'never' | 'always' | 'as its key' = 'never'> = <
  O extends PropertyTarget,
  A extends PropertyPlace,
>(
  target: O,
  property: A & RelationRefusal<Declared<O, A>, Owner<O, A>, T, F, N>,
) => void

type RelationRefusal<V, M, T, F extends string, N> = [F] extends [FieldName<M>]
  ? [V] extends [never]
    ? DeclareAs<T>
    : [NonNullable<V>] extends [T]
      ? undefined extends V
        ? DeclareAs<T>
        : NullRefusal<V, T, N extends 'as its key' ? HasNullableKey<M, F> : N extends 'always' ? true : false>
      : DeclareAs<T>
  : UnknownField<Exclude<F, FieldName<M>>>

/** Whether the property may be null: `true`, `false`, or either. */
export type NullRefusal<V, T, N> = N extends true
  ? null extends V
    ? unknown
    : DeclareAs<T | null>
  : N extends false
    ? null extends V
      ? DeclareAs<T>
      : unknown
    : unknown

/** `true` where a key's field may be null: then there may be no target. Else `'unknown'`: it may lack all the same, without a constraint. */
type HasNullableKey<M, F extends string> = true extends {
  [K in F]: K extends keyof M ? (null extends SelectType<M[K]> ? true : false) : false
}[F]
  ? true
  : 'unknown'

/**
 * The row whose key this one holds in `foreignKey`: a `One<T>`; `One<T> | null` where the key takes null.
 * Makes a foreign key constraint and its index.
 */
export function belongsTo<T extends object, const F extends string>(
  target: () => ModelClass<T>,
  foreignKey: Names<F> | BelongsToOptions<F, FieldName<T>>,
): RelationDecorator<One<T>, F, 'as its key'> {
  return relationDecorator({ kind: 'belongsTo', target, ...keyOptions(foreignKey) })
}

/** The one row that holds this one's key in `foreignKey`, if there is one: a `One<T> | null`. */
export function hasOne<T extends object, const R extends string = never>(
  target: () => ModelClass<T>,
  foreignKey: Names<FieldName<T>> | HasOptions<FieldName<T>, R>,
): RelationDecorator<One<T>, R, 'always'> {
  return relationDecorator({ kind: 'hasOne', target, ...keyOptions(foreignKey) })
}

/** The rows that hold this one's key in `foreignKey`: a `Many<T>`. */
export function hasMany<T extends object, const R extends string = never>(
  target: () => ModelClass<T>,
  foreignKey: Names<FieldName<T>> | HasOptions<FieldName<T>, R>,
): RelationDecorator<Many<T>, R> {
  return relationDecorator({ kind: 'hasMany', target, ...keyOptions(foreignKey) })
}

/** The rows that a model between the two ties to this one: a `Many<T>`. */
export function manyToMany<T extends object, J extends object>(
  target: () => ModelClass<T>,
  options: ThroughOptions<J, FieldName<J>>,
): RelationDecorator<Many<T>> {
  return relationDecorator({ kind: 'manyToMany', target, ...options })
}

function keyOptions(given: Names<string> | HasOptions): { readonly foreignKey: Names<string> } {
  return typeof given === 'string' || isList(given) ? { foreignKey: given } : given
}

/** `Array.isArray`, which does not narrow a union with a readonly list. */
function isList(given: readonly string[] | HasOptions): given is readonly string[] {
  return Array.isArray(given)
}

/** A decorator that says of its property what `spec` says. */
export function relationDecorator(spec: RelationSpec): ReturnType<typeof propertyDecorator> {
  return propertyDecorator(() => ({ relation: spec }))
}
