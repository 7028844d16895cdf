import { AsyncResource } from 'node:async_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import { type Database, type DatabaseOptions, PoolerModeError, QueryTimeoutError } from 'latchwork'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { models } from '../contract/members.js'
import { rejectionOf, useDatabase } from '../contract/use-database.js'
import { forEachEngine } from '../support/engines.js'
import { type Pgbouncer, startPgbouncer, whyNoPgbouncer } from '../support/pgbouncer.js'
import { ROUNDS, roundsTimeoutMs } from '../support/rounds.js'

/** Calls `call` in the context of this module: outside every transaction. */
const outOfContext = AsyncResource.bind(<T>(call: () => Promise<T>) => call())

const POOL_SIZE = 2
const missing = whyNoPgbouncer()

forEachEngine(
  (engine) => {
    // fetching it where it is not there takes a while
    const START_TIMEOUT_MS = 180_000

    function useBouncer(mode: 'session' | 'transaction') {
      let bouncer: Pgbouncer
      let db: Database<typeof models>
      const shop = useDatabase(engine, models)
      const open = (options: Partial<DatabaseOptions<typeof models>> = {}) =>
        shop.another({ url: `${bouncer.urlOf(shop.url)}?application_name=behind`, ...options })

      beforeAll(async () => {
        bouncer = await startPgbouncer({ mode, poolSize: POOL_SIZE })
        // what a server may be set to: sessions have to be in UTC all the same
        const name = new URL(shop.url).pathname.slice(1)
        await engine.admin(
          shop.url,
          `alter database ${name} set timezone to 'Asia/Kathmandu'; alter database ${name} set datestyle to 'SQL'`,
        )
      }, START_TIMEOUT_MS)
      beforeEach(async () => {
        await shop.clear()
        db = open({ pool: { maxConnections: 20 } })
      })
      afterEach(() => db.close())
      afterAll(() => bouncer?.stop())

      return {
        get db() {
          return db
        },
        open,
        /** The first value that a text of SQL gives, past PgBouncer. */
        ask: async (text: string) => Object.values((await engine.admin(shop.url, text))[0]!)[0],
        /** Of this database, but for the one that asks. */
        sessions: `from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'`,
      }
    }

    /** The first value that a text of SQL gives, through `db.kysely`. */
    async function value(db: Database<typeof models>, text: string): Promise<unknown> {
      const { rows } = await sql.raw<Record<string, unknown>>(text).execute(db.kysely)
      return rows[0] && Object.values(rows[0])[0]
    }

    async function workflow({ nodes }: Database<typeof models>, index: number): Promise<void> {
      const { id, createdAt } = await nodes.members.create({ email: `${index}@example.com`, age: index })
      expect(await nodes.members.read({ where: { id } })).toMatchObject({ age: index, createdAt })
      await nodes.members.update({ where: { id }, set: { age: { $increment: 1 } } })
      expect(await nodes.members.count({ where: { id, age: index + 1 } })).toBe(1)
    }

    describe.skipIf(missing !== undefined)(`behind PgBouncer in transaction mode${missing === undefined ? '' : ` (${missing})`}`, () => {
      const behind = useBouncer('transaction')

      it(`runs 300 workflows at once on two connections of the server, ${ROUNDS} times over`, {
        timeout: roundsTimeoutMs(5_000),
      }, async () => {
        let most = 0
        const counting = setInterval(async () => {
          most = Math.max(most, Number(await behind.ask(`select count(*) ${behind.sessions} and application_name = 'behind'`)))
        }, 50)
        for (let round = 0; round < ROUNDS; round++) {
          // a cold pool each time, as a process has that was just started
          const db = behind.open({ pool: { maxConnections: 20, acquireTimeoutMs: 20_000 } })
          const outcomes = await Promise.allSettled(Array.from({ length: 300 }, (_, index) => workflow(db, 300 * round + index)))
          expect(outcomes.filter(({ status }) => status === 'rejected')).toEqual([])
          await db.close()
        }
        clearInterval(counting)
        expect(await behind.db.nodes.members.count()).toBe(300 * ROUNDS)
        expect(most).toBeGreaterThan(0)
        expect(most).toBeLessThanOrEqual(POOL_SIZE)
        expect(await behind.ask(`select count(*) ${behind.sessions} and state like 'idle in transaction%'`)).toBe('0')
      })

      it('prepares nothing under a name', async () => {
        await Promise.all([0, 1, 2, 3].map((index) => workflow(behind.db, index)))
        const names = () =>
          behind.db.transaction(async () => {
            await sleep(50)
            return value(behind.db, 'select count(*) from pg_prepared_statements')
          })
        // two at once: one on each connection of the server
        expect(await Promise.all([names(), names()])).toEqual(['0', '0'])
      })

      it('runs a transaction on one session, whatever others do', async () => {
        const pids = () =>
          behind.db.transaction(async () => {
            const seen = new Set<unknown>()
            for (let call = 0; call < 5; call++) {
              seen.add(await value(behind.db, 'select pg_backend_pid()'))
              await sleep(5)
            }
            return seen.size
          })
        expect(await Promise.all([0, 1, 2, 3, 4, 5].map(pids))).toEqual([1, 1, 1, 1, 1, 1])
      })

      it('keeps what SET LOCAL says to its transaction', async () => {
        const inside = await behind.db.transaction(async () => {
          await value(behind.db, `set local lock_timeout = '7s'`)
          await value(behind.db, `select set_config('app.tenant', 'acme', true)`)
          return [await value(behind.db, 'show lock_timeout'), await value(behind.db, `select current_setting('app.tenant')`)]
        })
        expect(inside).toEqual(['7s', 'acme'])
        for (let call = 0; call < 4; call++) expect(await value(behind.db, 'show lock_timeout')).toBe('0')
      })

      it('refuses what needs a session of its own, before it is sent', async () => {
        const refused = ['listen news', `set lock_timeout = '7s'`, 'select pg_advisory_lock(42)', 'prepare one as select 1', 'reset all']
        for (const text of refused) {
          const error = await rejectionOf(value(behind.db, text))
          expect(error, text).toBeInstanceOf(PoolerModeError)
          expect(error.message).toContain('pool.pooler')
        }
        expect(await rejectionOf(behind.db.transaction(() => value(behind.db, 'select pg_try_advisory_lock(42)')))).toBeInstanceOf(
          PoolerModeError,
        )
        expect(await behind.ask(`select count(*) from pg_locks where locktype = 'advisory' and objid = 42`)).toBe('0')
        expect(await behind.db.transaction(() => value(behind.db, 'select pg_try_advisory_xact_lock(42)'))).toBe(true)
        for (let call = 0; call < 4; call++) expect(await value(behind.db, 'show lock_timeout')).toBe('0')
      })

      it('refuses init SQL, which no session would keep', async () => {
        const options = { pool: { initSql: [`set lock_timeout = '7s'`] } }
        const error = await rejectionOf(behind.open(options).ping())
        expect(error).toBeInstanceOf(PoolerModeError)
        expect(error.message).toMatch(/pool\.initSql .*pool\.pooler/)
        expect(() => behind.open({ pool: { ...options.pool, pooler: 'transaction' } })).toThrow(PoolerModeError)
      })

      it('has its dates in UTC, whatever the database is set to', async () => {
        for (const pooler of ['auto', 'transaction'] as const) {
          const db = behind.open({ pool: { pooler } })
          expect(await Promise.all([0, 1, 2].map(() => value(db, 'show timezone')))).toEqual(['UTC', 'UTC', 'UTC'])
          const { createdAt } = await db.nodes.members.create({ email: `${pooler}@example.com` })
          expect(Math.abs(createdAt.getTime() - Date.now())).toBeLessThan(60_000)
        }
      })

      it('puts nothing right in a session that is not its own', async () => {
        await Promise.all([0, 1, 2, 3].map(() => value(behind.db, 'select pg_sleep(0.01)')))
        await sleep(50)
        expect(await behind.ask(`select count(*) ${behind.sessions} and query ilike '%discard%'`)).toBe('0')
        expect(await behind.ask(`select count(*) ${behind.sessions} and query ilike '%pg_sleep%'`)).not.toBe('0')
      })

      it('gives up in time while others have all connections of the server, and goes on after them', async () => {
        const { db } = behind
        let free = () => {}
        const held = new Promise<void>((resolve) => {
          free = resolve
        })
        const holders = Array.from({ length: POOL_SIZE }, () =>
          db.transaction(async () => {
            await db.nodes.members.count()
            await held
          }),
        )
        await expect.poll(() => behind.ask(`select count(*) ${behind.sessions} and state = 'idle in transaction'`)).toBe(String(POOL_SIZE))
        const startedAtMs = performance.now()
        expect(await rejectionOf(db.nodes.members.count({}, { timeoutMs: 200 }))).toBeInstanceOf(QueryTimeoutError)
        expect(performance.now() - startedAtMs).toBeLessThan(1_500)
        free()
        await Promise.all(holders)
        expect(await Promise.all(Array.from({ length: 20 }, () => db.nodes.members.count()))).toEqual(Array(20).fill(0))
      })

      it('stops a statement on the server when its time runs out, and not the neighbour’s', async () => {
        const { db } = behind
        const { id } = await db.nodes.members.create({ email: 'a@example.com', age: 0 })
        const bump = (options: { timeoutMs?: number } = {}) =>
          db.nodes.members.update({ where: { id }, set: { age: { $increment: 1 } } }, options)
        const waiting = `select count(*) ${behind.sessions} and wait_event_type = 'Lock'`
        await db.transaction(async () => {
          await bump()
          const error = await rejectionOf(outOfContext(() => bump({ timeoutMs: 300 })))
          expect(error).toBeInstanceOf(QueryTimeoutError)
          await expect.poll(() => behind.ask(waiting), { timeout: 2_000 }).toBe('0')
          await bump()
        })
        expect(await db.nodes.members.read({ where: { id } })).toMatchObject({ age: 2 })
      })
    })

    describe.skipIf(missing !== undefined)(`behind PgBouncer in session mode${missing === undefined ? '' : ` (${missing})`}`, () => {
      const behind = useBouncer('session')
      const open = (pool: DatabaseOptions<typeof models>['pool']) => behind.open({ pool: { maxConnections: 1, ...pool } })

      it('keeps statements prepared where it is told so', async () => {
        const db = open({ pooler: 'session' })
        for (let index = 0; index < 3; index++) await workflow(db, index)
        const prepared = await value(db, 'select count(*) from pg_prepared_statements where not from_sql')
        expect(prepared).toBe('4')
        await db.close()
      })

      it('has a session, with init SQL and a reset after SQL that changed it', async () => {
        const db = open({ pooler: 'session', initSql: [`set lock_timeout = '7s'`] })
        expect(await value(db, 'show lock_timeout')).toBe('7s')
        await value(db, `set timezone to 'Asia/Tokyo'; set lock_timeout = 0; listen news`)
        expect(
          await value(
            db,
            `select concat_ws(' ', current_setting('timezone'), current_setting('datestyle'), current_setting('lock_timeout'), (select count(*) from pg_listening_channels()))`,
          ),
        ).toBe('UTC ISO, MDY 7s 0')
        await db.close()
      })

      it('is taken for one in transaction mode where nothing is said', async () => {
        const db = open({})
        expect(await rejectionOf(value(db, 'listen news'))).toBeInstanceOf(PoolerModeError)
        await db.close()
      })
    })
  },
  { engines: ['postgres'] },
)
