import { existsSync, statSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { createDatabase } from 'latchwork'
import { describe, expect, it } from 'vitest'
import { Page, pages } from '../fixtures/sqlite/page.js'
import { useGround } from '../stress/ground.js'
import { forEachEngine } from '../support/engines.js'

const MIB = 1024 * 1024
const LIMIT_BYTES = 64 * MIB

forEachEngine(
  (engine) => {
    describe('the write-ahead log', { timeout: 60_000 }, () => {
      const ground = useGround(engine, { pages: Page })
      const logBytes = () => statSync(`${ground.url.slice('sqlite:'.length)}-wal`).size

      it('stays small under 20,000 writes with readers beside', async () => {
        const { pages: nodes } = ground.open().nodes
        let isOver = false
        let most = 0
        const reading = Array.from({ length: 4 }, async () => {
          let readings = 0
          while (!isOver) {
            await nodes.list({ orderBy: { id: 'desc' }, limit: 20 })
            most = Math.max(most, logBytes())
            readings++
            await sleep(1)
          }
          return readings
        })
        for (let round = 0; round < 200; round++) {
          await Promise.all(Array.from({ length: 100 }, () => nodes.create({ text: 'a short text' })))
          // a driver without waits would leave the readers no turn
          await new Promise(setImmediate)
        }
        isOver = true
        for (const readings of await Promise.all(reading)) expect(readings).toBeGreaterThan(20)
        expect(await nodes.count()).toBe(20_000)
        expect(most).toBeGreaterThan(0)
        expect(most).toBeLessThan(16 * MIB)
      })

      it('grows while a reader keeps an old state, and is cut back to its limit when that one has ended', async () => {
        const db = ground.open()
        let seen = 0
        await db.transaction(
          async () => {
            seen = await db.nodes.pages.count()
            await using elsewhere = createDatabase({ url: ground.url, models: { pages: Page }, pool: { share: false } })
            for (let n = 0; n < 75; n++) await elsewhere.nodes.pages.create(pages(1, MIB)[0]!)
            expect(await db.nodes.pages.count()).toBe(seen)
            expect(logBytes()).toBeGreaterThan(LIMIT_BYTES)
          },
          { readOnly: true },
        )
        for (let n = 0; n < 3; n++) await db.nodes.pages.create({ text: 'one more' })
        expect(logBytes()).toBeLessThanOrEqual(LIMIT_BYTES)
        expect(await db.nodes.pages.count()).toBe(seen + 78)
      })

      it('is gone with everything beside the database once the last one is closed, also in the middle of work', async () => {
        const file = ground.url.slice('sqlite:'.length)
        const beside = () => [`${file}-wal`, `${file}-shm`, `${file}-journal`].filter((path) => existsSync(path))
        const db = ground.open({ maxConnections: 4 })
        const calls = Array.from({ length: 200 }, (_, n) =>
          n % 4 === 0 ? db.nodes.pages.count() : db.nodes.pages.create({ text: 'late' }),
        )
        const settled = Promise.allSettled(calls)
        await calls[0]
        expect(beside()).not.toEqual([])
        await db.close()
        await settled
        expect(beside()).toEqual([])
      })
    })
  },
  { engines: ['sqlite'] },
)
