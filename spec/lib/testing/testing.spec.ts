import { existsSync } from 'node:fs'
import { field, type Generated, id, model } from 'latchwork'
import { freshDatabase, manualClock } from 'latchwork/testing'
import { describe, expect, inject, it } from 'vitest'
import { models } from '../../contract/members.js'
import { rejectionOf } from '../../contract/use-database.js'
import { forEachEngine } from '../../support/engines.js'

@model()
class Broken {
  @id() id!: Generated<number>
  @field.integer({ defaultSql: 'no such thing' }) number!: Generated<number>
}

forEachEngine((engine) => {
  const serverUrl = () => {
    const place = inject('engines')[engine.name]
    return 'url' in place ? place.url : ''
  }

  /** What databases of ours the server has; for SQLite, whether its file is there. */
  async function isThere(url: string): Promise<boolean> {
    if (engine.name === 'sqlite') return existsSync(url.slice('sqlite:'.length))
    const name = new URL(url).pathname.slice(1)
    const catalogue = engine.name === 'postgres' ? 'pg_database where datname' : 'information_schema.schemata where schema_name'
    return (await engine.admin(serverUrl(), `select 1 as found from ${catalogue} = '${name}'`)).length > 0
  }

  describe('freshDatabase', () => {
    it('is empty, has the tables of the models, and goes when it is dropped', async () => {
      const fresh = await freshDatabase({ url: serverUrl(), models })
      const another = await freshDatabase({ url: serverUrl(), models })
      await fresh.db.nodes.tickets.create({})
      expect([await fresh.db.nodes.tickets.count(), await another.db.nodes.tickets.count()]).toEqual([1, 0])
      expect(await isThere(fresh.url)).toBe(true)
      await Promise.all([fresh.drop(), fresh.drop()])
      expect(await isThere(fresh.url)).toBe(false)
      expect(await isThere(another.url)).toBe(true)
      await another[Symbol.asyncDispose]()
      expect(await isThere(another.url)).toBe(false)
    })

    it('leaves nothing where its tables cannot be made', async () => {
      const before = engine.name === 'sqlite' ? 0 : await databases()
      await rejectionOf(freshDatabase({ url: serverUrl(), models: { broken: Broken } }))
      if (engine.name !== 'sqlite') expect(await databases()).toBe(before)
    })

    async function databases(): Promise<number> {
      const catalogue = engine.name === 'postgres' ? 'pg_database where datname' : 'information_schema.schemata where schema_name'
      const rows = await engine.admin(serverUrl(), `select 1 as found from ${catalogue} like 'lw_test_%'`)
      return rows.length
    }

    it('needs a url', async () => {
      expect(await rejectionOf(freshDatabase({ models, connection: { engine: 'sqlite', file: ':memory:' } }))).toMatchObject({
        code: 'CONFIGURATION',
      })
    })
  })

  describe('manualClock', () => {
    it('says what the layer takes for now', async () => {
      const clock = manualClock(new Date('2026-05-01T12:00:00Z'))
      await using fresh = await freshDatabase({ url: serverUrl(), models, now: clock.now })
      const { members } = fresh.db.nodes
      const { id } = await members.create({ email: 'a@b.c' })
      clock.advance(1_500)
      const changed = await members.update({ where: { id }, set: { age: 3 } })
      expect([changed.createdAt, changed.updatedAt]).toEqual([new Date('2026-05-01T12:00:00Z'), new Date('2026-05-01T12:00:01.500Z')])
      clock.set(new Date('2025-01-01T00:00:00Z'))
      expect((await members.create({ email: 'b@b.c' })).createdAt).toEqual(new Date('2025-01-01T00:00:00Z'))
    })
  })
})

describe('manualClock', () => {
  it('gives a date of its own each time, and refuses what is none', () => {
    const clock = manualClock()
    clock.now().setFullYear(1999)
    expect(clock.now()).toEqual(new Date('2026-01-01T00:00:00Z'))
    expect(() => manualClock(new Date(Number.NaN))).toThrow(/instant/)
    expect(() => clock.advance(Number.POSITIVE_INFINITY)).toThrow(/instant/)
    expect(() => clock.set('2026' as never)).toThrow(/instant/)
  })
})
