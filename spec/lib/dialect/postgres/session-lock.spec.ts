import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { deadlineAfter } from '../../../../lib/deadline.js'
import { connectionConfig, type ServerConnection } from '../../../../lib/dialect/connection-config.js'
import type { LockSession } from '../../../../lib/dialect/dialect.js'
import { postgresDialect } from '../../../../lib/dialect/postgres/index.js'
import { type PoolOptions, poolOptions } from '../../../../lib/pool/pool-options.js'
import { endSessions, rejectionOf } from '../../../contract/use-database.js'
import { type FreshDatabase, forEachEngine } from '../../../support/engines.js'
import { type Pgbouncer, startPgbouncer, whyNoPgbouncer } from '../../../support/pgbouncer.js'
import { TIMED } from '../../../support/timed.js'
import { startFront } from './server-front.js'

forEachEngine(
  (engine) => {
    describe('openLockSession', () => {
      let database: FreshDatabase
      const sessions: LockSession[] = []
      beforeAll(async () => {
        database = await engine.freshDatabase()
      })
      afterEach(async () => {
        await Promise.all(sessions.splice(0).map((each) => each.close()))
      })
      afterAll(() => database.drop())

      const open = async (pool: Partial<PoolOptions> = {}, changed: Partial<ServerConnection> = {}, timeoutMs = 5_000) => {
        const config = { ...(connectionConfig({ url: database.url }) as ServerConnection), ...changed }
        const session = await postgresDialect(config).openLockSession(poolOptions(pool), deadlineAfter(timeoutMs))
        sessions.push(session)
        return session
      }
      const through = (port: number) => ({ host: '127.0.0.1', port })

      it('has a lock that no other session can take until it is freed', async () => {
        const [one, other] = [await open(), await open()]
        expect(await one.tryLock('a')).toBe(true)
        expect(await other.tryLock('a')).toBe(false)
        expect(await other.tryLock('b')).toBe(true)
        await one.unlock('a')
        expect(await other.tryLock('a')).toBe(true)
      })

      it('takes one key of 64 bits for each name, the same in every process and release', async () => {
        await (await open()).tryLock('invoice:42')
        const locks = await engine.admin(
          database.url,
          "select classid::bigint as high, objid::bigint as low, objsubid from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())",
        )
        expect(locks).toEqual([{ high: '3933834485', low: '2357938920', objsubid: 1 }])
      })

      it('says who has a lock, and nothing of one that is free', async () => {
        const [one, other] = [await open({}, { applicationName: 'shop' }), await open()]
        await one.tryLock('a')
        expect(await other.holderOf('a')).toMatch(/^the session with process id \d+ of "shop locks"$/)
        expect(await other.holderOf('b')).toBeUndefined()
      })

      it('tells that the session was ended, and not that it was closed', async () => {
        const [lost, closed] = [await open(), await open()]
        const told: string[] = []
        const end = new Promise((resolve) => lost.onLost(resolve))
        closed.onLost(() => told.push('closed'))
        await closed.close()
        await endSessions(engine, database.url)
        expect(await end).toMatchObject({ code: 'CONNECTION_LOST' })
        expect(told).toEqual([])
        await expect(lost.tryLock('a')).rejects.toMatchObject({ code: 'CONNECTION' })
      })

      it('refuses to unlock what it does not have', async () => {
        expect(await rejectionOf((await open()).unlock('a'))).toMatchObject({ code: 'CONNECTION_LOST' })
      })

      it('is not ended by limits that the database sets for its sessions', async () => {
        await engine.admin(
          database.url,
          `do $$ declare setting text; begin
             for setting in select name from pg_settings where name in ('idle_session_timeout', 'statement_timeout') loop
               execute format('alter database %I set %s = 200', current_database(), setting);
             end loop; end $$`,
        )
        try {
          const session = await open()
          let isLost = false
          session.onLost(() => {
            isLost = true
          })
          await session.tryLock('a')
          await sleep(600)
          expect(isLost).toBe(false)
          await session.unlock('a')
        } finally {
          await engine.admin(database.url, "do $$ begin execute format('alter database %I reset all', current_database()); end $$")
        }
      })

      it('runs no init SQL', async () => {
        const session = await open({ initSql: ['this is no SQL'] })
        expect(await session.tryLock('a')).toBe(true)
      })

      it('gives up at the deadline where nobody answers', TIMED, async () => {
        const front = await startFront(database.url, { isSilent: true })
        try {
          const startedAtMs = performance.now()
          const error = await rejectionOf(open({}, through(front.port), 200))
          expect(error).toMatchObject({ code: 'CONNECTION', message: expect.stringContaining('no connection within') })
          expect(performance.now() - startedAtMs).toBeLessThan(1_000)
        } finally {
          await front.close()
        }
      })

      it('is on the server and over the TLS that the pool would use', async () => {
        const front = await startFront(database.url, { tls: true })
        try {
          const tls = { rejectUnauthorized: false }
          expect(await (await open({}, { ...through(front.port), tls })).tryLock('a')).toBe(true)
          expect(front.encrypted()).toBe(1)
          expect(await rejectionOf(open({}, { ...through(front.port), tls: true }))).toMatchObject({ code: 'CONNECTION' })
        } finally {
          await front.close()
        }
      })

      it('refuses a pooler in transaction mode, before anything is sent where the options say it', async () => {
        const refusal = { code: 'POOLER_MODE', message: expect.stringContaining('a lock of the database needs a session of its own') }
        expect(await rejectionOf(open({ pooler: 'transaction' }, through(1)))).toMatchObject(refusal)
      })
    })
  },
  { engines: ['postgres'] },
)

describe.skipIf(whyNoPgbouncer() !== undefined)('openLockSession behind PgBouncer', () => {
  forEachEngine(
    (engine) => {
      let database: FreshDatabase
      const bouncers: Pgbouncer[] = []
      const sessions: LockSession[] = []
      beforeAll(async () => {
        database = await engine.freshDatabase()
      })
      afterEach(async () => {
        await Promise.all(sessions.splice(0).map((each) => each.close()))
        await Promise.all(bouncers.splice(0).map((each) => each.stop()))
      })
      afterAll(() => database.drop())

      const start = async (mode: 'session' | 'transaction') => {
        const bouncer = await startPgbouncer({ mode, poolSize: 2 })
        bouncers.push(bouncer)
        return bouncer.urlOf(database.url)
      }
      const open = async (url: string, pool: Partial<PoolOptions> = {}) => {
        const dialect = postgresDialect(connectionConfig({ url }) as ServerConnection)
        const session = await dialect.openLockSession(poolOptions(pool), deadlineAfter(5_000))
        sessions.push(session)
        return session
      }

      it('finds out that sessions are lent for one transaction, and refuses', async () => {
        const error = await rejectionOf(open(await start('transaction')))
        expect(error).toMatchObject({ code: 'POOLER_MODE', message: expect.stringContaining('a lock of the database needs') })
      })

      it('has a lock where the options say that sessions are its own, and none after it was closed', async () => {
        const one = await open(await start('session'), { pooler: 'session' })
        const other = await open(database.url)
        expect(await one.tryLock('a')).toBe(true)
        expect(await other.tryLock('a')).toBe(false)
        await one.close()
        await until(() => other.tryLock('a'))
      })
    },
    { engines: ['postgres'] },
  )
})

/** Waits until the answer is yes: the pooler clears a session that it gets back a moment later. */
async function until(ask: () => Promise<boolean>): Promise<void> {
  const deadline = deadlineAfter(5_000)
  while (!(await ask())) {
    if (performance.now() > deadline) throw new Error('the answer stayed no')
    await sleep(20)
  }
}
