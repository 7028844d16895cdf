import { AsyncLocalStorage } from 'node:async_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { currentLockScope, DeadlockError, LockTimeoutError, PoolSelfDeadlockError, poolStats, withLockScope } from 'latchwork'
import { describe, expect, it } from 'vitest'
import { forEachEngine } from '../support/engines.js'
import { models } from './members.js'
import { rejectionOf, useDatabase } from './use-database.js'

forEachEngine((engine) => {
  describe('db.lock', () => {
    const shop = useDatabase(engine, models, { pool: { maxConnections: 2, acquireTimeoutMs: 10_000 } })

    it('runs one at a time, in the order in which they came, also between database objects', async () => {
      const other = shop.another({ pool: { maxConnections: 3 } })
      const order: number[] = []
      let running = 0
      const work = (number: number) => async () => {
        expect(++running).toBe(1)
        order.push(number)
        await shop.nodes.members.create({ email: `lock${number}@example.com` })
        running--
      }
      await Promise.all(Array.from({ length: 20 }, (_, number) => (number % 2 === 0 ? shop.db : other).lock('a', work(number))))
      expect(order).toEqual(Array.from({ length: 20 }, (_, number) => number))
    })

    it('is there for every call below, and for no sibling at the same time', async () => {
      let running = 0
      const sibling = () =>
        shop.db.lock('a', async () => {
          expect(++running).toBe(1)
          await sleep(1)
          running--
        })
      await shop.db.lock('a', () => Promise.all([sibling(), sibling(), shop.db.lock('b', sibling)]))
      expect(currentLockScope()).toBeUndefined()
    })

    it('does not exclude another database', async () => {
      const fresh = await engine.freshDatabase()
      const other = shop.another({ url: fresh.url })
      await shop.db.lock('a', () => other.lock('a', () => undefined, { timeoutMs: 1_000 }))
      await other.close()
      await fresh.drop()
    })

    it('fails the newest of two that hold what the other wants, at once, naming both chains', async () => {
      const take = (first: string, second: string, label: string) =>
        shop.db.lock(
          first,
          async () => {
            await sleep(10)
            return shop.db.lock(second, () => label, { label: `${label}, within` })
          },
          { label },
        )
      const startedMs = performance.now()
      const [one, two] = await Promise.allSettled([take('a', 'b', 'ship'), take('b', 'a', 'bill')])
      expect(performance.now() - startedMs).toBeLessThan(1_000)
      expect([one.status, two.status]).toEqual(['fulfilled', 'rejected'])
      const { reason } = two as PromiseRejectedResult
      expect(reason).toBeInstanceOf(DeadlockError)
      expect(reason.message).toMatch(
        /lock "a@.*" would never come free: bill holds lock "b@.*, bill, within waits for lock "a@.*ship holds lock "a@.*ship, within waits for lock "b@/,
      )
      expect(reason.chains).toHaveLength(2)
    })

    it('times out with the name of its holder', async () => {
      const error = await shop.db.lock('a', () => rejectionOf(outsideOf(() => shop.db.lock('a', () => 1, { timeoutMs: 20 }))), {
        label: 'InvoiceJob',
      })
      expect(error).toBeInstanceOf(LockTimeoutError)
      expect(error.message).toMatch(/lock "a@.*" was not free within \d+ ms; held \d+ ms by InvoiceJob/)
    })

    it('aborts the signal of one that is held too long, and keeps it held', async () => {
      const done = await shop.db.lock(
        'a',
        async ({ signal }) => {
          await new Promise((resolve) => signal.addEventListener('abort', resolve))
          const other = await rejectionOf(outsideOf(() => shop.db.lock('a', () => 1, { timeoutMs: 20 })))
          return [(signal.reason as Error).message, other]
        },
        { maxHoldMs: 20, label: 'slow' },
      )
      expect(done[0]).toMatch(/lock "a@.*" by slow is held for longer than 20 ms/)
      expect(done[1]).toBeInstanceOf(LockTimeoutError)
    })
  })

  describe('db.hold', () => {
    const shop = useDatabase(engine, models)

    it('holds until it is released, or until its scope ends', async () => {
      await withLockScope(async () => {
        using held = await shop.db.hold('a')
        expect(currentLockScope()?.holds.map(({ name }) => name)).toEqual([held.name])
      })
      await withLockScope(() => shop.db.hold('a').then(() => undefined))
      await shop.db.lock('a', () => undefined, { timeoutMs: 100 })
      await expect(shop.db.hold('a')).rejects.toThrow('needs a scope that frees it')
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

/** Runs `fn` as if it came from another request. */
function outsideOf<T>(fn: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => setImmediate(() => withOwnContext(fn).then(resolve, reject)))
}

const withOwnContext = snapshot()

function snapshot(): <T>(fn: () => Promise<T>) => Promise<T> {
  return AsyncLocalStorage.snapshot() as never
}
