import { createDatabase, field, type Generated, id, model } from 'latchwork'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type FreshDatabase, forEachEngine } from '../support/engines.js'

const CALLERS = 20
const CALLS_EACH = 10

@model()
class Counter {
  @id() id!: Generated<number>
  @field.text({ unique: true, maxLength: 50 }) name!: string
  @field.integer() count!: number
  @field.text({ maxLength: 50 }) writer!: string
}

forEachEngine((engine) => {
  describe('callers who update one row at once', () => {
    const open = (url: string) => createDatabase({ url, models: { counters: Counter } })
    let database: FreshDatabase
    let db: ReturnType<typeof open>
    let key: { readonly id: number }

    beforeAll(async () => {
      database = await engine.freshDatabase()
      db = open(database.url)
      await db.createTables()
    })
    beforeEach(async () => {
      await db.nodes.counters.bulkDelete({ all: true })
      key = { id: (await db.nodes.counters.create({ name: 'one', count: 0, writer: '' })).id }
    })
    afterAll(async () => {
      await db?.close()
      await database?.drop()
    })

    /** What each of the calls is given, all callers at once, each one call after the other. */
    async function race<T>(call: (writer: string) => Promise<T>): Promise<readonly T[]> {
      const given: T[] = []
      const caller = async (_: unknown, number: number) => {
        for (let made = 0; made < CALLS_EACH; made++) given.push(await call(`writer ${number}.${made}`))
      }
      await Promise.all(Array.from({ length: CALLERS }, caller))
      return given
    }

    const increment = (writer: string) => db.nodes.counters.update({ where: key, set: { count: { $increment: 1 }, writer } })
    const ascending = (counts: readonly number[]) => [...counts].sort((left, right) => left - right)
    const everyCount = Array.from({ length: CALLERS * CALLS_EACH }, (_, index) => index + 1)

    it('are each given the value that they made, and never that of somebody else', async () => {
      const given = await race(async (writer) => ({ writer, row: await increment(writer) }))
      expect(ascending(given.map(({ row }) => row.count))).toEqual(everyCount)
      for (const { writer, row } of given) expect(row.writer).toBe(writer)
      expect((await db.nodes.counters.readOrThrow({ where: key })).count).toBe(everyCount.length)
    })

    it('are so in transactions too', async () => {
      const given = await race((writer) => db.transaction(async () => ({ writer, row: await increment(writer) })))
      expect(ascending(given.map(({ row }) => row.count))).toEqual(everyCount)
      for (const { writer, row } of given) expect(row.writer).toBe(writer)
    })

    it('are given rows with the values that they set, also where these were there before', async () => {
      const given = await race(async (writer) => {
        const set = { count: Number(writer.slice(-1)), writer: 'the same' }
        return { set, row: await db.nodes.counters.update({ where: { name: 'one' }, set }) }
      })
      for (const { set, row } of given) expect(row).toEqual({ ...key, name: 'one', ...set })
    })

    it('leave nothing behind where one fails among them', async () => {
      await db.nodes.counters.create({ name: 'taken', count: 0, writer: '' })
      const rename = (writer: string) => db.nodes.counters.update({ where: key, set: { name: 'taken', count: -1, writer } })
      const given = await race(async (writer) => {
        await expect(rename(writer)).rejects.toMatchObject({ code: 'UNIQUE_VIOLATION' })
        return (await increment(writer)).count
      })
      expect(ascending(given)).toEqual(everyCount)
    })
  })
})
