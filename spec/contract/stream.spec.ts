import { setTimeout as sleep } from 'node:timers/promises'
import { AbortedError, QueryTimeoutError, ScopeClosedError } from 'latchwork'
import { beforeAll, describe, expect, it } from 'vitest'
import { type NodeEvent, nodeEvents } from '../../lib/events.js'
import { forEachEngine } from '../support/engines.js'
import { models } from './members.js'
import { statementsOf } from './use-blog.js'
import { rejectionOf, useDatabase } from './use-database.js'

const ROWS = 1_203

async function all<T>(rows: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = []
  for await (const row of rows) list.push(row)
  return list
}

forEachEngine((engine) => {
  describe('stream', () => {
    const use = useDatabase(engine, models)
    const stocks = () => use.nodes.stocks

    beforeAll(async () => {
      const rows = Array.from({ length: ROWS }, (_, index) => ({
        warehouse: `w${index % 7}`,
        item: String(index).padStart(5, '0'),
        amount: index % 10,
      }))
      await stocks().bulkCreate({ rows })
      const member = await use.nodes.members.create({ email: 'a@b.c' })
      await use.nodes.notes.create({ memberId: member.id, title: 'n' })
    })

    it('gives every row once, in order, in chunks', async () => {
      const orderBy = { amount: 'desc', item: 'asc' } as const
      const expected = (await stocks().list({ orderBy })).rows
      expect(await all(stocks().stream({ orderBy }))).toEqual(expected)
      expect(await statementsOf(() => all(stocks().stream()))).toBe(3)
      expect(await all(stocks().stream({ where: { item: 'none' } }))).toEqual([])
    })

    it('takes filters, fields, relations and a limit', async () => {
      const rows = await all(stocks().stream({ where: { amount: 3 }, orderBy: { item: 'asc' }, limit: 2 }, { select: ['item'] }))
      expect(rows).toEqual([{ item: '00003' }, { item: '00013' }])
      expect(await all(stocks().stream({ limit: 0 }))).toEqual([])
      expect(await all(stocks().stream({ limit: 501 }))).toHaveLength(501)
      const [note] = await all(use.nodes.notes.stream({ include: { member: true } }))
      expect(note!.member.email).toBe('a@b.c')
    })

    it('reads the next chunk when the last one is taken, and holds no connection meanwhile', async () => {
      let taken = 0
      const count = await statementsOf(async () => {
        for await (const _row of stocks().stream()) {
          expect(use.db.poolInfo()!.stats!.leased).toBe(0)
          if (++taken === 500) break
        }
      })
      expect(count).toBe(1)
      // with the one connection of its pool
      const db = use.another({ pool: { maxConnections: 1, share: false } })
      for await (const row of db.nodes.stocks.stream({ limit: 3 }))
        expect(await db.nodes.stocks.exists({ where: { item: row.item } })).toBe(true)
    })

    it('ends by break, by throw and by return, with nothing left', async () => {
      for await (const _row of stocks().stream()) break
      const reason = new Error('mine')
      const failing = (async () => {
        for await (const _row of stocks().stream()) throw reason
      })()
      expect(await rejectionOf(failing)).toBe(reason)
      const rows = stocks().stream()
      await rows.next()
      expect(await rows.return()).toEqual({ done: true, value: undefined })
      expect(await rows.next()).toEqual({ done: true, value: undefined })
      expect(use.db.poolInfo()!.stats!.leased).toBe(0)
    })

    it('ends when its signal is aborted, or its time is over, also between rows', async () => {
      const controller = new AbortController()
      const aborted = (async () => {
        for await (const _row of stocks().stream({}, { signal: controller.signal })) controller.abort()
      })()
      expect(await rejectionOf(aborted)).toBeInstanceOf(AbortedError)
      const late = (async () => {
        for await (const _row of stocks().stream({}, { timeoutMs: 60 })) await sleep(80)
      })()
      expect(await rejectionOf(late)).toBeInstanceOf(QueryTimeoutError)
    })

    it('belongs to the transaction in which it was asked for, and takes turns with its other calls', async () => {
      let left: AsyncGenerator<unknown, void, undefined> | undefined
      const outcome = use.db.transaction(async () => {
        await stocks().create({ warehouse: 'new', item: 'x', amount: 77 })
        const rows = await all(stocks().stream({ where: { amount: 77 } }))
        expect(rows).toHaveLength(1)
        for await (const row of stocks().stream({ limit: 2 }))
          await stocks().update({ where: { warehouse: row.warehouse, item: row.item }, set: { amount: 5 } })
        left = stocks().stream()
        throw new Error('undo')
      })
      await rejectionOf(outcome)
      expect(await rejectionOf(left!.next())).toBeInstanceOf(ScopeClosedError)
      expect(await stocks().exists({ where: { amount: 77 } })).toBe(false)
    })

    it('is one event, with the time that reading took', async () => {
      const events: NodeEvent[] = []
      const listener = (event: NodeEvent) => void events.push(event)
      nodeEvents.subscribe(listener)
      try {
        for await (const _row of stocks().stream({ limit: 3 })) await sleep(20)
        await rejectionOf(all(stocks().stream({ where: { nothing: 1 } as never })))
      } finally {
        nodeEvents.unsubscribe(listener)
      }
      expect(events.map(({ node, error }) => [node, error === undefined])).toEqual([
        ['StockStreamNode', true],
        ['StockStreamNode', false],
      ])
      expect(events[0]!.durationMs).toBeLessThan(50)
    })

    it('refuses bad input when the first row is asked for', async () => {
      expect(
        await rejectionOf(
          stocks()
            .stream({ orderBy: { x: 'asc' } } as never)
            .next(),
        ),
      ).toMatchObject({ code: 'UNKNOWN_FIELD' })
      expect(await rejectionOf(stocks().stream({ limit: -1 }).next())).toMatchObject({ code: 'VALIDATION' })
      expect(
        await rejectionOf(
          stocks()
            .stream({ offset: 1 } as never)
            .next(),
        ),
      ).toMatchObject({ code: 'UNKNOWN_FIELD' })
    })
  })
})
