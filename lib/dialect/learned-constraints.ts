import type { Schema } from '../model/schema.js'
import type { ConstraintCatalogue, ConstraintOrigin, StoredConstraint } from './dialect.js'

/** A name that nobody knows is asked for again after this. */
const ASK_AGAIN_MS = 60_000

/**
 * A catalogue that learns what the database calls its constraints: a migration that renames a table or column leaves them the names that
 * they were made with, which the models do not tell.
 */
export class LearnedConstraints implements ConstraintCatalogue {
  readonly #stated: ConstraintCatalogue
  readonly #schema: Schema
  readonly #learned = new Map<string, readonly StoredConstraint[]>()
  #asked: Promise<void> | undefined
  #askedAtMs = Number.NEGATIVE_INFINITY

  /** @param schema  of the models */
  constructor(stated: ConstraintCatalogue, schema: Schema) {
    this.#stated = stated
    this.#schema = schema
  }

  /** Whether it is time to ask the database. */
  get isDue(): boolean {
    return this.#asked !== undefined || performance.now() - this.#askedAtMs > ASK_AGAIN_MS
  }

  /** Asks the database, unless that is under way. @param ask  gives the constraints of tables of these names */
  learn(ask: (tables: readonly string[]) => Promise<readonly StoredConstraint[]>): Promise<void> {
    this.#asked ??= this.#learn(ask).finally(() => {
      this.#asked = undefined
    })
    return this.#asked
  }

  async #learn(ask: (tables: readonly string[]) => Promise<readonly StoredConstraint[]>): Promise<void> {
    this.#askedAtMs = performance.now()
    const constraints = await ask([...new Set(this.#schema.tables.map(({ name }) => name))])
    this.#learned.clear()
    for (const each of constraints) this.#learned.set(each.name, [...(this.#learned.get(each.name) ?? []), each])
  }

  byName(constraint: string, table?: string, schema?: string): ConstraintOrigin | undefined {
    return this.#stated.byName(constraint, table, schema) ?? this.#learnedOrigin(constraint, table, schema)
  }

  byColumns(table: string, columns: readonly string[], schema?: string): ConstraintOrigin | undefined {
    return this.#stated.byColumns(table, columns, schema)
  }

  #learnedOrigin(constraint: string, table: string | undefined, schema: string | undefined): ConstraintOrigin | undefined {
    const named = (this.#learned.get(constraint) ?? []).filter((each) => table === undefined || each.table === table)
    const found = named.find((each) => each.schema === schema) ?? named.find((each) => each.schema === undefined) ?? named[0]
    if (found === undefined) return undefined
    const origin = this.#stated.byColumns(found.table, found.columns ?? this.#columnsIn(found), found.schema ?? '')
    return origin && Object.freeze({ ...origin, constraint })
  }

  /** The columns that the SQL of a check speaks of, in order of first mention. */
  #columnsIn({ table, schema, sql = '' }: StoredConstraint): readonly string[] {
    const columns = this.#schema.tables.find((each) => each.name === table && each.schema === schema)?.columns ?? []
    const known = new Set(columns.map(({ name }) => name))
    const words = sql.replaceAll(/'(?:[^']|'')*'/g, ' ').match(/"(?:[^"]|"")*"|`(?:[^`]|``)*`|[\p{L}_][\p{L}\p{N}_$]*/gu) ?? []
    return [...new Set(words.map((word) => word.replace(/^["`](.*)["`]$/s, '$1')).filter((word) => known.has(word)))]
  }
}

/** Rows of schema, table, name, column and SQL, a row a column, in order, as constraints. */
export function constraintsOf(rows: readonly (readonly unknown[])[]): readonly StoredConstraint[] {
  const found = new Map<string, StoredConstraint & { columns?: string[] }>()
  for (const [schema, table, name, column, sql] of rows.map((row) => row.map((value) => (value === null ? undefined : String(value))))) {
    const key = JSON.stringify([schema, table, name])
    const before = found.get(key)
    if (before?.columns !== undefined && column !== undefined) before.columns.push(column)
    else if (before === undefined)
      found.set(key, { schema, table: table!, name: name!, ...(column === undefined ? { sql: sql ?? '' } : { columns: [column] }) })
  }
  return [...found.values()]
}
