import type { Generated } from 'kysely'
import {
  AuditEntry,
  belongsTo,
  deletedAt,
  field,
  hasMany,
  IdempotencyKeyReusedError,
  IdempotencyRecord,
  id,
  type Many,
  manyToMany,
  model,
  type One,
  RedactedFieldError,
  tenant,
  ValidationError,
  View,
} from 'latchwork'
import { beforeEach, describe, expect, it } from 'vitest'
import { forEachEngine } from '../support/engines.js'
import { rejectionOf, tally, useDatabase } from './use-database.js'

/** Its name is free again once it is deleted. */
@model({ audit: true })
class Guest {
  @id() id!: Generated<number>
  @field.text({ maxLength: 50, unique: true }) name!: string
  @field.integer({ nullable: true }) age!: number | null
  @deletedAt() deletedAt!: Generated<Date | null>
}

/** Not of a tenant, though what belongs to it is. */
@model()
class Org {
  @id() id!: Generated<number>
  @field.text({ maxLength: 50 }) name!: string
  @field.text({ maxLength: 50, redacted: true, default: () => 'made up' }) token!: Generated<string>
  @hasMany(() => Project, 'orgId') projects!: Many<Project>
  @hasMany(() => Room, 'siteId') rooms!: Many<Room>
}

/** Of the tenant that its org is. */
@model()
class Project {
  @id() id!: Generated<number>
  @tenant() orgId!: Generated<number>
  @field.text({ maxLength: 50 }) title!: string
  @belongsTo(() => Org, { foreignKey: 'orgId', constraint: false }) org!: One<Org>
}

/** Its site is nobody else's business. */
@model()
class Room {
  @id() id!: Generated<number>
  @tenant() orgId!: Generated<number>
  @field.integer({ nullable: true, redacted: true }) siteId!: number | null
  @belongsTo(() => Org, 'siteId') site!: One<Org> | null
}

@model()
class Art {
  @id() id!: Generated<number>
  @field.text({ maxLength: 50 }) title!: string
  @manyToMany(() => Word, { through: () => Tagged, foreignKey: 'artId', otherKey: 'wordId' }) words!: Many<Word>
}

@model()
class Word {
  @id() id!: Generated<number>
  @field.text({ maxLength: 50 }) text!: string
}

@model({ table: 'tagged' })
class Tagged extends View<'artId' | 'wordId'> {
  @id.integer() artId!: number
  @id.integer() wordId!: number
  @belongsTo(() => Art, 'artId') art!: One<Art>
  @belongsTo(() => Word, 'wordId') word!: One<Word>
}

const models = {
  guests: Guest,
  orgs: Org,
  projects: Project,
  rooms: Room,
  arts: Art,
  words: Word,
  tagged: Tagged,
  auditEntries: AuditEntry,
  idempotencyRecords: IdempotencyRecord,
}

forEachEngine((engine) => {
  const use = useDatabase(engine, models, {
    hooks: { rooms: { create: { before: () => undefined } } },
    pool: { maxConnections: 8 },
  })
  beforeEach(async () => {
    const { orgs, rooms, projects, auditEntries, idempotencyRecords } = use.nodes
    await use.db.acrossTenants(async () => {
      await rooms.bulkDelete({ all: true })
      await projects.bulkDelete({ all: true })
    })
    await orgs.bulkDelete({ all: true })
    await engine.admin(use.url, 'delete from guests')
    await auditEntries.bulkDelete({ all: true })
    await idempotencyRecords.bulkDelete({ all: true })
  })

  describe('the audit of an upsert by a key that deleted rows leave free', () => {
    const changes = async () => {
      const { rows } = await use.nodes.auditEntries.list({ orderBy: { id: 'asc' } })
      return rows.map(({ change, rowKey }) => `${change} ${rowKey}`)
    }

    it('tells of the row that is there, and of no other that had its values', async () => {
      const { guests } = use.nodes
      const { id: gone } = await guests.create({ name: 'Ada', age: 1 })
      await guests.delete({ where: { id: gone } })
      const { row, outcome } = await guests.upsert({ on: ['name'], values: { name: 'Ada', age: 2 } })
      expect(outcome).toBe('created')
      await engine.admin(use.url, `update guests set age = 9 where id = ${gone}`)
      await guests.upsert({ on: ['name'], values: { name: 'Ada', age: 3 } })
      expect(await guests.bulkUpsert({ on: ['name'], rows: [{ name: 'Ada', age: 4 }] })).toMatchObject({ updated: 1 })
      const here = `${row.id}`
      expect(await changes()).toEqual([`created ${gone}`, `deleted ${gone}`, `created ${here}`, `updated ${here}`, `updated ${here}`])
    })
  })

  describe('rows that are made together', () => {
    it('are refused where one would be of another tenant than it refers to', async () => {
      const { orgs, projects } = use.nodes
      await use.db.withTenant(1, async () => {
        const refused = [
          orgs.create({ name: 'B', projects: [{ title: 'x' }] }),
          projects.create({ title: 'y', org: { name: 'C' } } as never),
        ]
        for (const error of await Promise.all(refused.map(rejectionOf))) {
          expect(error).toBeInstanceOf(ValidationError)
          expect(error.message).toMatch(/orgId is the tenant/)
        }
        expect(await projects.count()).toBe(0)
      })
      expect(await orgs.count()).toBe(0)
    })

    it('are refused where those between them are of a view', async () => {
      const create = use.nodes.arts.create({ title: 'a', words: [{ text: 'w' }] })
      expect((await rejectionOf(create)).message).toMatch(/words: Tagged is a view/)
      expect(await use.nodes.arts.count()).toBe(0)
    })
  })

  describe('a call with an idempotency key', () => {
    const key = { idempotencyKey: 'k' }

    it('is of one tenant also where only what belongs to its row is of one', async () => {
      const { orgs } = use.nodes
      const make = (org: number) =>
        use.db.withTenant(org, () => orgs.create({ name: 'A', rooms: [{}] }, { ...key, include: { rooms: { select: ['orgId'] } } }))
      expect((await make(1)).rooms).toEqual([{ orgId: 1 }])
      expect((await make(2)).rooms).toEqual([{ orgId: 2 }])
      expect(await use.nodes.orgs.count()).toBe(2)
    })

    it('shows an outsider nothing that is redacted, neither by it nor in its record', async () => {
      const { orgs, idempotencyRecords } = use.nodes
      expect((await orgs.create({ name: 'A' }, key)).token).toBe('made up')
      const outside = use.db.node('OrgCreateNode')({ name: 'A' }, { ...key, redact: true }) as Promise<unknown>
      expect(await rejectionOf(outside)).toBeInstanceOf(IdempotencyKeyReusedError)
      const { rows } = (await use.db.node('IdempotencyRecordListNode')({}, { redact: true })) as { rows: readonly object[] }
      expect(rows.map((row) => Object.keys(row).includes('result'))).toEqual([false])
      expect((await idempotencyRecords.list()).rows[0]!.result).toContain('made up')
    })

    it('lets one of those who waited run where the first failed, and gives its result to the others', async () => {
      const { guests } = use.nodes
      await guests.create({ name: 'Bob' })
      let isFailing = true
      const db = use.another({
        hooks: {
          guests: {
            create: {
              after: async () => {
                await new Promise((resolve) => setTimeout(resolve, 100))
                if (isFailing) {
                  isFailing = false
                  throw new Error('not this time')
                }
              },
            },
          },
        },
      } as never)
      const calls = Array.from({ length: 5 }, () => db.nodes.guests.create({ name: 'Eve' }, { ...key, timeoutMs: 15_000 }))
      const outcomes = await Promise.allSettled(calls)
      expect(tally(outcomes.map(({ status }) => status))).toEqual({ fulfilled: 4, rejected: 1 })
      expect(await guests.count({ where: { name: 'Eve' } })).toBe(1)
      await db.close()
    })

    it.each(['a\0b', '', 'x'.repeat(201)])('is refused where it is no text that can be kept: %j', async (idempotencyKey) => {
      const error = await rejectionOf(use.nodes.guests.create({ name: 'Eve' }, { idempotencyKey }))
      expect(error).toBeInstanceOf(ValidationError)
      expect(error).toMatchObject({ model: 'Guest', issues: [{ path: ['options', 'idempotencyKey'] }] })
    })

    it('takes an input in which one object stands many times', async () => {
      let shared: object = { end: true }
      for (let level = 0; level < 40; level++) shared = { left: shared, right: shared }
      const create = use.nodes.guests.create({ name: 'Eve', age: shared } as never, key)
      expect(await rejectionOf(create)).toBeInstanceOf(ValidationError)
    })
  })

  describe('a redacted key', () => {
    const outside = (name: string, input: unknown, more: object = {}) =>
      rejectionOf(use.db.withTenant(1, () => use.db.node(name)(input, { redact: true, ...more }) as Promise<unknown>))

    it('is not told by its relation either, from whichever side', async () => {
      for (const refused of [
        outside('RoomListNode', { include: { site: true } }),
        outside('RoomListNode', { where: { site: { name: 'A' } } }),
        outside('OrgListNode', { include: { rooms: true } }),
        outside('OrgListNode', { where: { rooms: { $some: {} } } }),
      ])
        expect(await refused).toBeInstanceOf(RedactedFieldError)
    })

    it('is not selected by a call with hooks', async () => {
      expect(await outside('RoomCreateNode', {}, { select: ['siteId'] })).toBeInstanceOf(RedactedFieldError)
      expect(await use.db.acrossTenants(() => use.nodes.rooms.count())).toBe(0)
    })
  })
})
