import { type Expression, type RawBuilder, sql } from 'kysely'
import type { ColumnType } from '../../model/column-type.js'
import type { Bound, BulkArrays, Expressions, LockWait } from '../dialect.js'
import { quoteStandard } from '../quote-standard.js'
import { arrayText } from './array-text.js'
import { json } from './json.js'
import { castType } from './types.js'

// several columns of one array each, side by side. An array of arrays would be taken apart to its last element, and an
// enum has no array that a text becomes by itself: those travel as text
const arrays: BulkArrays = {
  encode: (values) => arrayText(values),

  table(name, columns) {
    const names = columns.map((_, index) => sql.ref(`c${index}`))
    const lists = columns.map(({ type, array }) => cast(array, `${travelType(type)}[]`))
    const values = columns.map(({ type, schema }, index) => sql`${cast(names[index]!, arrivalType(type, schema))} as ${names[index]}`)
    return sql<Record<string, unknown>>`(select ${sql.join(values)} from unnest(${sql.join(lists)}) as source(${sql.join(names)}))`.as(name)
  },
}

/** The parts of a statement that PostgreSQL writes in its own way. */
export const expressions: Expressions = {
  encodeList: (values) => arrayText(values),

  // one bound array: one statement, and one plan, for a list of any length
  inList: (column, list, type) => sql<boolean>`${column} = any(${cast(list as Bound, castType({ kind: 'array', of: type }))})`,

  // a backslash is the escape by default: a literal one would depend on standard_conforming_strings
  like: (column, pattern, ignoreCase, type) =>
    ignoreCase ? sql<boolean>`${textOf(column, type)} ilike ${pattern}` : sql<boolean>`${textOf(column, type)} like ${pattern}`,

  encodeLike: (pattern) => pattern,
  regex: (column, pattern, type) => sql<boolean>`${textOf(column, type)} ~ ${pattern}`,

  json,
  hasEvery: (column, list, type) => sql<boolean>`${column} @> ${cast(list, castType(type))}`,
  hasSome: (column, [list], type) => sql<boolean>`${column} && ${cast(list!, castType(type))}`,
  searchesEach: false,

  // numbers, days and instants sort by themselves, texts by code point: tables are made with COLLATE "C". An enum of the
  // database would sort as it was declared, which another engine knows nothing of
  bytesOf: (value) => sql`${cast(value, 'text')} collate "C"`,
  ordered: (value, type) => (isNativeEnum(type) ? sql`${cast(value, 'text')} collate "C"` : value),
  bound: (value, type) => cast(value, castType(type)),
  arithmetic: (column, operator, operand, type) => sql`${column} ${sql.raw(operator)} ${cast(operand, castType(type))}`,
  aggregate: (name, column) => (name === 'avg' ? sql`avg(cast(${column} as double precision))` : sql`${sql.raw(name)}(${column})`),
  isDistinct: (left, right) => sql<boolean>`${left} is distinct from ${right}`,
  rowLock: (mode, wait) => sql`for ${sql.raw(mode)}${sql.raw(LOCK_WAITS[wait])}`,
  // a row version that no transaction has replaced or locked was made by this statement
  rowWasInserted: sql`cast(xmax = 0 as integer)`,
  arrays,
}

const LOCK_WAITS: Readonly<Record<LockWait, string>> = { wait: '', skip: ' skip locked', fail: ' nowait' }

function cast(value: Expression<unknown>, type: string | undefined): Expression<unknown> {
  return type === undefined ? value : (sql`cast(${value} as ${sql.raw(type)})` as RawBuilder<unknown>)
}

/** An enum of the database has no patterns of its own. */
function textOf(column: Expression<unknown>, type: ColumnType | undefined): Expression<unknown> {
  return type !== undefined && isNativeEnum(type) ? cast(column, 'text') : column
}

function isNativeEnum(type: ColumnType): boolean {
  return type.kind === 'enum' && type.native
}

function travelType(type: ColumnType): string {
  return type.kind === 'array' ? 'text' : (castType(type) ?? 'text')
}

function arrivalType(type: ColumnType, schema: string | undefined): string | undefined {
  if (type.kind === 'array') return `${arrivalType(type.of, schema) ?? travelType(type.of)}[]`
  if (type.kind !== 'enum' || !type.native) return undefined
  return schema === undefined ? quoteStandard(type.name) : `${quoteStandard(schema)}.${quoteStandard(type.name)}`
}
