import type { TreeQuery } from './queries.js'
import { compare, type Deleted, meets, type RelatedOf, type Value } from './where-logic.js'

type Row = Readonly<Record<string, unknown>>

interface Options {
  readonly where?: object
  readonly orderBy?: readonly Row[]
  readonly limit?: number
  readonly select?: readonly string[]
  readonly include?: object
  readonly deleted?: Deleted
}

/** What a list of these rows should give, worked out in memory; in the order of the primary key where the query leaves it open. */
export function answerTo(rows: readonly object[], query: TreeQuery, relatedOf: RelatedOf): Row[] {
  return chosen(rows, query, relatedOf).map((row) => shown(row as Row, query, relatedOf))
}

function chosen(rows: readonly object[], { where = {}, orderBy = [], limit = rows.length }: Options, relatedOf: RelatedOf): object[] {
  const items = [...orderBy.flatMap((part) => Object.entries(part)), ['id', 'asc'] as const]
  const found = rows.filter((row) => meets(row, where, relatedOf))
  found.sort((left, right) => {
    for (const [name, direction] of items) {
      const order = compareIn(direction, (left as Row)[name] as Value | null, (right as Row)[name] as Value | null)
      if (order !== 0) return order
    }
    return 0
  })
  return found.slice(0, limit)
}

/** Nulls come last going up and first going down, unless it is said. */
function compareIn(given: unknown, left: Value | null, right: Value | null): number {
  const { direction, nulls } =
    typeof given === 'string'
      ? { direction: given, nulls: given === 'asc' ? 'last' : 'first' }
      : (given as { direction: string; nulls: string })
  if (left === null || right === null) return left === right ? 0 : (left === null) === (nulls === 'first') ? -1 : 1
  return direction === 'asc' ? compare(left, right) : compare(right, left)
}

function shown(row: Row, { select, include = {} }: Options, relatedOf: RelatedOf): Row {
  const fields = Object.fromEntries((select ?? Object.keys(row)).map((name) => [name, row[name]]))
  const relations = Object.entries(include).map(([name, given]) => {
    const options: Options = given === true ? {} : (given as Options)
    const related = relatedOf(row, name, options.deleted)!
    const found = [related].flat().filter((each) => each !== null) as object[]
    const rows = chosen(found, options, relatedOf).map((each) => shown(each as Row, options, relatedOf))
    return [name, Array.isArray(related) ? rows : (rows[0] ?? null)]
  })
  return { ...fields, ...Object.fromEntries(relations) }
}
