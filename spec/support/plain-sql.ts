import BetterSqlite3 from 'better-sqlite3'
import { createConnection } from 'mysql2/promise'
import pg from 'pg'

/** A row as the plain driver gives it. */
export type PlainRow = Readonly<Record<string, unknown>>

const CONNECT_TIMEOUT_MS = 10_000

/**
 * Runs SQL on a connection of its own, past latchwork, and gives the rows of the last statement that returned any.
 *
 * Several statements may stand in one text (on SQLite it then gives no rows). For fixtures, and to look at what the code under test left behind.
 */
export function runSql(url: string, sql: string): Promise<readonly PlainRow[]> {
  if (url.startsWith('sqlite:')) return runOnSqlite(url.slice('sqlite:'.length), sql)
  return url.startsWith('postgres') ? runOnPostgres(url, sql) : runOnMysql(url, sql)
}

/** Drops a database on the server of `url`, whoever is still connected to it. */
export async function dropDatabase(url: string, name: string): Promise<void> {
  if (url.startsWith('postgres')) {
    await runSql(url, `drop database if exists ${name} with (force)`)
    return
  }
  // a session left in a transaction would else hold the drop for MariaDB's default of a day
  for (const { id } of await runSql(url, `select id as id from information_schema.processlist where db = '${name}'`)) {
    await killSession(url, Number(id))
  }
  await runSql(url, `set lock_wait_timeout = 10; drop database if exists ${name}`)
}

/** Ends a session of the server of `url`, unless it has ended in the meantime: MariaDB lists a killed one until it has left. */
export async function killSession(url: string, id: number): Promise<void> {
  if (url.startsWith('postgres')) {
    await runSql(url, `select pg_terminate_backend(${id})`)
    return
  }
  await runSql(url, `kill ${id}`).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ER_NO_SUCH_THREAD') throw error
  })
}

async function runOnPostgres(url: string, sql: string): Promise<readonly PlainRow[]> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: CONNECT_TIMEOUT_MS })
  // a server that goes away raises an event beside the rejected query; the rejection is what the caller gets
  client.on('error', () => {})
  await client.connect()
  try {
    // for several statements pg gives a list of results, which its types leave out
    const given: unknown = await client.query(sql)
    const results = (Array.isArray(given) ? given : [given]) as readonly pg.QueryResult<PlainRow>[]
    return results.findLast((result) => result.fields.length > 0)?.rows ?? []
  } finally {
    await client.end()
  }
}

async function runOnMysql(url: string, sql: string): Promise<readonly PlainRow[]> {
  const connection = await createConnection({ uri: url, multipleStatements: true, connectTimeout: CONNECT_TIMEOUT_MS })
  try {
    const [given, fields]: [unknown, unknown] = await connection.query(sql)
    const isSeveral = Array.isArray(fields) && fields.some((part) => part === undefined || Array.isArray(part))
    const results: readonly unknown[] = isSeveral ? (given as unknown[]) : [given]
    return (results.findLast((result) => Array.isArray(result)) as PlainRow[] | undefined) ?? []
  } finally {
    await connection.end().catch(() => connection.destroy())
  }
}

async function runOnSqlite(file: string, sql: string): Promise<readonly PlainRow[]> {
  const database = new BetterSqlite3(file)
  try {
    const statement = singleStatement(database, sql)
    if (statement?.reader) return statement.all() as PlainRow[]
    database.exec(sql)
    return []
  } finally {
    database.close()
  }
}

function singleStatement(database: BetterSqlite3.Database, sql: string): BetterSqlite3.Statement | undefined {
  try {
    return database.prepare(sql)
  } catch (error) {
    // better-sqlite3 prepares one statement only
    if (error instanceof RangeError) return undefined
    throw error
  }
}
