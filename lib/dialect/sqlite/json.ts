import { sql } from 'kysely'
import type { JsonExpressions } from '../json-expressions.js'

/** What stands at a path of a JSON column: SQLite's own functions may read a number as its neighbour, and find no name with a quote in it. */
export const json: JsonExpressions = {
  encodePath: (path) => [JSON.stringify(path)],
  isThere: (column, [path]) => sql<boolean>`latchwork_json(${column}, ${path!}, 'any') is not null`,
  valueAt: (column, [path], kind) => sql`latchwork_json(${column}, ${path!}, ${sql.lit(kind)})`,
  encode: (value) => (typeof value === 'boolean' ? Number(value) : value),
  operand: (value) => value,
}
