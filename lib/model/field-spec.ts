import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { InsertType, SelectType } from 'kysely'
import type { BigintMode, ColumnKind } from './column-type.js'
import type { FieldConditions } from './condition-types.js'
import type { FieldRole } from './model-definition.js'
import type { JsonColumn } from './row-types.js'

/** A constant, or a function called once a row. */
export type DefaultOf<T> = T | (() => T)

/**
 * What a field of any type takes. `N`, `D` and `S` keep what was said of null and defaults, so that the
 * compiler can hold the property's type to it.
 */
export interface FieldOptions<T, N = boolean, D = DefaultOf<T>, S = string> {
  /** Name of the column. Default: snake_case of the property. */
  readonly column?: string
  /** The column takes null; the property is declared `T | null`. Default false. */
  readonly nullable?: N
  /** The value when a create leaves the field out. */
  readonly default?: D
  /** SQL the database evaluates when a create leaves the field out. Goes into the DDL as it is: never from input. */
  readonly defaultSql?: S
  /** No two rows have the same value. Default false. */
  readonly unique?: boolean
  /** An index of this field alone. Default false. */
  readonly index?: boolean
  /** What the database holds every value to, such as `{ $gte: 0 }`. */
  readonly check?: FieldConditions<T>
  /** A Standard Schema (zod, valibot, arktype) that input must pass after its type was checked; its output is stored. */
  readonly schema?: StandardSchemaV1<unknown, T>
  /**
   * Kept from outsiders: not in published schemas but as input, nor in any message; a call made for one (`redact: true`) neither shows it
   * nor filters or sorts by it. The application's own calls read it like any other. Default false.
   */
  readonly redacted?: boolean
  /** Stored with the column where the engine can. */
  readonly comment?: string
  /** The column's former name, for migrations. */
  readonly renamedFrom?: string
}

export interface TextLimits {
  /** Most characters (Unicode code points); makes the column a `varchar`. */
  readonly maxLength?: number
  /** Fewest characters. Default 0. */
  readonly minLength?: number
}

export interface VarcharLimits {
  /** Most characters (Unicode code points). */
  readonly length: number
  /** Fewest characters. Default 0. */
  readonly minLength?: number
}

export interface DecimalDigits {
  /** All digits, 1 to 65. */
  readonly precision: number
  /** Digits after the point, 0 to 30, at most `precision`. */
  readonly scale: number
}

export interface BigintForm<M extends BigintMode = BigintMode> {
  /** How values show in JavaScript. Default `'bigint'`. */
  readonly as?: M
}

export interface TimestampForm<P extends 3 | 6 = 3 | 6> {
  /** Digits after the second: 3, a `Date`; or 6, a string such as `2026-01-31T12:00:00.123456Z`. Default 3. */
  readonly precision?: P
}

export interface EnumForm {
  /** The engine's own enum type instead of text with a CHECK. Default false. */
  readonly native?: boolean
  /** Name of the native type. Default `<table>_<column>`. */
  readonly name?: string
}

interface Counter {
  /** The database's own counter makes the value. Only for a primary key of one integer or bigint. */
  readonly increment?: true
}

/** How the layer keeps the field. */
interface Role<R extends FieldRole = FieldRole> {
  readonly role?: R
}

interface Key {
  /** Part of the primary key; several make a composite one, in order of declaration. Default false. */
  readonly primary?: boolean
}

/** The kinds an array can hold. */
export type ElementSpec =
  | { readonly kind: Exclude<ColumnKind, 'varchar' | 'decimal' | 'bigint' | 'timestamp' | 'enum' | 'array' | 'json'> }
  | ({ readonly kind: 'varchar' } & Pick<VarcharLimits, 'length'>)
  | ({ readonly kind: 'decimal' } & DecimalDigits)
  | ({ readonly kind: 'bigint' } & BigintForm)
  | ({ readonly kind: 'timestamp' } & TimestampForm)
  | ({ readonly kind: 'enum'; readonly values: readonly string[] } & EnumForm)

/** A kind that values of the application's own type can be stored as, with what that kind takes. */
export type StoredSpec = ElementSpec | { readonly kind: 'json' } | { readonly kind: 'array'; readonly of: ElementSpec }

/** How values of a type of the application's own are stored. */
export interface CustomForm<T, Stored, E> {
  /** What they are stored as: a kind, or a kind with its options. */
  readonly type: Stored
  /** The stored form of a value; equal values have to have equal ones. Not called with null. */
  readonly encode: (value: T) => E
  /** The value of a stored form. Not called with null. */
  readonly decode: (stored: E) => T
  /**
   * `encode` keeps the order: the lesser of two values is stored as the lesser. Allows `$gt` and the like, `orderBy`, `$min` and `$max`.
   * Default false.
   */
  readonly ordered?: boolean
}

type Spec<K extends ColumnKind, T, Own = unknown> = { readonly kind: K } & Own & FieldOptions<T> & Key

type TextualSpec<T extends string> =
  | Spec<'text', T, TextLimits & Role<'tenant'>>
  | Spec<'varchar', T, VarcharLimits & Role<'tenant'>>
  | Spec<'decimal', T, DecimalDigits>
  | Spec<'date' | 'time', T>
  | Spec<'uuid', T, Role<'tenant'>>
  | Spec<'bigint', T, { readonly as: 'string' } & Counter & Role<'tenant'>>
  | Spec<'timestamp', T, { readonly precision: 6 }>
  | Spec<'enum', T, { readonly values: readonly T[] } & EnumForm>

type NumericSpec<T extends number> =
  | Spec<'integer', T, Counter & Role<'version' | 'tenant'>>
  | Spec<'float', T>
  | Spec<'bigint', T, { readonly as: 'number' } & Counter & Role<'tenant'>>

type DateSpec = Spec<'timestamp', Date, TimestampForm<3> & Role<'createdAt' | 'updatedAt' | 'deletedAt'>>

// what `decode` gets follows from `type`, which the compiler cannot tell apart here: it is declared where it is written
type CustomSpec<T, Decoded = T> = { readonly kind: 'custom' } & Omit<CustomForm<T, StoredSpec | StoredSpec['kind'], unknown>, 'decode'> & {
    readonly decode: (stored: never) => Decoded
  } & FieldOptions<Decoded> &
  Key

type BigintSpec<T extends bigint> = Spec<'bigint', T, BigintForm<'bigint'> & Counter & Role<'tenant'>>

/** A field as plain data: its kind, what that kind takes, and {@link FieldOptions}. */
export type FieldSpec =
  | TextualSpec<string>
  | NumericSpec<number>
  | BigintSpec<bigint>
  | DateSpec
  | Spec<'boolean', boolean>
  | Spec<'bytes', Uint8Array>
  | Spec<'json', unknown>
  | Spec<'array', readonly unknown[], { readonly of: ElementSpec }>
  | CustomSpec<never, unknown>

/** The {@link FieldSpec}s that a property declared as `V` can have. */
export type FieldSpecFor<V> = (SpecOfValue<V, NonNullable<SelectType<V>>> | CustomSpecOf<V>) &
  NullSpec<SelectType<V>> &
  PresenceSpec<SelectType<V>, InsertType<V>>

type CustomSpecOf<V> = [NonNullable<V>] extends [JsonColumn] ? never : CustomSpec<NonNullable<SelectType<V>>>

type SpecOfValue<V, T> = [NonNullable<V>] extends [JsonColumn]
  ? Spec<'json', T>
  : [T] extends [boolean]
    ? Spec<'boolean', T>
    : [T] extends [string]
      ? TextualSpec<T>
      : [T] extends [number]
        ? NumericSpec<T>
        : [T] extends [bigint]
          ? BigintSpec<T>
          : [T] extends [Date]
            ? DateSpec
            : [T] extends [Uint8Array]
              ? Spec<'bytes', Uint8Array>
              : [T] extends [readonly unknown[]]
                ? Spec<'array', T, { readonly of: ElementSpec }>
                : never

type NullSpec<S> = null extends S ? { readonly nullable: true } : { readonly nullable?: false }

/** A field that create may leave out says where its value comes from. */
type PresenceSpec<S, I> = null extends S
  ? unknown
  : undefined extends I
    ? { readonly default: unknown } | { readonly defaultSql: string } | { readonly increment: true } | { readonly role: FieldRole }
    : [I] extends [never]
      ? { readonly defaultSql: string } | { readonly increment: true } | { readonly role: FieldRole }
      : { readonly increment?: never; readonly role?: never }
