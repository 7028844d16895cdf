import { setTimeout as sleep } from 'node:timers/promises'
import { type Generated, id, model } from 'latchwork'
import { describe, expect, it } from 'vitest'
import { models } from '../contract/members.js'
import { countSessions, tally } from '../contract/use-database.js'
import { useGround } from '../stress/ground.js'
import { forEachEngine } from '../support/engines.js'
import { napView } from '../support/naps.js'
import { startTcpProxy } from '../support/tcp-proxy.js'

/** Reads from a view that takes its time. */
@model()
class Nap {
  @id() id!: Generated<number>
}

const BUDGET = 3
const NAP_SECONDS = 0.2

forEachEngine(
  (engine) => {
    describe('a budget of connections', { timeout: 60_000 }, () => {
      const ground = useGround(engine, { ...models, naps: Nap }, (url) => engine.admin(url, napView(engine, 'naps', NAP_SECONDS)))
      // a statement is stopped over a connection more, where the protocol has no other way: one for each pool
      const killers = engine.name === 'mysql' ? 2 : 0

      /** Most sessions that the server had, of many looks, while the work was done. */
      async function mostWhile(work: Promise<unknown>): Promise<number> {
        let most = 0
        let isOver = false
        const over = work.finally(() => {
          isOver = true
        })
        while (!isOver) most = Math.max(most, await countSessions(engine, ground.url))
        await over
        return most
      }

      it('is what the server counts, whatever is stopped, soiled or replaced', async () => {
        const pool = { acquireTimeoutMs: 8_000, idleTimeoutMs: 30 }
        const databases = [4, 5].map((maxConnections) => ground.open({ ...pool, maxConnections }, { connectionBudget: BUDGET }))
        const codes: string[] = []
        const call = (db: (typeof databases)[number], kind: number): Promise<unknown> => {
          if (kind === 0) return db.nodes.naps.list({}, { timeoutMs: 30 })
          return kind === 1 ? db.kysely.selectFrom('members').selectAll().execute() : db.nodes.members.count()
        }
        const calls = databases.flatMap((db) =>
          Array.from({ length: 8 }, async (_, index) => {
            for (let round = 0; round < 30; round++) {
              codes.push(await codeOf(call(db, index % 4)))
              await sleep(Math.random() * 20)
            }
          }),
        )
        const most = await mostWhile(Promise.all(calls))
        expect(most).toBeGreaterThanOrEqual(BUDGET)
        expect(most).toBeLessThanOrEqual(BUDGET + killers)
        // its 30 ms may be over in the queue, or before its pool is open
        const told = Object.keys(tally(codes))
        expect(told).toEqual(expect.arrayContaining(['ran', 'QUERY_TIMEOUT']))
        const others = ['POOL_TIMEOUT', 'LOCK_TIMEOUT', 'POOL_EXHAUSTED']
        expect(told.filter((code) => !['ran', 'QUERY_TIMEOUT', ...others].includes(code))).toEqual([])
      })

      it('has no room for a second attempt beside a slow one', async () => {
        const proxy = await startTcpProxy(ground.url)
        try {
          proxy.set({ kind: 'delay', delayMs: 700 })
          const db = ground.open({ maxConnections: 8, acquireTimeoutMs: 15_000 }, { connectionBudget: BUDGET, url: proxy.url })
          const calls = Promise.all(Array.from({ length: 8 }, () => db.nodes.members.count()))
          expect(await mostWhile(calls)).toBe(BUDGET)
          expect(await calls).toEqual(Array.from({ length: 8 }, () => 0))
          expect(proxy.accepted).toBe(BUDGET)
        } finally {
          await proxy.close()
        }
      })
    })
  },
  { engines: ['postgres', 'mysql'] },
)

function codeOf(call: Promise<unknown>): Promise<string> {
  return call.then(
    () => 'ran',
    (error: { readonly code: string }) => error.code,
  )
}
