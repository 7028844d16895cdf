import { type Expression, type RawBuilder, sql } from 'kysely'
import type { Bound } from '../dialect.js'
import type { JsonExpressions, JsonKind } from '../json-expressions.js'

const TYPES: Readonly<Record<JsonKind, { readonly json: string; readonly sql: string }>> = {
  text: { json: 'string', sql: 'text' },
  number: { json: 'number', sql: 'numeric' },
  boolean: { json: 'boolean', sql: 'boolean' },
}

/** What stands at a path of a `jsonb` column. */
export const json: JsonExpressions = {
  // strict: the lax mode looks into the elements of a list for a name, and takes any value for a list of one
  encodePath: (path) => [`strict $${path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${JSON.stringify(step)}`)).join('')}`],
  isThere: (column, path) => sql<boolean>`coalesce(jsonb_typeof(${at(column, path)}) <> 'null', false)`,
  valueAt: (column, path, kind) => {
    const value = at(column, path)
    const converted = kind === 'text' ? sql`(${value} #>> '{}') collate "C"` : sql`cast(${value} as ${sql.raw(TYPES[kind].sql)})`
    return sql`case jsonb_typeof(${value}) when ${sql.lit(TYPES[kind].json)} then ${converted} end`
  },
  encode: String,
  operand: (value, kind) => sql`cast(${value} as ${sql.raw(TYPES[kind].sql)})`,
}

function at(column: Expression<unknown>, [path]: readonly Bound[]): RawBuilder<unknown> {
  return sql`jsonb_path_query_first(${column}, cast(${path!} as jsonpath), '{}', true)`
}
