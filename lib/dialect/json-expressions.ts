import type { Expression, RawBuilder } from 'kysely'

/** Where a value stands in JSON: names of entries and positions in lists, from 0. A name is never taken for a position. */
export type JsonPath = readonly (string | number)[]

/** The values of JSON that can be compared, each kind with its own only. */
export type JsonKind = 'text' | 'number' | 'boolean'

/** What stands at a path of a JSON column; `path` is bound as {@link encodePath} says. */
export interface JsonExpressions {
  /** What is bound for a path. Throws {@link UnsupportedError} for one that the engine cannot follow. */
  encodePath(path: JsonPath): readonly unknown[]
  /** Whether something else than null stands there. Never null itself. */
  isThere(column: Expression<unknown>, path: readonly Expression<unknown>[]): RawBuilder<boolean>
  /** The value there if it is of this kind, else null. Texts compare by code point. */
  valueAt(column: Expression<unknown>, path: readonly Expression<unknown>[], kind: JsonKind): Expression<unknown>
  /** A value in the driver's form. */
  encode(value: string | number | boolean): unknown
  /** A bound value beside one that {@link valueAt} gives. */
  operand(value: Expression<unknown>, kind: JsonKind): Expression<unknown>
}
