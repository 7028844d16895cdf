import { setTimeout as sleep } from 'node:timers/promises'
import type { PoolOptions } from 'latchwork'
import { describe, expect, it } from 'vitest'
import { poolRegistry } from '../../lib/pool/pool-registry.js'
import { runFixture } from '../contract/fixture-process.js'
import { models } from '../contract/members.js'
import { tally } from '../contract/use-database.js'
import { forEachEngine } from '../support/engines.js'
import { useGround } from './ground.js'
import { stallCreation } from './stalled-creation.js'
import { expectedOf, workflow, workflows } from './workflow.js'

/** Why a call may fail while no connection can be made. */
const TIMED_OUT = ['LOCK_TIMEOUT', 'POOL_TIMEOUT', 'POOL_EXHAUSTED', 'CONNECTION']

interface Settled {
  readonly code: string
  readonly tookMs: number
}

/** How a call ended, and when. */
async function settled(call: () => Promise<unknown>): Promise<Settled> {
  const startedMs = performance.now()
  const code = await call().then(
    () => 'ok',
    (error: { code?: string }) => error.code ?? String(error),
  )
  return { code, tookMs: performance.now() - startedMs }
}

forEachEngine((engine) => {
  describe('a pool that cannot be opened', { timeout: 60_000 }, () => {
    const ground = useGround(engine, models)
    // on a file that no other pool of these specs uses
    const elsewhere = useGround(engine, models)

    it('keeps none of 49 others waiting, and its own callers settle at their deadline', async () => {
      const undisturbedMs = await fortyNinePools()
      const stalled = await stallCreation(engine, elsewhere.url)
      const db = elsewhere.open({ acquireTimeoutMs: 2_000 }, { url: stalled.url })
      const stuck = Promise.all(Array.from({ length: 20 }, (_, index) => settled(() => workflow(db.nodes.members, index))))
      const disturbedMs = await fortyNinePools()
      for (const { code, tookMs } of await stuck) {
        expect(TIMED_OUT).toContain(code)
        expect(tookMs).toBeLessThan(2_600)
      }
      expect(disturbedMs).toBeLessThan(3 * undisturbedMs + 500)
      stalled.release()
      await expect.poll(() => db.ping(), { timeout: 3_000 }).toBeUndefined()
      await db.close()
      await stalled.close()
    })

    it('lets 300 callers settle in 5.5 s, on no more connections than max and fallback, and works when it can be opened', async () => {
      const stalled = await stallCreation(engine, elsewhere.url)
      const db = elsewhere.open({}, { url: stalled.url })
      let most = 0
      const takenBefore = poolRegistry().budget.taken
      let mostTaken = 0
      const watch = setInterval(() => {
        most = Math.max(most, stalled.connections())
        mostTaken = Math.max(mostTaken, poolRegistry().budget.taken)
      }, 5)
      const calls = Array.from({ length: 300 }, (_, index) => settled(() => db.nodes.tickets.count({ where: { id: index } })))
      const outcomes = await Promise.all(calls)
      expect(Object.keys(tally(outcomes.map(({ code }) => code))).filter((code) => !TIMED_OUT.includes(code))).toEqual([])
      expect(Math.max(...outcomes.map(({ tookMs }) => tookMs))).toBeLessThan(5_600)
      await sleep(400)
      stalled.release()
      expect(await workflows(db.nodes.members, 50)).toEqual(expectedOf(50))
      clearInterval(watch)
      // the pool and the two that fall back each try a silent server once more, beside the first attempt
      expect(most).toBeLessThanOrEqual(12 + 3)
      expect(mostTaken - takenBefore).toBeLessThanOrEqual(12)
      await db.close()
      await stalled.close()
    })

    it('is closed with the database object whose calls could not wait for it', async () => {
      const stalled = await stallCreation(engine, elsewhere.url)
      const db = elsewhere.open({ maxConnections: 4, lockTimeoutMs: 200 }, { url: stalled.url })
      const calls = Array.from({ length: 2 }, () => db.nodes.members.count())
      await sleep(500)
      stalled.release()
      // on dedicated connections, which are opened meanwhile as the pool is
      for (const { status } of await Promise.allSettled(calls)) expect(status).toBe('fulfilled')
      await db.close()
      await expect.poll(() => poolRegistry().budget.taken, { timeout: 2_000 }).toBe(0)
      await stalled.close()
    })

    it('leaves no connection to a transaction that fell back and never ends', async () => {
      const stalled = await stallCreation(engine, elsewhere.url)
      const db = elsewhere.open({ maxConnections: 4, lockTimeoutMs: 200 }, { url: stalled.url })
      let hasBegun = false
      const leaked = settled(() =>
        db.transaction(
          async () => {
            await db.nodes.members.count()
            hasBegun = true
            await sleep(2_000)
            await db.nodes.members.count()
          },
          { readOnly: true },
        ),
      )
      await sleep(500)
      stalled.release()
      await expect.poll(() => hasBegun, { timeout: 5_000, interval: 10 }).toBe(true)
      await db.close({ timeoutMs: 100 })
      await expect.poll(() => poolRegistry().budget.taken, { timeout: 1_200 }).toBe(0)
      expect((await leaked).code).not.toBe('ok')
      await stalled.close()
    })

    it('keeps neither close() waiting, nor those who wait for it, nor the process', async () => {
      const stalled = await stallCreation(engine, elsewhere.url)
      try {
        const { output } = await runFixture('../stress/close-while-opening.ts', stalled.url)
        const { closedMs, endedMs, codes } = JSON.parse(output) as { closedMs: number; endedMs: number; codes: string[] }
        expect(tally(codes)).toEqual({ POOL_CLOSED: 20 })
        expect(closedMs).toBeLessThan(1_200)
        expect(endedMs).toBeLessThan(2_000)
      } finally {
        await stalled.close()
      }
    })

    /** Twenty workflows on each of 49 cold pools; gives how long all of them took. */
    async function fortyNinePools(): Promise<number> {
      // an option that differs is another pool
      const pools: Partial<PoolOptions>[] = Array.from({ length: 49 }, (_, index) => ({ maxConnections: 1, idleTimeoutMs: 60_000 + index }))
      const open = pools.map((pool) => ground.open(pool))
      const startedMs = performance.now()
      const done = await Promise.all(open.map((db) => workflows(db.nodes.members, 20)))
      const tookMs = performance.now() - startedMs
      expect(done).toEqual(pools.map(() => expectedOf(20)))
      await Promise.all(open.map((db) => db.close()))
      return tookMs
    }
  })
})
