import { AsyncResource } from 'node:async_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import BetterSqlite3 from 'better-sqlite3'
import { AbortedError, PoolTimeoutError, QueryTimeoutError, ValidationError } from 'latchwork'
import { beforeEach, describe, expect, it } from 'vitest'
import { forEachEngine } from '../support/engines.js'
import { TIMED } from '../support/timed.js'
import { models } from './members.js'
import { countSessions, rejectionOf, useDatabase } from './use-database.js'

/** Calls `call` in the context of this module: outside every transaction. */
const outOfContext = AsyncResource.bind(<T>(call: () => Promise<T>) => call())

const KEY = { where: { warehouse: 'w', item: 'a' } }

forEachEngine((engine) => {
  describe('a call that is to stop', () => {
    const shop = useDatabase(engine, models, { pool: { maxConnections: 4 } })
    const add = (options: { timeoutMs?: number; signal?: AbortSignal }) =>
      shop.nodes.stocks.update({ ...KEY, set: { amount: { $increment: 1 } } }, options)

    beforeEach(async () => {
      await shop.clear()
      await shop.nodes.stocks.create({ warehouse: 'w', item: 'a', amount: 0 })
    })

    it('stops after timeoutMs, on the server too, and takes no neighbour with it', async () => {
      await whileLocked(async () => {
        const neighbours = Array.from({ length: 10 }, (_, index) => sleep(index * 40).then(() => shop.nodes.stocks.count()))
        const startedMs = performance.now()
        const error = await rejectionOf(add({ timeoutMs: 300 }))
        const tookMs = performance.now() - startedMs
        expect(error).toBeInstanceOf(QueryTimeoutError)
        expect(error).toMatchObject({ code: 'QUERY_TIMEOUT', retryable: false })
        expect(error.message).toContain('StockUpdateNode')
        expect(tookMs).toBeGreaterThan(290)
        expect(tookMs).toBeLessThan(600)
        expect(await Promise.all(neighbours)).toEqual(neighbours.map(() => 1))
        await expect.poll(statementsOnServer, { timeout: 1_000 }).toBe(0)
      })
      expect(await add({})).toMatchObject({ amount: 1 })
    })

    it('stops when its signal is aborted, with the reason as the cause', TIMED, async () => {
      await whileLocked(async () => {
        const controller = new AbortController()
        const calling = rejectionOf(add({ signal: controller.signal }))
        await sleep(50)
        const reason = new Error('the client went away')
        controller.abort(reason)
        const startedMs = performance.now()
        const error = await calling
        expect(performance.now() - startedMs).toBeLessThan(200)
        expect(error).toBeInstanceOf(AbortedError)
        expect(error.cause).toBe(reason)
        await expect.poll(statementsOnServer, { timeout: 1_000 }).toBe(0)
      })
      expect(await add({})).toMatchObject({ amount: 1 })
    })

    it('does not run when its signal was aborted before', async () => {
      const signal = AbortSignal.abort()
      expect(await rejectionOf(add({ signal }))).toBeInstanceOf(AbortedError)
      expect(await rejectionOf(shop.nodes.stocks.count({}, { signal }))).toBeInstanceOf(AbortedError)
      expect(
        await rejectionOf(shop.nodes.stocks.bulkCreate({ rows: [{ warehouse: 'x', item: 'y', amount: 1 }] }, { signal })),
      ).toBeInstanceOf(AbortedError)
      expect(await shop.nodes.stocks.read(KEY)).toMatchObject({ amount: 0 })
    })

    it('stops while it waits for a connection', async () => {
      const one = shop.another({ pool: { maxConnections: 1, share: false } })
      await one.transaction(async () => {
        const call = (options: object) => outOfContext(() => one.nodes.stocks.update({ ...KEY, set: { amount: 5 } }, options))
        expect(await rejectionOf(call({ timeoutMs: 60 }))).toBeInstanceOf(PoolTimeoutError)
        expect(await rejectionOf(call({ signal: AbortSignal.timeout(60) }))).toBeInstanceOf(AbortedError)
      })
      expect(await one.nodes.stocks.read(KEY)).toMatchObject({ amount: 0 })
      await one.close()
    })

    it('stops while it waits for its turn in a transaction, which goes on', async () => {
      await shop.db.transaction(async () => {
        const busy = shop.db.transaction(() => sleep(150).then(() => shop.nodes.stocks.create({ warehouse: 'w', item: 'b', amount: 1 })))
        const late = rejectionOf(add({ timeoutMs: 40 }))
        const aborted = rejectionOf(add({ signal: AbortSignal.timeout(40) }))
        const next = shop.nodes.stocks.count()
        expect(await late).toBeInstanceOf(QueryTimeoutError)
        expect(await aborted).toBeInstanceOf(AbortedError)
        await busy
        expect(await next).toBe(2)
        await add({})
      })
      expect(await shop.nodes.stocks.read(KEY)).toMatchObject({ amount: 1 })
      expect(await shop.nodes.stocks.count()).toBe(2)
    })

    it('counts timeoutMs over all chunks of a bulk call, and leaves nothing', async () => {
      async function* slow() {
        for (let index = 0; index < 4_000; index++) {
          if (index % 100 === 0) await sleep(10)
          yield { warehouse: 'bulk', item: String(index), amount: index }
        }
      }
      const error = await rejectionOf(shop.nodes.stocks.bulkCreate({ rows: slow() }, { timeoutMs: 200 }))
      expect(error).toBeInstanceOf(QueryTimeoutError)
      expect(await shop.nodes.stocks.count()).toBe(1)
    })

    it('leaves no connection behind, and no warning, for 100 aborts by one signal', async () => {
      const warnings: Error[] = []
      const listen = (warning: Error) => warnings.push(warning)
      process.on('warning', listen)
      const controller = new AbortController()
      const outcomes = await whileLocked(async () => {
        const calls = Array.from({ length: 100 }, () => rejectionOf(add({ signal: controller.signal })))
        await sleep(100)
        controller.abort()
        const errors = await Promise.all(calls)
        // until the server has heard of it, what waited for the lock would get it
        await expect.poll(statementsOnServer, { timeout: 1_000 }).toBe(0)
        return errors
      })
      await sleep(1)
      process.off('warning', listen)
      expect(outcomes.every((error) => error instanceof AbortedError)).toBe(true)
      expect(warnings).toEqual([])
      await Promise.all(Array.from({ length: 20 }, () => shop.nodes.stocks.count()))
      expect(await shop.nodes.stocks.read(KEY)).toMatchObject({ amount: 0 })
      if (engine.name !== 'sqlite') await expect.poll(() => countSessions(engine, shop.url)).toBeLessThanOrEqual(4)
    })

    it.each([0, -1, 1.5, Number.NaN, '100', 2 ** 31])('refuses a timeoutMs of %s', async (timeoutMs) => {
      expect(await rejectionOf(shop.nodes.stocks.count({}, { timeoutMs: timeoutMs as number }))).toBeInstanceOf(ValidationError)
    })

    if (engine.name !== 'sqlite') {
      it('does not keep a transaction from ending when its callback throws meanwhile', TIMED, async () => {
        const reason = new Error('changed my mind')
        await whileLocked(async () => {
          const startedMs = performance.now()
          let running: Promise<Error> | undefined
          const error = await rejectionOf(
            shop.db.transaction(async () => {
              await shop.nodes.stocks.create({ warehouse: 'w', item: 'c', amount: 1 })
              running = rejectionOf(add({}))
              await sleep(30)
              throw reason
            }),
          )
          expect(error).toBe(reason)
          expect(performance.now() - startedMs).toBeLessThan(1_000)
          expect(await running).toHaveProperty('code')
          await expect.poll(statementsOnServer, { timeout: 1_000 }).toBe(0)
        })
        expect(await shop.nodes.stocks.count()).toBe(1)
      })
    }

    /** Runs `work` while somebody else holds the lock that every update waits for. */
    async function whileLocked<T>(work: () => Promise<T>): Promise<T> {
      if (engine.name === 'sqlite') {
        const other = new BetterSqlite3(shop.url.slice('sqlite:'.length))
        other.exec('begin immediate')
        return work().finally(() => other.close())
      }
      const other = shop.another({ pool: { maxConnections: 1, share: false } })
      return other
        .transaction(async () => {
          await other.nodes.stocks.update({ ...KEY, set: { amount: 0 } })
          return work()
        })
        .finally(() => other.close())
    }

    /** What the server runs for this database. */
    async function statementsOnServer(): Promise<number> {
      if (engine.name === 'sqlite') return 0
      const running =
        engine.name === 'postgres'
          ? "select 1 from pg_stat_activity where datname = current_database() and state = 'active' and pid <> pg_backend_pid()"
          : "select 1 from information_schema.processlist where db = database() and command in ('Query', 'Execute') and id <> connection_id()"
      return (await engine.admin(shop.url, running)).length
    }
  })
})
