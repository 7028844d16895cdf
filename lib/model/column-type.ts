/**
 * The logical type of a column: plain JSON, the same on every engine. Each dialect's `types.ts`
 * says what it is there; {@link FieldType} in `field-type.ts` says what it is in JavaScript.
 */
export type ColumnType =
  | { readonly kind: 'text' }
  /** Text of at most `length` characters (Unicode code points). */
  | { readonly kind: 'varchar'; readonly length: number }
  /** 32-bit signed integer. */
  | { readonly kind: 'integer' }
  /** 64-bit signed integer. */
  | { readonly kind: 'bigint' }
  /** IEEE 754 double. */
  | { readonly kind: 'float' }
  /** Exact decimal of `precision` digits, `scale` of them after the point. */
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'boolean' }
  /** Calendar day, no zone. */
  | { readonly kind: 'date' }
  /** Time of day, no zone, microseconds. */
  | { readonly kind: 'time' }
  /** Instant in UTC with `precision` digits after the second: 3 (a `Date`) or 6 (a string). */
  | { readonly kind: 'timestamp'; readonly precision: 3 | 6 }
  | { readonly kind: 'uuid' }
  | { readonly kind: 'json' }
  | { readonly kind: 'bytes' }
  /** One of `values`. `native`: the engine's own type called `name`, else text with a CHECK. */
  | { readonly kind: 'enum'; readonly name: string; readonly values: readonly string[]; readonly native: boolean }
  | { readonly kind: 'array'; readonly of: ColumnType }

export type ColumnKind = ColumnType['kind']

/** Kinds that have a sum and an average. */
export const NUMERIC_KINDS: readonly ColumnKind[] = ['integer', 'bigint', 'float', 'decimal']
/** Kinds of which every engine finds the least and the greatest value, and the same one. */
export const EXTREME_KINDS: readonly ColumnKind[] = [...NUMERIC_KINDS, 'text', 'varchar', 'date', 'time', 'timestamp']
/** Kinds of which every engine tells the same values apart. */
export const DISTINCT_KINDS: readonly ColumnKind[] = [...EXTREME_KINDS, 'uuid', 'boolean', 'enum']

/** How a bigint shows in JavaScript. */
export type BigintMode = 'bigint' | 'number' | 'string'
