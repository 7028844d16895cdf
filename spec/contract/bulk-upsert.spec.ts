import { UniqueViolationError, ValidationError } from 'latchwork'
import { beforeEach, describe, expect, it } from 'vitest'
import { forEachEngine } from '../support/engines.js'
import { models } from './members.js'
import { rejectionOf, useDatabase } from './use-database.js'

const emailOf = (index: number) => `member${index}@example.com`
const memberOf = (index: number) => ({ email: emailOf(index), nickname: `nick${index}`, age: index % 90 })
const membersUpTo = (count: number) => Array.from({ length: count }, (_, index) => memberOf(index))

forEachEngine((engine) => {
  describe('bulkUpsert', () => {
    const shop = useDatabase(engine, models)

    beforeEach(() => shop.clear())

    const upsert = (rows: Iterable<object> | AsyncIterable<object>, options?: { transaction: boolean }) =>
      shop.nodes.members.bulkUpsert({ on: ['email'], rows: rows as never }, options)

    it.each([0, 1, 2, 999, 1_000, 1_001, 2_500])('counts %i rows created, then unchanged', async (count) => {
      expect(await upsert(membersUpTo(count))).toEqual({ created: count, updated: 0, unchanged: 0 })
      expect(await upsert(membersUpTo(count))).toEqual({ created: 0, updated: 0, unchanged: count })
      expect(await shop.nodes.members.count()).toBe(count)
    })

    it('counts rows created, updated and unchanged in one call, and rewrites only what differs', async () => {
      await upsert(membersUpTo(1_500))
      const rows = Array.from({ length: 2_000 }, (_, index) => ({ ...memberOf(index), ...(index % 3 === 0 ? { age: null } : {}) }))
      expect(await upsert(rows)).toEqual({ created: 500, updated: 500, unchanged: 1_000 })
      expect(await shop.nodes.members.count({ where: { version: 2 } })).toBe(500)
      expect(await shop.nodes.members.count({ where: { version: 2, age: { $null: true } } })).toBe(500)
    })

    it('sets, in a row that is there, what its own input gave and nothing else', async () => {
      await upsert(membersUpTo(4).map((member) => ({ ...member, balance: '5.00', active: false })))
      const rows = [
        { email: emailOf(0), age: 50 },
        { email: emailOf(1), nickname: 'changed' },
        { email: emailOf(2), nickname: null, balance: '6.00' },
        { email: emailOf(3) },
        { email: emailOf(4) },
        { email: emailOf(5), active: false },
      ]
      expect(await upsert(rows)).toEqual({ created: 2, updated: 3, unchanged: 1 })
      const { rows: stored } = await shop.nodes.members.list(
        { orderBy: { email: 'asc' } },
        { select: ['nickname', 'age', 'balance', 'active'] as const },
      )
      expect(stored).toEqual([
        { nickname: 'nick0', age: 50, balance: '5.00', active: false },
        { nickname: 'changed', age: 1, balance: '5.00', active: false },
        { nickname: null, age: 2, balance: '6.00', active: false },
        { nickname: 'nick3', age: 3, balance: '5.00', active: false },
        { nickname: null, age: null, balance: '0.00', active: true },
        { nickname: null, age: null, balance: '0.00', active: false },
      ])
    })

    it('knows rows by a composite key, some of whose parts are shared', async () => {
      const rows = ['north', 'south'].flatMap((warehouse) => ['bolt', 'nut'].map((item) => ({ warehouse, item, amount: 1 })))
      const on = ['item', 'warehouse'] as const
      expect(await shop.nodes.stocks.bulkUpsert({ on, rows })).toEqual({ created: 4, updated: 0, unchanged: 0 })
      const changed = rows.map((row) => ({ ...row, amount: row.item === 'nut' ? 2 : 1 }))
      expect(await shop.nodes.stocks.bulkUpsert({ on, rows: changed })).toEqual({ created: 0, updated: 2, unchanged: 2 })
    })

    it('brings soft-deleted rows back', async () => {
      const { id: memberId } = await shop.nodes.members.create(memberOf(0))
      const rows = ['a', 'b', 'c'].map((title) => ({ memberId, title }))
      await shop.nodes.notes.bulkCreate({ rows })
      await shop.nodes.notes.bulkDelete({ where: { title: { $in: ['a', 'b'] } } })
      const result = await shop.nodes.notes.bulkUpsert({ on: ['memberId', 'title'], rows })
      expect(result).toEqual({ created: 0, updated: 2, unchanged: 1 })
      expect(await shop.nodes.notes.count()).toBe(3)
    })

    it.each([
      ['in one chunk', 3, 7],
      ['in two chunks', 3, 1_234],
    ])('refuses two rows with one key %s, names both, and writes nothing', async (_, first, second) => {
      const rows = membersUpTo(1_500)
      rows[second] = { ...memberOf(second), email: emailOf(first) }
      const refused = await rejectionOf(upsert(rows))
      expect(refused).toBeInstanceOf(ValidationError)
      expect(refused).toMatchObject({ issues: [{ path: ['rows', second] }] })
      expect(refused.message).toContain(`rows[${second}]`)
      expect(refused.message).toContain(`rows[${first}]`)
      expect(refused.message).not.toContain(emailOf(first))
      expect(await shop.nodes.members.count()).toBe(0)
    })

    it('tells keys of two texts apart wherever one ends and the other begins', async () => {
      const rows = [
        { warehouse: 'a', item: 'b,c', amount: 1 },
        { warehouse: 'a,b', item: 'c', amount: 1 },
        { warehouse: 'a"', item: ',"c', amount: 1 },
        { warehouse: 'a",', item: '"c', amount: 1 },
      ]
      expect(await shop.nodes.stocks.bulkUpsert({ on: ['warehouse', 'item'], rows })).toMatchObject({ created: 4 })
    })

    it('names the other key where that is taken, and changes nothing', async () => {
      await upsert(membersUpTo(5))
      const before = await shop.nodes.members.list({ orderBy: { id: 'asc' } })
      const rows = [{ ...memberOf(0), age: 80 }, memberOf(9), { ...memberOf(10), nickname: 'nick3' }]
      const refused = await rejectionOf(upsert(rows))
      expect(refused).toBeInstanceOf(UniqueViolationError)
      expect(refused).toMatchObject({ model: 'Member', fields: ['nickname'] })
      expect(await shop.nodes.members.list({ orderBy: { id: 'asc' } })).toEqual(before)
    })

    it('keeps the chunks before the failing one with `transaction: false`, and nothing of that one', async () => {
      const rows = membersUpTo(2_500)
      rows[1_900] = { ...memberOf(1_900), nickname: 'nick0' }
      expect(await rejectionOf(upsert(rows, { transaction: false }))).toBeInstanceOf(UniqueViolationError)
      expect(await shop.nodes.members.count()).toBe(1_000)
    })

    it('leaves an outer transaction whole when it fails inside one', async () => {
      await shop.db.transaction(async () => {
        await shop.nodes.members.create({ ...memberOf(0), nickname: 'taken' })
        const rows = [memberOf(1), { ...memberOf(2), nickname: 'taken' }]
        expect(await rejectionOf(upsert(rows))).toBeInstanceOf(UniqueViolationError)
        await shop.nodes.members.create(memberOf(5))
      })
      const { rows } = await shop.nodes.members.list({ orderBy: { email: 'asc' } })
      expect(rows.map(({ email }) => email)).toEqual([emailOf(0), emailOf(5)])
    })

    it('reads rows from anything that can be iterated', async () => {
      async function* asynchronous() {
        for (const row of membersUpTo(1_200)) yield row
      }
      expect(await upsert(new Set(membersUpTo(3)))).toEqual({ created: 3, updated: 0, unchanged: 0 })
      expect(await upsert(membersUpTo(10).values())).toEqual({ created: 7, updated: 0, unchanged: 3 })
      expect(await upsert(asynchronous())).toEqual({ created: 1_190, updated: 0, unchanged: 10 })
    })

    it('counts right for callers at once that upsert the same rows', async () => {
      const results = await Promise.all(Array.from({ length: 8 }, () => upsert(membersUpTo(50))))
      const created = results.reduce((sum, result) => sum + result.created, 0)
      const unchanged = results.reduce((sum, result) => sum + result.unchanged, 0)
      expect({ created, unchanged }).toEqual({ created: 50, unchanged: 350 })
    })

    it.each([
      ['no key', { on: ['age'], rows: [] }, /on: .*unique key/],
      ['no rows', { on: ['email'] }, /rows: .*iterable/],
      ['a text for rows', { on: ['email'], rows: 'abc' }, /rows: .*got text/],
      ['a row without the key', { on: ['nickname'], rows: [memberOf(1), { email: emailOf(2) }] }, /rows\[1\]\.nickname/],
      ['a row with an unknown field', { on: ['email'], rows: [memberOf(1), { ...memberOf(2), mail: 1 }] }, /rows\[1\]\.mail/],
      ['something that is no row', { on: ['email'], rows: [memberOf(1), null] }, /rows\[1\]/],
    ])('refuses %s, and writes nothing', async (_, input, message) => {
      const refused = await rejectionOf(shop.nodes.members.bulkUpsert(input as never))
      expect(refused).toBeInstanceOf(ValidationError)
      expect(refused.message).toMatch(message)
      expect(await shop.nodes.members.count()).toBe(0)
    })
  })
})
