import type { Connection, StoredConstraint } from '../dialect.js'
import { readTableText } from './table-text.js'

/** The checks of tables of these names; of keys SQLite says the columns itself. */
export async function storedConstraints(
  connection: Pick<Connection, 'run'>,
  tables: readonly string[],
): Promise<readonly StoredConstraint[]> {
  const sql = "select name, sql from sqlite_schema where type = 'table' and name in (select value from json_each(?))"
  const { rows } = await connection.run({ sql, parameters: [JSON.stringify(tables)] })
  return rows.flatMap(([table, text]) => readTableText(String(text)).checks.map((check) => ({ table: String(table), ...check })))
}
