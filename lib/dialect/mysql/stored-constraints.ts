import type { Connection, StoredConstraint } from '../dialect.js'
import { constraintsOf } from '../learned-constraints.js'

/** Keys, unique ones that are indexes alone among them; foreign keys; checks. A hidden column of an index is no column of a model. */
const CONSTRAINTS = `
  select nullif(table_schema, database()), table_name, index_name, column_name, null, seq_in_index from information_schema.statistics
  where non_unique = 0 and table_name in ($tables) and column_name not like '\\_lw\\_%'
  union all
  select nullif(table_schema, database()), table_name, constraint_name, column_name, null, ordinal_position from information_schema.key_column_usage
  where referenced_table_name is not null and table_name in ($tables)
  union all
  select nullif(t.table_schema, database()), t.table_name, t.constraint_name, null, c.check_clause, 1 from information_schema.table_constraints t
  join information_schema.check_constraints c on c.constraint_schema = t.constraint_schema and c.constraint_name = t.constraint_name
  where t.constraint_type = 'CHECK' and t.table_name in ($tables)
  order by 1, 2, 3, 6`

/** The keys and constraints of tables of these names. */
export async function storedConstraints(
  connection: Pick<Connection, 'run'>,
  tables: readonly string[],
): Promise<readonly StoredConstraint[]> {
  if (tables.length === 0) return []
  const sql = CONSTRAINTS.replaceAll('$tables', tables.map(() => '?').join(', '))
  const { rows } = await connection.run({ sql, parameters: [...tables, ...tables, ...tables] })
  return constraintsOf(rows.map((row) => row.map((value) => (value instanceof Uint8Array ? Buffer.from(value).toString() : value))))
}
