import { setTimeout as sleep } from 'node:timers/promises'
import { AbortedError, CommitUnknownError, type Database, type Generated, id, model } from 'latchwork'
import { describe, expect, it } from 'vitest'
import { models } from '../contract/members.js'
import { tally } from '../contract/use-database.js'
import { mostSessions, onlyPool, statementsOnServer, useGround } from '../stress/ground.js'
import { forEachEngine } from '../support/engines.js'
import { napView } from '../support/naps.js'

/** Reads from a view that takes its time. */
@model()
class Nap {
  @id() id!: Generated<number>
}

const NAP_SECONDS = 0.03

type Shop = Database<typeof models & { naps: typeof Nap }>
type Stage = (db: Shop, signal: AbortSignal, index: number) => Promise<unknown>

const STAGES: Readonly<Record<string, Stage>> = {
  'before it is sent': (db, signal, index) => db.nodes.stocks.create(stock('single', index), { signal }),
  'while it runs': (db, signal) => db.nodes.naps.list({}, { signal }),
  'in a transaction': (db, signal, index) =>
    db.transaction(async () => {
      await db.nodes.stocks.create(stock('pair', index), { signal })
      await sleep(Math.random() * 3)
      await db.nodes.stocks.create(stock('pair', index + 0.5), { signal })
    }),
  'in a nested transaction': (db, signal, index) =>
    db.transaction(() =>
      db.transaction(async () => {
        await db.nodes.stocks.create(stock('nested', index), { signal })
        await db.nodes.stocks.update({ where: { warehouse: 'nested', item: String(index) }, set: { amount: 1 } }, { signal })
      }),
    ),
  // in a transaction of its own, with BEGIN and COMMIT under the signal
  'at its commit': (db, signal, index) => db.nodes.stocks.bulkCreate({ rows: manyRows(index) }, { signal }),
}

const ROWS = 300

function stock(warehouse: string, item: number) {
  return { warehouse, item: String(item), amount: 0 }
}

function manyRows(index: number) {
  return Array.from({ length: ROWS }, (_, row) => ({ warehouse: `bulk ${index}`, item: String(row), amount: row }))
}

forEachEngine((engine) => {
  describe('aborts at every moment', { timeout: 60_000 }, () => {
    const ground = useGround(engine, { ...models, naps: Nap }, async (url) => {
      if (engine.name !== 'sqlite') await engine.admin(url, napView(engine, 'naps', NAP_SECONDS))
    })

    it('leave nothing behind and take no neighbour with them, a thousand times', async () => {
      const db = ground.open({ maxConnections: 8, acquireTimeoutMs: 30_000 })
      const codes: string[] = []
      const neighbours: number[] = []
      const most = await mostSessions(engine, ground.url, async () => {
        for (let round = 0; round < 20; round++) {
          // soon, late, and now and then not before the end: so that each kind of work is seen to go well too
          const calls = Array.from({ length: 50 }, (_, index) =>
            abortedSomewhen(db, round * 50 + index, [20, 200, 20, Infinity][index % 4]!),
          )
          const beside = Array.from({ length: 20 }, () => sleep(Math.random() * 30).then(() => db.nodes.members.count()))
          codes.push(...(await Promise.all(calls)))
          neighbours.push(...(await Promise.all(beside)))
        }
      })
      expect(neighbours).toEqual(neighbours.map(() => 0))
      expect(neighbours).toHaveLength(400)
      const counts = tally(codes)
      expect(Object.keys(counts).filter((code) => !['ran', 'ABORTED', 'COMMIT_UNKNOWN'].includes(code))).toEqual([])
      // both have to occur, else nothing was tried
      expect(counts.ABORTED).toBeGreaterThan(100)
      expect(counts.ran).toBeGreaterThan(200)
      expect(onlyPool()).toMatchObject({ leased: 0, waiting: 0 })
      await expect.poll(() => statementsOnServer(engine, ground.url), { timeout: 1_500 }).toBe(0)
      expect(await Promise.all(Array.from({ length: 30 }, () => db.nodes.members.count()))).toEqual(Array.from({ length: 30 }, () => 0))
      // and the one over which the others are stopped, where the protocol has no other way
      expect(most).toBeLessThanOrEqual(engine.name === 'mysql' ? 9 : 8)
    })

    it('leave all or nothing of what they stopped', async () => {
      const db = ground.open()
      const amounts = async (warehouse: string) =>
        (await db.nodes.stocks.list({ where: { warehouse } })).rows.map(({ item }) => Number(item))
      const pairs = new Set(await amounts('pair'))
      expect([...pairs].filter((item) => !pairs.has(Number.isInteger(item) ? item + 0.5 : item - 0.5))).toEqual([])
      const bulk = await engine.admin(ground.url, "select count(*) as n from stocks where warehouse like 'bulk %' group by warehouse")
      expect(bulk.filter(({ n }) => Number(n) !== ROWS)).toEqual([])
      expect(bulk.length).toBeGreaterThan(0)
    })

    it('leave a pool that is being opened as it is, for those who did not abort', async () => {
      for (let round = 0; round < 20; round++) {
        const db = ground.open({ maxConnections: 4, idleTimeoutMs: 10_000 + round })
        const aborted = Array.from({ length: 10 }, (_, index) => abortedSomewhen(db, index * 5, 4))
        const kept = Array.from({ length: 5 }, () => db.nodes.members.count())
        expect(await Promise.all(kept)).toEqual([0, 0, 0, 0, 0])
        for (const code of await Promise.all(aborted)) expect(['ran', 'ABORTED', 'UNIQUE_VIOLATION']).toContain(code)
        await db.close()
      }
    })
  })
})

/** Begins a call and aborts it after a while; gives what became of it. */
async function abortedSomewhen(db: Shop, index: number, mostMs: number): Promise<string> {
  const stages = Object.values(STAGES)
  const controller = new AbortController()
  const timer = mostMs === Infinity ? undefined : setTimeout(() => controller.abort(), Math.random() * mostMs)
  try {
    await stages[index % stages.length]!(db, controller.signal, index)
    return 'ran'
  } catch (error) {
    if (error instanceof AbortedError || error instanceof CommitUnknownError) return error.code
    return (error as { code?: string }).code ?? String(error)
  } finally {
    clearTimeout(timer)
  }
}
