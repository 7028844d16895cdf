import BetterSqlite3 from 'better-sqlite3'
import { createConnection } from 'mysql2/promise'
import pg from 'pg'
import type { Engine } from '../../../lib/dialect/dialect.js'

export type Row = Readonly<Record<string, unknown>>

/** One session with an engine through its plain driver, for looking at what DDL made. */
export interface PlainDatabase {
  run(sql: string, values?: readonly unknown[]): Promise<readonly Row[]>
  /** Inserts one row; a value is what a field of ours would be given. */
  insert(table: string, row: Row): Promise<void>
  quote(name: string): string
  close(): Promise<void>
}

export async function openPlain(engine: Engine, url: string): Promise<PlainDatabase> {
  switch (engine) {
    case 'postgres':
      return openPostgres(url)
    case 'mysql':
      return openMysql(url)
    case 'sqlite':
      return openSqlite(url.slice('sqlite:'.length))
  }
}

async function openPostgres(url: string): Promise<PlainDatabase> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  const quote = (name: string) => `"${name.replaceAll('"', '""')}"`
  const run: PlainDatabase['run'] = async (sql, values = []) => (await client.query<Row>(sql, [...values])).rows
  const encode = (value: unknown) => (value instanceof Uint8Array ? Buffer.from(value) : value)
  return { run, quote, insert: inserter(run, quote, encode, (position) => `$${position + 1}`), close: () => client.end() }
}

async function openMysql(url: string): Promise<PlainDatabase> {
  const connection = await createConnection({ uri: url, supportBigNumbers: true, bigNumberStrings: true, dateStrings: true })
  const quote = (name: string) => `\`${name.replaceAll('`', '``')}\``
  const run: PlainDatabase['run'] = async (sql, values = []) => {
    const [rows] = values.length === 0 ? await connection.query(sql) : await connection.execute(sql, values as string[])
    return Array.isArray(rows) ? (rows as Row[]) : []
  }
  const encode = (value: unknown) => {
    if (value instanceof Date) return value.toISOString().replace('T', ' ').replace('Z', '')
    return value instanceof Uint8Array ? Buffer.from(value) : value
  }
  return { run, quote, insert: inserter(run, quote, encode, () => '?'), close: () => connection.end() }
}

async function openSqlite(file: string): Promise<PlainDatabase> {
  const database = new BetterSqlite3(file)
  database.pragma('foreign_keys = on')
  const quote = (name: string) => `"${name.replaceAll('"', '""')}"`
  const run: PlainDatabase['run'] = async (sql, values = []) => {
    const statement = database.prepare(sql)
    if (statement.reader) return statement.all(...values) as Row[]
    statement.run(...values)
    return []
  }
  const encode = (value: unknown) => {
    if (typeof value === 'boolean') return Number(value)
    return value instanceof Date ? value.toISOString() : value
  }
  return { run, quote, insert: inserter(run, quote, encode, () => '?'), close: async () => void database.close() }
}

function inserter(
  run: PlainDatabase['run'],
  quote: PlainDatabase['quote'],
  encode: (value: unknown) => unknown,
  placeholder: (position: number) => string,
): PlainDatabase['insert'] {
  return async (table, row) => {
    const columns = Object.keys(row)
    const places = columns.map((_, position) => placeholder(position))
    await run(
      `insert into ${quote(table)} (${columns.map(quote).join(', ')}) values (${places.join(', ')})`,
      Object.values(row).map((value) => encode(value)),
    )
  }
}
