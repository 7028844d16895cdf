import { field, type Generated, id, model, UniqueViolationError, UnsupportedError } from 'latchwork'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { queryEvents } from '../../lib/events.js'
import { forEachEngine } from '../support/engines.js'
import { Member, Note } from './members.js'
import { statementsOf } from './use-blog.js'
import { rejectionOf, useDatabase } from './use-database.js'

/** Its key is made by SQL, so that only the server knows it. */
@model()
class Answer {
  @id.integer({ defaultSql: '40 + 2' }) number!: Generated<number>
  @field.text({ maxLength: 50 }) question!: string
}

const models = { members: Member, notes: Note, answers: Answer }

const ADA = { email: 'ada@example.com', nickname: 'countess', age: 36 }

forEachEngine((engine) => {
  describe('a write', () => {
    const shop = useDatabase(engine, models)
    let givesRows = true

    beforeAll(async () => {
      if (engine.name !== 'mysql') return
      const [row] = await engine.admin(shop.url, 'select version() as version')
      givesRows = /mariadb/i.test(String(row!.version))
    })
    beforeEach(() => shop.clear())

    it('is one statement without a transaction where the server gives rows back, the first call on a cold pool among them', async () => {
      const { members, answers } = shop.another({ pool: { share: false } }).nodes
      const inTransaction: boolean[] = []
      const listen = (event: unknown) => inTransaction.push((event as { inTransaction: boolean }).inTransaction)
      queryEvents.subscribe(listen)
      const ada = await members.create(ADA)
      await members.delete({ where: { id: ada.id } })
      if (givesRows) await answers.create({ question: 'What is it?' })
      queryEvents.unsubscribe(listen)
      expect(inTransaction).toEqual(givesRows ? [false, false, false] : [true, true, true, true])
    })

    it('of an upsert is one too, whatever becomes of the row; on SQLite it is two where the row is there', async () => {
      const upsert = (age: number) => shop.nodes.members.upsert({ on: ['email'], values: { ...ADA, age } })
      const counts: number[] = []
      for (const age of [1, 2]) counts.push(await statementsOf(() => upsert(age)))
      expect(counts).toEqual(engine.name === 'sqlite' ? [1, 2] : givesRows ? [1, 1] : [2, 2])
      const unchanged = await statementsOf(async () => expect((await upsert(2)).outcome).toBe('unchanged'))
      expect(unchanged).toBe({ postgres: 1, sqlite: 3, mysql: givesRows ? 1 : 2 }[engine.name])
    })

    it('of many rows that come back is one statement a thousand rows, or a list of them', async () => {
      const rows = Array.from({ length: 1_024 }, (_, n) => ({ email: `${n}@example.com`, age: n }))
      let made: readonly unknown[] | undefined
      const count = await statementsOf(async () => {
        made = (await shop.nodes.members.bulkCreate({ rows, returning: true })).rows
      })
      expect(made).toMatchObject(rows)
      // lists of 512, 256, … of the first chunk of 1,000; then 16 and 8
      if (givesRows) expect(count).toBeLessThanOrEqual(engine.name === 'mysql' ? 8 : 2)
    })

    it('of up to a thousand rows that give the same is one statement without a transaction; on SQLite a transaction with short lists', async () => {
      const rows = Array.from({ length: 1_000 }, (_, n) => ({ email: `${n}@example.com`, age: n }))
      const sent: (readonly [string, boolean])[] = []
      const listen = (event: unknown) => {
        const { sql, inTransaction } = event as { sql: string; inTransaction: boolean }
        sent.push([sql.slice(0, 6), inTransaction])
      }
      queryEvents.subscribe(listen)
      expect(await shop.nodes.members.bulkCreate({ rows })).toEqual({ count: 1_000 })
      if (engine.name === 'postgres')
        expect(await shop.nodes.members.bulkUpsert({ on: ['email'], rows })).toEqual({ created: 0, updated: 0, unchanged: 1_000 })
      queryEvents.unsubscribe(listen)
      // one that is run for each list of 64, then lists of 32 and 8
      const expected = engine.name === 'sqlite' ? Array.from({ length: 3 }, () => ['insert', true]) : [['insert', false]]
      expect(sent).toEqual(engine.name === 'postgres' ? [...expected, ...expected] : expected)
    })

    it('of many rows keeps none where one of them is refused, inside a transaction that goes on as well', async () => {
      await shop.nodes.members.create({ email: '700@example.com' })
      const rows = Array.from({ length: 1_000 }, (_, n) => ({ email: `${n}@example.com`, age: n }))
      const bulk = () => shop.nodes.members.bulkCreate({ rows })
      expect(await rejectionOf(bulk())).toBeInstanceOf(UniqueViolationError)
      await shop.db.transaction(async () => {
        expect(await rejectionOf(bulk())).toBeInstanceOf(UniqueViolationError)
        await shop.nodes.members.create({ email: 'after@example.com' })
      })
      expect(await shop.nodes.members.count()).toBe(2)
    })

    it('gives back a key that SQL makes, or refuses to make it, from the first call on', async () => {
      const { answers } = shop.another({ pool: { share: false } }).nodes
      const create = answers.create({ question: 'What do you get?' })
      if (givesRows) expect(await create).toEqual({ number: 42, question: 'What do you get?' })
      else expect(await rejectionOf(create)).toBeInstanceOf(UnsupportedError)
    })

    it('skips the rows whose key is taken, and gives back the others only', async () => {
      await shop.nodes.members.create(ADA)
      const rows = [{ email: 'bob@example.com' }, ADA, { email: 'eve@example.com' }]
      const { count, rows: made } = await shop.nodes.members.bulkCreate({ rows, onConflict: 'skip', returning: true })
      expect(count).toBe(2)
      expect(made?.map(({ email }) => email)).toEqual(['bob@example.com', 'eve@example.com'])
    })

    it('of an upsert tells what became of the row after other upserts and counted keys on the same connection', async () => {
      const { members } = shop.another({ pool: { share: false, maxConnections: 1 } }).nodes
      const outcomes: string[] = []
      const upsert = async (email: string, age: number) => {
        outcomes.push((await members.upsert({ on: ['email'], values: { email, age } })).outcome)
      }
      await upsert('ada@example.com', 1)
      await upsert('ada@example.com', 2)
      await upsert('bob@example.com', 2)
      await upsert('bob@example.com', 2)
      await upsert('eve@example.com', 2)
      await members.create({ email: 'zoe@example.com' })
      await upsert('eve@example.com', 2)
      await upsert('ida@example.com', 2)
      await rejectionOf(members.upsert({ on: ['email'], values: { email: 'ida@example.com', age: -1 } }))
      await upsert('uma@example.com', 2)
      expect(outcomes).toEqual(['created', 'updated', 'created', 'unchanged', 'created', 'unchanged', 'created', 'created'])
    })
  })
})
