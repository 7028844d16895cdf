import type { Connection, StoredConstraint } from '../dialect.js'
import { constraintsOf } from '../learned-constraints.js'

const CONSTRAINTS = `
  select nullif(n.nspname, pg_catalog.current_schema()), c.relname, k.name, a.attname, null
  from (
    select conrelid, conname, conkey from pg_catalog.pg_constraint
    union all
    select i.indrelid, x.relname, i.indkey::int2[] from pg_catalog.pg_index i join pg_catalog.pg_class x on x.oid = i.indexrelid
    where i.indisunique and not exists (select from pg_catalog.pg_constraint p where p.conindid = i.indexrelid and p.contype in ('p', 'u', 'x'))
  ) k(rel, name, nums)
  join pg_catalog.pg_class c on c.oid = k.rel join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  cross join lateral unnest(k.nums) with ordinality o(num, nth)
  join pg_catalog.pg_attribute a on a.attrelid = c.oid and a.attnum = o.num
  where c.relname in (select pg_catalog.json_array_elements_text($1::json)) and a.attnum > 0
  order by 1, 2, 3, o.nth`

/** The keys and constraints of tables of these names. */
export async function storedConstraints(
  connection: Pick<Connection, 'run'>,
  tables: readonly string[],
): Promise<readonly StoredConstraint[]> {
  return constraintsOf((await connection.run({ sql: CONSTRAINTS, parameters: [JSON.stringify(tables)] })).rows)
}
