import { existsSync, readdirSync, readlinkSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CallOptions, Database } from 'latchwork'
import { describe, expect, it } from 'vitest'
import { tally } from '../contract/use-database.js'
import { Entry } from '../fixtures/sqlite/entry.js'
import { otherProcess } from '../lib/dialect/sqlite/sqlite-fixture.js'
import { onlyPool, useGround } from '../stress/ground.js'
import { forEachEngine } from '../support/engines.js'

const models = { entries: Entry }
type Log = Database<typeof models>

// takes the lock over and over
const RIVAL = `
  say('under way')
  for (;;) {
    try {
      database.exec('begin immediate')
      await pause(10 + Math.random() * 30)
      database.exec('rollback')
    } catch {}
    await pause(Math.random() * 5)
  }`

forEachEngine(
  (engine) => {
    describe('a file that another process writes to', { timeout: 60_000 }, () => {
      const ground = useGround(engine, models)
      const file = () => ground.url.slice('sqlite:'.length)

      it('takes a thousand calls that are stopped at any moment: nothing is left, and the next in line have their turn', async () => {
        const rival = otherProcess(file(), RIVAL)
        await rival.hear('under way')
        const db = ground.open({ acquireTimeoutMs: 30_000 })
        const codes: string[] = []
        for (let round = 0; round < 10; round++) {
          const calls = Array.from({ length: 100 }, (_, index) => stoppedSomewhen(db, round * 100 + index))
          codes.push(...(await Promise.all(calls)))
        }
        const counts = tally(codes)
        expect(Object.keys(counts).filter((code) => !EXPECTED.includes(code))).toEqual([])
        // each has to occur, else nothing was tried
        for (const code of ['ran', 'ABORTED', 'QUERY_TIMEOUT', 'POOL_TIMEOUT'])
          expect(counts[code], JSON.stringify(counts)).toBeGreaterThan(0)
        expect(onlyPool()).toMatchObject({ leased: 0, waiting: 0 })
        const order: number[] = []
        const inTurn = Array.from({ length: 30 }, (_, n) => db.transaction(async () => void order.push(n)))
        await Promise.all(inTurn)
        expect(order).toEqual(Array.from({ length: 30 }, (_, n) => n))
        expect(await db.nodes.entries.count({ where: { writer: 2 } })).toBe(
          2 * (await db.nodes.entries.count({ where: { writer: 2, n: 0 } })),
        )
        await rival.end()
        await db.close()
        expect(openHandles(file())).toBe(0)
      })
    })

    describe('transactions on one file', { timeout: 60_000 }, () => {
      const ground = useGround(engine, models)

      it.each([1, 2, 5, 10])('all finish, in the order in which they were begun: 200 at once with a pool of %i', async (maxConnections) => {
        const db = ground.open({ maxConnections, acquireTimeoutMs: 30_000 })
        const before = await db.nodes.entries.count()
        const order: number[] = []
        const one = (n: number) =>
          db.transaction(async () => {
            order.push(n)
            await Promise.all([db.nodes.entries.create({ writer: n, n: 0 }), db.nodes.entries.create({ writer: n, n: 1 })])
            const undone = db.transaction(async () => Promise.reject(await db.nodes.entries.create({ writer: n, n: 2 })))
            await expect(undone).rejects.toMatchObject({ n: 2 })
            if (n % 10 === 0) await sleep(1)
            await db.transaction(() => db.nodes.entries.create({ writer: n, n: 3 }))
          })
        const readings = Array.from({ length: 50 }, (_, index) => sleep(index).then(() => db.nodes.entries.count()))
        await Promise.all(Array.from({ length: 200 }, (_, n) => one(n)))
        expect(order).toEqual(Array.from({ length: 200 }, (_, n) => n))
        // whole transactions only
        for (const count of await Promise.all(readings)) expect((count - before) % 3).toBe(0)
        expect((await db.nodes.entries.count()) - before).toBe(600)
        expect(await db.nodes.entries.count({ where: { n: 2 } })).toBe(0)
        expect(onlyPool().open).toBeLessThanOrEqual(1 + maxConnections)
      })
    })
  },
  { engines: ['sqlite'] },
)

const EXPECTED = ['ran', 'ABORTED', 'QUERY_TIMEOUT', 'POOL_TIMEOUT', 'LOCK_TIMEOUT']

/** Begins a call that is stopped after a while, by its signal or its time; gives what became of it. */
async function stoppedSomewhen(db: Log, index: number): Promise<string> {
  const ms = 1 + Math.floor(Math.random() * 80)
  const limit: CallOptions = Math.random() < 0.5 ? { timeoutMs: ms } : { signal: AbortSignal.timeout(ms) }
  const { entries } = db.nodes
  const calls = [
    () => entries.create({ writer: 1, n: index }, limit),
    () => entries.count({}, limit),
    () => entries.bulkCreate({ rows: [0, 1].map((n) => ({ writer: 2, n })) }, limit),
    () =>
      db.transaction(async () => {
        await entries.create({ writer: 2, n: 0 }, limit)
        await sleep(Math.random() * 3)
        await entries.create({ writer: 2, n: 1 }, limit)
      }),
  ]
  return calls[index % calls.length]!().then(
    () => 'ran',
    (error: Error & { code?: string }) => error.code ?? String(error),
  )
}

/** How many descriptors of this process lead to a file of the database; 0 where the system does not tell. */
function openHandles(file: string): number {
  if (!existsSync('/proc/self/fd')) return 0
  return readdirSync('/proc/self/fd').filter((name) => pathOf(name).startsWith(file)).length
}

function pathOf(descriptor: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`)
  } catch {
    // the one that listed the folder is closed by now
    return ''
  }
}
