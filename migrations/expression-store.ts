import type { CompiledQuery } from 'kysely'
import type { MigrationDialect } from '../lib/dialect/migration-dialect.js'
import type { MigrationSession } from '../lib/dialect/migration-parts.js'
import { sha256 } from './migration-files.js'
import { type AnyKysely, compilerFor } from './session-kysely.js'
import { stateTables } from './state-tables.js'

/** How the engine gave an expression back when it was made. */
export interface KeptExpression {
  /** Of what it means: see `expressionHashes`. */
  readonly hash: string
  readonly asStored: string
}

interface ExpressionRow {
  readonly object: string
  readonly logical_hash: string
  readonly as_stored: string
}

/** A key of an expression has two `/`. */
const UP_TO = 'up-to'
/** Of the column `object`, in characters. */
const LONGEST_KEY = 200
/** Well below what every engine takes of values in one statement. */
const ROWS_A_STATEMENT = 200

/** The table of expressions as the engine wrote them, and the migrations up to which it is kept. */
export class ExpressionStore {
  readonly #session: MigrationSession
  readonly #dialect: MigrationDialect
  readonly #compiler: AnyKysely
  readonly #table: string

  constructor(session: MigrationSession, dialect: MigrationDialect, migrationsTable: string) {
    const compiler = compilerFor(dialect)
    this.#session = session
    this.#dialect = dialect
    this.#compiler = session.schema === undefined ? compiler : compiler.withSchema(session.schema)
    this.#table = stateTables(migrationsTable, session.schema).expressions.name
  }

  /** Last ids of the migrations whose expressions are kept; undefined: none ever were. */
  async upTo(): Promise<readonly string[] | undefined> {
    const { rows } = await this.#send(this.#compiler.selectFrom(this.#table).select('as_stored').where('object', '=', UP_TO).compile())
    const [ids] = rows[0] ?? []
    return ids === undefined
      ? undefined
      : String(ids)
          .split(' ')
          .filter((id) => id !== '')
  }

  async keepUpTo(ids: readonly string[]): Promise<void> {
    await this.#replace([{ object: UP_TO, logical_hash: '', as_stored: ids.join(' ') }])
  }

  /** All of them, by what {@link keyOf} makes of their keys; none where there is no such table. */
  async read(): Promise<ReadonlyMap<string, KeptExpression>> {
    const { schema } = this.#session
    const place = { name: this.#table, ...(schema === undefined ? {} : { schema }) }
    if ((await this.#session.connection.run(this.#dialect.tableExists(place))).rows.length === 0) return new Map()
    const { rows } = await this.#send(this.#compiler.selectFrom(this.#table).select(['object', 'logical_hash', 'as_stored']).compile())
    const kept = rows.map(([object, hash, asStored]) => [String(object), { hash: String(hash), asStored: String(asStored) }] as const)
    return new Map(kept.filter(([object]) => object !== UP_TO))
  }

  async write(expressions: ReadonlyMap<string, KeptExpression>): Promise<void> {
    await this.#replace([...expressions].map(([object, { hash, asStored }]) => ({ object, logical_hash: hash, as_stored: asStored })))
  }

  /** @param keys  what {@link keyOf} makes of them */
  async remove(keys: readonly string[]): Promise<void> {
    for (let at = 0; at < keys.length; at += ROWS_A_STATEMENT) {
      await this.#send(
        this.#compiler
          .deleteFrom(this.#table)
          .where('object', 'in', keys.slice(at, at + ROWS_A_STATEMENT))
          .compile(),
      )
    }
  }

  /** Whether there is one or not: an upsert would be another statement on each engine. */
  async #replace(rows: readonly ExpressionRow[]): Promise<void> {
    await this.remove(rows.map(({ object }) => object))
    for (let at = 0; at < rows.length; at += ROWS_A_STATEMENT) {
      await this.#send(
        this.#compiler
          .insertInto(this.#table)
          .values(rows.slice(at, at + ROWS_A_STATEMENT))
          .compile(),
      )
    }
  }

  async #send({ sql, parameters }: CompiledQuery) {
    return this.#session.connection.run({ sql, parameters })
  }
}

/** The key of an expression as the table holds it: names of three parts may be longer together than its column. */
export function keyOf(key: string): string {
  return key.length <= LONGEST_KEY ? key : `${key.slice(0, LONGEST_KEY - 33)}#${sha256(key).slice(0, 32)}`
}
