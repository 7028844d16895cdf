import { AbortedError, defineModel, type Generated, QueryTimeoutError, UniqueViolationError, ValidationError } from 'latchwork'
import { beforeEach, describe, expect, it } from 'vitest'
import { Gate } from '../lib/pool/fake-connector.js'
import { forEachEngine } from '../support/engines.js'
import { models } from './members.js'
import { rejectionOf, useDatabase } from './use-database.js'

/** So many columns that a chunk of rows holds more values than one statement can bind. */
class Wide {
  id!: Generated<number>
}
const WIDE_COLUMNS = Array.from({ length: 70 }, (_, index) => `c${index}`)
const WIDE_FIELDS = Object.fromEntries(WIDE_COLUMNS.map((name) => [name, { kind: 'integer', nullable: true }]))
defineModel(Wide, { fields: { ...WIDE_FIELDS, id: { kind: 'integer', primary: true, increment: true } } })

class Page {
  id!: Generated<number>
  text!: string
}
defineModel(Page, { fields: { id: { kind: 'integer', primary: true, increment: true }, text: { kind: 'text' } } })

const memberOf = (index: number) => ({ email: `member${index}@example.com`, nickname: `nick${index}`, age: index % 90 })
const membersUpTo = (count: number) => Array.from({ length: count }, (_, index) => memberOf(index))

forEachEngine((engine) => {
  describe('bulkCreate', () => {
    const shop = useDatabase(engine, { ...models, wides: Wide, pages: Page })

    beforeEach(() => shop.clear())

    it.each([0, 1, 2, 999, 1_000, 1_001, 2_500])('makes and counts %i rows', async (count) => {
      expect(await shop.nodes.members.bulkCreate({ rows: membersUpTo(count) })).toEqual({ count })
      expect(await shop.nodes.members.count()).toBe(count)
    })

    it('gives the rows back in the order of the input, as they are stored', async () => {
      const rows = membersUpTo(1_203).reverse()
      const { count, rows: made } = await shop.nodes.members.bulkCreate({ rows, returning: true })
      expect(count).toBe(1_203)
      expect(made!.map(({ email, nickname, age }) => ({ email, nickname, age }))).toEqual(rows)
      const { rows: stored } = await shop.nodes.members.list({ orderBy: { email: 'asc' } })
      expect([...made!].sort((left, right) => (left.email < right.email ? -1 : 1))).toEqual(stored)
    })

    it('gives each row the defaults of what it leaves out, and keeps the order over mixed sets of fields', async () => {
      const rows = Array.from({ length: 30 }, (_, index) => ({
        email: `member${index}@example.com`,
        ...(index % 2 === 0 ? { active: false } : {}),
        ...(index % 3 === 0 ? { balance: '1.00' } : {}),
        ...(index % 5 === 0 ? { age: null } : {}),
      }))
      const { rows: made } = await shop.nodes.members.bulkCreate(
        { rows, returning: true },
        { select: ['email', 'active', 'balance', 'age'] },
      )
      expect(made).toEqual(rows.map((row) => ({ active: true, balance: '0.00', age: null, ...row })))
    })

    it('gives an empty list for an empty list', async () => {
      expect(await shop.nodes.members.bulkCreate({ rows: [], returning: true })).toEqual({ count: 0, rows: [] })
    })

    it('leaves out rows whose key is taken with onConflict: skip, by whichever key', async () => {
      await shop.nodes.members.create(memberOf(1))
      const rows = [memberOf(0), { ...memberOf(1), age: 80 }, { ...memberOf(2), nickname: 'nick1' }, memberOf(3), memberOf(3)]
      expect(await shop.nodes.members.bulkCreate({ rows, onConflict: 'skip' })).toEqual({ count: 2 })
      const { rows: stored } = await shop.nodes.members.list({ orderBy: { email: 'asc' } })
      expect(stored.map(({ email, age, version }) => [email, age, version])).toEqual(
        [0, 1, 3].map((index) => [memberOf(index).email, memberOf(index).age, 1]),
      )
    })

    it('gives only the rows made, in the order of the input, with onConflict: skip', async () => {
      await shop.nodes.members.bulkCreate({ rows: [memberOf(2), memberOf(5), memberOf(1_100)] })
      // the sets of fields alternate, so that one statement cannot take them all
      const rows = membersUpTo(1_200).map((row, index) => (index % 7 === 0 ? { ...row, active: false } : row))
      const made = await shop.nodes.members.bulkCreate({ rows, onConflict: 'skip', returning: true }, { select: ['email'] })
      const expected = rows.map(({ email }) => ({ email })).filter((_, index) => ![2, 5, 1_100].includes(index))
      expect(made).toEqual({ count: 1_197, rows: expected })
    })

    it('makes the first of two rows with one key with onConflict: skip, whatever fields they give', async () => {
      const rows = [
        { email: 'a@example.com', age: 1 },
        { email: 'b@example.com', age: 2, active: false },
        { email: 'b@example.com', age: 3 },
      ]
      expect(await shop.nodes.members.bulkCreate({ rows: [rows[0]!, rows[1]!, rows[2]!], onConflict: 'skip' })).toEqual({ count: 2 })
      expect(await shop.nodes.members.read({ where: { email: 'b@example.com' } })).toMatchObject({ age: 2, active: false })
    })

    it.each([0, 1, 999, 1_000, 1_500, 2_499])('leaves nothing when row %i is refused by the database', async (bad) => {
      const rows = membersUpTo(2_500)
      await shop.nodes.members.create({ email: 'other@example.com', nickname: 'taken' })
      rows[bad] = { ...memberOf(bad), nickname: 'taken' }
      const refused = await rejectionOf(shop.nodes.members.bulkCreate({ rows }))
      expect(refused).toBeInstanceOf(UniqueViolationError)
      expect(refused).toMatchObject({ model: 'Member', fields: ['nickname'] })
      expect(await shop.nodes.members.count()).toBe(1)
    })

    it('names the row that does not check out, and leaves nothing', async () => {
      const rows: object[] = membersUpTo(2_500)
      rows[1_500] = { ...memberOf(1_500), age: 'old' }
      const refused = await rejectionOf(shop.nodes.members.bulkCreate({ rows: rows as never }))
      expect(refused).toBeInstanceOf(ValidationError)
      expect(refused).toMatchObject({ issues: [{ path: ['rows', 1_500, 'age'] }] })
      expect(await shop.nodes.members.count()).toBe(0)
    })

    it.each([1_500, 1_990])(
      'keeps the first chunk, and no part of the second, with `transaction: false` and row %i refused',
      async (bad) => {
        const rows = membersUpTo(2_500)
        rows[bad] = { ...memberOf(bad), nickname: 'nick0' }
        const refused = await rejectionOf(shop.nodes.members.bulkCreate({ rows }, { transaction: false }))
        expect(refused).toBeInstanceOf(UniqueViolationError)
        expect(await shop.nodes.members.count()).toBe(1_000)
      },
    )

    it('reads an asynchronous source no more than a chunk ahead of the database', async () => {
      let read = 0
      const ahead: number[] = []
      async function* source() {
        for (; read < 3_500; read++) {
          if (read % 100 === 0 && read > 0) ahead.push(read - (await shop.another().nodes.members.count()))
          yield memberOf(read)
        }
      }
      const { count } = await shop.nodes.members.bulkCreate({ rows: source() }, { transaction: false })
      expect(count).toBe(3_500)
      expect(Math.max(...ahead)).toBeLessThanOrEqual(1_000)
    })

    it('passes on what the source throws, leaves nothing, and lets the source clean up', async () => {
      const events: string[] = []
      async function* failing() {
        for (const row of membersUpTo(1_500)) yield row
        throw new RangeError('the file ends here')
      }
      async function* refusedMidway() {
        try {
          for (let index = 0; ; index++) yield { ...memberOf(index), nickname: 'same' }
        } finally {
          events.push('closed')
        }
      }
      expect(await rejectionOf(shop.nodes.members.bulkCreate({ rows: failing() }))).toBeInstanceOf(RangeError)
      expect(await rejectionOf(shop.nodes.members.bulkCreate({ rows: refusedMidway() }))).toBeInstanceOf(UniqueViolationError)
      expect(events).toEqual(['closed'])
      expect(await shop.nodes.members.count()).toBe(0)
    })

    it.each([0, 1_500])('waits for a source that falls silent after %d rows no longer than the call may take', async (given) => {
      let cleanedUp = 0
      for (const transaction of [true, false]) {
        const speaks = new Gate()
        async function* silent() {
          try {
            for (const row of membersUpTo(given)) yield row
            await speaks.opened
          } finally {
            cleanedUp++
          }
        }
        const abort = new AbortController()
        const bulkCreate = (options: { timeoutMs?: number; signal?: AbortSignal }) =>
          rejectionOf(shop.nodes.members.bulkCreate({ rows: silent() }, { transaction, ...options }))
        expect(await bulkCreate({ timeoutMs: given === 0 ? 50 : 2_000 })).toBeInstanceOf(QueryTimeoutError)
        expect(await shop.nodes.members.count()).toBe(transaction ? 0 : Math.floor(given / 1_000) * 1_000)
        await shop.clear()
        const aborted = bulkCreate({ signal: abort.signal })
        setTimeout(() => abort.abort(), 200)
        expect(await aborted).toBeInstanceOf(AbortedError)
        await shop.clear()
        speaks.open()
      }
      await expect.poll(() => cleanedUp).toBe(4)
    })

    it('lets the source read through the nodes, in the same transaction', async () => {
      async function* source() {
        for (let index = 0; index < 3; index++) {
          yield { ...memberOf(index), age: await shop.nodes.members.count() }
        }
      }
      expect(await shop.nodes.members.bulkCreate({ rows: source() })).toEqual({ count: 3 })
    })

    it('makes rows of a model that has nothing but what the database makes', async () => {
      const { count, rows } = await shop.nodes.tickets.bulkCreate({ rows: [{}, {}, {}], returning: true })
      expect(count).toBe(3)
      expect(new Set(rows!.map(({ id }) => id)).size).toBe(3)
      expect(await shop.nodes.tickets.bulkCreate({ rows: [{}, {}], onConflict: 'skip' })).toEqual({ count: 2 })
      const { id } = await shop.nodes.tickets.create({})
      expect(await shop.nodes.tickets.list({ where: { id } })).toEqual({ rows: [{ id }] })
      expect(await shop.nodes.tickets.count()).toBe(6)
    })

    it('takes 70,000 values in one chunk', async () => {
      const rows = Array.from({ length: 1_000 }, (_, row) =>
        Object.fromEntries(WIDE_COLUMNS.map((name, column) => [name, row * 70 + column])),
      )
      expect(await shop.nodes.wides.bulkCreate({ rows: rows as never })).toEqual({ count: 1_000 })
      const [{ total }] = (await engine.admin(shop.url, 'select sum(c69) as total from wides')) as [{ total: unknown }]
      expect(Number(total)).toBe(rows.reduce((sum, row) => sum + row.c69!, 0))
    })

    it('takes rows of a megabyte each', async () => {
      const rows = Array.from({ length: 12 }, (_, index) => ({ text: String(index).padStart(1024 * 1024, '0123456789') }))
      const { rows: made } = await shop.nodes.pages.bulkCreate({ rows, returning: true })
      expect(made!.map(({ text }) => text)).toEqual(rows.map(({ text }) => text))
      expect(await shop.nodes.pages.bulkCreate({ rows })).toEqual({ count: 12 })
    })

    if (engine.name !== 'sqlite') return

    it.each(['abort', 'fail', 'rollback'])('leaves nothing where a trigger refuses one of the rows by raise(%s)', async (way) => {
      const refusal = `before insert on pages when new.text = 'no' begin select raise(${way}, 'not this one'); end`
      await engine.admin(shop.url, `create trigger refusing ${refusal}`)
      const rows = Array.from({ length: 100 }, (_, index) => ({ text: index === 70 ? 'no' : String(index) }))
      const create = (options?: { transaction: false }) => shop.nodes.pages.bulkCreate({ rows }, options)
      for (const run of [() => create(), () => create({ transaction: false }), () => shop.db.transaction(() => create())]) {
        const error = await rejectionOf(run())
        expect(error).toMatchObject({ code: 'QUERY', databaseCode: 'SQLITE_CONSTRAINT_TRIGGER' })
        expect(await shop.nodes.pages.count()).toBe(0)
      }
      await engine.admin(shop.url, 'drop trigger refusing')
      expect(await create()).toEqual({ count: 100 })
    })
  })

  describe('bulkUpdate and bulkDelete', () => {
    const shop = useDatabase(engine, models)

    beforeEach(async () => {
      await shop.clear()
      await shop.nodes.members.bulkCreate({ rows: membersUpTo(200) })
    })

    it('change the rows of the filter, count them, and keep the version and updatedAt of the others', async () => {
      expect(await shop.nodes.members.bulkUpdate({ where: { age: { $lt: 10 } }, set: { age: { $increment: 100 } } })).toEqual({ count: 30 })
      expect(await shop.nodes.members.count({ where: { age: { $gte: 100 } } })).toBe(30)
      expect(await shop.nodes.members.count({ where: { version: 2 } })).toBe(30)
    })

    it('count the rows that match, changed or not', async () => {
      expect(await shop.nodes.stocks.bulkCreate({ rows: [{ warehouse: 'a', item: 'b', amount: 3 }] })).toEqual({ count: 1 })
      expect(await shop.nodes.stocks.bulkUpdate({ where: { amount: 3 }, set: { amount: 3 } })).toEqual({ count: 1 })
    })

    it('delete the rows of the filter and count them', async () => {
      expect(await shop.nodes.members.bulkDelete({ where: { age: { $gte: 45 } } })).toEqual({ count: 90 })
      expect(await shop.nodes.members.count()).toBe(110)
      expect(await shop.nodes.members.bulkDelete({ where: { age: { $gte: 45 } } })).toEqual({ count: 0 })
    })

    it.each([
      ['no filter', {}],
      ['an empty filter', { where: {} }],
      ['undefined', { where: undefined }],
      ['a field that is undefined', { where: { age: undefined } }],
      ['null', { where: null }],
      ['conditions that hold for every row', { where: { $and: [{}, { id: { $nin: [] } }] } }],
      ['a negation that holds for every row', { where: { $not: { id: { $in: [] } } } }],
      ['all: false', { all: false }],
      ['a filter beside all: true', { where: { age: 1 }, all: true }],
    ])('refuse %s, and touch nothing', async (_, filter) => {
      const update = await rejectionOf(shop.nodes.members.bulkUpdate({ ...filter, set: { age: 0 } } as never))
      const remove = await rejectionOf(shop.nodes.members.bulkDelete(filter as never))
      expect(update).toBeInstanceOf(ValidationError)
      expect(remove).toBeInstanceOf(ValidationError)
      expect(await shop.nodes.members.count({ where: { version: 1 } })).toBe(200)
    })

    it('take every row with all: true', async () => {
      expect(await shop.nodes.members.bulkUpdate({ all: true, set: { active: false } })).toEqual({ count: 200 })
      expect(await shop.nodes.members.bulkDelete({ all: true })).toEqual({ count: 200 })
    })
  })
})
