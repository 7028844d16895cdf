import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { AbortedError, LockTimeoutError, type PoolOptions, PoolTimeoutError, QueryTimeoutError } from 'latchwork'
import { describe, expect, it } from 'vitest'
import { rejectionOf, tally } from '../contract/use-database.js'
import { Entry } from '../fixtures/sqlite/entry.js'
import { type OtherProcess, otherProcess } from '../lib/dialect/sqlite/sqlite-fixture.js'
import { onlyPool, useGround } from '../stress/ground.js'
import { forEachEngine } from '../support/engines.js'

forEachEngine(
  (engine) => {
    describe('a file whose write lock another process holds', { timeout: 30_000 }, () => {
      const ground = useGround(engine, { entries: Entry })

      async function open(pool: Partial<PoolOptions> = {}) {
        const db = ground.open(pool)
        await db.ping()
        const count = await db.nodes.entries.count()
        return { db, entries: db.nodes.entries, added: async () => (await db.nodes.entries.count()) - count }
      }

      /** A process that holds the lock, with a row of its own written, until its script goes on. */
      async function holder(script: string): Promise<OtherProcess> {
        const lock = `database.exec('begin immediate; insert into entries (writer, n) values (99, 0)'); say('locked');`
        const other = otherProcess(ground.url.slice('sqlite:'.length), `${lock} ${script}`)
        await other.hear('locked')
        return other
      }

      it('is waited for without stopping the event loop or a reader, and written to when it is free', async () => {
        const { entries, added } = await open()
        const other = await holder(`await pause(2_000); database.exec('commit'); say('free')`)
        const delay = monitorEventLoopDelay({ resolution: 5 })
        delay.enable()
        const startedMs = performance.now()
        let isWritten = false
        const writing = Promise.all([1, 2, 3].map((n) => entries.create({ writer: 1, n }))).then(() => {
          isWritten = true
        })
        let readings = 0
        while (!isWritten) {
          // nothing of what is not committed
          const seen = await added()
          if (performance.now() - startedMs < 1_500) expect(seen).toBe(0)
          readings++
          await sleep(5)
        }
        await writing
        delay.disable()
        await other.hear('free')
        expect(performance.now() - startedMs).toBeGreaterThan(1_500)
        expect(readings).toBeGreaterThan(50)
        // held up by the lock it would be 2,000 and more
        expect(delay.max / 1e6).toBeLessThan(500)
        expect(await added()).toBe(4)
      })

      it('is waited for no longer than timeoutMs, or until the signal', async () => {
        const { db, entries, added } = await open()
        const other = await holder('await pause(60_000)')
        const startedMs = performance.now()
        const outcomes = await Promise.all([
          rejectionOf(entries.create({ writer: 1, n: 1 }, { timeoutMs: 300 })),
          rejectionOf(entries.create({ writer: 1, n: 2 }, { signal: AbortSignal.timeout(320) })),
          rejectionOf(entries.bulkCreate({ rows: [{ writer: 1, n: 3 }] }, { timeoutMs: 340 })),
        ])
        expect(performance.now() - startedMs).toBeLessThan(1_500)
        expect(outcomes[0]).toBeInstanceOf(QueryTimeoutError)
        expect(outcomes[1]).toBeInstanceOf(AbortedError)
        // the first had the writer; this one was still in the queue
        expect([QueryTimeoutError, PoolTimeoutError, LockTimeoutError].some((type) => outcomes[2] instanceof type)).toBe(true)
        await other.end()
        await db.transaction(() => entries.create({ writer: 1, n: 4 }))
        expect(await added()).toBe(1)
      })

      it('is waited for longer than acquireTimeoutMs where timeoutMs allows it, by BEGIN too', async () => {
        const { entries } = await open({ acquireTimeoutMs: 100 })
        for (const write of [
          () => entries.create({ writer: 1, n: 1 }, { timeoutMs: 20_000 }),
          () => entries.bulkCreate({ rows: [{ writer: 1, n: 1 }] }, { timeoutMs: 20_000 }),
        ]) {
          const other = await holder(`await pause(600); database.exec('commit'); say('free')`)
          await write()
          await other.hear('free')
        }
      })

      it('is waited for no longer than acquireTimeoutMs, the queue included, by whoever names no limit', async () => {
        const { db, entries, added } = await open({ acquireTimeoutMs: 400 })
        const other = await holder('await pause(60_000)')
        const startedMs = performance.now()
        const calls = [
          ...Array.from({ length: 20 }, (_, n) => rejectionOf(entries.create({ writer: 1, n }))),
          ...Array.from({ length: 20 }, (_, n) => rejectionOf(db.transaction(() => entries.create({ writer: 2, n })))),
        ]
        const errors = await Promise.all(calls)
        const tookMs = performance.now() - startedMs
        expect(tookMs).toBeGreaterThan(390)
        expect(tookMs).toBeLessThan(2_000)
        expect(errors.every((error) => error instanceof LockTimeoutError || error instanceof PoolTimeoutError)).toBe(true)
        expect(errors.every(({ retryable }) => retryable === true)).toBe(true)
        expect(errors[0]).toBeInstanceOf(LockTimeoutError)
        expect(errors[0]!.message).toMatch(/locked by another process or pool for \d+ ms; nothing was run/)
        expect(onlyPool()).toMatchObject({ leased: 0, waiting: 0 })
        await other.end()
        await Promise.all(Array.from({ length: 20 }, (_, n) => entries.create({ writer: 3, n })))
        expect(await added()).toBe(20)
      })

      it('is free again when its holder is killed in a transaction, of which nothing is left', async () => {
        const { entries, added } = await open()
        const other = await holder('await pause(60_000)')
        const writing = entries.create({ writer: 1, n: 1 })
        await sleep(50)
        await other.end()
        await writing
        expect(await added()).toBe(1)
      })

      it('is found whole by the next after a process was killed while it wrote', async () => {
        const script = `
          const insert = database.prepare('insert into entries (writer, n) values (?, ?)')
          for (let n = 0; ; n += 2) {
            try { database.exec('begin immediate') } catch { await pause(1); continue }
            insert.run(7, n)
            if (n === 40) say('under way')
            insert.run(7, n + 1)
            database.exec('commit')
            if (n % 20 === 0) await pause(0)
          }`
        for (let round = 0; round < 3; round++) {
          const other = otherProcess(ground.url.slice('sqlite:'.length), script)
          await other.hear('under way')
          await other.end()
          const { db, entries, added } = await open()
          await entries.create({ writer: 8, n: round })
          expect(await added()).toBe(1)
          const { rows } = await entries.list({ where: { writer: 7 }, limit: 100_000 })
          const numbers = tally(rows.map(({ n }) => String(n)))
          for (const n of Object.keys(numbers).map(Number)) if (n % 2 === 0) expect(numbers[n]).toBe(numbers[n + 1])
          await db.close()
          expect(await engine.admin(ground.url, 'pragma integrity_check')).toEqual([{ integrity_check: 'ok' }])
        }
      })
    })
  },
  { engines: ['sqlite'] },
)
