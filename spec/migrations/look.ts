import { runSql } from '../support/plain-sql.js'

/** What a database holds, the state of migrations aside: tables with their columns, indexes, and the rows of the tables given. */
export async function shapeOf(url: string, ...tables: readonly string[]): Promise<unknown> {
  const shape = await runSql(
    url,
    url.startsWith('postgres') ? POSTGRES : url.startsWith('mysql') || url.startsWith('mariadb') ? MYSQL : SQLITE,
  )
  const rows: Record<string, unknown> = {}
  for (const table of tables) rows[table] = await runSql(url, `select * from ${table} order by 1`)
  return { shape, rows }
}

const POSTGRES = `
  select 'column' as kind, table_name as a, column_name as b, data_type || coalesce(column_default, '') || is_nullable as c
  from information_schema.columns where table_schema = 'public' and table_name not like '\\_latchwork%'
  union all
  select 'index', tablename, indexname, indexdef || (select i.indisvalid::text from pg_index i join pg_class c on c.oid = i.indexrelid where c.relname = indexname limit 1)
  from pg_indexes where schemaname = 'public' and tablename not like '\\_latchwork%'
  order by 1, 2, 3`

const MYSQL = `
  select 'column' as kind, table_name as a, column_name as b, concat(column_type, coalesce(column_default, ''), is_nullable) as c
  from information_schema.columns where table_schema = database() and table_name not like '\\_latchwork%'
  union all
  select 'index', table_name, concat(index_name, seq_in_index), concat(column_name, non_unique)
  from information_schema.statistics where table_schema = database() and table_name not like '\\_latchwork%'
  order by 1, 2, 3`

const SQLITE =
  "select type as kind, tbl_name as a, name as b, sql as c from sqlite_schema where name not like '\\_latchwork%' escape '\\' and name not like 'sqlite%' order by 1, 2, 3"
