import { QueryError } from '../../errors.js'
import { sqlTokens } from '../../sql-text.js'
import type { Connection } from '../dialect.js'
import type { ScratchDatabase, TableRebuild } from '../migration-parts.js'
import { loadDriver } from './driver.js'
import { SqliteSession } from './session.js'
import { sqlTraits } from './sql-traits.js'

/**
 * A table made anew, since ALTER TABLE cannot change it so. Source: SQLite, "ALTER TABLE", section 7.
 *
 * Foreign keys are off before the transaction begins, where alone that has an effect: dropping the old table would else delete the
 * rows that refer to it. Views and triggers are away meanwhile: renaming a table fails where one of them names what is not there.
 */
export const rebuild: TableRebuild = {
  before: ['pragma foreign_keys = off'],
  after: ['pragma foreign_keys = on'],
  openScratch,
  statements,
  rowCheck,
  keyCheck,
  run,
  check,
}

type Session = Pick<Connection, 'run'>

/** A view, trigger or index, by the text that made it. */
interface SchemaObject {
  readonly type: string
  readonly name: string
  readonly table: string
  readonly sql: string
}

/** Tables that are made with a virtual one, which keeps its rows in them. */
const SHADOWS = "select name from pragma_table_list where type = 'shadow'"

async function openScratch(like?: Session): Promise<ScratchDatabase> {
  const driver = await loadDriver()
  const connection = new SqliteSession(new driver(':memory:'), 'write')
  const objects = like === undefined ? [] : await objectsOf(like)
  const shadows = like === undefined ? [] : (await like.run({ sql: SHADOWS, parameters: [] })).rows.map(([name]) => name)
  for (const { name, sql } of objects) if (!shadows.includes(name)) connection.run({ sql, parameters: [] })
  return { connection, [Symbol.asyncDispose]: async () => connection.close() }
}

/** SQL has no statement that fails at will but for one that a check refuses. */
const CHECK = '"__latchwork_check"'

function rowCheck(table: string): readonly string[] {
  const counts = [table, newName(table)].map((name) => `(select count(*) from ${quote(name)})`)
  return failing('rows_are_kept', `${counts[0]} = ${counts[1]}`)
}

function keyCheck(table: string): readonly string[] {
  const its = ['"table"', '"parent"'].map((column) => `${column} = ${literal(table)} collate nocase`).join(' or ')
  return failing('foreign_keys_hold', `not exists (select 1 from pragma_foreign_key_check where ${its})`)
}

function failing(name: string, condition: string): readonly string[] {
  return [
    `create temp table ${CHECK} (ok integer constraint ${name} check (ok))`,
    `insert into ${CHECK} select ${condition}`,
    `drop table temp.${CHECK}`,
  ]
}

async function statements(connection: Session, table: string, step: readonly string[]): Promise<readonly string[]> {
  const { before, after } = await wrapping(connection, table)
  return [...before, ...step, ...after]
}

async function run(connection: Session, table: string, step: readonly string[]): Promise<void> {
  const { before, after } = await wrapping(connection, table)
  for (const sql of [...before, ...step]) await connection.run({ sql, parameters: [] })
  const [had, has] = [await countOf(connection, table), await countOf(connection, newName(table))]
  if (had !== has) {
    throw new QueryError(
      `the rebuild of "${table}" would have kept ${has} of its ${had} rows; its INSERT … SELECT leaves some out`,
      undefined,
    )
  }
  for (const sql of after) await connection.run({ sql, parameters: [] })
}

/** What goes before the statements of the step, and what behind. */
async function wrapping(connection: Session, table: string): Promise<{ before: readonly string[]; after: readonly string[] }> {
  const objects = await objectsOf(connection)
  const old = objects.find(({ type, name }) => type === 'table' && same(name, table))
  if (old === undefined) throw new QueryError(`there is no table "${table}" to rebuild`, undefined)
  const views = objects.filter(({ type }) => type === 'view')
  const triggers = objects.filter(({ type }) => type === 'trigger')
  const indexes = objects.filter((object) => object.type === 'index' && same(object.table, table))
  const [from, to] = [quote(newName(table)), quote(old.name)]
  return {
    before: [...triggers.map(({ name }) => `drop trigger ${quote(name)}`), ...views.map(({ name }) => `drop view ${quote(name)}`)],
    after: [
      ...(counts(old) ? counterStatements(old.name) : []),
      `drop table ${to}`,
      `alter table ${from} rename to ${to}`,
      // byte for byte as they were
      ...[...indexes, ...views, ...triggers].map(({ sql }) => sql),
    ],
  }
}

/** In the order in which they were made. */
async function objectsOf(connection: Session): Promise<readonly SchemaObject[]> {
  const sql =
    "select type, name, tbl_name, sql from sqlite_schema where sql is not null and name not like 'sqlite\\_%' escape '\\' order by rowid"
  const { rows } = await connection.run({ sql, parameters: [] })
  return (rows as readonly (readonly string[])[]).map(([type, name, table, text]) => ({
    type: type!,
    name: name!,
    table: table!,
    sql: text!,
  }))
}

function counts({ sql }: SchemaObject): boolean {
  return sqlTokens(sql, sqlTraits).some(({ kind, text }) => kind === 'word' && text.toLowerCase() === 'autoincrement')
}

/** The counter goes on where it was, and keeps the keys of deleted rows from coming back. */
function counterStatements(table: string): readonly string[] {
  const [from, to] = [literal(table), literal(newName(table))]
  return [
    `delete from sqlite_sequence where name = ${to}`,
    `insert into sqlite_sequence (name, seq) select ${to}, seq from sqlite_sequence where name = ${from}`,
  ]
}

async function check(connection: Session, tables: readonly string[] | undefined): Promise<void> {
  for (const table of tables === undefined ? [undefined] : await withChildren(connection, tables)) {
    const sql = table === undefined ? 'pragma foreign_key_check' : `pragma foreign_key_check(${quote(table)})`
    const { rows } = await connection.run({ sql, parameters: [] })
    if (rows.length === 0) continue
    const [child, , parent] = rows[0] as readonly string[]
    throw new QueryError(
      `foreign keys were off while a table was rebuilt, and now ${rows.length} rows, of "${child}" first, refer to rows of "${parent}" that are not there`,
      'SQLITE_CONSTRAINT_FOREIGNKEY',
    )
  }
}

async function withChildren(connection: Session, tables: readonly string[]): Promise<readonly string[]> {
  const sql =
    'select distinct m.name from sqlite_schema m join pragma_foreign_key_list(m.name) f where m.type = \'table\' and f."table" = ? collate nocase'
  const names = new Set(tables)
  for (const table of tables) {
    const { rows } = await connection.run({ sql, parameters: [table] })
    for (const [name] of rows) names.add(String(name))
  }
  return [...names]
}

async function countOf(connection: Session, table: string): Promise<number> {
  const { rows } = await connection.run({ sql: `select count(*) from ${quote(table)}`, parameters: [] })
  return Number(rows[0]![0])
}

function newName(table: string): string {
  return `__latchwork_new_${table}`
}

function same(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase()
}

function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`
}
