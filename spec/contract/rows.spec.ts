import { afterEach, describe, expect, it } from 'vitest'
import { NotFoundError, UniqueViolationError } from '../../index.js'
import { forEachEngine } from '../support/engines.js'
import { MODELS } from './models.js'
import { useDatabase } from './use-database.js'

const NEVER_GIVEN = 999_999

forEachEngine((engine) => {
  const house = useDatabase(engine, MODELS)
  const nodes = () => house.nodes

  afterEach(async () => {
    const { memberships, orders, pairs } = nodes()
    // its deleted rows are marked, and would keep their keys
    await engine.admin(house.url, 'delete from accounts')
    await memberships.bulkDelete({ all: true })
    await orders.bulkDelete({ all: true })
    await pairs.bulkDelete({ all: true })
  })

  describe('create', () => {
    it('fills in the defaults: a value, a function called each time, SQL, null', async () => {
      const first = await nodes().accounts.create({ email: 'first@example.com' })
      const second = await nodes().accounts.create({ email: 'second@example.com' })
      expect(first).toMatchObject({ rank: 'member', answer: 42, age: null, version: 1, deletedAt: null })
      expect(first.code).toMatch(/^made \d+$/)
      expect(second.code).not.toBe(first.code)
      expect(second.id).toBeGreaterThan(first.id)
    })

    it('takes a value in place of a default', async () => {
      const row = await nodes().accounts.create({ email: 'a@example.com', rank: 'chief', code: 'mine', answer: 1, age: 7 })
      expect(row).toMatchObject({ rank: 'chief', code: 'mine', answer: 1, age: 7 })
    })

    it('counts a 64-bit key as a bigint, and makes a uuid that sorts by time', async () => {
      const entry = await nodes().entries.create({})
      expect(await nodes().entries.read({ where: { entryNumber: entry.entryNumber } })).toStrictEqual({
        entryNumber: expect.any(BigInt),
        note: null,
      })
      const tokens = [await nodes().tokens.create({}), await nodes().tokens.create({ note: 'two' })]
      expect(tokens[0]!.token).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
      expect(tokens[0]!.token < tokens[1]!.token).toBe(true)
      expect(await nodes().tokens.read({ where: { token: tokens[1]!.token } })).toStrictEqual(tokens[1])
    })

    it('leaves nothing behind when a key is taken', async () => {
      await nodes().accounts.create({ email: 'a@example.com' })
      const second = nodes().accounts.create({ email: 'a@example.com', rank: 'second' })
      await expect(second).rejects.toThrow(UniqueViolationError)
      await expect(second).rejects.toMatchObject({ model: 'Account', fields: ['email'] })
      expect(await nodes().accounts.count()).toBe(1)
    })

    it('tells a null from a field whose name ends in a digit', async () => {
      const values = [{ a0: 1 }, { a: null }, { a: 2 }, { a0: null }, { a: null, a0: 3 }]
      for (const each of values) expect(await nodes().pairs.create(each)).toMatchObject({ a: null, a0: null, ...each })
    })

    it('gives back only what select names', async () => {
      const row = await nodes().accounts.create({ email: 'a@example.com' }, { select: ['email', 'version'] })
      expect(row).toStrictEqual({ email: 'a@example.com', version: 1 })
    })
  })

  describe('read', () => {
    it('finds a row by any of its keys, and gives null where there is none', async () => {
      const { id } = await nodes().accounts.create({ email: 'a@example.com' })
      expect(await nodes().accounts.read({ where: { id } })).toMatchObject({ email: 'a@example.com' })
      expect(await nodes().accounts.read({ where: { email: 'a@example.com' } })).toMatchObject({ id })
      expect(await nodes().accounts.read({ where: { id: NEVER_GIVEN } })).toBeNull()
      await expect(nodes().accounts.readOrThrow({ where: { id: NEVER_GIVEN } })).rejects.toThrow(NotFoundError)
    })

    it('holds the row to the other conditions beside the key', async () => {
      const { id } = await nodes().accounts.create({ email: 'a@example.com', age: 36 })
      expect(await nodes().accounts.read({ where: { id, age: { $gt: 40 } } })).toBeNull()
      expect(await nodes().accounts.read({ where: { $and: [{ id }, { age: { $gt: 30 } }] } })).toMatchObject({ id })
    })

    it('needs every field of a key, each held to one value', async () => {
      const { accounts, memberships } = nodes()
      await expect(accounts.read({ where: { rank: 'member' } })).rejects.toThrow(
        'where: expected the value of every field of a key: id, or email',
      )
      await expect(accounts.read({ where: { id: { $gt: 1 } } })).rejects.toThrow('expected the value of every field of a key')
      await expect(accounts.read({ where: { $or: [{ id: 1 }, { id: 2 }] } })).rejects.toThrow('expected the value of every field of a key')
      await expect(accounts.read({ where: { $not: { id: 1 } } })).rejects.toThrow('expected the value of every field of a key')
      await expect(memberships.read({ where: { userId: 1 } })).rejects.toThrow('userId + groupName, or groupName + seat')
    })
  })

  describe('update', () => {
    it('changes what it sets and nothing else', async () => {
      const before = await nodes().accounts.create({ email: 'a@example.com', age: 36 })
      const other = await nodes().accounts.create({ email: 'b@example.com', age: 36 })
      const after = await nodes().accounts.update({ where: { id: before.id }, set: { age: null } })
      expect(after).toStrictEqual({ ...before, age: null, version: 2, updatedAt: after.updatedAt })
      expect(await nodes().accounts.read({ where: { id: before.id } })).toStrictEqual(after)
      expect(await nodes().accounts.read({ where: { id: other.id } })).toStrictEqual(other)
    })

    it('finds the row by another key, and follows a key that it changes', async () => {
      const { id } = await nodes().accounts.create({ email: 'old@example.com' })
      const where = { email: 'old@example.com' }
      expect(await nodes().accounts.update({ where, set: { email: 'new@example.com' } })).toMatchObject({ id, email: 'new@example.com' })
      expect(await nodes().accounts.read({ where })).toBeNull()
      await expect(nodes().accounts.update({ where, set: { age: 1 } })).rejects.toThrow(NotFoundError)
    })

    it('changes a part of a composite key', async () => {
      const { memberships } = nodes()
      await memberships.create({ userId: 1, groupName: 'chess', seat: 1 })
      await memberships.create({ userId: 1, groupName: 'go', seat: 1 })
      const moved = { userId: 2, groupName: 'chess', seat: 1, note: null }
      expect(await memberships.update({ where: { userId: 1, groupName: 'chess' }, set: { userId: 2 } })).toStrictEqual(moved)
      expect(await memberships.update({ where: { groupName: 'chess', seat: 1 }, set: { seat: 9 } })).toStrictEqual({ ...moved, seat: 9 })
      expect(await memberships.count({ where: { seat: 1 } })).toBe(1)
    })

    it('gives the row back when nothing in it changes', async () => {
      const made = await nodes().memberships.create({ userId: 1, groupName: 'chess', seat: 1 })
      expect(await nodes().memberships.update({ where: { userId: 1, groupName: 'chess' }, set: { seat: 1 } })).toStrictEqual(made)
    })

    it('leaves the row as it is when its new key is taken', async () => {
      const { memberships } = nodes()
      await memberships.create({ userId: 1, groupName: 'chess', seat: 1 })
      const second = await memberships.create({ userId: 2, groupName: 'chess', seat: 2 })
      const where = { userId: 2, groupName: 'chess' }
      await expect(memberships.update({ where, set: { seat: 1 } })).rejects.toMatchObject({
        code: 'UNIQUE_VIOLATION',
        fields: ['groupName', 'seat'],
      })
      expect(await memberships.read({ where })).toStrictEqual(second)
    })

    it('tells a null from a field whose name ends in a digit', async () => {
      const { id } = await nodes().pairs.create({ a: 1, a0: 1 })
      for (const set of [{ a0: 2 }, { a: null }, { a: 3 }, { a0: null }]) {
        expect(await nodes().pairs.update({ where: { id }, set })).toMatchObject(set)
      }
    })
  })

  describe('delete', () => {
    it('takes the row away and gives it back as it was', async () => {
      const { memberships } = nodes()
      const gone = await memberships.create({ userId: 1, groupName: 'chess', seat: 1 })
      const stays = await memberships.create({ userId: 1, groupName: 'go', seat: 1 })
      const where = { userId: 1, groupName: 'chess' }
      expect(await memberships.delete({ where }, { select: ['seat'] })).toStrictEqual({ seat: 1 })
      expect(await memberships.read({ where })).toBeNull()
      await expect(memberships.delete({ where })).rejects.toThrow(NotFoundError)
      expect((await memberships.list()).rows).toStrictEqual([stays])
      expect(await memberships.create(gone)).toStrictEqual(gone)
    })
  })

  it('takes words of SQL, and columns of other names, for what they are', async () => {
    const { orders } = nodes()
    const row = { select: 'a', from: 1, where: 'here', größe: 5, values: null }
    expect(await orders.create(row)).toStrictEqual(row)
    expect(await orders.read({ where: { from: 1 } }, { select: ['where', 'größe'] })).toStrictEqual({ where: 'here', größe: 5 })
    expect(await orders.update({ where: { select: 'a' }, set: { select: 'b', größe: { $increment: 1 }, values: 3 } })).toStrictEqual({
      ...row,
      select: 'b',
      größe: 6,
      values: 3,
    })
    const upserted = { ...row, select: 'b', from: 2 }
    expect(await orders.upsert({ on: ['select'], values: upserted })).toStrictEqual({
      row: { ...upserted, values: null },
      outcome: 'updated',
    })
    expect(await orders.bulkUpsert({ on: ['from'], rows: [{ ...upserted, where: 'there' }] })).toMatchObject({ updated: 1 })
    expect(await orders.bulkUpdate({ where: { where: { $contains: 'her' } }, set: { where: null } })).toEqual({ count: 1 })
    expect((await orders.list({ where: { größe: { $in: [5] } }, orderBy: { from: 'desc', where: 'asc' }, total: true })).total).toBe(1)
    expect(await orders.delete({ where: { from: 2 } })).toStrictEqual({ ...upserted, where: null })
  })
})
