import { UniqueViolationError, ValidationError } from 'latchwork'
import { beforeEach, describe, expect, it } from 'vitest'
import { forEachEngine } from '../support/engines.js'
import { models } from './members.js'
import { rejectionOf, tally, useDatabase } from './use-database.js'

const ADA = { email: 'ada@example.com', nickname: 'countess', age: 36 }

forEachEngine((engine) => {
  describe('upsert', () => {
    const shop = useDatabase(engine, models)

    beforeEach(() => shop.clear())

    const upsertAda = (more: object = {}) => shop.nodes.members.upsert({ on: ['email'], values: { ...ADA, ...more } })

    it('creates the row, then leaves it, then changes it', async () => {
      const created = await upsertAda()
      expect(created).toMatchObject({ outcome: 'created', row: { ...ADA, version: 1 } })
      expect(await upsertAda()).toEqual({ outcome: 'unchanged', row: created.row })
      const updated = await upsertAda({ age: 37 })
      expect(updated).toMatchObject({ outcome: 'updated', row: { ...ADA, id: created.row.id, age: 37, version: 2 } })
      expect(await shop.nodes.members.count()).toBe(1)
    })

    it('does not rewrite a row that would not change: same version, same updatedAt', async () => {
      let day = 1
      const { members } = shop.another({ now: () => new Date(Date.UTC(2026, 0, day++)) }).nodes
      const { row } = await members.upsert({ on: ['email'], values: ADA })
      const again = await members.upsert({ on: ['email'], values: ADA })
      expect(again).toEqual({ outcome: 'unchanged', row })
      const changed = await members.upsert({ on: ['email'], values: { ...ADA, age: 1 } })
      expect(changed.row.version).toBe(2)
      expect(changed.row.createdAt).toEqual(row.createdAt)
      expect(changed.row.updatedAt.getTime()).toBeGreaterThan(row.updatedAt.getTime())
    })

    it.each([
      ['a value for null', { age: null }, { age: 3 }, 'updated'],
      ['null for a value', { age: 3 }, { age: null }, 'updated'],
      ['null for null', { age: null }, { age: null }, 'unchanged'],
      ['a decimal of the same value in other digits', { balance: '1.50' }, { balance: '1.5' }, 'unchanged'],
      ['a text that differs in case', { nickname: 'countess' }, { nickname: 'Countess' }, 'updated'],
      ['a text that differs in a space at its end', { nickname: 'countess' }, { nickname: 'countess ' }, 'updated'],
    ] as const)('takes %s for what it is', async (_, before, after, outcome) => {
      await upsertAda(before)
      const upserted = await upsertAda(after)
      expect(upserted.outcome).toBe(outcome)
      expect((await shop.nodes.members.readOrThrow({ where: { email: ADA.email } })).nickname).toBe(upserted.row.nickname)
    })

    it('gives a new row the defaults, and leaves what was not given as it is in one that is there', async () => {
      await shop.nodes.members.create({ ...ADA, balance: '7.00', active: false })
      const { row, outcome } = await shop.nodes.members.upsert({ on: ['email'], values: { email: ADA.email, age: 40 } })
      expect(outcome).toBe('updated')
      expect(row).toMatchObject({ nickname: 'countess', age: 40, balance: '7.00', active: false })
      const other = await shop.nodes.members.upsert({ on: ['email'], values: { email: 'bob@example.com' } })
      expect(other.row).toMatchObject({ nickname: null, age: null, balance: '0.00', active: true })
    })

    it('creates with `values` and changes with `update`', async () => {
      const input = { on: ['email'], values: { ...ADA, age: 1 }, update: { age: { $increment: 10 } } } as const
      expect(await shop.nodes.members.upsert(input)).toMatchObject({ outcome: 'created', row: { age: 1 } })
      expect(await shop.nodes.members.upsert(input)).toMatchObject({ outcome: 'updated', row: { age: 11, version: 2 } })
      const byNothing = { ...input, update: { age: { $increment: 0 } } }
      expect(await shop.nodes.members.upsert(byNothing)).toMatchObject({ outcome: 'unchanged', row: { age: 11, version: 2 } })
    })

    it('leaves a row alone whose key is all that was given', async () => {
      await upsertAda()
      expect(await shop.nodes.members.upsert({ on: ['email'], values: { email: ADA.email } })).toMatchObject({
        outcome: 'unchanged',
        row: { ...ADA, version: 1 },
      })
    })

    it('narrows the row to `select`, whatever the outcome', async () => {
      const upsert = (age: number) =>
        shop.nodes.members.upsert({ on: ['email'], values: { ...ADA, age } }, { select: ['age', 'nickname'] as const })
      expect(await upsert(1)).toEqual({ outcome: 'created', row: { age: 1, nickname: 'countess' } })
      expect(await upsert(2)).toEqual({ outcome: 'updated', row: { age: 2, nickname: 'countess' } })
      expect(await upsert(2)).toEqual({ outcome: 'unchanged', row: { age: 2, nickname: 'countess' } })
    })

    it('finds a row by a composite key, in whatever order it is named', async () => {
      const upsert = (on: ('warehouse' | 'item')[], amount: number) =>
        shop.nodes.stocks.upsert({ on, values: { warehouse: 'north', item: 'bolt', amount } })
      expect((await upsert(['warehouse', 'item'], 1)).outcome).toBe('created')
      expect((await upsert(['item', 'warehouse'], 1)).outcome).toBe('unchanged')
      expect((await upsert(['item', 'warehouse'], 2)).outcome).toBe('updated')
      const other = await shop.nodes.stocks.upsert({ on: ['warehouse', 'item'], values: { warehouse: 'north', item: 'nut', amount: 2 } })
      expect(other.outcome).toBe('created')
    })

    it('touches the row named by `on` and no other: another key that is taken is refused, with its name', async () => {
      await shop.nodes.members.create(ADA)
      const bob = { email: 'bob@example.com', nickname: ADA.nickname, age: 1 }
      const before = await shop.nodes.members.list({ orderBy: { id: 'asc' } })
      const refused = await rejectionOf(shop.nodes.members.upsert({ on: ['email'], values: bob }))
      expect(refused).toBeInstanceOf(UniqueViolationError)
      expect(refused).toMatchObject({ model: 'Member', fields: ['nickname'] })
      expect(await shop.nodes.members.list({ orderBy: { id: 'asc' } })).toEqual(before)
    })

    it('refuses to change the named row into what another row has', async () => {
      await shop.nodes.members.create(ADA)
      await shop.nodes.members.create({ email: 'bob@example.com', nickname: 'bob' })
      const refused = await rejectionOf(
        shop.nodes.members.upsert({ on: ['email'], values: { email: 'bob@example.com', nickname: ADA.nickname } }),
      )
      expect(refused).toBeInstanceOf(UniqueViolationError)
      expect(refused).toMatchObject({ model: 'Member', fields: ['nickname'] })
      expect(await shop.nodes.members.read({ where: { email: 'bob@example.com' } })).toMatchObject({ nickname: 'bob', version: 1 })
    })

    it('brings a soft-deleted row back, with its old key', async () => {
      const { id: memberId } = await shop.nodes.members.create(ADA)
      const note = await shop.nodes.notes.create({ memberId, title: 'first', body: 'old' })
      await shop.nodes.notes.delete({ where: { id: note.id } })
      const back = await shop.nodes.notes.upsert({ on: ['title', 'memberId'], values: { memberId, title: 'first', body: 'old' } })
      expect(back).toEqual({ outcome: 'updated', row: { ...note, deletedAt: null } })
      expect(await shop.nodes.notes.count()).toBe(1)
    })

    it.each([
      ['no key', { on: ['age'], values: ADA }, /^Member\.upsert: on: .*unique key/],
      ['a part of a key', { on: [], values: ADA }, /^Member\.upsert: on: /],
      ['two keys at once', { on: ['email', 'nickname'], values: ADA }, /^Member\.upsert: on: /],
      ['an unknown field', { on: ['mail'], values: ADA }, /^Member\.upsert: on: /],
      ['a text', { on: 'email', values: ADA }, /^Member\.upsert: on: .*got text/],
      ['a row without its key', { on: ['nickname'], values: { email: 'x@example.com' } }, /values\.nickname/],
      ['a row with null in its key', { on: ['nickname'], values: { ...ADA, nickname: null } }, /values\.nickname/],
      ['an update of the key', { on: ['email'], values: ADA, update: { email: 'new@example.com' } }, /update\.email/],
      ['an empty update', { on: ['email'], values: ADA, update: {} }, /update/],
      ['an update of what the layer keeps', { on: ['email'], values: ADA, update: { version: 9 } }, /update\.version/],
    ])('refuses %s, and writes nothing', async (_, input, message) => {
      const refused = await rejectionOf(shop.nodes.members.upsert(input as never))
      expect(refused).toBeInstanceOf(ValidationError)
      expect(refused.message).toMatch(message)
      expect(await shop.nodes.members.count()).toBe(0)
    })

    it('creates the row once for 20 callers at once, and fails none', async () => {
      const outcomes = await Promise.all(Array.from({ length: 20 }, () => upsertAda()))
      expect(tally(outcomes.map(({ outcome }) => outcome))).toEqual({ created: 1, unchanged: 19 })
      expect(new Set(outcomes.map(({ row }) => row.id)).size).toBe(1)
    })

    it('counts every one of 20 increments of callers at once', async () => {
      const outcomes = await Promise.all(
        Array.from({ length: 20 }, () =>
          shop.nodes.members.upsert({ on: ['email'], values: { ...ADA, age: 1 }, update: { age: { $increment: 1 } } }),
        ),
      )
      expect(tally(outcomes.map(({ outcome }) => outcome))).toEqual({ created: 1, updated: 19 })
      expect(await shop.nodes.members.read({ where: { email: ADA.email } })).toMatchObject({ age: 20, version: 20 })
    })

    // SQLite lets nobody write beside a transaction
    if (engine.name === 'sqlite') return

    it('gives the row that another transaction made since this one began to read', async () => {
      const { outcome, row } = await shop.db.transaction(async () => {
        await shop.nodes.members.count()
        await shop.another().nodes.members.create(ADA)
        return upsertAda()
      })
      expect(outcome).toBe('unchanged')
      expect(row).toMatchObject(ADA)
    })
  })
})
