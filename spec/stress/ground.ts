import { setTimeout as sleep } from 'node:timers/promises'
import { createDatabase, type Database, type DatabaseOptions, type Models, type PoolOptions } from 'latchwork'
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest'
import type { PoolStats } from '../../lib/pool/pool.js'
import { poolRegistry } from '../../lib/pool/pool-registry.js'
import { countSessions } from '../contract/use-database.js'
import type { FreshDatabase, SpecEngine } from '../support/engines.js'
import { noteWhatIsThere } from '../support/nothing-left.js'

/** Where load is put on: one database, and as many database objects on it as a spec wants. */
export interface Ground<M extends Models> {
  readonly url: string
  /** A database object, closed at the end of the test. */
  open(pool?: Partial<PoolOptions>, options?: Partial<DatabaseOptions<M>>): Database<M>
}

/**
 * A fresh database with the tables of `models` for the tests of a `describe`. Each test has to leave nothing behind, see
 * {@link noteWhatIsThere}; after it, all its database objects are closed.
 */
export function useGround<const M extends Models>(engine: SpecEngine, models: M, prepare?: (url: string) => Promise<unknown>): Ground<M> {
  let fresh: FreshDatabase
  const opened: Database<M>[] = []
  let closedWithNothingLeft: ReturnType<typeof noteWhatIsThere>

  beforeAll(async () => {
    fresh = await engine.freshDatabase()
    await using db = createDatabase<M>({ url: fresh.url, models })
    await db.createTables()
    await prepare?.(fresh.url)
  })

  beforeEach(() => {
    closedWithNothingLeft = noteWhatIsThere(engine, fresh.url)
  })

  afterEach(() => closedWithNothingLeft(() => Promise.all(opened.splice(0).map((db) => db.close({ timeoutMs: 2_000 })))))

  afterAll(() => fresh.drop())

  return {
    get url() {
      return fresh.url
    },
    open(pool = {}, options = {}) {
      const db = createDatabase<M>({ url: fresh.url, models, pool, ...options })
      opened.push(db)
      return db
    },
  }
}

/** Statements that a server runs in the database of `url` and that hold `part`; none on SQLite, which has no server. */
export async function statementsOnServer(engine: SpecEngine, url: string, part = ''): Promise<number> {
  if (engine.name === 'sqlite') return 0
  const running =
    engine.name === 'postgres'
      ? "select query as text from pg_stat_activity where datname = current_database() and state = 'active' and pid <> pg_backend_pid()"
      : "select info as text from information_schema.processlist where db = database() and command in ('Query', 'Execute') and id <> connection_id()"
  return (await engine.admin(url, running)).filter(({ text }) => String(text).includes(part)).length
}

/** A server that has said nothing for half a second is dialed once more, beside the connections of the pool. */
export const SECOND_ATTEMPT = 1

/** Most sessions that the server had while `work` ran; 0 on SQLite, which has no server. */
export async function mostSessions(engine: SpecEngine, url: string, work: () => Promise<unknown>): Promise<number> {
  let isOver = false
  const watching = (async () => {
    let most = 0
    while (!isOver && engine.name !== 'sqlite') {
      most = Math.max(most, await countSessions(engine, url))
      await sleep(20)
    }
    return most
  })()
  try {
    await work()
  } finally {
    isOver = true
  }
  return watching
}

/** The figures of the one pool of this process that is in use. */
export function onlyPool(): PoolStats {
  const pools = poolsInUse()
  if (pools.length !== 1) throw new Error(`expected one pool, there are ${pools.length}`)
  return pools[0]!
}

/** The figures of the pools of this process that are in use, all of them open. */
export function poolsInUse(): PoolStats[] {
  const pools = poolRegistry()
    .stats()
    .pools.filter(({ leases }) => leases > 0)
  return pools.map(({ name, stats }) => {
    if (stats === undefined) throw new Error(`${name} is not open yet`)
    return stats
  })
}
