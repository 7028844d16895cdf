import type { FieldDef } from 'pg'
import type { Connection, MaybePromise, ResultColumn, StatementResult } from '../dialect.js'
import type { ColumnOrigins } from './column-origins.js'
import type { PgDriver } from './driver.js'

/** The session that a result comes from. */
interface ResultSession extends Connection {
  readonly origins: ColumnOrigins
  readonly driver: PgDriver
}

/** What the server answered, by the driver's query or ours. */
export interface ServerResult {
  readonly rows: readonly (readonly unknown[])[]
  /** First word of its command tag. */
  readonly command: string
  readonly rowCount: number | null
  readonly fields: readonly FieldDef[]
}

const WRITES = new Set(['INSERT', 'UPDATE', 'DELETE', 'MERGE'])

/** What a statement gave, its values in the server's text. */
export class PostgresResult implements StatementResult {
  readonly rows: readonly (readonly unknown[])[]
  readonly affectedRows: number
  readonly #fields: readonly FieldDef[]

  constructor(
    readonly session: ResultSession,
    { rows, rowCount, command, fields }: ServerResult,
  ) {
    this.rows = rows
    this.affectedRows = WRITES.has(command) ? (rowCount ?? 0) : 0
    this.#fields = fields
  }

  /** Asks the server for names that the pool has not met yet: only while the connection is the caller's. */
  columns(): MaybePromise<readonly ResultColumn[]> {
    const { origins } = this.session
    const unknown = origins.unknownTables(this.#fields)
    if (unknown.length === 0) return this.#describe()
    return origins.load(this.session, unknown).then(() => this.#describe())
  }

  #describe(): readonly ResultColumn[] {
    const { origins, driver } = this.session
    return this.#fields.map(({ name, tableID, columnID, dataTypeID }) => {
      const { table, column } = origins.find(tableID, columnID) ?? {}
      return { name, table, column, decode: driver.types.getTypeParser(dataTypeID, 'text') }
    })
  }
}
