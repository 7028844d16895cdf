import type { ConstraintDetail } from '../../errors.js'
import type { ConstraintCatalogue } from '../dialect.js'

/** For a refusal that says nothing about what it refuses. */
export const NOTHING_NAMED: ConstraintDetail = Object.freeze({ model: undefined, fields: Object.freeze([]), constraint: undefined })

/** The constraint in `CHECK constraint failed: users_age_check` or `UNIQUE constraint failed: index 'users_lower_key'`. */
export function constraintNamedIn(words: string, catalogue: ConstraintCatalogue): ConstraintDetail {
  const constraint = /constraint failed: (?:index '([\s\S]*)'|([\s\S]*))$/
    .exec(words)
    ?.slice(1)
    .find((name) => name !== undefined)
  if (constraint === undefined) return NOTHING_NAMED
  return catalogue.byName(constraint) ?? { model: undefined, fields: [], constraint }
}

/** The columns in `UNIQUE constraint failed: users.country, users.email` or `cannot store TEXT value in INTEGER column users.age`. */
export function columnsNamedIn(words: string, catalogue: ConstraintCatalogue): ConstraintDetail {
  const list = /(?:constraint failed: |cannot store \w+ value in \w+ column )([\s\S]*)$/.exec(words)?.[1]
  if (list === undefined) return NOTHING_NAMED
  const readings = [...readingsOf(list)]
  for (const { table, columns } of readings) {
    const origin = catalogue.byColumns(table, columns)
    if (origin !== undefined) return origin
  }
  return { model: undefined, fields: readings[0]?.columns ?? [], constraint: undefined }
}

/** Names are not quoted in SQLite's words and may hold dots and commas: each dot may end the table's name. */
function* readingsOf(list: string): Generator<{ table: string; columns: readonly string[] }> {
  for (let dot = list.indexOf('.'); dot !== -1; dot = list.indexOf('.', dot + 1)) {
    const table = list.slice(0, dot)
    yield { table, columns: list.slice(dot + 1).split(`, ${table}.`) }
  }
}
