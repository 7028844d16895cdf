import { createDatabase, type Database, field, type Generated, id, model, type PoolOptions } from 'latchwork'
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest'
import type { FreshDatabase, SpecEngine } from '../support/engines.js'
import { noteWhatIsThere } from '../support/nothing-left.js'
import { killSession, type PlainRow } from '../support/plain-sql.js'
import { startTcpProxy, type TcpProxy } from '../support/tcp-proxy.js'
import { Traffic } from './traffic.js'

@model()
export class Item {
  @id() id!: Generated<number>
  @field.text({ maxLength: 100 }) name!: string
}

/** A view with one row that takes ten seconds to come. */
@model()
export class Nap {
  @id() id!: Generated<number>
}

const models = { items: Item, naps: Nap } as const

export type ShopDatabase = Database<typeof models>

/** Where the databases of a spec come from. */
export interface DatabaseSource extends Pick<SpecEngine, 'freshDatabase' | 'admin'> {
  readonly name: 'postgres' | 'mysql'
}

/** A database with one table, on a server that faults befall. */
export interface Shop {
  readonly url: string
  /** A database object with a pool of its own, closed after the test. */
  open(pool?: Partial<PoolOptions>, url?: string): ShopDatabase
  /** Calls that go on, at the latest until the end of the test. */
  traffic(callers: number, call: () => Promise<unknown>): Traffic
  /** A proxy before the server, ended after the test. */
  proxy(): Promise<TcpProxy>
  /** Runs SQL past latchwork, and past every proxy. */
  admin(sql: string): Promise<readonly PlainRow[]>
  /** How the server calls its sessions on this database. */
  sessionIds(): Promise<number[]>
  /** Those of them that run a statement with this text in it. */
  running(text: string): Promise<number[]>
  /** Ends them, as soon as there are any. */
  killRunning(text: string): Promise<void>
}

/**
 * Makes the database before the tests of this block. After each of them lets every proxy pass, ends its traffic, closes what it
 * opened, expects that nothing is left, see {@link noteWhatIsThere}, and empties the table.
 */
export function useShop(engine: DatabaseSource | SpecEngine): Shop {
  if (engine.name === 'sqlite') throw new Error('there is no server')
  const { name } = engine
  let fresh: FreshDatabase
  let closedWithNothingLeft: ReturnType<typeof noteWhatIsThere>
  const opened: ShopDatabase[] = []
  const traffics: Traffic[] = []
  const proxies: TcpProxy[] = []
  const killed = new Set<number>()

  beforeAll(async () => {
    fresh = await engine.freshDatabase()
    await using db = createDatabase({ url: fresh.url, models })
    await db.createTables()
    const nap = name === 'postgres' ? 'select 1 as id from (select pg_sleep(10)) as nap' : 'select sleep(10) as id'
    await engine.admin(fresh.url, `drop table naps; create view naps as ${nap}`)
  })

  beforeEach(() => {
    closedWithNothingLeft = noteWhatIsThere(engine, fresh.url)
  })

  afterEach(async () => {
    for (const proxy of proxies) proxy.set('pass')
    try {
      await Promise.all(traffics.splice(0).map((traffic) => traffic.stop()))
      await closedWithNothingLeft(async () => {
        await Promise.all(opened.splice(0).map((db) => db.close({ timeoutMs: 1_000 })))
        // the end of a proxy would hide what is left on its near side
        await expect
          .poll(() => proxies.reduce((sum, { connections }) => sum + connections, 0), { timeout: 2_000, message: 'sockets to proxies' })
          .toBe(0)
        await Promise.all(proxies.splice(0).map((proxy) => proxy.close()))
      })
    } finally {
      // also where the test failed: it may have a second try
      await engine.admin(fresh.url, 'delete from items')
    }
  })

  afterAll(() => fresh?.drop())

  async function sessions(condition: string): Promise<number[]> {
    const rows = await engine.admin(fresh.url, `${SESSIONS[name]} and ${condition}`)
    return rows.map(({ id }) => Number(id)).sort((a, b) => a - b)
  }

  const running = (text: string) => {
    const pattern = `'%${text.replaceAll("'", "''")}%'`
    return sessions(name === 'postgres' ? `state = 'active' and query ilike ${pattern}` : `info like ${pattern}`)
  }

  return {
    get url() {
      return fresh.url
    },
    open(pool = {}, url = fresh.url) {
      const db = createDatabase({ url, models, pool: { share: false, ...pool } })
      opened.push(db)
      return db
    },
    traffic(callers, call) {
      const traffic = new Traffic(callers, call)
      traffics.push(traffic)
      return traffic
    },
    async proxy() {
      const proxy = await startTcpProxy(withPort(fresh.url))
      proxies.push(proxy)
      return proxy
    },
    admin: (sql) => engine.admin(fresh.url, sql),
    sessionIds: () => sessions('true'),
    running,
    async killRunning(text) {
      let found: number[] = []
      const look = async () => {
        // one that was killed the last time may still be leaving
        found = (await running(text)).filter((id) => !killed.has(id))
        return found
      }
      await expect.poll(look, { timeout: 5_000, interval: 5, message: `sessions that run ${text}` }).not.toEqual([])
      for (const id of found) {
        killed.add(id)
        await killSession(fresh.url, id)
      }
    },
  }
}

/** All sessions on the database but the one that asks. */
const SESSIONS = {
  postgres: 'select pid as id from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
  mysql: 'select id from information_schema.processlist where db = database() and id <> connection_id()',
}

function withPort(given: string): string {
  const url = new URL(given)
  if (url.port === '') url.port = url.protocol.startsWith('postgres') ? '5432' : '3306'
  return url.href
}
