import { manualClock } from 'latchwork/testing'
import { beforeEach, describe, expect, it } from 'vitest'
import { NotFoundError, StaleVersionError } from '../../index.js'
import { forEachEngine } from '../support/engines.js'
import { MODELS } from './models.js'
import { useDatabase } from './use-database.js'

const FIRST = new Date('2024-02-29T23:59:59.999Z')
const LATER = new Date('2031-01-01T00:00:00.001Z')

forEachEngine((engine) => {
  const clock = manualClock(FIRST)
  const house = useDatabase(engine, { accounts: MODELS.accounts }, { now: clock.now })
  const accounts = () => house.nodes.accounts

  beforeEach(async () => {
    clock.set(FIRST)
    // a row that is marked as deleted can be taken away, and looked at, past the layer only
    await engine.admin(house.url, 'delete from accounts')
  })

  describe('createdAt and updatedAt', () => {
    it('are the instant of the create, and updatedAt that of the last change', async () => {
      const made = await accounts().create({ email: 'a@example.com' })
      expect(made).toMatchObject({ createdAt: FIRST, updatedAt: FIRST })
      clock.set(LATER)
      expect(await accounts().update({ where: { id: made.id }, set: { age: 1 } })).toMatchObject({ createdAt: FIRST, updatedAt: LATER })
    })

    it('are kept by every node that writes many', async () => {
      await accounts().bulkCreate({ rows: [{ email: 'a@example.com' }, { email: 'b@example.com' }] })
      clock.set(LATER)
      expect(await accounts().bulkUpdate({ where: { email: 'a@example.com' }, set: { age: 1 } })).toEqual({ count: 1 })
      await accounts().bulkUpsert({ on: ['email'], rows: [{ email: 'b@example.com', age: 2 }, { email: 'c@example.com' }] })
      const { rows } = await accounts().list({ orderBy: { email: 'asc' } }, { select: ['createdAt', 'updatedAt', 'version'] })
      expect(rows).toStrictEqual([
        { createdAt: FIRST, updatedAt: LATER, version: 2 },
        { createdAt: FIRST, updatedAt: LATER, version: 2 },
        { createdAt: LATER, updatedAt: LATER, version: 1 },
      ])
    })

    it('stay when an upsert finds nothing to change', async () => {
      const values = { email: 'a@example.com', age: 1 }
      const { row } = await accounts().upsert({ on: ['email'], values })
      clock.set(LATER)
      expect(await accounts().upsert({ on: ['email'], values })).toStrictEqual({ row, outcome: 'unchanged' })
      expect(await accounts().bulkUpsert({ on: ['email'], rows: [values] })).toEqual({ created: 0, updated: 0, unchanged: 1 })
      expect(await accounts().read({ where: { id: row.id } })).toStrictEqual(row)
    })

    it('follow a change of nothing but the spaces at the end', async () => {
      const { row } = await accounts().upsert({ on: ['email'], values: { email: 'a@example.com', rank: 'chief' } })
      clock.set(LATER)
      const changed = await accounts().upsert({ on: ['email'], values: { email: 'a@example.com', rank: 'chief ' } })
      expect(changed).toStrictEqual({ row: { ...row, rank: 'chief ', version: 2, updatedAt: LATER }, outcome: 'updated' })
    })
  })

  describe('version', () => {
    it('counts up with each change, and refuses one that was made for another version', async () => {
      const { id, version } = await accounts().create({ email: 'a@example.com' })
      expect(version).toBe(1)
      expect(await accounts().update({ where: { id }, set: { age: 1 }, version: 1 })).toMatchObject({ age: 1, version: 2 })
      const stale = accounts().update({ where: { id }, set: { age: 9 }, version: 1 })
      await expect(stale).rejects.toThrow(StaleVersionError)
      await expect(stale).rejects.toMatchObject({ expectedVersion: 1, model: 'Account', operation: 'update' })
      await expect(accounts().delete({ where: { id }, version: 1 })).rejects.toThrow(StaleVersionError)
      expect(await accounts().read({ where: { id } })).toMatchObject({ age: 1, version: 2, deletedAt: null })
      expect(await accounts().delete({ where: { id }, version: 2 })).toMatchObject({ id })
    })

    it('of a row that is not there is NotFoundError', async () => {
      await expect(accounts().update({ where: { id: 1 }, set: { age: 1 }, version: 1 })).rejects.toThrow(NotFoundError)
      await expect(accounts().delete({ where: { id: 1 }, version: 1 })).rejects.toThrow(NotFoundError)
    })

    it('lets one of ten changes through that were made for the same version', async () => {
      const { id } = await accounts().create({ email: 'a@example.com' })
      const calls = Array.from({ length: 10 }, (_, age) => accounts().update({ where: { id }, set: { age }, version: 1 }))
      const settled = await Promise.allSettled(calls)
      const refused = settled.filter((call) => call.status === 'rejected').map(({ reason }) => reason)
      expect(refused).toHaveLength(9)
      expect(refused.every((reason) => reason instanceof StaleVersionError)).toBe(true)
      expect(await accounts().read({ where: { id } })).toMatchObject({ version: 2 })
    })
  })

  describe('deletedAt', () => {
    it('marks the row, which every node then takes for gone', async () => {
      const { id } = await accounts().create({ email: 'gone@example.com' })
      const stays = await accounts().create({ email: 'stays@example.com' })
      clock.set(LATER)
      await accounts().delete({ where: { id } })
      const where = { id }
      expect(await accounts().read({ where })).toBeNull()
      await expect(accounts().readOrThrow({ where })).rejects.toThrow(NotFoundError)
      await expect(accounts().update({ where, set: { age: 1 } })).rejects.toThrow(NotFoundError)
      await expect(accounts().delete({ where })).rejects.toThrow(NotFoundError)
      expect(await accounts().list({ total: true })).toStrictEqual({ rows: [stays], total: 1 })
      expect(await accounts().count()).toBe(1)
      expect(await accounts().count({ where: { $or: [{ id }, { $not: { id } }] } })).toBe(1)
      expect(await accounts().bulkUpdate({ all: true, set: { age: 7 } })).toEqual({ count: 1 })
      expect(await accounts().bulkDelete({ where: { email: { $contains: '@' } } })).toEqual({ count: 1 })
      const stored = await engine.admin(house.url, 'select id, age, version, deleted_at from accounts order by id')
      expect(stored).toMatchObject([
        { id, age: null, version: 2 },
        { id: stays.id, age: 7, version: 3 },
      ])
      expect(stored.every((row) => row.deleted_at !== null)).toBe(true)
    })

    it('stays when its key is given to a new row', async () => {
      const { id } = await accounts().create({ email: 'a@example.com', age: 1 })
      await accounts().delete({ where: { id } })
      expect(await accounts().upsert({ on: ['email'], values: { email: 'a@example.com', age: 1 } })).toMatchObject({ outcome: 'created' })
      await accounts().bulkDelete({ all: true })
      const rows = [{ email: 'a@example.com' }]
      expect(await accounts().bulkUpsert({ on: ['email'], rows })).toEqual({ created: 1, updated: 0, unchanged: 0 })
      expect(await accounts().read({ where: { id } })).toBeNull()
      expect(await accounts().count({}, { deleted: 'only' })).toBe(2)
    })
  })
})
