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

const RUNNING = 50
const QUEUED = 50

forEachEngine((engine) => {
  describe('a database object that is closed under load', { timeout: 60_000 }, () => {
    const ground = useGround(engine, { ...models, tasks: Task })

    it('refuses new and queued calls at once, lets the running ones finish, and settles although one never ends', async () => {
      const db = ground.open({ maxConnections: RUNNING + 1, acquireTimeoutMs: 15_000 })
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
      const running = Array.from({ length: RUNNING }, () => transaction(() => sleep(300).then(() => db.nodes.members.count())))
      const leaked = rejectionOf(transaction(() => sleep(4_000, undefined, { ref: false }).then(() => db.nodes.members.count())))
      await expect.poll(() => begun, { timeout: 10_000, interval: 10 }).toBe(RUNNING + 1)
      const queued = Array.from({ length: QUEUED }, () => rejectionOf(db.nodes.members.count()))
      expect(onlyPool()).toMatchObject({ leased: RUNNING + 1, waiting: QUEUED })

      const startedMs = performance.now()
      const closing = db.close({ timeoutMs: 1_000 })
      const begunSince = [db.nodes.members.count(), db.transaction(async () => 1), db.ping()].map(rejectionOf)
      const refused = await Promise.all([...queued, ...begunSince].map((call) => outcomeWithin(50, call)))
      for (const error of refused) expect(error).toBeInstanceOf(PoolClosedError)
      expect(await Promise.all(running)).toEqual(running.map(() => 0))
      await closing
      const tookMs = performance.now() - startedMs
      expect(tookMs).toBeGreaterThan(950)
      expect(tookMs).toBeLessThan(2_000)
      // its connection was taken from it
      expect(await leaked).toHaveProperty('code')
      expect(await openTransactions(engine, ground.url)).toBe(0)
    })

    it('lets the process end by itself with 0, although one of its calls never ends', async () => {
      const { output, exitCode, msAfterOutput } = await runFixture('../stress/drain.ts', ground.url)
      expect(JSON.parse(output)).toMatchObject({ ran: RUNNING, refused: QUEUED })
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

/** What the promise gives; `late` if a timer of so many milliseconds rang before. */
function outcomeWithin<T>(ms: number, promise: Promise<T>): Promise<T | 'late'> {
  return Promise.race([promise, sleep(ms, 'late' as const)])
}
