import type { Connection } from '../dialect.js'

/** A column of a table, by physical names. */
export interface ColumnOrigin {
  readonly table: string
  readonly column: string
}

/** Most columns to remember: temporary tables get a new number each time they are made. */
const MAX_COLUMNS = 20_000

/** From the numbers that a result gives for its columns to their names, kept for a whole pool. */
export class ColumnOrigins {
  readonly #origins = new Map<string, ColumnOrigin | undefined>()

  find(tableId: number, columnId: number): ColumnOrigin | undefined {
    return this.#origins.get(keyOf(tableId, columnId))
  }

  /** Tables that have to be asked for, of these columns. */
  unknownTables(columns: readonly { readonly tableID: number; readonly columnID: number }[]): readonly number[] {
    const unknown = columns.filter(({ tableID, columnID }) => tableID !== 0 && !this.#origins.has(keyOf(tableID, columnID)))
    return [...new Set(unknown.map(({ tableID }) => tableID))]
  }

  /** Asks the server for all columns of these tables. */
  async load(connection: Connection, tableIds: readonly number[]): Promise<void> {
    const { rows } = await connection.run({ sql: COLUMNS_OF, parameters: [`{${tableIds.join(',')}}`] })
    if (this.#origins.size > MAX_COLUMNS) this.#origins.clear()
    for (const [tableId, columnId, table, column] of rows as readonly [string, string, string, string][]) {
      this.#origins.set(keyOf(tableId, columnId), { table, column })
    }
  }
}

const COLUMNS_OF = `select a.attrelid, a.attnum, c.relname, a.attname
  from pg_catalog.pg_attribute a join pg_catalog.pg_class c on c.oid = a.attrelid
  where a.attrelid = any(cast($1 as pg_catalog.oid[])) and not a.attisdropped`

function keyOf(tableId: number | string, columnId: number | string): string {
  return `${tableId}.${columnId}`
}
