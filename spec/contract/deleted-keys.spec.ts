import { createDatabase, deletedAt, field, type Generated, id, model, UniqueViolationError, updatedAt, version } from 'latchwork'
import { manualClock } from 'latchwork/testing'
import { beforeEach, describe, expect, it } from 'vitest'
import { forEachEngine } from '../support/engines.js'
import { rejectionOf, useDatabase } from './use-database.js'

@model({
  uniques: [{ on: ['team', 'seat'] }, { on: ['badge'], deleted: 'include' }, { on: ['rank'], where: { team: 'a' }, name: 'one_rank_in_a' }],
})
class Player {
  @id() id!: Generated<number>
  @field.text({ maxLength: 50, unique: true }) email!: string
  @field.text({ maxLength: 10 }) team!: string
  @field.integer() seat!: number
  /** Never given again, not even after its player is gone. */
  @field.integer({ nullable: true }) badge!: number | null
  @field.integer({ nullable: true }) rank!: number | null
  @field.integer({ default: 0 }) points!: Generated<number>
  @updatedAt() updatedAt!: Generated<Date>
  @version() version!: Generated<number>
  @deletedAt() deletedAt!: Generated<Date | null>
}

const clock = manualClock(new Date('2026-03-01T12:00:00.000Z'))

forEachEngine((engine) => {
  describe('a unique key of rows that are only marked as deleted', () => {
    const use = useDatabase(engine, { players: Player }, { now: clock.now })
    const ann = { email: 'ann', team: 'a', seat: 1, badge: 7, rank: 1 }

    use.rollBackEach()

    beforeEach(async () => {
      await use.nodes.players.create(ann)
    })

    const gone = async () => use.nodes.players.delete({ where: { email: 'ann' } })

    it('leaves its value to a new row, again and again', async () => {
      const { players } = use.nodes
      for (const badge of [8, 9, 10]) {
        await gone()
        await players.create({ ...ann, badge })
      }
      expect(await players.count({}, { deleted: 'include' })).toBe(4)
      expect(await players.read({ where: { email: 'ann' } })).toMatchObject({ badge: 10 })
      expect(await players.readMany({ keys: [{ team: 'a', seat: 1 }] })).toMatchObject([{ badge: 10 }])
    })

    it('is refused to a second row that is there, by the names of its fields', async () => {
      const { players } = use.nodes
      await gone()
      await players.create({ ...ann, badge: 8 })
      const refusals = [
        [{ ...ann, seat: 2, badge: 9, rank: 2 }, ['email']],
        [{ ...ann, email: 'ben', badge: 9, rank: 2 }, ['team', 'seat']],
        [{ ...ann, email: 'ben', seat: 2, badge: 9 }, ['rank']],
        // one that counts rows that are gone
        [{ ...ann, email: 'ben', seat: 2, badge: 7, rank: 2 }, ['badge']],
      ] as const
      for (const [row, fields] of refusals) {
        const error = await rejectionOf(players.create(row))
        expect(error).toBeInstanceOf(UniqueViolationError)
        expect(error).toMatchObject({ model: 'Player', fields })
      }
      expect(await rejectionOf(players.bulkCreate({ rows: [ann] }))).toBeInstanceOf(UniqueViolationError)
      expect(await players.bulkCreate({ rows: [ann, { ...ann, email: 'cat', seat: 3, badge: 11, rank: 3 }], onConflict: 'skip' })).toEqual({
        count: 1,
      })
    })

    it('lets a row come back only while nobody has its value', async () => {
      const { players } = use.nodes
      const { id: first } = await gone()
      const second = await players.create({ ...ann, badge: 8 })
      const error = await rejectionOf(players.restore({ where: { id: first } }))
      expect(error).toBeInstanceOf(UniqueViolationError)
      expect(error).toMatchObject({ model: 'Player' })
      expect(await players.read({ where: { email: 'ann' } })).toMatchObject({ id: second.id, deletedAt: null })
      await players.delete({ where: { id: second.id } })
      expect(await players.restore({ where: { badge: 7 } })).toMatchObject({ id: first, deletedAt: null, version: 3 })
    })

    it('names no row among those that are marked: several may have it', async () => {
      const { players } = use.nodes
      await gone()
      const named = /expected the value of every field of a key: id, or badge/
      expect((await rejectionOf(players.restore({ where: { email: 'ann' } }))).message).toMatch(named)
      for (const deleted of ['include', 'only'] as const) {
        expect((await rejectionOf(players.read({ where: { email: 'ann' } }, { deleted }))).message).toMatch(named)
        expect((await rejectionOf(players.readMany({ keys: [{ email: 'ann' }] }, { deleted }))).message).toMatch(
          /keys\[0\].*: id, or badge/,
        )
        expect(await players.read({ where: { badge: 7 } }, { deleted })).toMatchObject({ email: 'ann' })
        expect(await players.readMany({ keys: [{ badge: 7 }] }, { deleted })).toMatchObject([{ email: 'ann' }])
      }
    })

    it('gives back the row that was changed by it, not one that had its value before', async () => {
      const { players } = use.nodes
      for (const badge of [8, 9]) {
        await gone()
        await players.create({ ...ann, badge, points: badge })
      }
      expect(await players.update({ where: { email: 'ann' }, set: { points: { $increment: 1 } } })).toMatchObject({
        points: 10,
        deletedAt: null,
      })
      expect(await players.update({ where: { team: 'a', seat: 1 }, set: { seat: 2 } })).toMatchObject({ points: 10, seat: 2 })
      expect(
        await players.update({ where: { email: 'ann' }, set: { email: 'eve', id: 900 } as never }).catch((error: Error) => error.name),
      ).toBe('ValidationError')
      expect(await players.delete({ where: { email: 'ann' }, version: 3 })).toMatchObject({ points: 10, badge: 9 })
      expect(await rejectionOf(gone())).toMatchObject({ code: 'NOT_FOUND' })
      await players.create({ ...ann, badge: 12 })
      expect(await rejectionOf(players.delete({ where: { email: 'ann' }, version: 9 }))).toMatchObject({ code: 'STALE_VERSION' })
    })

    it('is met by an upsert only in a row that is there', async () => {
      const { players } = use.nodes
      const upsert = (badge: number, points: number) => players.upsert({ on: ['email'], values: { ...ann, badge, points } })
      expect(await upsert(7, 0)).toMatchObject({ outcome: 'unchanged', row: { version: 1 } })
      expect(await upsert(7, 1)).toMatchObject({ outcome: 'updated', row: { points: 1, version: 2 } })
      const { id: first } = await gone()
      const made = await upsert(8, 2)
      expect(made).toMatchObject({ outcome: 'created', row: { points: 2, version: 1, deletedAt: null } })
      expect(made.row.id).not.toBe(first)
      expect(await upsert(8, 3)).toMatchObject({ outcome: 'updated', row: { id: made.row.id, points: 3 } })
      expect(await players.read({ where: { badge: 7 } }, { deleted: 'only' })).toMatchObject({ points: 1 })
      // the other key belongs to a row that is gone, and counts it
      expect(
        await rejectionOf(players.upsert({ on: ['email'], values: { ...ann, email: 'new', seat: 5, rank: 5, badge: 7 } })),
      ).toMatchObject({
        code: 'UNIQUE_VIOLATION',
        fields: ['badge'],
      })
      const byEmail = await rejectionOf(players.upsert({ on: ['badge'], values: { ...ann, badge: 20, seat: 6, rank: 6 } }))
      expect(byEmail).toMatchObject({ code: 'UNIQUE_VIOLATION', fields: ['email'] })
    })

    it('is left alone where another key of the same values meets a row that is gone', async () => {
      const { players } = use.nodes
      await gone()
      // the tombstone has the same email and the same badge: by email it is not there, by badge it is taken
      expect(await rejectionOf(players.upsert({ on: ['email'], values: ann }))).toMatchObject({
        code: 'UNIQUE_VIOLATION',
        fields: ['badge'],
      })
      expect(await rejectionOf(players.bulkUpsert({ on: ['email'], rows: [ann] }))).toMatchObject({
        code: 'UNIQUE_VIOLATION',
        fields: ['badge'],
      })
      expect(await players.count()).toBe(0)
      // a key that counts it brings it back
      expect(await players.upsert({ on: ['badge'], values: { ...ann, points: 5 } })).toMatchObject({
        outcome: 'updated',
        row: { points: 5, deletedAt: null },
      })
    })

    it('counts for many upserts as for one', async () => {
      const { players } = use.nodes
      const row = (email: string, seat: number, points: number) => ({ email, team: 'b', seat, points })
      await players.bulkCreate({ rows: [row('x', 1, 0), row('y', 2, 0), row('z', 3, 0)] })
      await players.delete({ where: { email: 'x' } })
      const rows = [row('x', 1, 1), row('y', 2, 1), row('z', 3, 0)]
      expect(await players.bulkUpsert({ on: ['email'], rows })).toEqual({ created: 1, updated: 1, unchanged: 1 })
      expect(await players.bulkUpsert({ on: ['seat', 'team'], rows })).toEqual({ created: 0, updated: 0, unchanged: 3 })
      expect((await players.list({ where: { team: 'b' }, orderBy: { email: 'asc' } })).rows.map(({ points }) => points)).toEqual([1, 1, 0])
      expect(await players.count({ where: { team: 'b' } }, { deleted: 'only' })).toBe(1)
    })

    it('lets many callers make one row of it at the same time', async () => {
      const { players } = use.nodes
      await gone()
      const results = await Promise.all(
        Array.from({ length: 12 }, () =>
          players.upsert({ on: ['email'], values: { ...ann, badge: null, rank: null }, update: { points: { $increment: 1 } } }),
        ),
      )
      expect(results.filter(({ outcome }) => outcome === 'created').length).toBe(1)
      expect(await players.read({ where: { email: 'ann' } })).toMatchObject({ points: 11 })
    })
  })
})

forEachEngine(
  (engine) => {
    it('is met by an onConflict of Kysely that repeats its condition', async () => {
      const { url, drop } = await engine.freshDatabase()
      const db = createDatabase({ url, models: { players: Player } })
      await db.createTables()
      const insert = (points: number) =>
        db.kysely
          .insertInto('players')
          .values({ email: 'ann', team: 'a', seat: 1, points })
          .onConflict((conflict) => conflict.column('email').where('deletedAt', 'is', null).doUpdateSet({ points }))
          .execute()
      await insert(1)
      await insert(2)
      await db.nodes.players.delete({ where: { email: 'ann' } })
      await insert(3)
      const { rows } = await db.nodes.players.list({ orderBy: { id: 'asc' } }, { deleted: 'include' })
      expect(rows.map(({ points, deletedAt }) => [points, deletedAt === null])).toEqual([
        [2, false],
        [3, true],
      ])
      await db.close()
      await drop()
    })
  },
  { engines: ['postgres', 'sqlite'] },
)
