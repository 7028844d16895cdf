import { setTimeout as sleep } from 'node:timers/promises'
import { type Database, field, type Generated, id, model, QueryTimeoutError } from 'latchwork'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { models } from '../contract/members.js'
import { rejectionOf, tally } from '../contract/use-database.js'
import { onlyPool, statementsOnServer, useGround } from '../stress/ground.js'
import { expectedOf, workflows } from '../stress/workflow.js'
import { forEachEngine } from '../support/engines.js'

/** A view whose rows take their time: as long as the row says. */
@model()
class Nap {
  @id() id!: Generated<number>
  @field.float() seconds!: number
}

/** Takes ten seconds, unless it is stopped. */
@model()
class LongNap {
  @id() id!: Generated<number>
}

const DAY_MS = 86_400_000

forEachEngine(
  (engine) => {
    describe('a statement that takes ten seconds', () => {
      const ground = useGround(engine, { longNaps: LongNap, naps: Nap }, (url) =>
        engine.admin(
          url,
          engine.name === 'postgres'
            ? `drop table long_naps; create view long_naps as select 1 as id from (select pg_sleep(10)) as nap;
               drop table naps; create view naps as select 1 as id, 0.4 as seconds from (select pg_sleep(0.4)) as nap`
            : `drop table long_naps; create view long_naps as select sleep(10) as id;
               drop table naps; create view naps as select 1 as id, sleep(0.4) as seconds`,
        ),
      )

      it('is given up after timeoutMs, twenty calls of twenty, has ended on the server a second later, and its neighbours go on', async () => {
        const db = ground.open({ maxConnections: 10 })
        await Promise.all(Array.from({ length: 10 }, () => db.ping()))
        for (let round = 0; round < 2; round++) {
          // half of them are under way when the others are cancelled, on connections made at the same time
          const neighbours = Array.from({ length: 5 }, () => sleep(100).then(() => db.nodes.naps.list()))
          const outcomes = await Promise.all(
            Array.from({ length: 10 }, async () => {
              const startedMs = performance.now()
              const error = await rejectionOf(db.nodes.longNaps.list({}, { timeoutMs: 300 }))
              return { error, tookMs: performance.now() - startedMs }
            }),
          )
          for (const { error, tookMs } of outcomes) {
            // one that never got a connection says so
            expect(['QUERY_TIMEOUT', 'POOL_TIMEOUT']).toContain(error.code)
            expect(tookMs).toBeGreaterThan(295)
            expect(tookMs).toBeLessThan(600)
          }
          expect(outcomes.filter(({ error }) => error instanceof QueryTimeoutError).length).toBeGreaterThanOrEqual(5)
          await expect.poll(() => statementsOnServer(engine, ground.url, 'long_naps'), { timeout: 1_000 }).toBe(0)
          expect((await Promise.all(neighbours)).map(({ rows }) => rows.length)).toEqual([1, 1, 1, 1, 1])
        }
      })
    })
  },
  // a statement of SQLite that runs cannot be stopped: it holds the thread
  { engines: ['postgres', 'mysql'] },
)

forEachEngine((engine) => {
  describe('a clock that jumps', () => {
    const ground = useGround(engine, models)
    afterEach(() => vi.useRealTimers())

    it.each([400 * DAY_MS, -400 * DAY_MS])('by %i ms ends no connection and no wait', async (jumpMs) => {
      const db = ground.open({ maxConnections: 4, idleTimeoutMs: 1_000, maxLifetimeMs: 10_000, acquireTimeoutMs: 2_000 })
      await warm(db)
      const { created } = onlyPool()
      vi.useFakeTimers({ toFake: ['Date'] })
      const holding = Array.from({ length: 4 }, () => db.transaction(() => sleep(100), { readOnly: true }))
      const waiting = Array.from({ length: 8 }, () => db.nodes.members.count({}, { timeoutMs: 2_000 }))
      vi.setSystemTime(Date.now() + jumpMs)
      expect(await Promise.all(waiting)).toEqual(waiting.map(() => 0))
      await Promise.all(holding)
      // the pool looks after its connections every quarter of a second
      await sleep(300)
      expect(onlyPool().open).toBe(created)
      expect(onlyPool().created).toBe(created)
    })
  })

  describe('an event loop that stands still for three seconds', { timeout: 30_000 }, () => {
    const ground = useGround(engine, models)

    it('costs no connection, and no call whose answer or connection came meanwhile', async () => {
      const db = ground.open({ maxConnections: 4, idleTimeoutMs: 1_000, acquireTimeoutMs: 1_000, validateAfterIdleMs: 2_000 })
      await warm(db)
      const { created } = onlyPool()
      const running = Array.from({ length: 4 }, () => db.nodes.members.count({}, { timeoutMs: 1_000 }))
      const waiting = Array.from({ length: 4 }, () => db.nodes.members.count())
      standStill(3_000)
      expect(tally(await outcomesOf([...running, ...waiting]))).toEqual({ ran: 8 })
      expect(onlyPool()).toMatchObject({ created, open: created, leased: 0 })
      standStill(1_300)
      await sleep(50)
      expect(onlyPool()).toMatchObject({ created, open: created, leased: 0 })
      expect(await workflows(db.nodes.members, 20)).toEqual(expectedOf(20))
    })

    it('costs no connection where it comes while they are checked', async () => {
      const db = ground.open({ maxConnections: 4, validateAfterIdleMs: 0 })
      await warm(db)
      const { created } = onlyPool()
      const calls = Array.from({ length: 4 }, () => db.nodes.members.count())
      await new Promise(setImmediate)
      standStill(1_200)
      expect(tally(await outcomesOf(calls))).toEqual({ ran: 4 })
      expect(onlyPool()).toMatchObject({ created, open: created })
    })

    it('costs no call where it comes while connections are being made, as long as there is time left', async () => {
      const db = ground.open({ acquireTimeoutMs: 4_000, lockTimeoutMs: 500 })
      const calls = Array.from({ length: 300 }, (_, index) => db.nodes.tickets.count({ where: { id: index } }))
      await new Promise(setImmediate)
      standStill(1_000)
      expect(tally(await outcomesOf(calls))).toEqual({ ran: 300 })
    })
  })
})

/** Opens all connections that a pool may have, and prepares the statement that the tests run. */
async function warm(db: Database<typeof models>): Promise<void> {
  await Promise.all(
    Array.from({ length: 4 }, () => db.transaction(() => db.nodes.members.count().then(() => sleep(20)), { readOnly: true })),
  )
}

/** What became of each call: `ran`, or the code of its error. */
function outcomesOf(calls: readonly Promise<unknown>[]): Promise<string[]> {
  const codeOf = (error: { code?: string }) => error.code ?? String(error)
  return Promise.all(calls.map((call) => call.then(() => 'ran', codeOf)))
}

function standStill(ms: number): void {
  const untilMs = performance.now() + ms
  while (performance.now() < untilMs);
}
