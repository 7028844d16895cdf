import { createDatabase, NPlusOneError, withLockScope } from 'latchwork'
import { describe, expect, it } from 'vitest'
import { forEachEngine } from '../support/engines.js'
import { models } from './blog.js'
import { statementsOf, useBlog } from './use-blog.js'
import { rejectionOf } from './use-database.js'

forEachEngine((engine) => {
  describe('strict mode', () => {
    const use = useBlog(engine)
    const strictly = (strict: boolean | { maxRepeats: number } = { maxRepeats: 3 }) => use.another({ strict })
    const repeat = async (times: number, call: (turn: number) => Promise<unknown>) => {
      for (let turn = 0; turn < times; turn++) await call(turn)
    }

    it('refuses a read that runs once too often in a lock scope, before it is sent', async () => {
      const { writers } = strictly().nodes
      let error: unknown
      const sent = await statementsOf(async () => {
        error = await rejectionOf(withLockScope(() => repeat(9, (turn) => writers.read({ where: { id: turn } }))))
      })
      expect(error).toBeInstanceOf(NPlusOneError)
      expect(error).toMatchObject({ code: 'N_PLUS_ONE', node: 'WriterReadNode', count: 3, retryable: false })
      expect(sent).toBe(3)
    })

    it('does so for each node that reads, side by side too', async () => {
      const { writers } = strictly().nodes
      const where = { name: 'Ada' }
      for (const call of [
        () => writers.readOrThrow({ where }),
        () => writers.list({ where }),
        () => writers.readMany({ keys: [where] }),
        () => writers.count({ where }),
        () => writers.exists({ where }),
        () => writers.aggregate({ where, values: { n: '$count' } }),
      ]) {
        await withLockScope(() => repeat(3, call))
        expect(await rejectionOf(withLockScope(() => repeat(4, call)))).toMatchObject({ code: 'N_PLUS_ONE' })
        expect(await rejectionOf(withLockScope(() => Promise.all([call(), call(), call(), call()])))).toMatchObject({ code: 'N_PLUS_ONE' })
      }
    })

    it('counts in a transaction, which goes on after a refusal', async () => {
      const db = strictly()
      const read = () => db.nodes.writers.read({ where: { name: 'Ada' } })
      await withLockScope(async () => {
        await repeat(3, read)
        await db.transaction(async () => {
          await repeat(2, read)
          // a savepoint is part of it
          await db.transaction(read)
          expect(await rejectionOf(read())).toMatchObject({ code: 'N_PLUS_ONE' })
          expect(await db.nodes.writers.count()).toBe(4)
        })
        await db.transaction(read)
      })
    })

    it('tells shapes apart, and scopes: what runs in none is not counted', async () => {
      const { writers } = strictly().nodes
      await withLockScope(() => repeat(3, (turn) => writers.read({ where: { id: turn } })))
      await withLockScope(async () => {
        await repeat(3, (turn) => writers.read({ where: { id: turn } }))
        await repeat(3, () => writers.read({ where: { name: 'Ada' } }))
        await withLockScope(() => repeat(3, (turn) => writers.read({ where: { id: turn } })))
      })
      await repeat(9, (turn) => writers.read({ where: { id: turn } }))
    })

    it('leaves alone what is done on purpose: pages, streams, locks, writes, and what an include loads', async () => {
      const db = strictly()
      const { writers, articles } = db.nodes
      await withLockScope(async () => {
        let page = await writers.list({ limit: 1 })
        while (page.nextCursor !== undefined) page = await writers.list({ limit: 1, after: page.nextCursor })
        await repeat(4, (offset) => writers.list({ limit: 1, offset: offset + 1 }))
        await repeat(4, async () => {
          for await (const _ of writers.stream()) break
        })
        await repeat(4, () => articles.bulkUpdate({ where: { title: 'a1' }, set: { rating: 3 } }))
        await db.transaction(() => repeat(4, () => writers.list({}, { for: 'update' })))
        // two lists, which load their articles by the same statement
        await repeat(2, () => writers.list({ orderBy: { id: 'asc' }, include: { articles: true } }))
        await repeat(2, () => writers.list({ orderBy: { name: 'asc' }, include: { articles: true } }))
      })
    })

    it('is off unless it is asked for, and allows ten by itself', async () => {
      const read = (db: ReturnType<typeof strictly>) => () => db.nodes.writers.exists({ where: { name: 'Ada' } })
      await withLockScope(() => repeat(50, read(use.db)))
      await withLockScope(() => repeat(50, read(strictly(false))))
      await withLockScope(() => repeat(10, read(strictly(true))))
      expect(await rejectionOf(withLockScope(() => repeat(11, read(strictly(true)))))).toMatchObject({ code: 'N_PLUS_ONE', count: 10 })
    })
  })
})

describe('the option strict', () => {
  it.each<[strict: unknown, option: string]>([
    ['yes', 'strict'],
    [{ maxRepeat: 1 }, 'strict.maxRepeat'],
    [{ maxRepeats: 0 }, 'strict.maxRepeats'],
    [{ maxRepeats: '5' }, 'strict.maxRepeats'],
  ])('refuses %j', (strict, option) => {
    expect(() => createDatabase({ url: 'sqlite::memory:', models, strict: strict as never })).toThrow(option)
  })
})
