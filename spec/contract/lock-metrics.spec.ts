import { setTimeout as sleep } from 'node:timers/promises'
import { ConnectionError, cleanupUnusedLocks, createDatabase, lockMetrics, PoolExhaustedError, poolStats, withLockScope } from 'latchwork'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { type PoolEvent, poolEvents } from '../../lib/events.js'
import { warningsDuring } from '../lib/lock/warnings.js'
import { forEachEngine } from '../support/engines.js'
import { models } from './members.js'
import { rejectionOf, useDatabase } from './use-database.js'

forEachEngine((engine) => {
  describe('lockMetrics', () => {
    const shop = useDatabase(engine, models)

    it('counts a pool lock once for each of 300 callers who find the pool cold', async () => {
      const cold = shop.another({ pool: { maxConnections: 7 } })
      await Promise.all(Array.from({ length: 300 }, () => cold.nodes.members.count()))
      const { lock, name } = cold.poolInfo()!
      expect(lock).toMatchObject({ acquisitions: 300, contended: 299, timeouts: 0, fallbacks: 0, held: 0, waiting: 0, successRate: 1 })
      expect([lock.waitMs.count, lock.holdMs.count, lock.holder]).toEqual([299, 1, undefined])
      expect(lock.waitMs.p50).toBeLessThanOrEqual(lock.waitMs.max)
      expect(lockMetrics().byKey[name]).toMatchObject({ acquisitions: 300 })
      for (let call = 0; call < 50; call++) await cold.nodes.members.count()
      // an open pool is borrowed without its lock
      expect(cold.poolInfo()!.lock.acquisitions).toBe(300)
      await cold.close()
    })

    it('forgets the figures of a pool lock with its pool, and keeps its counts in the totals', async () => {
      const passing = shop.another({ pool: { maxConnections: 6 } })
      const before = lockMetrics().total.acquisitions
      await passing.nodes.members.count()
      const { name } = passing.poolInfo()!
      expect(cleanupUnusedLocks()).toBe(0)
      expect(lockMetrics().byKey).toHaveProperty([name])
      await passing.close()
      expect(passing.poolInfo()).toBeUndefined()
      expect(lockMetrics().byKey).not.toHaveProperty([name])
      // one for the pool's opening, one for its close
      expect(lockMetrics().total.acquisitions).toBe(before + 2)
    })

    it('counts the locks of the application by key and database, until it is cleaned up', async () => {
      const keyOf = (key: string) => Object.keys(lockMetrics().byKey).find((name) => name.startsWith(`${key}@${engine.name}:`))!
      await Promise.all([1, 2, 3].map(() => shop.db.lock('invoice', () => shop.db.lock('invoice', () => sleep(2)))))
      const figures = lockMetrics().byKey[keyOf('invoice')]!
      expect(figures).toMatchObject({ acquisitions: 3, contended: 2, reentries: 3, held: 0, waiting: 0, successRate: 1 })
      expect([figures.waitMs.count, figures.holdMs.count]).toEqual([2, 3])
      expect(figures.holdMs.p50).toBeGreaterThan(1)
      await shop.db.lock('invoice', () => {
        expect(lockMetrics().byKey[keyOf('invoice')]!.held).toBe(1)
        expect(cleanupUnusedLocks()).toBe(0)
      })
      expect(cleanupUnusedLocks()).toBe(1)
      expect(keyOf('invoice')).toBeUndefined()
    })

    it('is of its own in a scope with a registry of its own', async () => {
      const outer = lockMetrics().total.acquisitions
      const inner = await withLockScope(
        async () => {
          await shop.db.lock('a', () => undefined)
          return lockMetrics()
        },
        { registry: 'own' },
      )
      expect(inner.total.acquisitions).toBe(1)
      expect(Object.keys(inner.byKey)).toEqual([expect.stringMatching(/^a@/)])
      expect(lockMetrics().total.acquisitions).toBe(outer)
    })
  })

  describe('poolStats and db.poolInfo', () => {
    const shop = useDatabase(engine, models, { pool: { maxConnections: 3, minConnections: 1 } })

    it('say what the pool has, and what became of it', async () => {
      const { db } = shop
      await db.nodes.members.count()
      await db.transaction(async () => {
        await db.nodes.members.count()
        expect(db.poolInfo()).toMatchObject({
          state: 'open',
          leases: 1,
          minConnections: 1,
          maxConnections: 3,
          stats: { leased: 1, waiting: 0 },
        })
      })
      const { stats, name } = db.poolInfo()!
      expect(stats).toMatchObject({ leased: 0, waiting: 0, dialling: 0 })
      expect(stats!.open).toBe(stats!.idle)
      expect(stats!.created).toBeGreaterThanOrEqual(stats!.open)
      expect(stats!.destroyed).toEqual({ broken: 0, validation: 0, reset: 0, lifetime: 0, idle: 0, closed: 0 })
      expect(stats!.usageMs.count).toBe(stats!.acquireMs.count)
      expect(stats!.acquireMs.count).toBeGreaterThan(1)
      const { pools, budget, dedicated } = poolStats()
      expect(pools.find((pool) => pool.name === name)).toMatchObject({ leases: 1 })
      expect(dedicated).toBe(0)
      expect(budget.taken).toBeGreaterThanOrEqual(stats!.open)
      expect(budget.limit).toBeGreaterThanOrEqual(3)
    })

    it('say who waits while every connection is lent', async () => {
      const busy = shop.another({ pool: { maxConnections: 1 } })
      const again = shop.another({ pool: { maxConnections: 1 } })
      await busy.transaction(async () => {
        await busy.nodes.members.create({ email: 'busy@example.com' })
        const waiting = new Promise((resolve) => setImmediate(resolve)).then(() => busy.poolInfo()!)
        const error = rejectionOf(again.nodes.members.create({ email: 'waits@example.com' }, { timeoutMs: 50 }))
        // found out at once: who holds the only connection waits here
        expect((await error).name).toBe('PoolSelfDeadlockError')
        expect((await waiting).stats).toMatchObject({ leased: 1, waiting: 0 })
      })
      await Promise.all([busy.close(), again.close()])
    })
  })

  describe('a transaction that is never ended', () => {
    const shop = useDatabase(engine, models, { pool: { leakAfterMs: 50 } })
    afterEach(() => vi.unstubAllEnvs())

    it.each([
      ['with where it was begun', 'test', expect.stringContaining('lock-metrics.spec.ts')],
      ['without a stack in production', 'production', undefined],
    ])('is reported once, %s', async (_, environment, stack) => {
      vi.stubEnv('NODE_ENV', environment)
      const events: PoolEvent[] = []
      const listener = (event: PoolEvent): void => void (event.type === 'leaked' && events.push(event))
      poolEvents.subscribe(listener)
      const warnings = await warningsDuring(() =>
        shop.db.transaction(async () => {
          await shop.nodes.members.count()
          await sleep(250)
        }),
      ).finally(() => poolEvents.unsubscribe(listener))
      expect(events).toMatchObject([{ label: 'transaction', pool: shop.db.poolInfo()!.name, stack }])
      expect(warnings).toMatchObject([{ code: 'LATCHWORK_LEAK' }])
      expect(warnings[0]!.detail).toEqual(stack)
    })
  })
})

forEachEngine(
  (engine) => {
    describe('the lock of a pool whose opening stands still', () => {
      const shop = useDatabase(engine, models)

      it('counts every time-out, and every dedicated connection that there was room for', { timeout: 20_000 }, async () => {
        const initSql = [engine.name === 'postgres' ? 'select pg_sleep(1.2)' : 'select sleep(1.2)']
        const { taken } = poolStats().budget
        const slow = shop.another({ pool: { maxConnections: 2, lockTimeoutMs: 200, initSql }, connectionBudget: taken + 5 })
        const calls = Array.from({ length: 20 }, () => slow.nodes.members.count())
        await expect(Promise.race(calls)).rejects.toThrow(PoolExhaustedError)
        await vi.waitUntil(() => slow.poolInfo()!.lock.waiting === 0, { interval: 1 })
        const { lock } = slow.poolInfo()!
        expect(lock).toMatchObject({ timeouts: 20, waiting: 0, held: 1, acquisitions: 1, holder: { label: 'MemberCountNode' } })
        expect(lock.successRate).toBeCloseTo(1 / 21)
        const outcomes = await Promise.allSettled(calls)
        const errors = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []))
        for (const error of errors) expect(error).toBeInstanceOf(PoolExhaustedError)
        expect(lock.fallbacks).toBe(20 - errors.length)
        expect(lock.fallbacks).toBe(3)
        expect(await slow.nodes.members.count()).toBe(0)
        await slow.close()
      })

      it('counts an opening that was refused as no time-out', async () => {
        const { port } = new URL(shop.url)
        const nowhere = shop.url.replace(`:${port}`, ':1')
        const db = createDatabase({ url: nowhere, models })
        const before = lockMetrics().total.timeouts
        const outcomes = await Promise.allSettled([1, 2, 3].map(() => db.nodes.members.count()))
        for (const outcome of outcomes) expect((outcome as PromiseRejectedResult).reason).toBeInstanceOf(ConnectionError)
        expect(lockMetrics().total.timeouts).toBe(before)
        expect(db.poolInfo()).toBeUndefined()
        await db.close()
      })
    })
  },
  { engines: ['postgres', 'mysql'] },
)
