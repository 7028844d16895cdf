import { setTimeout as sleep } from 'node:timers/promises'
import BetterSqlite3 from 'better-sqlite3'
import { createConnection, type RowDataPacket } from 'mysql2/promise'
import pg from 'pg'
import type { EngineName } from './engine-traits.js'

/** Looks at what contenders leave behind, past all of them, on a session of its own. */
export interface Inspector {
  /** Whether there are sessions to see: an embedded engine has none. */
  readonly seesSessions: boolean
  /**
   * Sessions with the database beside this one, a line to read about each; with `applicationName`, those whose name begins
   * with it, where the server shows names (PostgreSQL).
   */
  sessions(applicationName?: string): Promise<readonly string[]>
  /** The age of each account. */
  agesByEmail(): Promise<ReadonlyMap<string, number>>
  /** Empties the accounts and gives how many there were. Fails where a lock is left on them. */
  clear(): Promise<number>
  close(): Promise<void>
}

export function openInspector(engine: EngineName, url: string): Promise<Inspector> {
  return OPENERS[engine](url)
}

const LEAVE_TIMEOUT_MS = 5_000

/** Waits until every session has ended: servers take their time over it, which the next contender must not pay. */
export async function waitForNoSessions(inspector: Inspector): Promise<void> {
  const deadlineMs = performance.now() + LEAVE_TIMEOUT_MS
  for (let left = await inspector.sessions(); left.length > 0; left = await inspector.sessions()) {
    if (performance.now() > deadlineMs) throw new Error(`${left.length} connections were left behind:\n${left.join('\n')}`)
    await sleep(10)
  }
}

const OPENERS: Readonly<Record<EngineName, (url: string) => Promise<Inspector>>> = {
  postgres: async (url) => {
    const client = new pg.Client(url)
    await client.connect()
    await client.query("set lock_timeout = '1s'")
    const others = `select concat_ws(' ', application_name, pid, state, 'since', backend_start) as line from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid()
        and backend_type = 'client backend' and starts_with(application_name, $1)`
    return {
      seesSessions: true,
      sessions: async (applicationName = '') => {
        return linesOf((await client.query({ name: 'sessions', text: others, values: [applicationName] })).rows)
      },
      agesByEmail: async () => agesOf((await client.query('select email, age from accounts')).rows),
      clear: async () => {
        const { rows } = await client.query('select count(*)::int as n from accounts')
        await client.query('truncate accounts')
        return rows[0].n
      },
      close: () => client.end(),
    }
  },
  mysql: async (url) => {
    const connection = await createConnection(url)
    await connection.query('set lock_wait_timeout = 1')
    const countOf = async (sql: string) => (await connection.query<RowDataPacket[]>(sql))[0][0]!.n as number
    const others = `select concat_ws(' ', id, command, state, time) as line from information_schema.processlist
      where db = database() and id <> connection_id()`
    return {
      seesSessions: true,
      sessions: async () => linesOf((await connection.query<RowDataPacket[]>(others))[0]),
      agesByEmail: async () => agesOf((await connection.query<RowDataPacket[]>('select email, age from accounts'))[0]),
      clear: async () => {
        const count = await countOf('select count(*) as n from accounts')
        await connection.query('truncate table accounts')
        return count
      },
      close: () => connection.end(),
    }
  },
  sqlite: async (url) => {
    const database = new BetterSqlite3(url.slice('sqlite:'.length), { timeout: 1_000 })
    return {
      seesSessions: false,
      sessions: async () => [],
      agesByEmail: async () => agesOf(database.prepare('select email, age from accounts').all()),
      clear: async () => database.prepare('delete from accounts').run().changes,
      close: async () => void database.close(),
    }
  },
}

function linesOf(rows: readonly unknown[]): readonly string[] {
  return (rows as readonly { line: string }[]).map(({ line }) => line)
}

function agesOf(rows: readonly unknown[]): ReadonlyMap<string, number> {
  return new Map((rows as readonly { email: string; age: number }[]).map(({ email, age }) => [email, age]))
}
