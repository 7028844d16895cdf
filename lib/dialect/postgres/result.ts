import type { FieldDef } from 'pg'
import type { MaybePromise } from '../../maybe-promise.js'
import type { Connection, ResultColumn, StatementResult } from '../dialect.js'
import { ColumnOrigins } from './column-origins.js'
import type { PgDriver } from './driver.js'

/** The session that a result comes from. */
export interface ResultSession extends Connection {
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

  columns(isKnown: (position: number, count: number) => boolean = () => false): MaybePromise<readonly ResultColumn[]> {
    const { length } = this.#fields
    const wanted = this.#fields.filter(({ tableID }, position) => tableID !== 0 && !isKnown(position, length))
    if (wanted.length === 0) return this.#describe(ColumnOrigins.none)
    const tables = new Set(wanted.map(({ tableID }) => tableID))
    return ColumnOrigins.of(tables, this.session).then((origins) => this.#describe(origins))
  }

  #describe(origins: ColumnOrigins): readonly ResultColumn[] {
    const { types } = this.session.driver
    return this.#fields.map(({ name, tableID, columnID, dataTypeID }) => {
      const { table, column } = origins.find(tableID, columnID) ?? {}
      return { name, table, column, decode: types.getTypeParser(dataTypeID, 'text') }
    })
  }
}
