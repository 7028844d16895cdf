import type { Connection } from '../dialect.js'

/** Where a column of a result comes from, by physical names. */
interface ColumnOrigin {
  readonly table: string
  readonly column: string
}

/** From the numbers that a result gives for a table and its column to their names. */
export class ColumnOrigins {
  readonly #origins: ReadonlyMap<string, ColumnOrigin>

  private constructor(origins: ReadonlyMap<string, ColumnOrigin>) {
    this.#origins = origins
  }

  static readonly none = new ColumnOrigins(new Map())

  /** Asks the server for all columns of these tables. Nothing is kept: they are called otherwise after a migration, and nobody tells. */
  static async of(tableIds: Iterable<number>, connection: Connection): Promise<ColumnOrigins> {
    const { rows } = await connection.run({ name: 'lw_columns_of', sql: COLUMNS_OF, parameters: [`{${[...tableIds].join(',')}}`] })
    const origins = (rows as readonly [string, string, string, string][]).map(
      ([tableId, columnId, table, column]) => [keyOf(tableId, columnId), { table, column }] as const,
    )
    return new ColumnOrigins(new Map(origins))
  }

  find(tableId: number, columnId: number): ColumnOrigin | undefined {
    return this.#origins.get(keyOf(tableId, columnId))
  }
}

const COLUMNS_OF = `select a.attrelid, a.attnum, c.relname, a.attname
  from pg_catalog.pg_attribute a join pg_catalog.pg_class c on c.oid = a.attrelid
  where a.attrelid = any(cast($1 as pg_catalog.oid[])) and not a.attisdropped`

function keyOf(tableId: number | string, columnId: number | string): string {
  return `${tableId}.${columnId}`
}
