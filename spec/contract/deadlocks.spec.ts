import { setTimeout as sleep } from 'node:timers/promises'
import { DeadlockError, lockMetrics, PoolSelfDeadlockError, poolStats } from 'latchwork'
import { describe, expect, it, vi } from 'vitest'
import { forEachEngine } from '../support/engines.js'
import { models } from './members.js'
import { rejectionOf, useDatabase } from './use-database.js'

forEachEngine((engine) => {
  describe('deadlocks inside a transaction', () => {
    const shop = useDatabase(engine, models, { pool: { maxConnections: 2 } })
    const noLimit = { timeoutMs: 86_400_000 }

    it('are found through the turn of a nested one, which nothing else would end', { timeout: 10_000 }, async () => {
      const holdsTurn = event()
      const holdsLock = event()
      const [nested, locked] = await shop.db.transaction(() =>
        Promise.allSettled([
          shop.db.transaction(async () => {
            await shop.nodes.members.count()
            holdsTurn.happens()
            await holdsLock.happened
            return shop.db.lock('a', () => 'nested', noLimit)
          }),
          shop.db.lock('a', async () => {
            holdsLock.happens()
            await holdsTurn.happened
            await vi.waitUntil(() => waitersOf('a') === 1, { interval: 1 })
            return shop.nodes.members.count()
          }),
        ]),
      )
      expect([nested.status, locked.status]).toEqual(['fulfilled', 'rejected'])
      const { reason } = locked as PromiseRejectedResult
      expect(reason).toBeInstanceOf(DeadlockError)
      expect(reason.chains).toEqual([
        [
          expect.stringMatching(/^transaction holds a connection of pool /),
          expect.stringMatching(/^db\.lock holds lock "a@/),
          "MemberCountNode waits for the turn of a transaction's calls",
        ],
        [
          expect.stringMatching(/^transaction holds a connection of pool /),
          "transaction holds the turn of a transaction's calls",
          expect.stringMatching(/^db\.lock waits for lock "a@/),
        ],
      ])
    })

    it('are found through a pool, a lock and a turn in one circle', { timeout: 15_000 }, async () => {
      const fresh = await engine.freshDatabase()
      const other = shop.another({ url: fresh.url, pool: { maxConnections: 1, acquireTimeoutMs: 600_000 } })
      await other.createTables()
      const holdsPool = other.transaction(async () => {
        await other.nodes.members.create({ email: 'pool@example.com' })
        await sleep(100)
        return shop.db.lock('k', () => 'pool', noLimit)
      })
      const holdsLock = shop.db.lock('k', async () => {
        await sleep(200)
        return shop.db.lock('j', () => 'lock', noLimit)
      })
      const inTransaction = shop.db.transaction(() =>
        Promise.allSettled([
          shop.db.lock('j', async () => {
            await sleep(300)
            return shop.nodes.members.count()
          }),
          shop.db.transaction(async () => {
            await shop.nodes.members.count()
            await sleep(500)
            return other.nodes.members.create({ email: 'turn@example.com' })
          }),
        ]),
      )
      const [[holdsJ, holdsTurn], ...others] = await Promise.all([inTransaction, holdsPool, holdsLock])
      expect(others).toEqual(['pool', 'lock'])
      expect([holdsJ!.status, holdsTurn!.status]).toEqual(['fulfilled', 'rejected'])
      const { reason } = holdsTurn as PromiseRejectedResult
      expect(reason).toBeInstanceOf(PoolSelfDeadlockError)
      expect(reason.chains).toHaveLength(4)
      expect(reason.message).toMatch(
        /MemberCreateNode waits for a connection of pool .*lock "k@.*lock "j@.*MemberCountNode waits for the turn/,
      )
      await other.close()
      await fresh.drop()
    })
  })

  describe('a transaction that asks its own pool for another connection', () => {
    const shop = useDatabase(engine, models, { pool: { maxConnections: 2, acquireTimeoutMs: 10_000 } })

    it('is refused at once when every holder waits in the same way, and the others finish', async () => {
      // another database object of the same configuration: the same pool, and not the same transaction
      const other = shop.another()
      const startedMs = performance.now()
      const work = (index: number) =>
        shop.db.transaction(async () => {
          await shop.nodes.members.create({ email: `pool${index}@example.com` })
          await sleep(20)
          await other.nodes.members.create({ email: `other${index}@example.com` })
        })
      const outcomes = await Promise.allSettled([work(1), work(2)])
      const errors = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []))
      expect(errors.length).toBeGreaterThan(0)
      for (const error of errors) expect(error).toBeInstanceOf(PoolSelfDeadlockError)
      expect(errors[0].message).toMatch(/transaction holds a connection of pool .* MemberCreateNode waits for a connection of pool/)
      expect(performance.now() - startedMs).toBeLessThan(5_000)
      expect(poolStats().pools.every(({ stats }) => stats?.leased === 0 && stats.waiting === 0)).toBe(true)
    })

    it('is told of by the name of the node, also where that runs as a transaction', async () => {
      const other = shop.another({ pool: { maxConnections: 1, acquireTimeoutMs: 10_000 } })
      const again = shop.another({ pool: { maxConnections: 1, acquireTimeoutMs: 10_000 } })
      const error = await other.transaction(async () => {
        await other.nodes.members.create({ email: 'outer@example.com' })
        return rejectionOf(again.nodes.members.upsert({ on: ['email'], values: { email: 'inner@example.com' } }))
      })
      expect(error).toBeInstanceOf(PoolSelfDeadlockError)
      expect(error.message).toMatch(/MemberUpsertNode waits for a connection of pool/)
    })

    it('is found across locks and connections', async () => {
      const other = shop.another({ pool: { maxConnections: 1, acquireTimeoutMs: 10_000 } })
      const holdsLock = other.lock('k', async () => {
        await sleep(30)
        await other.nodes.members.create({ email: 'needs a connection@example.com' })
      })
      const holdsConnection = other.transaction(async () => {
        await other.nodes.members.count()
        await sleep(60)
        await other.lock('k', () => undefined)
      })
      const [lockFirst, connectionFirst] = await Promise.allSettled([holdsLock, holdsConnection])
      expect([lockFirst.status, connectionFirst.status]).toEqual(['fulfilled', 'rejected'])
      expect((connectionFirst as PromiseRejectedResult).reason).toBeInstanceOf(DeadlockError)
    })
  })
})

/** Something that one call does and another waits for. */
function event(): { readonly happened: Promise<void>; readonly happens: () => void } {
  let happens = () => {}
  const happened = new Promise<void>((resolve) => {
    happens = resolve
  })
  return { happened, happens }
}

/** How many wait for a lock of the application now, whatever its database. */
function waitersOf(key: string): number {
  const lines = Object.entries(lockMetrics().byKey).filter(([name]) => name.startsWith(`${key}@`))
  return lines.reduce((sum, [, { waiting }]) => sum + waiting, 0)
}
