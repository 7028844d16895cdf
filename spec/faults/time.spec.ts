import { setTimeout as sleep } from 'node:timers/promises'
import { type Database, type Generated, id, model, type PoolOptions, QueryTimeoutError } from 'latchwork'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { models } from '../contract/members.js'
import { rejectionOf, tally } from '../contract/use-database.js'
import { type Ground, poolsInUse, statementsOnServer, useGround } from '../stress/ground.js'
import { expectedOf, workflows } from '../stress/workflow.js'
import { borrowAll } from '../support/borrow-all.js'
import { forEachEngine } from '../support/engines.js'
import { napView } from '../support/naps.js'
import { ROUNDS, roundsTimeoutMs } from '../support/rounds.js'
import { TIMED } from '../support/timed.js'

/** Takes 0.4 seconds. */
@model()
class Nap {
  @id() id!: Generated<number>
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
        engine.admin(url, [napView(engine, 'long_naps', 10), napView(engine, 'naps', 0.4)].join(';')),
      )

      it(`is given up after timeoutMs, ten calls of ten, ${ROUNDS} times over, has ended on the server a second later, and its neighbours go on`, {
        ...TIMED,
        timeout: roundsTimeoutMs(2_000),
      }, async () => {
        const db = ground.open({ maxConnections: 10 })
        await Promise.all(Array.from({ length: 10 }, () => db.ping()))
        const afterTimerMs: number[] = []
        for (let round = 0; round < ROUNDS; round++) {
          // half of them are under way when the others are cancelled, on connections made at the same time
          const neighbours = Array.from({ length: 5 }, () => sleep(100).then(() => db.nodes.naps.list()))
          // a timer set at the same moment: on a busy machine it is late as well
          const startedMs = performance.now()
          const timerMs = sleep(300).then(() => performance.now() - startedMs)
          const outcomes = await Promise.all(
            Array.from({ length: 10 }, async () => {
              const error = await rejectionOf(db.nodes.longNaps.list({}, { timeoutMs: 300 }))
              return { error, tookMs: performance.now() - startedMs }
            }),
          )
          for (const { error, tookMs } of outcomes) {
            // one that never got a connection says so
            expect(['QUERY_TIMEOUT', 'POOL_TIMEOUT']).toContain(error.code)
            expect(tookMs).toBeGreaterThan(295)
          }
          const timer = await timerMs
          afterTimerMs.push(...outcomes.map(({ tookMs }) => tookMs - timer))
          expect(outcomes.filter(({ error }) => error instanceof QueryTimeoutError).length).toBeGreaterThanOrEqual(5)
          await expect.poll(() => statementsOnServer(engine, ground.url, 'long_naps'), { timeout: 1_000 }).toBe(0)
          expect((await Promise.all(neighbours)).map(({ rows }) => rows.length)).toEqual([1, 1, 1, 1, 1])
        }
        // a tenth of a second behind a timer of its own time; the last of ten that are cancelled at once take turns on a busy machine
        const inOrder = afterTimerMs.sort((left, right) => left - right)
        expect(inOrder[Math.floor(inOrder.length / 2)]).toBeLessThan(100)
        expect(inOrder[Math.floor(inOrder.length * 0.95)]).toBeLessThan(200)
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

    it.each([400 * DAY_MS, -400 * DAY_MS])(`by %i ms ends no connection and no wait, in ${ROUNDS} pools`, async (jumpMs) => {
      const pools = await warmPools(ground, { idleTimeoutMs: 30_000, maxLifetimeMs: 60_000, acquireTimeoutMs: 2_000 })
      const made = connectionsMade()
      vi.useFakeTimers({ toFake: ['Date'] })
      const holding = pools.flatMap((db) => [1, 2].map(() => db.transaction(() => sleep(100), { readOnly: true })))
      const waiting = pools.flatMap((db) => [1, 2, 3, 4].map(() => db.nodes.members.count({}, { timeoutMs: 2_000 })))
      vi.setSystemTime(Date.now() + jumpMs)
      expect(await Promise.all(waiting)).toEqual(waiting.map(() => 0))
      await Promise.all(holding)
      // a pool looks after its connections every quarter of a second
      await sleep(300)
      expect(connectionsMade()).toEqual(made)
    })
  })

  describe(`an event loop that stands still for three seconds, under ${ROUNDS} pools that are each a step further`, {
    ...TIMED,
    timeout: roundsTimeoutMs(2_000),
  }, () => {
    const ground = useGround(engine, models)

    it('costs no connection, and no call whose answer or connection came meanwhile', async () => {
      const pools = await warmPools(ground, { idleTimeoutMs: 2_500, acquireTimeoutMs: 1_000, validateAfterIdleMs: 2_000 })
      const made = connectionsMade()
      const calls = await begunInTurn(pools, (db) => [
        ...[1, 2].map(() => db.nodes.members.count({}, { timeoutMs: 1_000 })),
        ...[1, 2].map(() => db.nodes.members.count()),
      ])
      standStill(3_000)
      expect(tally(await outcomesOf(calls))).toEqual({ ran: 4 * ROUNDS })
      expect(connectionsMade()).toEqual(made)
      standStill(1_300)
      await sleep(50)
      expect(connectionsMade()).toEqual(made)
      for (const { nodes } of pools) expect(await workflows(nodes.members, 2)).toEqual(expectedOf(2))
    })

    it('costs no connection where it comes while they are checked', async () => {
      const pools = await warmPools(ground, { validateAfterIdleMs: 0 })
      const made = connectionsMade()
      const calls = await begunInTurn(pools, (db) => [1, 2].map(() => db.nodes.members.count()))
      standStill(1_200)
      expect(tally(await outcomesOf(calls))).toEqual({ ran: 2 * ROUNDS })
      expect(connectionsMade()).toEqual(made)
    })

    it('costs no call where it comes while connections are being made, as long as there is time left', async () => {
      const pools = poolsOf(ground, { acquireTimeoutMs: 4_000, lockTimeoutMs: 500 })
      const calls = await begunInTurn(pools, (db) =>
        Array.from({ length: 15 }, (_, index) => db.nodes.tickets.count({ where: { id: index } })),
      )
      standStill(1_000)
      expect(tally(await outcomesOf(calls))).toEqual({ ran: 15 * ROUNDS })
    })
  })
})

type Shop = Database<typeof models>

/** As many pools as there are rounds, of two connections each: one moment meets all of them. */
function poolsOf(ground: Ground<typeof models>, options: Partial<PoolOptions>): Shop[] {
  return Array.from({ length: ROUNDS }, (_, index) => ground.open({ maxConnections: 2, leakAfterMs: 60_000 + index, ...options }))
}

/** The same, with all their connections open, and the statement prepared that the tests run. */
async function warmPools(ground: Ground<typeof models>, options: Partial<PoolOptions>): Promise<Shop[]> {
  const pools = poolsOf(ground, options)
  for (const db of pools) await borrowAll(db, 2, () => db.nodes.members.count())
  return pools
}

/** Begins the calls of each pool a turn of the event loop after those of the pool before: the next thing finds each at another step. */
async function begunInTurn<T>(pools: readonly Shop[], calls: (db: Shop) => readonly Promise<T>[]): Promise<Promise<T>[]> {
  const begun: Promise<T>[] = []
  for (const db of pools) {
    begun.push(...calls(db))
    await new Promise(setImmediate)
  }
  return begun
}

/** What each pool has open, and what it has made so far: equal as long as it has lost none. */
function connectionsMade(): { readonly open: number; readonly created: number }[] {
  return poolsInUse().map(({ open, created }) => ({ open, created }))
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
