import { setTimeout as sleep } from 'node:timers/promises'
import { PoolClosedError } from 'latchwork'
import { describe, expect, it } from 'vitest'
import { runFixture } from '../contract/fixture-process.js'
import { models } from '../contract/members.js'
import { rejectionOf } from '../contract/use-database.js'
import { Task } from '../fixtures/stress/task.js'
import { onlyPool, useGround } from '../stress/ground.js'
import { forEachEngine } from '../support/engines.js'
import { openTransactions } from '../support/nothing-left.js'
import { ROUNDS, roundsTimeoutMs } from '../support/rounds.js'
import { TIMED } from '../support/timed.js'

const CLOSE_MS = 700

forEachEngine((engine) => {
  describe('a database object that is closed under load', { timeout: 60_000 }, () => {
    const ground = useGround(engine, { ...models, tasks: Task })

    it.each([
      [50, 1],
      [5, ROUNDS],
    ])(
      'refuses new and queued calls at once, lets those that run finish, %i of each, and settles although one never ends, %i times over',
      {
        ...TIMED,
        timeout: roundsTimeoutMs(5_000),
      },
      async (count, rounds) => {
        for (let round = 0; round < rounds; round++) await drain(count)
      },
    )

    async function drain(count: number): Promise<void> {
      const db = ground.open({ maxConnections: count + 1, acquireTimeoutMs: 15_000 })
      let begun = 0
      // reading ones, since SQLite has one writer
      const transaction = <T>(rest: () => Promise<T>) => {
        const work = async () => {
          await db.nodes.members.count()
          begun++
          return rest()
        }
        return db.transaction(work, { readOnly: true })
      }
      const [released, isClosed] = [deferred(), deferred()]
      const running = Array.from({ length: count }, () => transaction(() => released.promise.then(() => db.nodes.members.count())))
      const leaked = rejectionOf(transaction(() => isClosed.promise.then(() => db.nodes.members.count())))
      await expect.poll(() => begun, { timeout: 10_000, interval: 10 }).toBe(count + 1)
      const queued = Array.from({ length: count }, () => rejectionOf(db.nodes.members.count()))
      expect(onlyPool()).toMatchObject({ leased: count + 1, waiting: count })

      const startedMs = performance.now()
      const closing = db.close({ timeoutMs: CLOSE_MS })
      const begunSince = [db.nodes.members.count(), db.transaction(async () => 1), db.ping()].map(rejectionOf)
      const refused = await Promise.all([...queued, ...begunSince].map((call) => outcomeWithin(50, call)))
      for (const error of refused) expect(error).toBeInstanceOf(PoolClosedError)
      released.resolve()
      expect(await Promise.all(running)).toEqual(running.map(() => 0))
      await closing
      const tookMs = performance.now() - startedMs
      expect(tookMs).toBeGreaterThan(CLOSE_MS - 10)
      expect(tookMs).toBeLessThan(CLOSE_MS + 1_000)
      isClosed.resolve()
      // its connection was taken from it
      expect(await leaked).toHaveProperty('code')
      expect(await openTransactions(engine, ground.url)).toBe(0)
    }

    it('lets the process end by itself with 0, although one of its calls never ends', async () => {
      const { output, exitCode, msAfterOutput } = await runFixture('../stress/drain.ts', ground.url)
      expect(JSON.parse(output)).toMatchObject({ ran: 50, refused: 50 })
      expect(exitCode).toBe(0)
      expect(msAfterOutput).toBeLessThan(2_000)
    })

    it('lets the process end by itself after load, within two seconds', async () => {
      const { output, exitCode, msAfterOutput } = await runFixture('../stress/load-and-exit.ts', ground.url)
      expect({ output, exitCode }).toEqual({ output: 'closed after 300', exitCode: 0 })
      expect(msAfterOutput).toBeLessThan(2_000)
    })
  })
})

/** A promise, and what settles it. */
function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = () => {}
  const promise = new Promise<void>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}

/** What the promise gives; `late` if a timer of so many milliseconds rang before. */
function outcomeWithin<T>(ms: number, promise: Promise<T>): Promise<T | 'late'> {
  return Promise.race([promise, sleep(ms, 'late' as const)])
}
