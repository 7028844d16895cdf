import type { BigintMode } from '../lib/model/column-type.js'
import type {
  BigintForm,
  CustomForm,
  DecimalDigits,
  DefaultOf,
  ElementSpec,
  EnumForm,
  FieldOptions,
  FieldSpec,
  StoredSpec,
  TextLimits,
  TimestampForm,
  VarcharLimits,
} from '../lib/model/field-spec.js'
import { type FieldDecorator, fieldDecorator, type GiverOf, type JsonDecorator } from './field-decorator.js'

/** What a bigint column shows as in JavaScript. */
export type BigintValue<M> = M extends 'number' ? number : M extends 'string' ? string : bigint

/** What a timestamp column shows as in JavaScript. */
export type TimestampValue<P> = P extends 6 ? string : Date

interface ElementValues {
  text: string
  integer: number
  bigint: bigint
  float: number
  boolean: boolean
  date: string
  time: string
  timestamp: Date
  uuid: string
  bytes: Uint8Array
}

/** A kind of element that needs no more said than its name. */
export type ElementKind = keyof ElementValues

/** What an element of an array shows as in JavaScript. */
export type ElementValue<E> = E extends ElementKind
  ? ElementValues[E]
  : E extends { readonly kind: 'enum'; readonly values: readonly (infer V)[] }
    ? V
    : E extends { readonly kind: 'bigint'; readonly as: infer M }
      ? BigintValue<M>
      : E extends { readonly kind: 'timestamp'; readonly precision: infer P }
        ? TimestampValue<P>
        : E extends { readonly kind: infer K extends ElementKind }
          ? ElementValues[K]
          : string

/** A kind that needs no more said than its name, for values of the application's own type. */
export type StoredKind = ElementKind | 'json'

/** What `encode` gives and `decode` gets. */
export type StoredValue<E> = E extends 'json' | { readonly kind: 'json' }
  ? unknown
  : E extends { readonly kind: 'array'; readonly of: infer O }
    ? readonly ElementValue<O>[]
    : ElementValue<E>

/**
 * One decorator a kind of field. `Limit` narrows the options of all of them.
 *
 * `N`, `D`, `S` are `nullable`, `default` and `defaultSql` as they were said: they decide what the property may be declared as.
 */
export interface FieldKinds<Limit = unknown> {
  /** Text: a `string`. With `maxLength` the column is a varchar. */
  text<N extends boolean = false, D extends DefaultOf<string> = never, S extends string = never>(
    options?: FieldOptions<string, N, D, S> & TextLimits & Limit,
  ): FieldDecorator<string, N, GiverOf<D, S>>
  /** Text of at most `length` characters: a `string`. */
  varchar<N extends boolean = false, D extends DefaultOf<string> = never, S extends string = never>(
    length: number,
    options?: FieldOptions<string, N, D, S> & Omit<VarcharLimits, 'length'> & Limit,
  ): FieldDecorator<string, N, GiverOf<D, S>>
  /** 32-bit integer: a `number`. */
  integer<N extends boolean = false, D extends DefaultOf<number> = never, S extends string = never>(
    options?: FieldOptions<number, N, D, S> & Limit,
  ): FieldDecorator<number, N, GiverOf<D, S>>
  /** 64-bit integer: a `bigint`, or what `as` says. */
  bigint<M extends BigintMode = 'bigint', N extends boolean = false, D extends DefaultOf<BigintValue<M>> = never, S extends string = never>(
    options?: FieldOptions<BigintValue<M>, N, D, S> & BigintForm<M> & Limit,
  ): FieldDecorator<BigintValue<M>, N, GiverOf<D, S>>
  /** IEEE 754 double: a `number`. */
  float<N extends boolean = false, D extends DefaultOf<number> = never, S extends string = never>(
    options?: FieldOptions<number, N, D, S> & Limit,
  ): FieldDecorator<number, N, GiverOf<D, S>>
  /** Exact decimal: a `string` with exactly `scale` digits after the point. */
  decimal<N extends boolean = false, D extends DefaultOf<string> = never, S extends string = never>(
    options: FieldOptions<string, N, D, S> & DecimalDigits & Limit,
  ): FieldDecorator<string, N, GiverOf<D, S>>
  /** A `boolean`. */
  boolean<N extends boolean = false, D extends DefaultOf<boolean> = never, S extends string = never>(
    options?: FieldOptions<boolean, N, D, S> & Limit,
  ): FieldDecorator<boolean, N, GiverOf<D, S>>
  /** Calendar day: a `string` such as `2026-01-31`. */
  date<N extends boolean = false, D extends DefaultOf<string> = never, S extends string = never>(
    options?: FieldOptions<string, N, D, S> & Limit,
  ): FieldDecorator<string, N, GiverOf<D, S>>
  /** Time of day: a `string` such as `23:59:00`. */
  time<N extends boolean = false, D extends DefaultOf<string> = never, S extends string = never>(
    options?: FieldOptions<string, N, D, S> & Limit,
  ): FieldDecorator<string, N, GiverOf<D, S>>
  /** Instant in UTC: a `Date`; with `precision: 6` a `string`. */
  timestamp<P extends 3 | 6 = 3, N extends boolean = false, D extends DefaultOf<TimestampValue<P>> = never, S extends string = never>(
    options?: FieldOptions<TimestampValue<P>, N, D, S> & TimestampForm<P> & Limit,
  ): FieldDecorator<TimestampValue<P>, N, GiverOf<D, S>>
  /** UUID: a `string` in lower case. */
  uuid<N extends boolean = false, D extends DefaultOf<string> = never, S extends string = never>(
    options?: FieldOptions<string, N, D, S> & Limit,
  ): FieldDecorator<string, N, GiverOf<D, S>>
  /** JSON: a `Json<…>`. */
  json<N extends boolean = false, D = never, S extends string = never>(
    options?: FieldOptions<unknown, N, D, S> & Limit,
  ): JsonDecorator<N, GiverOf<D, S>>
  /** Bytes: a `Uint8Array`. */
  bytes<N extends boolean = false, D extends DefaultOf<Uint8Array> = never, S extends string = never>(
    options?: FieldOptions<Uint8Array, N, D, S> & Limit,
  ): FieldDecorator<Uint8Array, N, GiverOf<D, S>>
  /** One of `values`: exactly their union. */
  oneOf<const V extends string, N extends boolean = false, D extends DefaultOf<NoInfer<V>> = never, S extends string = never>(
    values: readonly V[],
    options?: FieldOptions<NoInfer<V>, N, D, S> & EnumForm & Limit,
  ): FieldDecorator<V, N, GiverOf<D, S>, true>
  /** {@link oneOf} by the word of SQL. esbuild, and tsx with it, refuse the word after a dot in standard decorators. */
  enum: FieldKinds<Limit>['oneOf']
  /** A list of elements of one kind, none of them null: an array. */
  array<
    const E extends ElementKind | ElementSpec,
    N extends boolean = false,
    D extends DefaultOf<readonly ElementValue<E>[]> = never,
    S extends string = never,
  >(
    of: E,
    options?: FieldOptions<readonly ElementValue<E>[], N, D, S> & Limit,
  ): FieldDecorator<readonly ElementValue<E>[], N, GiverOf<D, S>>
  /** A type of the application's own, stored as one of the others: exactly what `decode` gives. */
  custom<
    T,
    const E extends StoredKind | StoredSpec,
    N extends boolean = false,
    D extends DefaultOf<NoInfer<T>> = never,
    S extends string = never,
  >(
    options: CustomForm<T, E, StoredValue<NoInfer<E>>> & FieldOptions<NoInfer<T>, N, D, S> & Limit,
  ): FieldDecorator<T, N, GiverOf<D, S>, true>
}

/** The decorators of all kinds; `common` is added to what each says. */
export function fieldKinds(common: { readonly primary?: true } = {}): FieldKinds {
  const decorate = (own: object, options: object = {}) => fieldDecorator({ ...common, ...options, ...own } as FieldSpec)
  const oneOf: FieldKinds['oneOf'] = (values, options) => decorate({ kind: 'enum', values }, options)
  return {
    text: (options) => decorate({ kind: 'text' }, options),
    varchar: (length, options) => decorate({ kind: 'varchar', length }, options),
    integer: (options) => decorate({ kind: 'integer' }, options),
    bigint: (options) => decorate({ kind: 'bigint' }, options),
    float: (options) => decorate({ kind: 'float' }, options),
    decimal: (options) => decorate({ kind: 'decimal' }, options),
    boolean: (options) => decorate({ kind: 'boolean' }, options),
    date: (options) => decorate({ kind: 'date' }, options),
    time: (options) => decorate({ kind: 'time' }, options),
    timestamp: (options) => decorate({ kind: 'timestamp' }, options),
    uuid: (options) => decorate({ kind: 'uuid' }, options),
    json: (options) => decorate({ kind: 'json' }, options),
    bytes: (options) => decorate({ kind: 'bytes' }, options),
    oneOf,
    enum: oneOf,
    custom: (options) => decorate({ kind: 'custom' }, options),
    array: (of, options) => decorate({ kind: 'array', of: typeof of === 'string' ? { kind: of } : of }, options),
  }
}
