import { AsyncResource } from 'node:async_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { models } from '../contract/members.js'
import { tally } from '../contract/use-database.js'
import { forEachEngine } from '../support/engines.js'
import { onlyPool, useGround } from './ground.js'

/** Calls `call` in the context of this module: outside every transaction. */
const outOfContext = AsyncResource.bind(<T>(call: () => Promise<T>) => call())

forEachEngine((engine) => {
  describe('callers who wait for a connection', () => {
    const ground = useGround(engine, models)

    it('get the only one strictly in the order in which they came: 100 of them, twenty times over', async () => {
      const db = ground.open({ maxConnections: 1 })
      for (let round = 0; round < 20; round++) {
        const order: number[] = []
        let done: Promise<unknown>
        await db.transaction(async () => {
          done = outOfContext(() => Promise.all(Array.from({ length: 100 }, (_, tag) => db.transaction(async () => order.push(tag)))))
          expect(order).toEqual([])
        })
        await done!
        expect(order).toEqual(Array.from({ length: 100 }, (_, tag) => tag))
      }
      expect(onlyPool().open).toBeLessThanOrEqual(1)
    })

    it('leave it to those behind them when they give up, whose order stays', async () => {
      const db = ground.open({ maxConnections: 1 })
      const order: number[] = []
      const givenUp = new AbortController()
      const call = async (tag: number) => {
        if (tag % 3 > 0) await db.transaction(async () => void order.push(tag))
        else await db.nodes.tickets.create({}, { signal: givenUp.signal })
      }
      let outcomes: Promise<PromiseSettledResult<void>[]>
      await db.transaction(async () => {
        outcomes = outOfContext(() => Promise.allSettled(Array.from({ length: 99 }, (_, tag) => call(tag))))
        await sleep(10)
        givenUp.abort()
      })
      expect(tally((await outcomes!).map(({ status }) => status))).toEqual({ fulfilled: 66, rejected: 33 })
      expect(order).toEqual(Array.from({ length: 99 }, (_, tag) => tag).filter((tag) => tag % 3 > 0))
    })

    it('never wait for a second one while they hold one: 10 workers with nested calls and transactions on 2, twenty times over', async () => {
      const db = ground.open({ maxConnections: 2 })
      const worker = (round: number, index: number) =>
        db.transaction(async () => {
          const item = `${round}-${index}`
          await db.nodes.stocks.create({ warehouse: 'nested', item, amount: 0 })
          await Promise.all([1, 2, 3].map(() => addWithin(item)))
          await db.transaction(() => addWithin(item))
          return (await db.nodes.stocks.readOrThrow({ where: { warehouse: 'nested', item } })).amount
        })
      const addWithin = (item: string) =>
        db.transaction(async () => {
          await db.nodes.stocks.count()
          await db.nodes.stocks.update({ where: { warehouse: 'nested', item }, set: { amount: { $increment: 1 } } })
        })
      for (let round = 0; round < 20; round++) {
        expect(await Promise.all(Array.from({ length: 10 }, (_, index) => worker(round, index)))).toEqual(
          Array.from({ length: 10 }, () => 4),
        )
      }
    })

    it('all finish: 50 transactions at once on 2 connections, each with calls and a nested transaction that is undone', async () => {
      const db = ground.open({ maxConnections: 2 })
      const one = (index: number) =>
        db.transaction(async () => {
          await db.nodes.stocks.create({ warehouse: 'kept', item: String(index), amount: index })
          const undone = db.transaction(async () => {
            await db.nodes.stocks.create({ warehouse: 'undone', item: String(index), amount: index })
            throw new Error('undo')
          })
          await expect(undone).rejects.toThrow('undo')
          await sleep(1)
          return db.nodes.stocks.count({ where: { item: String(index), warehouse: { $in: ['kept', 'undone'] } } })
        })
      expect(await Promise.all(Array.from({ length: 50 }, (_, index) => one(index)))).toEqual(Array.from({ length: 50 }, () => 1))
      const { rows } = await db.nodes.stocks.list({ where: { warehouse: { $in: ['kept', 'undone'] } } })
      expect(tally(rows.map(({ warehouse }) => warehouse))).toEqual({ kept: 50 })
    })
  })
})
