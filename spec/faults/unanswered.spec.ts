import { setTimeout as sleep } from 'node:timers/promises'
import { PoolClosedError } from 'latchwork'
import { describe, expect, it } from 'vitest'
import { rejectionOf } from '../contract/use-database.js'
import { forEachEngine } from '../support/engines.js'
import { useShop } from './shop.js'

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

      it('fails a transaction whose BEGIN it does not answer at acquireTimeoutMs: nothing of it has run', async () => {
        const proxy = await shop.proxy()
        const db = shop.open({ maxConnections: 1, acquireTimeoutMs: 500 }, proxy.url)
        await db.nodes.items.count()
        proxy.set('half-open')
        const startedMs = performance.now()
        const outcome = await Promise.race([rejectionOf(db.transaction(() => db.nodes.items.count())), sleep(3_000)])
        expect(outcome).toHaveProperty('code')
        expect(performance.now() - startedMs).toBeLessThan(1_000)
        proxy.set('pass')
        await db.transaction(() => db.nodes.items.count())
      })
    })
  },
  { engines: ['postgres', 'mysql'] },
)
