import type { Generated } from 'kysely'
import { belongsTo, deletedAt, field, hasMany, hasOne, id, type Many, model, type One, tenant, View } from 'latchwork'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { forEachEngine } from '../support/engines.js'
import { statementsOf } from './use-blog.js'
import { useDatabase } from './use-database.js'

@model()
class Owner {
  @id() id!: Generated<number>
  @field.text({ maxLength: 20, nullable: true }) badgeCode!: string | null
  @field.text({ maxLength: 20, nullable: true }) deskCode!: string | null
  @hasOne(() => Face, 'ownerId') face!: One<Face> | null
  @hasOne(() => Seal, 'ownerId') seal!: One<Seal> | null
  @hasOne(() => Pass, 'ownerId') pass!: One<Pass> | null
  @hasOne(() => Sight, { foreignKey: 'ownerId', references: 'id' }) sight!: One<Sight> | null
  @belongsTo(() => Badge, { foreignKey: 'badgeCode', references: 'code', constraint: false }) badge!: One<Badge> | null
  @belongsTo(() => Desk, { foreignKey: 'deskCode', references: 'code', constraint: false }) desk!: One<Desk> | null
}

/** Any number of them an owner. */
@model()
class Face {
  @id.integer() id!: number
  @field.integer() ownerId!: number
  @field.text({ maxLength: 20 }) look!: string
  @belongsTo(() => Owner, 'ownerId') owner!: One<Owner>
  @hasOne(() => Mark, 'faceId') mark!: One<Mark> | null
}

@model()
class Mark {
  @id.integer() id!: number
  @field.integer() faceId!: number
  @belongsTo(() => Face, 'faceId') face!: One<Face>
}

/** Any number of them with one code. */
@model()
class Badge {
  @id.integer() id!: number
  @field.text({ maxLength: 20 }) code!: string
}

/** One with a code for each tenant. */
@model({ uniques: [{ on: ['orgId', 'code'] }] })
class Desk {
  @id() id!: Generated<number>
  @tenant() orgId!: Generated<number>
  @field.text({ maxLength: 20 }) code!: string
}

/** One that is in use for each owner. */
@model({ uniques: [{ on: ['ownerId'], where: { state: 'used' } }] })
class Seal {
  @id.integer() id!: number
  @field.integer() ownerId!: number
  @field.text({ maxLength: 20 }) state!: string
}

/** One that is not deleted for each owner. */
@model()
class Pass {
  @id() id!: Generated<number>
  @field.integer({ unique: true }) ownerId!: number
  @deletedAt() deletedAt!: Generated<Date | null>
}

/** Has no key that anyone holds it to. */
@model({ table: 'sights' })
class Sight extends View {
  @field.integer() ownerId!: number
  @field.text({ maxLength: 20 }) look!: string
  @hasMany(() => Face, { foreignKey: 'ownerId', references: 'ownerId' }) faces!: Many<Face>
}

const MODELS = { owners: Owner, faces: Face, marks: Mark, badges: Badge, desks: Desk, seals: Seal, passes: Pass, sights: Sight }
const byId = { orderBy: { id: 'asc' } } as const

forEachEngine((engine) => {
  const house = useDatabase(engine, MODELS)

  beforeAll(async () => {
    await engine.admin(house.url, 'create view sights as select owner_id, look from faces')
    const { owners, faces, marks, badges, desks, seals, passes } = house.nodes
    await owners.create({ badgeCode: 'gold', deskCode: 'd1' })
    await owners.create({ badgeCode: 'gold', deskCode: null })
    await owners.create({ badgeCode: null, deskCode: 'd2' })
    await faces.bulkCreate({
      rows: [
        { id: 3, ownerId: 1, look: 'sad' },
        { id: 1, ownerId: 1, look: 'glad' },
        { id: 2, ownerId: 1, look: 'sad' },
        { id: 4, ownerId: 2, look: 'sad' },
      ],
    })
    await marks.bulkCreate({ rows: [9, 8, 7].map((mark) => ({ id: mark, faceId: mark === 7 ? 4 : 1 })) })
    await badges.bulkCreate({ rows: [5, 4].map((badge) => ({ id: badge, code: 'gold' })) })
    for (const org of [1, 2]) await house.db.withTenant(org, () => desks.bulkCreate({ rows: [{ code: 'd1' }, { code: 'd2' }] }))
    await seals.bulkCreate({ rows: ['lost', 'used', 'lost'].map((state, at) => ({ id: at + 1, ownerId: 1, state })) })
    for (let time = 0; time < 2; time++) {
      await passes.bulkDelete({ where: { ownerId: 1 } })
      await passes.create({ ownerId: 1 })
    }
  })

  afterAll(() => engine.admin(house.url, 'drop view sights'))

  describe('a to-one relation by fields that are no key of its target', () => {
    it('gives a row one other, the first by its primary key, by one statement more', async () => {
      const { owners } = house.nodes
      const list = () => owners.list({ ...byId, include: { face: true, badge: true, seal: true } })
      expect(await statementsOf(list)).toBe(4)
      const { rows } = await list()
      expect(rows.map(({ id, face, badge, seal }) => [id, face?.id, badge?.id, seal?.id])).toEqual([
        [1, 1, 4, 1],
        [2, 4, 4, undefined],
        [3, undefined, undefined, undefined],
      ])
      expect(rows[2]).toMatchObject({ face: null, badge: null, seal: null })
    })

    it('makes no pages longer, nor their number', async () => {
      const { owners } = house.nodes
      const include = { face: true, badge: true, sight: true } as const
      const first = await owners.list({ ...byId, limit: 2, total: true, include })
      expect([first.rows.map(({ id }) => id), first.total]).toEqual([[1, 2], 3])
      const second = await owners.list({ ...byId, limit: 2, after: first.nextCursor!, include })
      expect(second.rows.map(({ id }) => id)).toEqual([3])
      const streamed: number[] = []
      for await (const { id } of owners.stream({ include })) streamed.push(id)
      expect(streamed).toEqual([1, 2, 3])
      expect((await owners.readMany({ keys: [{ id: 1 }, { id: 1 }], include })).map((row) => row?.face?.id)).toEqual([1, 1])
    })

    it('takes the first of the rows that meet its condition, and what is selected of it', async () => {
      const { owners } = house.nodes
      const list = () =>
        owners.list({
          ...byId,
          include: { face: { where: { look: 'sad' }, select: ['look'], include: { mark: { select: ['id'] } } } },
        })
      expect(await statementsOf(list)).toBe(3)
      expect((await list()).rows.map(({ face }) => face)).toEqual([{ look: 'sad', mark: null }, { look: 'sad', mark: { id: 7 } }, null])
      const sad = await owners.readOrThrow({ where: { id: 1 }, include: { face: { where: { look: 'sad' } } } })
      expect(sad.face?.id).toBe(2)
    })

    it('nests in itself and below a join, and joins what is safe below itself', async () => {
      const { marks, owners } = house.nodes
      const upAndDown = () =>
        marks.list({ ...byId, include: { face: { include: { owner: { include: { face: { include: { mark: true } } } } } } } })
      expect(await statementsOf(upAndDown)).toBe(3)
      expect((await upAndDown()).rows.map(({ face }) => [face.id, face.owner.face?.id, face.owner.face?.mark?.id])).toEqual([
        [4, 4, 7],
        [1, 1, 8],
        [1, 1, 8],
      ])
      const down = () => owners.list({ ...byId, include: { face: { include: { owner: { include: { pass: true } } } } } })
      expect(await statementsOf(down)).toBe(2)
      expect((await down()).rows.map(({ face }) => face?.owner.pass?.ownerId)).toEqual([1, undefined, undefined])
    })

    it('comes with what a write gives', async () => {
      const changed = await house.nodes.owners.update(
        { where: { id: 1 }, set: { deskCode: 'd1' } },
        { include: { face: true, badge: true } },
      )
      expect([changed.face?.id, changed.badge?.id]).toEqual([1, 4])
    })

    it('takes one row of a view', async () => {
      const { owners } = house.nodes
      const list = () => owners.list({ ...byId, include: { sight: { where: { look: 'sad' } } } })
      expect(await statementsOf(list)).toBe(2)
      const sad = (ownerId: number) => ({ ownerId, look: 'sad' })
      expect((await list()).rows.map(({ id, sight }) => [id, sight])).toEqual([
        [1, sad(1)],
        [2, sad(2)],
        [3, null],
      ])
    })
  })

  describe('a to-one relation by a key of its target', () => {
    it('is joined where rows that are deleted do not count in the key', async () => {
      const list = () => house.nodes.owners.list({ ...byId, include: { pass: true } })
      expect(await statementsOf(list)).toBe(1)
      expect((await list()).rows.map(({ id, pass }) => [id, pass?.deletedAt])).toEqual([
        [1, null],
        [2, undefined],
        [3, undefined],
      ])
    })

    it('gives the one that is not deleted before those that are, where these are asked for', async () => {
      const { owners, passes } = house.nodes
      const marked = (await passes.list({ orderBy: { id: 'asc' } }, { deleted: 'only' })).rows
      const ids = async (deleted: 'include' | 'only') => {
        const list = () => owners.list({ ...byId, include: { pass: { deleted } } })
        expect(await statementsOf(list)).toBe(2)
        return (await list()).rows.map(({ pass }) => pass?.id)
      }
      const [living] = (await passes.list()).rows
      expect(await ids('include')).toEqual([living!.id, undefined, undefined])
      expect(await ids('only')).toEqual([marked[0]!.id, undefined, undefined])
    })

    it('is joined for one tenant where the key is unique for each, and not across tenants', async () => {
      const { db, nodes } = house
      const list = () => nodes.owners.list({ ...byId, include: { desk: true } })
      const seen = async () => (await list()).rows.map(({ id, desk }) => [id, desk?.orgId, desk?.code])
      const of = (org: number) => [
        [1, org, 'd1'],
        [2, undefined, undefined],
        [3, org, 'd2'],
      ]
      for (const org of [1, 2]) {
        expect(await db.withTenant(org, () => statementsOf(list))).toBe(1)
        expect(await db.withTenant(org, seen)).toEqual(of(org))
      }
      expect(await db.acrossTenants(() => statementsOf(list))).toBe(2)
      expect(await db.acrossTenants(seen)).toEqual(of(1))
    })
  })
})
