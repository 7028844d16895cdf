import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { poolRegistry } from '../../lib/pool/pool-registry.js'
import { runFixture } from '../contract/fixture-process.js'
import { models } from '../contract/members.js'
import { tally } from '../contract/use-database.js'
import { forEachEngine } from '../support/engines.js'
import { ROUNDS, roundsTimeoutMs } from '../support/rounds.js'
import { TIMED } from '../support/timed.js'
import { useGround } from './ground.js'
import { type StalledDatabase, stallCreation } from './stalled-creation.js'
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

/** How long a timer of so many milliseconds takes that is set now: on a busy machine, what a deadline is to be held against. */
async function timerOf(ms: number): Promise<number> {
  const startedMs = performance.now()
  await sleep(ms)
  return performance.now() - startedMs
}

forEachEngine((engine) => {
  describe('a pool that cannot be opened', { timeout: 60_000 }, () => {
    const ground = useGround(engine, models)
    // on a file that no other pool of these specs uses
    const elsewhere = useGround(engine, models)
    const stalls: StalledDatabase[] = []

    /** Ended with the test, whatever becomes of it; before anything is said of what is left. */
    async function stall(): Promise<StalledDatabase> {
      const stalled = await stallCreation(engine, elsewhere.url)
      stalls.push(stalled)
      return stalled
    }

    afterEach(() => Promise.all(stalls.splice(0).map((stalled) => stalled.close())))

    it('keeps none of 49 others waiting, and its own callers settle at their deadline', TIMED, async () => {
      const undisturbedMs = [await otherPools(49, 20)]
      const stalled = await stall()
      const db = elsewhere.open({ acquireTimeoutMs: 2_000 }, { url: stalled.url })
      const deadline = timerOf(2_000)
      const stuck = Promise.all(Array.from({ length: 20 }, (_, index) => settled(() => workflow(db.nodes.members, index))))
      const disturbedMs = await otherPools(49, 20)
      for (const { code, tookMs } of await stuck) {
        expect(TIMED_OUT).toContain(code)
        expect(tookMs).toBeLessThan((await deadline) + 200)
      }
      undisturbedMs.push(await otherPools(49, 20))
      expect(disturbedMs).toBeLessThan(2 * Math.max(...undisturbedMs))
      stalled.release()
      await expect.poll(() => db.ping(), { timeout: 3_000 }).toBeUndefined()
      await db.close()
    })

    it(`keeps none of 9 others waiting, ${ROUNDS} times over: all their work is done while it is still stalled`, {
      timeout: roundsTimeoutMs(4_000),
    }, async () => {
      for (let round = 0; round < ROUNDS; round++) {
        const stalled = await stall()
        const db = elsewhere.open({ acquireTimeoutMs: 60_000 }, { url: stalled.url })
        let isOver = false
        const stuck = workflows(db.nodes.members, 20).finally(() => {
          isOver = true
        })
        await otherPools(9, 4)
        expect(isOver).toBe(false)
        stalled.release()
        expect(await stuck).toEqual(expectedOf(20))
        await db.close()
      }
    })

    it.each([
      ['5.5 s', 5_000, 500, 1],
      ['about a second, again and again', 800, 250, ROUNDS],
    ])(
      'lets 300 callers settle in %s, on no more connections than max and fallback, and works when it can be opened',
      {
        ...TIMED,
        timeout: roundsTimeoutMs(4_000),
      },
      async (_, acquireTimeoutMs, slackMs, rounds) => {
        for (let round = 0; round < rounds; round++) await threeHundred(acquireTimeoutMs, slackMs)
      },
    )

    async function threeHundred(acquireTimeoutMs: number, slackMs: number): Promise<void> {
      const stalled = await stall()
      const db = elsewhere.open({ acquireTimeoutMs }, { url: stalled.url })
      let most = 0
      const takenBefore = poolRegistry().budget.taken
      let mostTaken = 0
      const watch = setInterval(() => {
        most = Math.max(most, stalled.connections())
        mostTaken = Math.max(mostTaken, poolRegistry().budget.taken)
      }, 5)
      const deadline = timerOf(acquireTimeoutMs)
      const calls = Array.from({ length: 300 }, (_, index) => settled(() => db.nodes.tickets.count({ where: { id: index } })))
      const outcomes = await Promise.all(calls)
      expect(Object.keys(tally(outcomes.map(({ code }) => code))).filter((code) => !TIMED_OUT.includes(code))).toEqual([])
      expect(Math.max(...outcomes.map(({ tookMs }) => tookMs))).toBeLessThan((await deadline) + slackMs)
      await sleep(acquireTimeoutMs / 12)
      stalled.release()
      await expect.poll(() => db.ping().then(() => 'there'), { timeout: 5_000 }).toBe('there')
      expect(await workflows(db.nodes.members, 8)).toEqual(expectedOf(8))
      clearInterval(watch)
      // ten and two more, the second attempts beside silent ones among them
      expect(most).toBeLessThanOrEqual(12)
      expect(mostTaken - takenBefore).toBeLessThanOrEqual(12)
      await db.close()
    }

    it('is closed with the database object whose calls could not wait for it', async () => {
      const stalled = await stall()
      const db = elsewhere.open({ maxConnections: 4, lockTimeoutMs: 200 }, { url: stalled.url })
      const calls = Array.from({ length: 2 }, () => db.nodes.members.count())
      await sleep(500)
      stalled.release()
      // on dedicated connections, which are opened meanwhile as the pool is
      for (const { status } of await Promise.allSettled(calls)) expect(status).toBe('fulfilled')
      await db.close()
      await expect.poll(() => poolRegistry().budget.taken, { timeout: 2_000 }).toBe(0)
    })

    it('leaves no connection to a transaction that fell back and never ends', async () => {
      const stalled = await stall()
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
    })

    it('keeps neither close() waiting, nor those who wait for it, nor the process', async () => {
      const stalled = await stall()
      const { output } = await runFixture('../stress/close-while-opening.ts', stalled.url)
      const { closedMs, endedMs, codes } = JSON.parse(output) as { closedMs: number; endedMs: number; codes: string[] }
      expect(tally(codes)).toEqual({ POOL_CLOSED: 20 })
      expect(closedMs).toBeLessThan(1_200)
      expect(endedMs).toBeLessThan(2_000)
    })

    /** So many workflows on each of so many cold pools; gives how long all of them took. */
    async function otherPools(count: number, each: number): Promise<number> {
      // an option that differs is another pool
      const open = Array.from({ length: count }, (_, index) =>
        ground.open({ maxConnections: 1, acquireTimeoutMs: 30_000, idleTimeoutMs: 60_000 + index }),
      )
      const startedMs = performance.now()
      const done = await Promise.all(open.map((db) => workflows(db.nodes.members, each)))
      const tookMs = performance.now() - startedMs
      expect(done).toEqual(open.map(() => expectedOf(each)))
      await Promise.all(open.map((db) => db.close()))
      return tookMs
    }
  })
})
