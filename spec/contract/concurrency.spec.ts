import { AsyncLocalStorage } from 'node:async_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeEach, describe, expect, it } from 'vitest'
import { forEachEngine } from '../support/engines.js'
import { models } from './members.js'
import { countSessions, tally, useDatabase } from './use-database.js'

forEachEngine((engine) => {
  describe('many callers on one pool', () => {
    const shop = useDatabase(engine, models, { pool: { maxConnections: 10, acquireTimeoutMs: 15_000 } })

    beforeEach(() => shop.clear())

    it('all finish: 300 workflows on 10 connections, and the server never sees more', async () => {
      const { members } = shop.another({ pool: { maxConnections: 10, acquireTimeoutMs: 15_000 } }).nodes
      const workflow = async (index: number) => {
        const { id } = await members.create({ email: `member${index}@example.com` })
        const read = await members.readOrThrow({ where: { id } })
        const updated = await members.update({ where: { id }, set: { age: index }, version: read.version })
        return { index: updated.age, counted: await members.count({ where: { id } }) }
      }
      const watch = watchSessions()
      const results = await Promise.all(Array.from({ length: 300 }, (_, index) => workflow(index)))
      const most = await watch.stop()
      expect(results).toEqual(Array.from({ length: 300 }, (_, index) => ({ index, counted: 1 })))
      expect(await members.count({ where: { version: 2 } })).toBe(300)
      expect(most).toBeLessThanOrEqual(10)
    })

    it('each keep their own AsyncLocalStorage store after every call', async () => {
      const storage = new AsyncLocalStorage<number>()
      const { members } = shop.nodes
      const wrong: unknown[] = []
      const check = (index: number, where: string) => storage.getStore() === index || wrong.push([index, where, storage.getStore()])
      const one = (index: number) =>
        storage.run(index, async () => {
          const { id } = await members.create({ email: `store${index}@example.com` })
          check(index, 'create')
          const reading = members.read({ where: { id } }).then(() => check(index, 'then of read'))
          await Promise.all([reading, members.count({ where: { id } })])
          check(index, 'all')
          if (index % 5 === 0) {
            await shop.db.transaction(async () => {
              check(index, 'transaction')
              await members.update({ where: { id }, set: { age: 1 } })
              check(index, 'update')
            })
            check(index, 'after transaction')
          }
          await members.create({ email: `store${index}@example.com` }).catch(() => check(index, 'catch'))
          check(index, 'end')
        })
      await Promise.all(Array.from({ length: 1_000 }, (_, index) => one(index)))
      expect(wrong).toEqual([])
      expect(storage.getStore()).toBeUndefined()
    })

    it('never write into the transaction of another', async () => {
      const one = (index: number) =>
        index % 2 === 0
          ? shop.nodes.stocks.create({ warehouse: 'kept', item: String(index), amount: index })
          : shop.db
              .transaction(async () => {
                await shop.nodes.stocks.create({ warehouse: 'undone', item: String(index), amount: index })
                await sleep(Math.random() * 2)
                throw new Error('undo')
              })
              .catch(() => undefined)
      await Promise.all(Array.from({ length: 200 }, (_, index) => one(index)))
      const { rows } = await shop.nodes.stocks.list()
      expect(tally(rows.map(({ warehouse }) => warehouse))).toEqual({ kept: 100 })
    })

    it('lose no increment of one row', async () => {
      await shop.nodes.stocks.create({ warehouse: 'w', item: 'a', amount: 0 })
      const add = () => shop.nodes.stocks.update({ where: { warehouse: 'w', item: 'a' }, set: { amount: { $increment: 1 } } })
      const amounts = (await Promise.all(Array.from({ length: 100 }, add))).map(({ amount }) => amount)
      expect([...amounts].sort((left, right) => left - right)).toEqual(Array.from({ length: 100 }, (_, index) => index + 1))
    })

    function watchSessions(): { stop(): Promise<number> } {
      let isOver = false
      const most = (async () => {
        let seen = 0
        // SQLite has no server, and no sessions to count
        while (!isOver && engine.name !== 'sqlite') {
          seen = Math.max(seen, await countSessions(engine, shop.url))
          await sleep(5)
        }
        return seen
      })()
      return {
        stop: () => {
          isOver = true
          return most
        },
      }
    }
  })
})
