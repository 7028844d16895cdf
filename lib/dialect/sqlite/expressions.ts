import { type Expression, sql } from 'kysely'
import { UnsupportedError } from '../../errors.js'
import type { ColumnKind } from '../../model/column-type.js'
import type { Bound, Expressions } from '../dialect.js'
import { json } from './json.js'
import { globPattern, likePattern } from './text-pattern.js'

/**
 * The parts of a statement that SQLite writes its own way.
 *
 * Its LIKE takes `a` and `A` for the same letter, its GLOB does not: hence the two patterns.
 */
export const expressions: Expressions = {
  encodeList: (values, type) => (IS_EXACT_IN_JSON[type.kind] ? `[${values.map(jsonText).join(',')}]` : undefined),
  inList: (column, list) =>
    isList(list) ? sql<boolean>`${column} in (${sql.join(list)})` : sql<boolean>`${column} in (select value from json_each(${list}))`,
  like: (column, pattern, ignoreCase) =>
    ignoreCase ? sql<boolean>`${column} like ${pattern} escape '\\'` : sql<boolean>`${column} glob ${pattern}`,
  encodeLike: (pattern, ignoreCase) => (ignoreCase ? likePattern(pattern) : globPattern(pattern)),
  regex: () => {
    throw new UnsupportedError('$regex', 'sqlite', 'use $like, $contains, $startsWith or $endsWith')
  },
  json,
  hasEvery: (column, list) => sql<boolean>`latchwork_json_has(${column}, ${list}, 'every')`,
  hasSome: (column, [list]) => sql<boolean>`latchwork_json_has(${column}, ${list!}, 'some')`,
  searchesEach: false,
  ordered: (value, type) => (type.kind === 'decimal' ? sql`latchwork_decimal_key(${value})` : value),
  bytesOf: (value) => sql`cast(${value} as blob)`,
  bound: (value) => value,
  arithmetic: (column, operator, operand, type) => {
    const by = sql.lit(operator)
    switch (type.kind) {
      case 'decimal':
        return sql`latchwork_decimal(${column}, ${by}, ${operand}, ${sql.lit(type.precision)}, ${sql.lit(type.scale)})`
      case 'integer':
        return sql`latchwork_integer(${column}, ${by}, ${operand}, 32)`
      case 'bigint':
        return sql`latchwork_integer(${column}, ${by}, ${operand}, 64)`
      case 'float':
        return sql`latchwork_float(${column}, ${by}, ${operand})`
      default:
        throw new UnsupportedError(`arithmetic on ${type.kind}`, 'sqlite')
    }
  },
  aggregate: (name, column, type) => {
    // SQLite adds up a column of text as doubles, and refuses a sum beyond 64 bits
    if (name === 'sum' && type.kind === 'bigint') return sql`latchwork_integer_sum(${column})`
    if (type.kind !== 'decimal') return sql`${sql.raw(name)}(${column})`
    if (name === 'avg') return sql`avg(cast(${column} as real))`
    if (name === 'sum') return sql`latchwork_decimal_sum(${column}, ${sql.lit(type.scale)})`
    return sql`latchwork_decimal_${sql.raw(name)}(${column})`
  },
  rowLock: () => undefined,
  isDistinct: (left, right) => sql<boolean>`${left} is not ${right}`,
}

/**
 * Whether a list of such values is the same after a way through SQLite's JSON.
 * Its parser gives one in some 300 doubles another last bit; JSON has no bytes.
 */
const IS_EXACT_IN_JSON: Readonly<Record<ColumnKind, boolean>> = {
  text: true,
  varchar: true,
  enum: true,
  integer: true,
  bigint: true,
  boolean: true,
  decimal: true,
  date: true,
  time: true,
  timestamp: true,
  uuid: true,
  json: true,
  array: true,
  float: false,
  bytes: false,
}

function jsonText(value: unknown): string {
  return typeof value === 'bigint' ? String(value) : JSON.stringify(value)
}

function isList(list: Bound | readonly Bound[]): list is readonly Expression<unknown>[] {
  return Array.isArray(list)
}
