import BetterSqlite3 from 'better-sqlite3'
import { type Connection, createPool, type ResultSetHeader, type RowDataPacket } from 'mysql2/promise'
import pg from 'pg'
import type { EngineName } from '../support/engine-traits.js'
import { APPLICATION_NAME } from './connection-count.js'
import { type AccountCalls, type AccountPool, rehearsalNumbers, rehearse } from './workflow.js'

/** The plain driver and its own pool, each statement prepared once a connection. */
export function openRawAccounts(engine: EngineName, url: string, maxConnections: number): AccountPool {
  return OPENERS[engine](url, maxConnections)
}

const OPENERS: Readonly<Record<EngineName, (url: string, maxConnections: number) => AccountPool>> = {
  postgres: openPostgres,
  mysql: openMysql,
  sqlite: openSqlite,
}

const COLUMNS = 'id, email, name, age, active, seen_at as "seenAt"'
const INSERT = 'insert into accounts (email, name, age, active, seen_at) values'

function openPostgres(url: string, maxConnections: number): AccountPool {
  const pool = new pg.Pool({ connectionString: url, max: maxConnections, application_name: APPLICATION_NAME })
  const warm = async () => {
    const clients = await Promise.all(Array.from({ length: maxConnections }, () => pool.connect()))
    const numbers = rehearsalNumbers(maxConnections)
    await Promise.all(clients.map((client, index) => rehearse(postgresCalls(client), numbers[index]!)))
    for (const client of clients) client.release()
  }
  return { ...postgresCalls(pool), warm, close: () => pool.end() }
}

function postgresCalls(session: Pick<pg.Pool, 'query'>): AccountCalls {
  const run = async (name: string, text: string, values: unknown[]) => (await session.query({ name, text, values })).rows
  const insert = `${INSERT} ($1, $2, $3, $4, $5) returning ${COLUMNS}`
  return {
    create: async ({ email, name, age, active, seenAt }) => (await run('create', insert, [email, name, age, active, seenAt]))[0],
    read: async (id) => (await run('read', `select ${COLUMNS} from accounts where id = $1`, [id]))[0],
    update: async (id, age) => (await run('update', `update accounts set age = $2 where id = $1 returning ${COLUMNS}`, [id, age]))[0],
    count: async () => Number((await run('count', 'select count(*) as n from accounts', []))[0].n),
    remove: (id) => run('remove', 'delete from accounts where id = $1', [id]),
  }
}

function openMysql(url: string, maxConnections: number): AccountPool {
  const pool = createPool({ uri: url, connectionLimit: maxConnections, timezone: 'Z' })
  const warm = async () => {
    const connections = await Promise.all(Array.from({ length: maxConnections }, () => pool.getConnection()))
    const numbers = rehearsalNumbers(maxConnections)
    await Promise.all(connections.map((connection, index) => rehearse(mysqlCalls(connection), numbers[index]!)))
    for (const connection of connections) connection.release()
  }
  return { ...mysqlCalls(pool), warm, close: () => pool.end() }
}

function mysqlCalls(session: Pick<Connection, 'execute'>): AccountCalls {
  const select = 'select id, email, name, age, active, seen_at as seenAt from accounts where id = ?'
  const read = async (id: number) => (await session.execute<RowDataPacket[]>(select, [id]))[0][0] as { id: number; age: number }
  return {
    create: async ({ email, name, age, active, seenAt }) => {
      const [{ insertId }] = await session.execute<ResultSetHeader>(`${INSERT} (?, ?, ?, ?, ?)`, [email, name, age, active, seenAt])
      return read(insertId)
    },
    read,
    update: async (id, age) => {
      await session.execute('update accounts set age = ? where id = ?', [age, id])
      return read(id)
    },
    count: async () => Number((await session.execute<RowDataPacket[]>('select count(*) as n from accounts'))[0][0]!.n),
    remove: (id) => session.execute('delete from accounts where id = ?', [id]),
  }
}

function openSqlite(url: string): AccountPool {
  let database: BetterSqlite3.Database | undefined
  let calls: AccountCalls | undefined
  const opened = () => {
    database ??= new BetterSqlite3(url.slice('sqlite:'.length))
    calls ??= sqliteCalls(database)
    return calls
  }
  return {
    create: async (account) => opened().create(account),
    read: async (id) => opened().read(id),
    update: async (id, age) => opened().update(id, age),
    count: async () => opened().count(),
    remove: async (id) => opened().remove(id),
    warm: () => rehearse(opened(), rehearsalNumbers(1)[0]!),
    close: async () => void database?.close(),
  }
}

function sqliteCalls(database: BetterSqlite3.Database): AccountCalls {
  database.pragma('synchronous = normal')
  const insert = database.prepare<unknown[], { id: number; age: number }>(`${INSERT} (?, ?, ?, ?, ?) returning ${COLUMNS}`)
  const select = database.prepare<unknown[], { id: number; age: number }>(`select ${COLUMNS} from accounts where id = ?`)
  const update = database.prepare<unknown[], { id: number; age: number }>(`update accounts set age = ? where id = ? returning ${COLUMNS}`)
  const count = database.prepare<unknown[], { n: number }>('select count(*) as n from accounts')
  const remove = database.prepare('delete from accounts where id = ?')
  return {
    create: async ({ email, name, age, active, seenAt }) => insert.get(email, name, age, active ? 1 : 0, seenAt.toISOString())!,
    read: async (id) => select.get(id)!,
    update: async (id, age) => update.get(age, id)!,
    count: async () => count.get()!.n,
    remove: async (id) => remove.run(id),
  }
}
