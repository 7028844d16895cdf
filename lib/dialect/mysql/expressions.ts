import { type Expression, type RawBuilder, sql } from 'kysely'
import { UnsupportedError } from '../../errors.js'
import type { ColumnType } from '../../model/column-type.js'
import type { Bound, Expressions, LockMode, LockWait } from '../dialect.js'
import { COLLATION } from './collation.js'
import { json } from './json.js'

const collation = sql.raw(COLLATION)

/** Most digits of a decimal, and most of them after the point. */
const DECIMAL_DIGITS = 65
const DECIMAL_SCALE = 30

/** How MySQL and MariaDB write what the engines write differently. */
export const mysqlExpressions: Expressions = Object.freeze({
  // a list in one value would need JSON_TABLE, which compares its rows in a type of its own
  encodeList: () => undefined,

  inList(column: Expression<unknown>, list: Bound | readonly Bound[], type: ColumnType): RawBuilder<boolean> {
    const values = (Array.isArray(list) ? (list as readonly Bound[]) : [list as Bound]).map((value) => bound(value, type))
    return sql<boolean>`${column} in (${sql.join(values)})`
  },

  like(column: Expression<unknown>, pattern: Bound, ignoreCase: boolean): RawBuilder<boolean> {
    // the collation stands at the pattern, so that an index of a column in the same one still serves a prefix.
    // Not utf8mb4_general_ci for either: it takes é for e, and every emoji for every other
    return ignoreCase
      ? sql<boolean>`lower(${column}) like lower(${pattern}) collate ${collation} escape '|'`
      : sql<boolean>`${column} like ${pattern} collate ${collation} escape '|'`
  },

  encodeLike,

  regex(column: Expression<unknown>, pattern: Bound): RawBuilder<boolean> {
    return sql<boolean>`${column} regexp ${pattern} collate ${collation}`
  },

  json,
  hasEvery(column: Expression<unknown>, list: Bound, type: ColumnType): RawBuilder<boolean> {
    refuseFloats(type)
    return sql<boolean>`json_contains(${column}, ${list})`
  },
  // JSON_OVERLAPS is not there before MariaDB 10.9
  hasSome(column: Expression<unknown>, lists: readonly Bound[], type: ColumnType): RawBuilder<boolean> {
    refuseFloats(type)
    const found = lists.map((list) => sql`json_contains(${column}, ${list})`)
    return sql<boolean>`(${sql.join(found, sql` or `)})`
  },
  searchesEach: true,

  // ENUM sorts as it was declared, which another engine knows nothing of
  ordered: (value: Expression<unknown>, type: ColumnType): Expression<unknown> =>
    type.kind === 'enum' && type.native ? sql`cast(${value} as char)` : value,

  bytesOf: (value: Expression<unknown>) => sql`cast(${value} as binary)`,

  bound,

  arithmetic(column: Expression<unknown>, operator: '+' | '-' | '*', operand: Bound, type: ColumnType): Expression<unknown> {
    return sql`${column} ${sql.raw(operator)} ${exactOperand(operator, operand, type)}`
  },

  rowLock: (mode: LockMode, wait: LockWait) => sql`${sql.raw(LOCK_MODES[mode])}${sql.raw(LOCK_WAITS[wait])}`,

  // InnoDB gives the rows of an INSERT that lists them numbers without gaps, whatever its lock mode; a cluster steps by more than one
  counterStep: sql`@@auto_increment_increment`,

  // an average of integers or decimals has four digits more than they have
  aggregate: (name: 'sum' | 'avg' | 'min' | 'max', column: Expression<unknown>) =>
    name === 'avg' ? sql`avg(${column} + 0e0)` : sql`${sql.raw(name)}(${column})`,

  // an assignment writes what its column's collation takes for equal
  isDistinct(left: Expression<unknown>, right: Expression<unknown>, type: ColumnType): RawBuilder<boolean> {
    return TEXTS.has(type.kind) ? sql<boolean>`not (${bytesOf(left)} <=> ${bytesOf(right)})` : sql<boolean>`not (${left} <=> ${right})`
  },
})

const TEXTS: ReadonlySet<ColumnType['kind']> = new Set(['text', 'varchar', 'enum', 'uuid'])

// a column of another character set has other bytes for the same text
function bytesOf(text: Expression<unknown>): RawBuilder<unknown> {
  return sql`cast(convert(${text} using utf8mb4) as binary)`
}

function refuseFloats(type: ColumnType): void {
  if (type.kind !== 'array' || type.of.kind !== 'float') return
  throw new UnsupportedError(
    'a condition on the elements of an array of floats',
    'mysql',
    'MariaDB takes numbers that are near for the same',
  )
}

// MariaDB knows no FOR SHARE, and MySQL takes no SKIP LOCKED after LOCK IN SHARE MODE. Comments that only one of them reads; MariaDB
// passes over those for MySQL 5.7 and newer
const LOCK_MODES: Readonly<Record<LockMode, string>> = { update: 'for update', share: '/*M! lock in share mode *//*!80001 for share */' }
const LOCK_WAITS: Readonly<Record<LockWait, string>> = { wait: '', skip: ' skip locked', fail: ' nowait' }

// a number is bound as a DOUBLE, which makes one of the result
function exactOperand(operator: '+' | '-' | '*', operand: Bound, type: ColumnType): Expression<unknown> {
  if (type.kind === 'bigint') return sql`cast(${operand} as signed)`
  // a factor keeps all its digits; what is added has no more than the column
  if (type.kind === 'decimal') return decimal(operand, operator === '*' ? DECIMAL_SCALE : type.scale)
  return operand
}

// text beside a decimal is compared and added as a DOUBLE, 15 digits of it
function bound(value: Bound, type: ColumnType): Expression<unknown> {
  return type.kind === 'decimal' ? decimal(value, type.scale) : value
}

function decimal(value: Bound, scale: number): Expression<unknown> {
  return sql`cast(${value} as decimal(${sql.lit(DECIMAL_DIGITS)}, ${sql.lit(scale)}))`
}

/**
 * A LIKE pattern whose escape is `|` in place of `\`: how a backslash is written in SQL depends on the session's mode. One that
 * stands at the very end escapes nothing and means itself.
 */
function encodeLike(pattern: string): string {
  return pattern.replace(/\\([\s\S])|\|/gu, (_match, escaped: string | undefined) => (escaped === undefined ? '||' : `|${escaped}`))
}
