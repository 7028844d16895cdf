import type { CompiledQuery } from 'kysely'
import { plainSql } from '../lib/dialect/ddl-statement.js'
import type { Dialect, Statement, StatementResult } from '../lib/dialect/dialect.js'
import type { TableSchema } from '../lib/model/schema.js'
import type { RunContext } from './run-context.js'
import { compilerFor } from './session-kysely.js'
import { RowCodec } from './state-tables.js'

type Row = Readonly<Record<string, unknown>>

/** The rows of one state table, on the connection of a run. */
export class StateRows {
  readonly #context: RunContext
  readonly #table: TableSchema

  constructor(context: RunContext, table: TableSchema) {
    this.#context = context
    this.#table = table
  }

  /** Makes the table where it is not there: the state may be older than it. For who has the lock. */
  async ensure(): Promise<void> {
    if (await this.#isThere()) return
    for (const sql of plainSql(this.#context.dialect.ddl([{ kind: 'createTable', table: this.#table }])))
      await this.#send({ sql, parameters: [] })
  }

  /** All rows; none where there is no table. */
  async read(): Promise<readonly Row[]> {
    if (!(await this.#isThere())) return []
    const { dialect } = this.#context
    const columns = this.#table.columns.map(({ name }) => name)
    const { rows } = await this.#send(compiler(dialect, this.#table).selectFrom(this.#table.name).select(columns).compile())
    const codec = new RowCodec(this.#table, dialect)
    return rows.map((values) => codec.decode(columns, values))
  }

  /** Writes a row in the place of the one with its key, if there is one. */
  async replace(row: Row): Promise<void> {
    for (const query of replacing(this.#table, row, this.#context.dialect)) await this.#send(query)
  }

  async #isThere(): Promise<boolean> {
    const { name, schema } = this.#table
    const question = this.#context.dialect.tableExists({ name, ...(schema === undefined ? {} : { schema }) })
    return (await this.#send(question)).rows.length > 0
  }

  async #send({ sql, parameters }: Pick<Statement, 'sql' | 'parameters'>): Promise<StatementResult> {
    return this.#context.session.connection.run({ sql, parameters })
  }
}

/** The statements that write a row in the place of the one with its key: an upsert would be another one on each engine. */
export function replacing(table: TableSchema, row: Row, dialect: Dialect): readonly CompiledQuery[] {
  const values = new RowCodec(table, dialect).encode(row)
  const remove = table.primaryKey.columns.reduce(
    (query, column) => query.where(column, '=', values[column]),
    compiler(dialect, table).deleteFrom(table.name),
  )
  return [remove.compile(), compiler(dialect, table).insertInto(table.name).values(values).compile()]
}

function compiler(dialect: Dialect, { schema }: TableSchema) {
  return schema === undefined ? compilerFor(dialect) : compilerFor(dialect).withSchema(schema)
}
