import { type Expression, type RawBuilder, sql } from 'kysely'
import { UnsupportedError } from '../../errors.js'
import type { Bound } from '../dialect.js'
import type { JsonExpressions, JsonPath } from '../json-expressions.js'
import { COLLATION } from './collation.js'

const collation = sql.raw(COLLATION)

/** What stands at a path of a JSON column, which is a text on MariaDB. */
export const json: JsonExpressions = Object.freeze({
  // the path, then that of everything which has to be a list: a position 0 in any other value would give that value itself
  encodePath(path: JsonPath): readonly string[] {
    const dashed = path.find((step) => typeof step === 'string' && step.startsWith('-'))
    if (dashed !== undefined) throw new UnsupportedError('a $path with a name that begins with "-"', 'mysql', 'MariaDB does not find it')
    const lists = path.flatMap((step, index) => (typeof step === 'number' ? [pathText(path.slice(0, index))] : []))
    return [pathText(path), ...lists]
  },

  isThere: (column: Expression<unknown>, path: readonly Bound[]) => sql<boolean>`coalesce(json_type(${at(column, path)}) <> 'NULL', false)`,

  valueAt(column: Expression<unknown>, path: readonly Bound[], kind: 'text' | 'number' | 'boolean'): Expression<unknown> {
    const value = at(column, path)
    switch (kind) {
      case 'text':
        return sql`case json_type(${value}) when 'STRING' then json_unquote(${value}) end collate ${collation}`
      case 'number':
        return sql`case when json_type(${value}) in ('INTEGER', 'UNSIGNED INTEGER', 'DOUBLE', 'DECIMAL') then cast(${value} as double) end`
      case 'boolean':
        return sql`case json_type(${value}) when 'BOOLEAN' then json_unquote(${value}) = 'true' end`
    }
  },

  encode: (value: string | number | boolean) => (typeof value === 'boolean' ? Number(value) : value),
  operand: (value: Bound) => value,
})

function pathText(path: JsonPath): string {
  return `$${path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${JSON.stringify(step)}`)).join('')}`
}

function at(column: Expression<unknown>, [path, ...lists]: readonly Bound[]): RawBuilder<unknown> {
  const value = sql`json_extract(${column}, ${path!})`
  if (lists.length === 0) return value
  const areLists = lists.map((list) => sql`json_type(json_extract(${column}, ${list})) = 'ARRAY'`)
  return sql`case when ${sql.join(areLists, sql` and `)} then ${value} end`
}
