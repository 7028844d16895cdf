import {
  AuditEntry,
  belongsTo,
  createDatabase,
  defineModel,
  deletedAt,
  field,
  type Generated,
  hasMany,
  id,
  type Json,
  type Many,
  ModelError,
  model,
  type One,
  tenant,
  updatedAt,
  version,
} from 'latchwork'
import { manualClock } from 'latchwork/testing'
import { beforeEach, describe, expect, it } from 'vitest'
import { forEachEngine } from '../support/engines.js'
import { statementsOf } from './use-blog.js'
import { rejectionOf, tally, useDatabase } from './use-database.js'

@model({ audit: { omit: ['secret'] }, uniques: [{ on: ['name'], deleted: 'include' }] })
class Patient {
  @id('bigint') id!: Generated<bigint>
  @field.text({ maxLength: 700 }) name!: string
  @field.text({ maxLength: 50, nullable: true }) secret!: string | null
  @field.text({ maxLength: 50, nullable: true, redacted: true }) pin!: string | null
  @field.json({ nullable: true }) notes!: Json<{ words: string[] }> | null
  @field.bytes({ nullable: true }) scan!: Uint8Array | null
  @updatedAt() updatedAt!: Generated<Date>
  @version() version!: Generated<number>
  @deletedAt() deletedAt!: Generated<Date | null>
  @hasMany(() => Visit, 'patientId') visits!: Many<Visit>
}

/** Goes with its patient. */
@model({ audit: true })
class Visit {
  @id() id!: Generated<number>
  @field.bigint() patientId!: bigint
  @field.integer({ nullable: true }) roomId!: number | null
  @deletedAt() deletedAt!: Generated<Date | null>
  @belongsTo(() => Patient, { foreignKey: 'patientId', onDelete: 'cascade' }) patient!: One<Patient>
}

/** Really goes when it is deleted. */
@model({ audit: true })
class Stay {
  @id.text({ maxLength: 10 }) ward!: string
  @id.integer() bed!: number
  @tenant() clinicId!: Generated<number>
  @field.integer({ nullable: true }) days!: number | null
}

@model()
class Plain {
  @id() id!: Generated<number>
  @field.text({ maxLength: 10 }) name!: string
}

const models = { auditEntries: AuditEntry, patients: Patient, visits: Visit, stays: Stay, plains: Plain } as const
const NOON = new Date('2026-01-31T12:00:00.123Z')

forEachEngine((engine) => {
  describe('the audit', () => {
    const clock = manualClock(NOON)
    const use = useDatabase(engine, models, { now: clock.now })

    beforeEach(async () => {
      clock.set(NOON)
      await use.clear()
    })

    const entries = async () => (await use.nodes.auditEntries.list({ orderBy: { id: 'asc' } })).rows
    const told = async () => (await entries()).map(({ change, node, before, after }) => [change, node, before, after])
    const forget = () => use.nodes.auditEntries.bulkDelete({ all: true })

    it('says who made a row, when and by which node, and what it is, less what is left out or redacted', async () => {
      const { patients } = use.nodes
      const made = await use.db.withActor('dr ada', () =>
        patients.create(
          { name: 'Bob', secret: 'x', pin: '1234', notes: { words: ['a'] }, scan: new Uint8Array([1, 2]) },
          { select: ['name'] },
        ),
      )
      expect(made).toEqual({ name: 'Bob' })
      const { id } = await patients.readOrThrow({ where: { name: 'Bob' } })
      const [entry, ...others] = await entries()
      expect(others).toEqual([])
      expect(entry).toMatchObject({ at: NOON, actor: 'dr ada', tenant: null, model: 'Patient', rowKey: String(id), change: 'created' })
      expect(entry).toMatchObject({ node: 'PatientCreateNode', before: null })
      expect(entry!.after).toEqual({
        id: String(id),
        name: 'Bob',
        notes: { words: ['a'] },
        scan: 'AQI=',
        updatedAt: NOON.toISOString(),
        version: 1,
        deletedAt: null,
      })
    })

    it('has an entry for each row that is made with another', async () => {
      const { patients } = use.nodes
      const { id } = await patients.create({ name: 'Eve', visits: [{ roomId: 1 }, { roomId: 2 }] }, { select: ['id'] })
      const made = await entries()
      expect(tally(made.map(({ model, change, node }) => `${model} ${change} ${node}`))).toEqual({
        'Patient created PatientCreateNode': 1,
        'Visit created PatientCreateNode': 2,
      })
      const rooms = made.filter(({ model }) => model === 'Visit').map(({ after }) => after)
      expect(rooms).toMatchObject([1, 2].map((roomId) => ({ roomId, patientId: String(id) })))
      await forget()
      await rejectionOf(patients.create({ name: 'Eve', visits: [{ roomId: 3 }] }))
      expect(await entries()).toEqual([])
    })

    it('says of an update what changed, also that something did which is left out', async () => {
      const { patients } = use.nodes
      await patients.create({ name: 'Bob', secret: 'x', notes: null })
      await forget()
      clock.advance(1_000)
      const later = clock.now().toISOString()
      const updated = await patients.update({ where: { name: 'Bob' }, set: { name: 'Rob' }, version: 1 }, { select: ['version'] })
      expect(updated).toEqual({ version: 2 })
      await patients.update({ where: { name: 'Rob' }, set: { secret: 'y' } })
      expect(await told()).toEqual([
        [
          'updated',
          'PatientUpdateNode',
          { name: 'Bob', updatedAt: NOON.toISOString(), version: 1 },
          { name: 'Rob', updatedAt: later, version: 2 },
        ],
        ['updated', 'PatientUpdateNode', { version: 2 }, { version: 3 }],
      ])
      expect(JSON.stringify(await told())).not.toContain('secret')
    })

    it('has an entry a row for bulk writes, and none for rows that are as they were', async () => {
      const { patients } = use.nodes
      const rows = ['a', 'b', 'c'].map((name) => ({ name }))
      expect(await patients.bulkCreate({ rows })).toEqual({ count: 3 })
      const skipped = { rows: [{ name: 'c' }, { name: 'd' }], onConflict: 'skip', returning: true } as const
      expect(await patients.bulkCreate(skipped, { select: ['name'] })).toEqual({ count: 1, rows: [{ name: 'd' }] })
      expect((await told()).map(([change, node]) => `${change} ${node}`)).toEqual(Array(4).fill('created PatientBulkCreateNode'))
      await forget()
      expect(await patients.bulkUpdate({ where: { name: { $in: ['a', 'b'] } }, set: { secret: 's' } })).toEqual({ count: 2 })
      expect(await patients.claim({ where: { name: { $gte: 'c' } }, set: { notes: { words: [] } }, limit: 1 })).toHaveLength(1)
      const upserted = { on: ['name'], rows: [{ name: 'a' }, { name: 'd', secret: 't' }, { name: 'e' }] } as const
      expect(await patients.bulkUpsert(upserted)).toEqual({ created: 1, updated: 1, unchanged: 1 })
      expect(tally((await told()).map(([change, node]) => `${change} ${node}`))).toEqual({
        'updated PatientBulkUpdateNode': 2,
        'updated PatientClaimNode': 1,
        'created PatientBulkUpsertNode': 1,
        'updated PatientBulkUpsertNode': 1,
      })
      expect(await patients.bulkUpdate({ where: { name: 'nobody' }, set: { secret: 's' } })).toEqual({ count: 0 })
      expect(await entries()).toHaveLength(5)
    })

    it('follows an upsert: made, changed, left as it was', async () => {
      const { patients } = use.nodes
      const upsert = (secret: string) => patients.upsert({ on: ['name'], values: { name: 'Bob', secret } }, { select: ['name'] })
      expect([await upsert('x'), await upsert('y'), await upsert('y')].map(({ outcome, row }) => [outcome, row])).toEqual([
        ['created', { name: 'Bob' }],
        ['updated', { name: 'Bob' }],
        ['unchanged', { name: 'Bob' }],
      ])
      expect((await told()).map(([change]) => change)).toEqual(['created', 'updated'])
    })

    it('tells each step of many who upsert the same row at once, with no gap', async () => {
      const { patients } = use.nodes
      const secrets = Array.from({ length: 12 }, (_, index) => index)
      const upserts = secrets.map((n) => patients.upsert({ on: ['name'], values: { name: 'Bob', notes: { words: [String(n)] } } }))
      const results = await Promise.all(upserts)
      expect(tally(results.map(({ outcome }) => outcome))).toEqual({ created: 1, updated: 11 })
      const steps = await entries()
      expect(tally(steps.map(({ change }) => change))).toEqual({ created: 1, updated: 11 })
      const versions = steps
        .map(({ before, after }) => [before?.version ?? 0, after?.version])
        .toSorted(([a], [b]) => Number(a) - Number(b))
      expect(versions).toEqual(secrets.map((n) => [n, n + 1]))
    })

    it('tells each step of many who change the same row at once, with no gap', async () => {
      const { patients } = use.nodes
      await patients.create({ name: 'Bob' })
      await forget()
      const where = { name: 'Bob' }
      const changes = Array.from({ length: 4 }, (_, index) => [
        () => patients.update({ where, set: { secret: `u${index}` } }),
        () => patients.bulkUpdate({ where, set: { secret: `b${index}` } }),
        () => patients.upsert({ on: ['name'], values: { name: 'Bob', secret: `i${index}` } }),
      ]).flat()
      await Promise.all(changes.map((change) => change()))
      const versions = (await entries()).map(({ before, after }) => [before?.version, after?.version])
      const expected = changes.map((_, index) => [index + 1, index + 2])
      expect(versions.toSorted(([a], [b]) => Number(a) - Number(b))).toEqual(expected)
    })

    it('follows rows that are marked as deleted, those that go with them, and back', async () => {
      const { patients, visits } = use.nodes
      const { id } = await patients.create({ name: 'Bob' })
      await visits.bulkCreate({ rows: [{ patientId: id }, { patientId: id }] })
      await forget()
      await patients.delete({ where: { id } })
      const deletions = await entries()
      expect(deletions.map(({ model, change, node }) => `${model} ${change} ${node}`).toSorted()).toEqual([
        'Patient deleted PatientDeleteNode',
        'Visit deleted PatientDeleteNode',
        'Visit deleted PatientDeleteNode',
      ])
      expect(deletions.find(({ model }) => model === 'Visit')).toMatchObject({
        before: { deletedAt: null },
        after: { deletedAt: NOON.toISOString() },
      })
      await forget()
      await patients.restore({ where: { id } })
      expect(tally((await entries()).map(({ model, change }) => `${model} ${change}`))).toEqual({
        'Patient restored': 1,
        'Visit restored': 2,
      })
      await forget()
      expect(await visits.bulkDelete({ all: true })).toEqual({ count: 2 })
      expect(await patients.bulkDelete({ all: true })).toEqual({ count: 1 })
      expect(tally((await entries()).map(({ model, change, node }) => `${model} ${change} ${node}`))).toEqual({
        'Visit deleted VisitBulkDeleteNode': 2,
        'Patient deleted PatientBulkDeleteNode': 1,
      })
      await patients.upsert({ on: ['name'], values: { name: 'Bob' } })
      expect((await told()).at(-1)!.slice(0, 2)).toEqual(['restored', 'PatientUpsertNode'])
    })

    it('keeps what a deleted row was, its composite key and its tenant', async () => {
      const { stays } = use.nodes
      await use.db.withTenant(7, async () => {
        await stays.bulkCreate({
          rows: [
            { ward: 'a', bed: 1, days: 3 },
            { ward: 'a', bed: 2 },
            { ward: 'b', bed: 1 },
          ],
        })
        await forget()
        expect(await stays.delete({ where: { ward: 'a', bed: 1 } })).toEqual({ ward: 'a', bed: 1, clinicId: 7, days: 3 })
        expect(await stays.bulkUpdate({ where: { ward: 'a' }, set: { days: 1 } })).toEqual({ count: 1 })
        expect(await stays.bulkDelete({ all: true })).toEqual({ count: 2 })
      })
      const made = await entries()
      expect(made.map(({ tenant, rowKey, change }) => [tenant, rowKey, change])).toEqual([
        ['7', '["a",1]', 'deleted'],
        ['7', '["a",2]', 'updated'],
        ['7', '["a",2]', 'deleted'],
        ['7', '["b",1]', 'deleted'],
      ])
      expect(made[0]).toMatchObject({ actor: null, before: { ward: 'a', bed: 1, clinicId: 7, days: 3 }, after: null })
      expect(made[1]).toMatchObject({ before: { days: null }, after: { days: 1 } })
    })

    it('goes with the transaction: what is rolled back leaves no entry, and what fails none either', async () => {
      const { patients } = use.nodes
      await patients.create({ name: 'Bob' })
      await forget()
      await rejectionOf(
        use.db.transaction(async () => {
          await patients.update({ where: { name: 'Bob' }, set: { secret: 'x' } })
          expect(await entries()).toHaveLength(1)
          throw new Error('undone')
        }),
      )
      expect(await rejectionOf(patients.create({ name: 'Bob' }))).toMatchObject({ code: 'UNIQUE_VIOLATION' })
      expect(await rejectionOf(patients.update({ where: { name: 'Eve' }, set: { secret: 'x' } }))).toMatchObject({ code: 'NOT_FOUND' })
      expect(await rejectionOf(patients.update({ where: { name: 'Bob' }, set: { secret: 'x' }, version: 9 }))).toMatchObject({
        code: 'STALE_VERSION',
      })
      expect(await rejectionOf(patients.bulkCreate({ rows: [{ name: 'Eve' }, { name: 'Bob' }] }))).toMatchObject({
        code: 'UNIQUE_VIOLATION',
      })
      expect(await entries()).toEqual([])
    })

    it('undoes a change that it cannot write down, and nothing more', async () => {
      const { patients, plains } = use.nodes
      await patients.create({ name: 'Bob' })
      await engine.admin(use.url, 'alter table audit_entries rename to hidden_entries')
      try {
        await use.db.transaction(async () => {
          await plains.create({ name: 'kept' })
          const where = { name: 'Bob' }
          const name = 'Eve'
          const writes = [
            () => patients.create({ name }),
            () => patients.bulkCreate({ rows: [{ name }] }),
            () => patients.upsert({ on: ['name'], values: { name } }),
            () => patients.bulkUpsert({ on: ['name'], rows: [{ name }] }),
            () => patients.update({ where, set: { secret: 'x' } }),
            () => patients.bulkUpdate({ where, set: { secret: 'x' } }),
            () => patients.claim({ where, set: { secret: 'x' } }),
            () => patients.delete({ where }),
            () => patients.bulkDelete({ where }),
          ]
          for (const write of writes) expect(await rejectionOf(write())).toMatchObject({ code: 'QUERY' })
        })
        expect(await plains.count()).toBe(1)
        expect((await patients.list()).rows).toMatchObject([{ name: 'Bob', secret: null, version: 1 }])
      } finally {
        await engine.admin(use.url, 'alter table hidden_entries rename to audit_entries')
      }
    })

    it('names rows by their primary key, which is therefore not changed', async () => {
      const { patients } = use.nodes
      const { id } = await patients.create({ name: 'Bob' })
      const set = { id: id + 1n }
      expect(await rejectionOf(patients.update({ where: { id }, set }))).toMatchObject({ code: 'VALIDATION' })
      expect(await rejectionOf(patients.bulkUpdate({ all: true, set }))).toMatchObject({ code: 'VALIDATION' })
    })

    it('knows the innermost actor, and refuses what is none', async () => {
      const { patients } = use.nodes
      await use.db.withActor('outer', async () => {
        await use.db.withActor('inner', () => patients.create({ name: 'a' }))
        await patients.create({ name: 'b' })
      })
      await patients.create({ name: 'c' })
      expect((await entries()).map(({ actor }) => actor)).toEqual(['inner', 'outer', null])
      for (const actor of ['', 'x'.repeat(201), 7 as never]) {
        expect(await rejectionOf(use.db.withActor(actor, async () => undefined))).toMatchObject({ code: 'CONFIGURATION', option: 'actor' })
      }
    })

    it('costs a model without it nothing', async () => {
      const { plains } = use.nodes
      expect(await statementsOf(() => plains.bulkCreate({ rows: [{ name: 'a' }, { name: 'b' }] }))).toBe(1)
      expect(await statementsOf(() => plains.bulkUpdate({ all: true, set: { name: 'c' } }))).toBe(1)
      expect(await entries()).toEqual([])
    })
  })
})

describe('a model that is audited', () => {
  it('needs AuditEntry among the models of its database', () => {
    expect(() => createDatabase({ url: 'sqlite::memory:', models: { stays: Stay } })).toThrow(ModelError)
    expect(() => createDatabase({ url: 'sqlite::memory:', models: { stays: Stay } })).toThrow(/AuditEntry among the models/)
  })

  it.each<[audit: unknown, message: string]>([
    [{ omit: ['secrt'] }, 'did you mean "secret"?'],
    [{ omit: ['id'] }, 'is part of the primary key'],
    [{ omit: 'secret' }, 'a list of fields'],
    [{ skip: [] }, 'unknown option "skip"'],
    ['yes', 'expected an object of options'],
  ])('refuses audit: %j', (audit, message) => {
    expect(() => {
      @model({ audit: audit as never })
      class Wrong {
        @id() id!: Generated<number>
        @field.text() secret!: string
      }
      return Wrong
    }).toThrow(message)
  })

  it('has keys and tenants that an entry has room for', () => {
    const keyed = (...lengths: number[]) => {
      class Keyed {}
      const fields = lengths.map((length, index) => [`key${index}`, { kind: 'varchar', length, primary: true }] as const)
      return defineModel(Keyed, { audit: true, fields: Object.fromEntries(fields) } as never)
    }
    expect(() => keyed(600)).not.toThrow()
    expect(() => keyed(601)).toThrow('"key0": audit: a primary key may have 600 characters at most')
    expect(() => keyed(300, 301)).toThrow('600 characters at most')
    expect(() => {
      @model({ audit: true })
      class Owned {
        @id() id!: Generated<number>
        @tenant('text', { maxLength: 201 }) owner!: Generated<string>
      }
      return Owned
    }).toThrow('"owner": audit: a tenant may have 200 characters at most')
  })
})
