import BetterSqlite3 from 'better-sqlite3'
import { createPool, type ResultSetHeader, type RowDataPacket } from 'mysql2/promise'
import pg from 'pg'
import type { Account, NewAccount } from './accounts.js'
import type { EngineName } from './settings.js'

type StoredAccount = Pick<Account, 'age'> & { readonly id: number }

/** What a workflow does, with the plain driver and a pool of its own, each statement prepared once a connection. */
export interface PlainAccounts {
  create(account: NewAccount): Promise<StoredAccount>
  read(id: number): Promise<StoredAccount>
  update(id: number, age: number): Promise<StoredAccount>
  count(): Promise<number>
  close(): Promise<void>
}

/** The plain driver's way on each engine. */
export function openPlainAccounts(engine: EngineName, url: string, maxConnections: number): PlainAccounts {
  return OPENERS[engine](url, maxConnections)
}

const OPENERS: Readonly<Record<EngineName, (url: string, maxConnections: number) => PlainAccounts>> = {
  postgres: openPostgres,
  mysql: openMysql,
  sqlite: openSqlite,
}

const COLUMNS = 'id, email, name, age, active, seen_at as "seenAt"'
const INSERT = 'insert into accounts (email, name, age, active, seen_at) values'

function openPostgres(url: string, maxConnections: number): PlainAccounts {
  const pool = new pg.Pool({ connectionString: url, max: maxConnections })
  const run = async (name: string, text: string, values: unknown[]) => (await pool.query({ name, text, values })).rows
  const insert = `${INSERT} ($1, $2, $3, $4, $5) returning ${COLUMNS}`
  return {
    create: async ({ email, name, age, active, seenAt }) => (await run('create', insert, [email, name, age, active, seenAt]))[0],
    read: async (id) => (await run('read', `select ${COLUMNS} from accounts where id = $1`, [id]))[0],
    update: async (id, age) => (await run('update', `update accounts set age = $2 where id = $1 returning ${COLUMNS}`, [id, age]))[0],
    count: async () => Number((await run('count', 'select count(*) as n from accounts', []))[0].n),
    close: () => pool.end(),
  }
}

function openMysql(url: string, maxConnections: number): PlainAccounts {
  const pool = createPool({ uri: url, connectionLimit: maxConnections, timezone: 'Z' })
  const select = `select id, email, name, age, active, seen_at as seenAt from accounts where id = ?`
  const read = async (id: number) => (await pool.execute<RowDataPacket[]>(select, [id]))[0][0] as StoredAccount
  return {
    create: async ({ email, name, age, active, seenAt }) => {
      const [{ insertId }] = await pool.execute<ResultSetHeader>(`${INSERT} (?, ?, ?, ?, ?)`, [email, name, age, active, seenAt])
      return read(insertId)
    },
    read,
    update: async (id, age) => {
      await pool.execute('update accounts set age = ? where id = ?', [age, id])
      return read(id)
    },
    count: async () => Number((await pool.execute<RowDataPacket[]>('select count(*) as n from accounts'))[0][0]!.n),
    close: () => pool.end(),
  }
}

function openSqlite(url: string): PlainAccounts {
  const database = new BetterSqlite3(url.slice('sqlite:'.length))
  database.pragma('synchronous = normal')
  const insert = database.prepare(`${INSERT} (?, ?, ?, ?, ?) returning ${COLUMNS}`)
  const select = database.prepare(`select ${COLUMNS} from accounts where id = ?`)
  const update = database.prepare(`update accounts set age = ? where id = ? returning ${COLUMNS}`)
  const count = database.prepare('select count(*) as n from accounts')
  return {
    create: async ({ email, name, age, active, seenAt }) =>
      insert.get(email, name, age, active ? 1 : 0, seenAt.toISOString()) as StoredAccount,
    read: async (id) => select.get(id) as StoredAccount,
    update: async (id, age) => update.get(age, id) as StoredAccount,
    count: async () => (count.get() as { n: number }).n,
    close: async () => void database.close(),
  }
}
