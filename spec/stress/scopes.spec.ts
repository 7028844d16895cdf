import { AsyncLocalStorage } from 'node:async_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { models } from '../contract/members.js'
import { rejectionOf, tally } from '../contract/use-database.js'
import { forEachEngine } from '../support/engines.js'
import { useGround } from './ground.js'

const SCOPES = 1_000

forEachEngine((engine) => {
  describe('a thousand requests at once', { timeout: 60_000 }, () => {
    const ground = useGround(engine, models)

    it('see nothing of each other: 20 queries each, some in transactions, each with a store of its own', async () => {
      const storage = new AsyncLocalStorage<number>()
      const db = ground.open({ acquireTimeoutMs: 30_000 })
      const wrong: unknown[] = []
      let observations = 0
      const check = (scope: number, where: string) => {
        observations++
        if (storage.getStore() !== scope) wrong.push({ scope, where, seen: storage.getStore() })
      }
      const checked = <T>(scope: number, where: string, call: Promise<T>) => call.finally(() => check(scope, where))
      const { stocks } = db.nodes
      const warehouseOf = (scope: number) => `scope ${scope}`
      // five queries: two side by side, one that fails, one whose rows must all be this scope's
      const fiveQueries = async (scope: number, turn: number) => {
        const key = { warehouse: warehouseOf(scope), item: String(turn) }
        await checked(scope, 'create', stocks.create({ ...key, amount: scope }))
        await Promise.all([
          checked(scope, 'update', stocks.update({ where: key, set: { amount: scope + 1 } })),
          checked(scope, 'count', stocks.count({ where: { warehouse: key.warehouse } })),
        ])
        await checked(scope, 'savepoint', rejectionOf(db.transaction(() => stocks.create({ ...key, amount: 0 }))))
        const { rows } = await checked(scope, 'list', stocks.list({ where: { warehouse: key.warehouse } }))
        if (rows.length !== turn + 1 || rows.some(({ amount }) => amount !== scope + 1)) wrong.push({ scope, turn, rows })
      }
      const request = (scope: number) =>
        storage.run(scope, async () => {
          for (let turn = 0; turn < 4; turn++) {
            if (turn % 2 === scope % 2)
              await checked(
                scope,
                'commit',
                db.transaction(() => fiveQueries(scope, turn)),
              )
            else await fiveQueries(scope, turn)
          }
        })
      await Promise.all(Array.from({ length: SCOPES }, (_, scope) => request(scope)))
      expect(wrong).toEqual([])
      expect(observations).toBe(SCOPES * (4 * 5 + 2))
      expect(storage.getStore()).toBeUndefined()
      expect(await stocks.count()).toBe(SCOPES * 4)
    })

    it('never write into the transaction of another', async () => {
      const { db, stocks } = withStocks()
      const one = (index: number) =>
        index % 2 === 0
          ? stocks.create({ warehouse: 'kept', item: String(index), amount: index })
          : db
              .transaction(async () => {
                await stocks.create({ warehouse: 'undone', item: String(index), amount: index })
                await sleep(Math.random() * 2)
                throw new Error('undo')
              })
              .catch(() => undefined)
      for (let round = 0; round < 20; round++) await Promise.all(Array.from({ length: 50 }, (_, index) => one(round * 50 + index)))
      const { rows } = await stocks.list({ where: { warehouse: { $in: ['kept', 'undone'] } } })
      expect(tally(rows.map(({ warehouse }) => warehouse))).toEqual({ kept: 500 })
    })

    it('lose no increment of one row', async () => {
      const { stocks } = withStocks()
      const where = { warehouse: 'counted', item: 'a' }
      await stocks.create({ ...where, amount: 0 })
      const add = () => stocks.update({ where, set: { amount: { $increment: 1 } } })
      const amounts = (await Promise.all(Array.from({ length: SCOPES }, add))).map(({ amount }) => amount)
      expect([...amounts].sort((left, right) => left - right)).toEqual(Array.from({ length: SCOPES }, (_, index) => index + 1))
    })

    function withStocks() {
      const db = ground.open({ acquireTimeoutMs: 30_000 })
      return { db, stocks: db.nodes.stocks }
    }
  })
})
