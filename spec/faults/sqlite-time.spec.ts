import { AbortedError, QueryTimeoutError } from 'latchwork'
import { describe, expect, it } from 'vitest'
import { rejectionOf } from '../contract/use-database.js'
import { Entry } from '../fixtures/sqlite/entry.js'
import { onlyPool, useGround } from '../stress/ground.js'
import { forEachEngine } from '../support/engines.js'

// each row written takes some milliseconds, during which nothing can stop SQLite
const SLOW = `create trigger slow after insert on entries begin
  select max(n) from (with recursive c(n) as (select 1 union all select n + 1 from c where n < 5000) select n from c);
end`
const rows = Array.from({ length: 1_000 }, (_, n) => ({ writer: 1, n }))

forEachEngine(
  (engine) => {
    describe('SQLite, which cannot interrupt a statement that runs', { timeout: 30_000 }, () => {
      const ground = useGround(engine, { entries: Entry }, (url) => engine.admin(url, SLOW))

      it.each([true, false])('looks at timeoutMs between the rows of a bulk statement, transaction: %s', async (transaction) => {
        const db = ground.open()
        await db.ping()
        const startedMs = performance.now()
        const whole = await db.nodes.entries.bulkCreate({ rows: rows.slice(0, 50) }).then(() => performance.now() - startedMs)
        const before = await db.nodes.entries.count()
        const limitedMs = performance.now()
        const error = await rejectionOf(db.nodes.entries.bulkCreate({ rows }, { timeoutMs: 100, transaction }))
        const tookMs = performance.now() - limitedMs
        expect(error).toBeInstanceOf(QueryTimeoutError)
        // all thousand take twenty times as long as the fifty
        expect(tookMs).toBeLessThan(Math.max(whole * 10, 1_000))
        expect(await db.nodes.entries.count()).toBe(before)
        expect(onlyPool()).toMatchObject({ leased: 0, waiting: 0 })
        await db.nodes.entries.create({ writer: 2, n: 0 })
      })

      it('keeps nothing of a transaction in which a bulk statement ran past its time', async () => {
        const db = ground.open()
        const before = await db.nodes.entries.count()
        const error = await rejectionOf(
          db.transaction(async () => {
            await db.nodes.entries.create({ writer: 3, n: 0 })
            await db.nodes.entries.bulkCreate({ rows }, { timeoutMs: 50 })
          }),
        )
        expect(error).toBeInstanceOf(QueryTimeoutError)
        expect(await db.nodes.entries.count()).toBe(before)
      })

      it('runs nothing for a signal that was aborted before, and nothing after the time of a bulk call is over', async () => {
        const db = ground.open()
        const before = await db.nodes.entries.count()
        const signal = AbortSignal.abort(new Error('gone'))
        expect(await rejectionOf(db.nodes.entries.create({ writer: 4, n: 0 }, { signal }))).toBeInstanceOf(AbortedError)
        expect(await rejectionOf(db.nodes.entries.bulkCreate({ rows }, { signal }))).toBeInstanceOf(AbortedError)
        const inTransaction = db.transaction(async () => {
          const controller = new AbortController()
          await db.nodes.entries.create({ writer: 4, n: 1 }, { signal: controller.signal })
          controller.abort()
          await db.nodes.entries.create({ writer: 4, n: 2 }, { signal: controller.signal })
        })
        expect(await rejectionOf(inTransaction)).toBeInstanceOf(AbortedError)
        expect(await db.nodes.entries.count()).toBe(before)
      })
    })
  },
  { engines: ['sqlite'] },
)
