import { AsyncResource } from 'node:async_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { ConnectionError, PoolTimeoutError } from 'latchwork'
import { describe, expect, it } from 'vitest'
import { poolRegistry } from '../../lib/pool/pool-registry.js'
import { models } from '../contract/members.js'
import { rejectionOf } from '../contract/use-database.js'
import { useGround } from '../stress/ground.js'
import { forEachEngine } from '../support/engines.js'
import { ROUNDS } from '../support/rounds.js'
import { type ShopDatabase, useShop } from './shop.js'

/** Runs as many transactions at once as the pool has connections, and settles when all of them have one. */
async function takeAll(db: ShopDatabase, count: number): Promise<void> {
  let inside = 0
  const enter = () =>
    db.transaction(async () => {
      await db.nodes.items.count()
      inside++
      await expect.poll(() => inside, { timeout: 3_000, message: 'transactions with a connection' }).toBe(count)
    })
  await Promise.all(Array.from({ length: count }, enter))
}

forEachEngine(
  (engine) => {
    const shop = useShop(engine)

    describe('init SQL that fails', () => {
      const initSql = ['select 1', 'select * from gate']

      it('fails the calls that need a new connection, leaves none open, and frees their places', async () => {
        const db = shop.open({ maxConnections: 2, initSql })
        for (let round = 0; round < 20; round++) {
          const error = await rejectionOf(db.nodes.items.count())
          expect(error).toBeInstanceOf(ConnectionError)
        }
        await expect.poll(() => shop.sessionIds()).toEqual([])
        await shop.admin('create table gate (id int)')
        await takeAll(db, 2)
        await shop.admin('drop table gate')
      })

      it('opens the pool with the connections that the server gives, though fewer than minConnections', async () => {
        await shop.admin('create table gate (n int primary key, check (n < 2))')
        const db = shop.open({ minConnections: 4, maxConnections: 4, initSql: ['insert into gate select count(*) from gate'] })
        for (let call = 0; call < 20; call++) expect(await db.nodes.items.count()).toBe(0)
        await shop.admin('drop table gate')
      })

      it('lets callers wait for the connections that are there', async () => {
        await shop.admin('create table gate (id int)')
        const db = shop.open({ maxConnections: 2, acquireTimeoutMs: 600, initSql })
        await db.nodes.items.count()
        await shop.admin('drop table gate')
        let served: Promise<number> | undefined
        let late: Promise<Error> | undefined
        // bound out here, where no transaction is
        const outside = AsyncResource.bind(() => db.nodes.items.count())
        await db.transaction(async () => {
          served = outside()
          await sleep(100)
        })
        expect(await served).toBe(0)
        await db.transaction(async () => {
          late = rejectionOf(outside())
          await sleep(900)
        })
        const error = await late!
        expect(error).toBeInstanceOf(PoolTimeoutError)
        expect((error.cause as Error).message).toMatch(/initSql\[1\]|preparing the session/)
      })
    })

    describe('a rollback', () => {
      const reason = new Error('changed my mind')

      it('that fails costs the connection, and its place is free at once, twenty times over', async () => {
        const proxy = await shop.proxy()
        const db = shop.open({ maxConnections: 1 }, proxy.url)
        for (let round = 0; round < 20; round++) {
          const error = await rejectionOf(
            db.transaction(async () => {
              await db.nodes.items.create({ name: 'never' })
              proxy.set({ kind: 'cut', afterBytes: 1 })
              throw reason
            }),
          )
          proxy.set('pass')
          expect(error).toBe(reason)
          expect(await db.nodes.items.count()).toBe(0)
        }
      })

      it('that is not answered is given up after a while, and the next caller is never in its transaction', async () => {
        const proxy = await shop.proxy()
        const db = shop.open({ maxConnections: 1 }, proxy.url)
        const startedMs = performance.now()
        const error = await rejectionOf(
          db.transaction(async () => {
            await db.nodes.items.create({ name: 'never' })
            proxy.set('half-open')
            throw reason
          }),
        )
        expect(error).toBe(reason)
        expect(performance.now() - startedMs).toBeLessThan(6_000)
        proxy.set('pass')
        expect(await db.nodes.items.count()).toBe(0)
        await db.transaction(() => db.nodes.items.create({ name: 'kept' }))
        expect(await shop.admin('select name from items')).toEqual([{ name: 'kept' }])
      })
    })
  },
  { engines: ['postgres', 'mysql'] },
)

forEachEngine(
  (engine) => {
    const ground = useGround(engine, models)

    it('init SQL that fails on a file fails the calls that need a new connection, and frees their places, twenty times over', async () => {
      const db = ground.open({ maxConnections: 2, initSql: ['select 1', 'select * from gate'] })
      for (let round = 0; round < ROUNDS; round++) {
        const calls = [() => db.nodes.members.count(), () => db.nodes.members.create({ email: 'never@example.com' })]
        for (const error of await Promise.all(calls.map((call) => rejectionOf(call())))) expect(error).toBeInstanceOf(ConnectionError)
        expect(poolRegistry().budget.taken).toBe(0)
      }
      await engine.admin(ground.url, 'create table gate (id int)')
      let inside = 0
      const readers = [1, 2].map(() =>
        db.transaction(
          async () => {
            await db.nodes.members.count()
            inside++
            await expect.poll(() => inside, { timeout: 3_000, message: 'transactions with a connection' }).toBe(2)
          },
          { readOnly: true },
        ),
      )
      await Promise.all(readers)
      await db.nodes.members.create({ email: 'written@example.com' })
      await engine.admin(ground.url, 'drop table gate')
    })
  },
  { engines: ['sqlite'] },
)
