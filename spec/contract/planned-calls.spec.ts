import fc from 'fast-check'
import {
  belongsTo,
  createDatabase,
  type Database,
  deletedAt,
  field,
  type Generated,
  hasMany,
  id,
  type Json,
  type Many,
  model,
  type One,
  tenant,
} from 'latchwork'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { forEachEngine } from '../support/engines.js'
import { rejectionOf, useDatabase } from './use-database.js'

@model()
class Coin {
  @id() id!: Generated<number>
  @field.text({ unique: true, maxLength: 20 }) mint!: string
  @field.uuid({ unique: true }) tag!: string
  @field.bigint({ unique: true }) serial!: bigint
  @field.timestamp({ unique: true }) struckAt!: Date
  @field.decimal({ precision: 10, scale: 2, nullable: true }) worth!: string | null
  @field.boolean({ nullable: true }) isWorn!: boolean | null
  @field.json({ nullable: true }) notes!: Json<Record<string, unknown>> | null
  @hasMany(() => Sale, 'coinId') sales!: Many<Sale>
  @deletedAt() deletedAt!: Generated<Date | null>
}

@model()
class Sale {
  @id() id!: Generated<number>
  @field.integer() coinId!: number
  @field.integer() price!: number
  @belongsTo(() => Coin, 'coinId') coin!: One<Coin>
}

@model()
class Shelf {
  @id.text({ maxLength: 20 }) code!: string
  @tenant() orgId!: Generated<number>
  @hasMany(() => Label, 'shelfCode') labels!: Many<Label>
}

@model()
class Label {
  @id() id!: Generated<number>
  @field.text({ maxLength: 20 }) shelfCode!: string
  @belongsTo(() => Shelf, 'shelfCode') shelf!: One<Shelf>
}

const models = { coins: Coin, sales: Sale, shelves: Shelf, labels: Label } as const
const tagOf = (n: number) => `00000000-0000-4000-8000-00000000000${n}`
const coin = (n: number) => ({
  mint: `mint ${n}`,
  tag: tagOf(n),
  serial: 9_007_199_254_740_993n + BigInt(n),
  struckAt: new Date(Date.UTC(2020, 0, n)),
  worth: n === 2 ? null : `${n}.50`,
  isWorn: n === 1 ? null : n === 2,
  notes: null,
})

/** Values to compare with, of which each fits some fields, and some fit none. */
const operands = fc.oneof(
  fc.integer({ min: -1, max: 4 }),
  fc.integer({ min: 1, max: 3 }).map((n) => coin(n).serial),
  fc.constantFrom('mint 1', 'MINT 1', '1.5', '1.50', '3.500', tagOf(2), '', "' or 1 = 1 --", '$1', 'a\\', '2020-01-02T00:00:00Z'),
  fc.integer({ min: 1, max: 3 }).map((n) => coin(n).struckAt),
  fc.constantFrom<unknown>(null, undefined, true, false, Number.NaN, Infinity, 1.5, new Date(Number.NaN), [], [1], {}, Symbol.iterator),
)
const operators = fc.constantFrom(
  '$eq',
  '$ne',
  '$gt',
  '$gte',
  '$lt',
  '$lte',
  '$null',
  '$in',
  '$contains',
  '$between',
  '$not',
  'constructor',
)
const names = fc.constantFrom('id', 'mint', 'tag', 'serial', 'struckAt', 'worth', 'isWorn', 'notes', 'sales', 'price', '__proto__')
const conditions = fc.oneof(operands, fc.dictionary(operators, operands, { maxKeys: 2 }))
const filters = fc.oneof(
  fc.dictionary(names, conditions, { maxKeys: 3 }),
  fc.record({ $not: fc.dictionary(names, conditions, { minKeys: 1, maxKeys: 1 }), id: conditions }, { requiredKeys: ['$not'] }),
  fc.record({ sales: fc.record({ $some: fc.record({ price: conditions }) }) }),
)
const directions = fc.constantFrom<unknown>('asc', 'desc', 'up', 1, null, { direction: 'asc', nulls: 'first' })
const lists = fc.record(
  {
    where: filters,
    orderBy: fc.dictionary(names, directions, { maxKeys: 2 }),
    limit: fc.constantFrom<unknown>(0, 1, 2, -1, '1', 1n, null),
    offset: fc.constantFrom<unknown>(0, 1, -1),
    include: fc.constantFrom<unknown>(
      { sales: true },
      { sales: { where: { price: 7 }, orderBy: { id: 'asc' } } },
      { sales: 1 },
      { coin: true },
    ),
    total: fc.constantFrom<unknown>(true, false, 1),
  },
  { requiredKeys: [] },
)

/** What a call comes to: what it gives, or the error in its words. */
async function outcomeOf(call: () => Promise<unknown>): Promise<unknown> {
  try {
    return { value: await call() }
  } catch (error) {
    const { name, message, issues } = error as Error & { issues?: unknown }
    return { name, message, issues }
  }
}

forEachEngine((engine) => {
  describe('a read of a shape that was planned before', () => {
    const use = useDatabase(engine, models)
    let ids: number[]
    let opened: Database<typeof models> | undefined

    beforeAll(async () => {
      const { rows } = await use.nodes.coins.bulkCreate({ rows: [coin(1), coin(2), coin(3)], returning: true })
      ids = rows!.map((row) => row.id)
      await use.nodes.sales.bulkCreate({
        rows: ids.slice(0, 2).flatMap((coinId) => [
          { coinId, price: 7 },
          { coinId, price: coinId },
        ]),
      })
    })

    afterEach(async () => {
      await opened?.close()
      opened = undefined
    })

    it('gives the row of that value, by a key of any kind', async () => {
      const { coins } = use.nodes
      for (const n of [1, 2, 3, 1]) {
        const { mint, tag, serial, struckAt } = coin(n)
        const id = ids[n - 1]!
        for (const where of [{ id }, { mint }, { tag }, { serial }, { struckAt }]) {
          expect(await coins.read({ where })).toEqual({ id, ...coin(n), deletedAt: null })
          expect(await coins.readOrThrow({ where })).toEqual({ id, ...coin(n), deletedAt: null })
        }
      }
      expect(await coins.read({ where: { id: -1 } })).toBeNull()
      expect(await coins.read({ where: { tag: tagOf(1).toUpperCase() } })).toMatchObject({ mint: 'mint 1' })
    })

    it('refuses what the first one would have refused, in the same words', async () => {
      const wrong: readonly unknown[] = [
        { where: { id: '1' } },
        { where: { id: 1.5 } },
        { where: { id: Number.NaN } },
        { where: { id: null } },
        { where: { id: undefined } },
        { where: { id: {} } },
        { where: { id: [1] } },
        { where: { id: { $gt: 1 } } },
        { where: { id: true } },
        { where: { mint: 7 } },
        { where: { tag: 'no uuid' } },
        { where: { serial: 1 } },
        { where: { struckAt: 'today' } },
        { where: { struckAt: new Date(Number.NaN) } },
        { where: { $and: [] } },
        { where: { constructor: 1 } },
        { where: {} },
        { where: null },
        { where: { id: 1 }, limit: 1 },
        {},
        undefined,
      ]
      opened = createDatabase({ url: use.url, models })
      for (const operation of ['read', 'readOrThrow'] as const) {
        for (const input of wrong) {
          // a database that has read nothing yet, and one that has
          const first = await rejectionOf((opened.nodes.coins[operation] as (input: unknown) => Promise<unknown>)(input))
          const again = await rejectionOf((use.nodes.coins[operation] as (input: unknown) => Promise<unknown>)(input))
          expect(first).toMatchObject({ name: expect.stringMatching(/^(Validation|UnknownField)Error$/) })
          expect({ ...again, message: again.message }).toEqual({ ...first, message: first.message })
        }
      }
    })

    it('comes to what it comes to when it is planned anew, whatever it says', async () => {
      type Call = (input: unknown, options?: object) => Promise<unknown>
      const { list, count, exists, read } = use.nodes.coins as unknown as Readonly<Record<string, Call>>
      const holds = async (call: Call, input: object) => {
        // with options of its own, be they none, a call is planned by itself
        const anew = await outcomeOf(() => call(input, {}))
        for (const time of ['first', 'again']) expect(await outcomeOf(() => call(input)), time).toEqual(anew)
      }
      await fc.assert(
        fc.asyncProperty(lists, async (input) => {
          const order = { orderBy: { id: 'asc' }, ...input }
          await holds(list!, order)
          if (input.where === undefined) return
          const { where } = input
          for (const call of [count!, exists!]) await holds(call, { where })
          await holds(read!, { where: { id: ids[0], ...where } })
        }),
        { numRuns: 200 },
      )
    }, 120_000)

    it('compares with its own values, in their places', async () => {
      const { coins } = use.nodes
      const found = async (from: number, to: number, mint: string) => {
        const { rows } = await coins.list({
          where: { id: { $gte: from, $lt: to }, mint: { $ne: mint } },
          orderBy: { id: 'desc' },
          limit: 2,
        })
        return rows.map((row) => row.mint)
      }
      const [first, second, third] = ids as [number, number, number]
      expect(await found(first, third + 1, 'mint 3')).toEqual(['mint 2', 'mint 1'])
      expect(await found(second, third + 1, 'mint 1')).toEqual(['mint 3', 'mint 2'])
      expect(await found(first, third, 'mint 1')).toEqual(['mint 2'])
      const between = (from: number, to: number) => coins.count({ where: { id: { $gte: from, $lte: to } } })
      expect([await between(first, third), await between(second, third), await between(third, first)]).toEqual([3, 2, 0])
    })

    it('takes no name for the place of another', async () => {
      const { coins } = use.nodes
      await coins.list({ where: { id: { $gte: 1 }, mint: 'mint 1' } })
      const disguised = [
        { where: { 'id:{4:$gte?}4:mint': 1 } },
        { where: { id: { '$gte?}4:mint': 'mint 1' } } },
        { 'where{2:id{4:$gte?}4:mint?}': 1 },
        { where: { id: { $gte: 1, '}4:mint': 'mint 1' } } },
      ]
      for (const input of disguised)
        expect(await rejectionOf(coins.list(input as never))).toMatchObject({
          name: expect.stringMatching(/^(Validation|UnknownField)Error$/),
        })
    })

    it('gives all fields again after a call that named some', async () => {
      const { coins } = use.nodes
      const input = { where: { id: { $gte: ids[0]! } }, limit: 1, orderBy: { id: 'asc' } } as const
      for (const options of [undefined, { select: ['mint'] as const }, undefined]) {
        const { rows } = await (coins.list as (input: unknown, options?: unknown) => Promise<{ rows: object[] }>)(input, options)
        expect(Object.keys(rows[0]!).length).toBe(options === undefined ? 9 : 1)
      }
    })

    it('takes the value in an operator too, and more beside it, without changing what others get', async () => {
      const { coins } = use.nodes
      const [id] = ids
      expect(await coins.read({ where: { id: { $eq: id! } } })).toMatchObject({ id })
      expect(await coins.read({ where: { id: id!, mint: 'mint 2' } })).toBeNull()
      expect(await coins.read({ where: { id: id! } }, { select: ['mint'] })).toEqual({ mint: 'mint 1' })
      expect(await coins.read({ where: { id: id! } })).toMatchObject({ id, mint: 'mint 1' })
    })

    it('does not see a row that has been marked as deleted since', async () => {
      const { coins } = use.nodes
      const where = { id: ids[2]! }
      expect(await coins.read({ where })).not.toBeNull()
      await coins.delete({ where })
      try {
        expect(await coins.read({ where })).toBeNull()
        expect(await rejectionOf(coins.readOrThrow({ where }))).toMatchObject({ code: 'NOT_FOUND', operation: 'readOrThrow' })
        expect(await coins.read({ where }, { deleted: 'include' })).toMatchObject(where)
      } finally {
        await coins.restore({ where })
      }
    })

    it('sees the rows of its own tenant only', async () => {
      const { shelves } = use.nodes
      await use.db.withTenant(1, () => shelves.create({ code: 'A' }))
      for (const [orgId, found] of [
        [1, { code: 'A', orgId: 1 }],
        [2, null],
        [1, { code: 'A', orgId: 1 }],
      ] as const) {
        expect(await use.db.withTenant(orgId, () => shelves.read({ where: { code: 'A' } }))).toEqual(found)
      }
      expect(await rejectionOf(shelves.read({ where: { code: 'A' } }))).toMatchObject({ code: 'TENANT_REQUIRED' })
    })

    it('loads and counts the related rows of its own tenant only', async () => {
      const { shelves, labels } = use.nodes
      await use.db.withTenant(3, () => shelves.create({ code: 'C' }))
      await labels.create({ shelfCode: 'C' })
      for (const [orgId, count] of [
        [3, 1],
        [4, 0],
        [3, 1],
      ] as const) {
        await use.db.withTenant(orgId, async () => {
          expect((await shelves.list({ where: { code: 'C' }, include: { labels: true } })).rows).toHaveLength(count)
          expect(await labels.count({ where: { shelf: { code: 'C' } } })).toBe(count)
          const { rows } = await labels.list({ where: { shelfCode: 'C' }, include: { shelf: true } })
          expect(rows[0]!.shelf).toEqual(count === 1 ? { code: 'C', orgId: 3 } : null)
        })
      }
    })

    it('sees what its transaction has written, and is stopped with it', async () => {
      const { coins } = use.nodes
      const where = { id: ids[0]! }
      await use.db.transaction(async () => {
        await coins.update({ where, set: { mint: 'changed' } })
        expect(await coins.read({ where })).toMatchObject({ mint: 'changed' })
        await coins.update({ where, set: { mint: 'mint 1' } })
      })
      const late = use.db.transaction(async () => coins.read({ where }), { signal: AbortSignal.abort() })
      expect(await rejectionOf(late)).toMatchObject({ code: 'ABORTED' })
    })
  })
})
