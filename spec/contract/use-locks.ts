import { readdir, rm } from 'node:fs/promises'
import { afterAll, afterEach, beforeAll } from 'vitest'
import { deadlineAfter } from '../../lib/deadline.js'
import { connectionConfig } from '../../lib/dialect/connection-config.js'
import { createDialect } from '../../lib/dialect/create-dialect.js'
import { type DatabaseHold, DatabaseLocks } from '../../lib/dialect/database-locks.js'
import type { Dialect, LockSession } from '../../lib/dialect/dialect.js'
import type { ControlTimes } from '../../lib/dialect/lock-control.js'
import { type PoolOptions, poolOptions } from '../../lib/pool/pool-options.js'
import type { FreshDatabase, SpecEngine } from '../support/engines.js'
import { countSessions, endSessions } from './use-database.js'

/** Fast enough for specs, and slow enough for a busy machine. */
export const QUICK: ControlTimes = { restMs: 200, checkAfterMs: 200, answerWithinMs: 1_000 }

/** What a spec of locks works with. */
export interface LocksInUse {
  readonly url: string
  dialect(url?: string): Dialect
  /** Closed after the test. */
  locks(given?: { readonly url?: string; readonly pool?: Partial<PoolOptions>; readonly times?: ControlTimes }): DatabaseLocks
  /** Closed after the test. */
  session(url?: string): Promise<LockSession>
  /** Another database on the same server, or file beside it. Dropped after the tests. */
  elsewhere(): Promise<string>
}

/** A fresh database for the tests of a `describe`, and what they open on it. */
export function useLocks(engine: SpecEngine): LocksInUse {
  const databases: FreshDatabase[] = []
  const opened: { close(): Promise<void> }[] = []
  const make = async () => {
    const fresh = await engine.freshDatabase()
    databases.push(fresh)
    return fresh.url
  }
  let home: string

  beforeAll(async () => {
    home = await make()
  })
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((each) => each.close()))
  })
  afterAll(async () => {
    for (const database of databases) await database.drop()
  })

  const dialect = (url = home) => createDialect(connectionConfig({ url }))
  return {
    get url() {
      return home
    },
    dialect,
    locks({ url, pool, times } = {}) {
      const locks = new DatabaseLocks(dialect(url), poolOptions(pool), times)
      opened.push(locks)
      return locks
    },
    async session(url) {
      const session = await dialect(url).openLockSession(poolOptions(), deadlineAfter(5_000))
      opened.push(session)
      return session
    },
    elsewhere: make,
  }
}

/** How many connections the server has on the database, or sessions the folder of locks. */
export async function connectionsOf(engine: SpecEngine, url: string): Promise<number> {
  if (engine.name !== 'sqlite') return countSessions(engine, url)
  return (await lockFiles(url)).filter((name) => name.endsWith('.db')).length
}

async function lockFiles(url: string): Promise<string[]> {
  return readdir(`${url.slice('sqlite:'.length)}-latchwork-locks`).catch(() => [])
}

/** Ends every session for locks on the database, by force. */
export async function breakOff(engine: SpecEngine, url: string): Promise<void> {
  if (engine.name !== 'sqlite') return endSessions(engine, url)
  await rm(`${url.slice('sqlite:'.length)}-latchwork-locks`, { recursive: true })
}

/** What the holder is told when the lock is lost. */
export function lossOf(hold: DatabaseHold): Promise<Error> {
  return new Promise((resolve) => hold.onLost(resolve))
}
