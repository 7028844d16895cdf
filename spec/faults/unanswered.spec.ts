import { setTimeout as sleep } from 'node:timers/promises'
import { PoolClosedError, QueryTimeoutError, sql, TransactionAbortedError } from 'latchwork'
import { describe, expect, it } from 'vitest'
import { rejectionOf } from '../contract/use-database.js'
import { forEachEngine } from '../support/engines.js'
import type { TcpProxy } from '../support/tcp-proxy.js'
import { TIMED } from '../support/timed.js'
import { type ShopDatabase, useShop } from './shop.js'

forEachEngine(
  (engine) => {
    const shop = useShop(engine)

    describe('a server that does not answer', () => {
      it('does not keep close() from refusing the callers who wait for the pool to be opened, nor from ending what is being dialled', async () => {
        const proxy = await shop.proxy()
        proxy.set({ kind: 'drop' })
        const db = shop.open({}, proxy.url)
        const calling = rejectionOf(db.nodes.items.count())
        await sleep(100)
        const startedMs = performance.now()
        await db.close({ timeoutMs: 100 })
        expect(await calling).toBeInstanceOf(PoolClosedError)
        await expect.poll(() => proxy.connections).toBe(0)
        expect(performance.now() - startedMs).toBeLessThan(1_500)
      })

      it('fails a transaction whose BEGIN it does not answer at acquireTimeoutMs: nothing of it has run', TIMED, async () => {
        const proxy = await shop.proxy()
        const db = shop.open({ maxConnections: 1, acquireTimeoutMs: 500 }, proxy.url)
        await db.nodes.items.count()
        proxy.set('half-open')
        const startedMs = performance.now()
        const outcome = await Promise.race([
          rejectionOf(db.transaction(() => db.nodes.items.count())),
          sleep(3_000, undefined, { ref: false }),
        ])
        expect(outcome).toHaveProperty('code')
        expect(performance.now() - startedMs).toBeLessThan(1_000)
        proxy.set('pass')
        await db.transaction(() => db.nodes.items.count())
      })

      it('lets the first statement of a transaction take longer than BEGIN may', async () => {
        const db = shop.open({ maxConnections: 1, acquireTimeoutMs: 300 })
        const wait = engine.name === 'postgres' ? 'select pg_sleep(0.7)' : 'select sleep(0.7)'
        await db.transaction(() => sql.raw(wait).execute(db.kysely))
        expect(await db.nodes.items.count()).toBe(0)
      })

      describe('ends the whole transaction where it leaves a savepoint of it without an answer', () => {
        const TIMEOUT_MS = 300

        /** A transaction whose callback goes on after `nested` failed; what that failed with, and what the transaction ended with. */
        async function outcomeOf(nested: (db: ShopDatabase, proxy: TcpProxy) => Promise<unknown>): Promise<void> {
          const proxy = await shop.proxy()
          const db = shop.open({ maxConnections: 1, acquireTimeoutMs: 500 }, proxy.url)
          await db.nodes.items.count()
          const [id] = await shop.sessionIds()
          let error: unknown
          let after: unknown
          const startedMs = performance.now()
          const ending = rejectionOf(
            db.transaction(async () => {
              await db.nodes.items.create({ name: 'before' })
              error = await rejectionOf(nested(db, proxy))
              after = await rejectionOf(db.nodes.items.create({ name: 'after' }))
            }),
          )
          const ended = await Promise.race([ending, sleep(4_000, undefined, { ref: false })])
          expect(performance.now() - startedMs).toBeLessThan(2_000)
          expect(error).toBeInstanceOf(QueryTimeoutError)
          expect(after).toBeInstanceOf(TransactionAbortedError)
          expect(ended).toBeInstanceOf(TransactionAbortedError)
          proxy.set('pass')
          // on another connection: this one ends once the request to stop what runs there has been given up
          expect(await db.nodes.items.count()).toBe(0)
          await expect.poll(() => shop.sessionIds(), { timeout: 5_000 }).not.toContain(id)
        }

        it('when it is set', () =>
          outcomeOf((db, proxy) => {
            proxy.set({ kind: 'drop' })
            return db.transaction(() => db.nodes.items.create({ name: 'never' }), { timeoutMs: TIMEOUT_MS })
          }))

        it('when a statement runs in it', () =>
          outcomeOf((db, proxy) =>
            db.transaction(
              async () => {
                await db.nodes.items.create({ name: 'never' })
                proxy.set({ kind: 'drop' })
                await db.nodes.items.create({ name: 'never' })
              },
              { timeoutMs: TIMEOUT_MS },
            ),
          ))

        it('when it is released', () =>
          outcomeOf((db, proxy) =>
            db.transaction(
              async () => {
                await db.nodes.items.create({ name: 'never' })
                proxy.set({ kind: 'drop' })
              },
              { timeoutMs: TIMEOUT_MS },
            ),
          ))

        it('when it is gone back to', () =>
          outcomeOf((db, proxy) =>
            db.transaction(
              async () => {
                await db.nodes.items.create({ name: 'never' })
                proxy.set({ kind: 'drop' })
                await sleep(2 * TIMEOUT_MS)
              },
              { timeoutMs: TIMEOUT_MS },
            ),
          ))
      })
    })
  },
  { engines: ['postgres', 'mysql'] },
)
