import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { forEachEngine } from '../support/engines.js'
import { models } from './members.js'
import { rejectionOf, useDatabase } from './use-database.js'

const KEY = { warehouse: 'w', item: 'a' }

forEachEngine((engine) => {
  describe('rows that are read for an update', () => {
    const use = useDatabase(engine, models)
    const stocks = () => use.nodes.stocks

    it('let twenty callers who read and then write count to twenty', async () => {
      await stocks().create({ ...KEY, amount: 0 })
      const add = () =>
        use.db.transaction(async () => {
          const { amount } = await stocks().readOrThrow({ where: KEY }, { for: 'update' })
          await sleep(1)
          await stocks().update({ where: KEY, set: { amount: amount + 1 } })
        })
      await Promise.all(Array.from({ length: 20 }, add))
      expect(await stocks().read({ where: KEY })).toMatchObject({ amount: 20 })
      await stocks().delete({ where: KEY })
    })

    it('come with what they include, locked alone', async () => {
      const { members, notes } = use.nodes
      const { id } = await members.create({ email: 'a@b.c' })
      await notes.create({ memberId: id, title: 'n' })
      const rows = await use.db.transaction(async () => (await notes.list({ include: { member: true } }, { for: 'update' })).rows)
      expect(rows[0]!.member.email).toBe('a@b.c')
    })

    it('are refused outside of a transaction, where the lock would end at once', async () => {
      const error = await rejectionOf(stocks().list({}, { for: 'update' }))
      expect(error).toMatchObject({ code: 'VALIDATION' })
      expect(error.message).toContain('needs a transaction')
    })

    it.each([
      { for: 'delete' },
      { for: true },
      { skipLocked: true },
      { noWait: true },
      { for: 'update', skipLocked: true, noWait: true },
      { for: 'update', skipLocked: 'yes' },
    ])('are refused with %o', async (options) => {
      const calls = use.db.transaction(() => stocks().list({}, options as never))
      expect(await rejectionOf(calls)).toMatchObject({ code: 'VALIDATION' })
    })

    // SQLite has one writer: whoever comes second waits for the whole transaction before
    if (engine.name !== 'sqlite') {
      /** Runs `work` while another transaction has the first of three rows locked. */
      async function whileLocked(lock: 'update' | 'share', work: () => Promise<void>): Promise<void> {
        await stocks().bulkUpsert({ on: ['warehouse', 'item'], rows: ['a', 'b', 'c'].map((item) => ({ warehouse: 'w', item, amount: 1 })) })
        const other = use.another({ pool: { share: false } })
        await other.transaction(async () => {
          await other.nodes.stocks.readOrThrow({ where: KEY }, { for: lock })
          await work()
        })
      }

      const items = async (options: object) => {
        const { rows } = await use.db.transaction(() => stocks().list({ orderBy: { item: 'asc' } }, options))
        return rows.map(({ item }) => item)
      }

      it('leave out those that somebody else has, with skipLocked', async () => {
        await whileLocked('update', async () => {
          expect(await items({ for: 'update', skipLocked: true })).toEqual(['b', 'c'])
          expect(await items({ for: 'share', skipLocked: true })).toEqual(['b', 'c'])
          expect(await items({})).toEqual(['a', 'b', 'c'])
        })
        expect(await items({ for: 'update', skipLocked: true })).toEqual(['a', 'b', 'c'])
      })

      it('fail at once where somebody else has one, with noWait', async () => {
        await whileLocked('update', async () => {
          const startedMs = performance.now()
          expect(await rejectionOf(items({ for: 'update', noWait: true }))).toMatchObject({ code: 'LOCK_TIMEOUT', retryable: true })
          expect(await rejectionOf(items({ for: 'share', noWait: true }))).toMatchObject({ code: 'LOCK_TIMEOUT' })
          expect(performance.now() - startedMs).toBeLessThan(2_000)
        })
      })

      it('can be shared, and then nobody changes them', async () => {
        await whileLocked('share', async () => {
          expect(await items({ for: 'share', noWait: true })).toEqual(['a', 'b', 'c'])
          expect(await rejectionOf(items({ for: 'update', noWait: true }))).toMatchObject({ code: 'LOCK_TIMEOUT' })
        })
      })
    }
  })
})
