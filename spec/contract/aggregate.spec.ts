import { beforeAll, describe, expect, it } from 'vitest'
import { field, type Generated, id, model } from '../../index.js'
import { forEachEngine } from '../support/engines.js'
import { rejectionOf, useDatabase } from './use-database.js'

@model()
class Sale {
  @id() id!: Generated<number>
  @field.text({ maxLength: 10 }) shop!: string
  @field.text({ nullable: true, maxLength: 10 }) clerk!: string | null
  @field.integer({ nullable: true }) pieces!: number | null
  @field.bigint() points!: bigint
  @field.bigint({ as: 'string' }) long!: string
  @field.bigint({ as: 'number' }) safe!: number
  @field.decimal({ precision: 38, scale: 4, nullable: true }) price!: string | null
  @field.float() weight!: number
  @field.timestamp() at!: Date
  @field.uuid() code!: string
  @field.json({ nullable: true }) extra!: null
}

const MOST = 2n ** 63n - 1n
const at = (day: number) => new Date(`2026-01-0${day}T00:00:00.001Z`)
const common = { code: '00000000-0000-4000-8000-000000000000', extra: null }
const SALES = [
  {
    shop: 'b',
    clerk: 'x',
    pieces: 2_147_483_647,
    points: MOST,
    long: '1',
    safe: 1,
    price: `${'9'.repeat(33)}.0001`,
    weight: 0.5,
    at: at(1),
    ...common,
  },
  { shop: 'b', clerk: null, pieces: 2_147_483_647, points: MOST, long: '2', safe: 2, price: '10.5', weight: 0.25, at: at(2), ...common },
  { shop: 'a', clerk: 'x', pieces: 1, points: -1n, long: '3', safe: 3, price: '9.5', weight: 1, at: at(3), ...common },
  { shop: 'a', clerk: 'y', pieces: 2, points: 1n, long: '4', safe: 4, price: '-1', weight: 2, at: at(4), ...common },
  { shop: 'c', clerk: null, pieces: null, points: 0n, long: '5', safe: 5, price: null, weight: -0.5, at: at(5), ...common },
]

forEachEngine((engine) => {
  describe('aggregate', () => {
    const use = useDatabase(engine, { sales: Sale })
    const sales = () => use.nodes.sales

    beforeAll(() => sales().bulkCreate({ rows: SALES }))

    it('computes over all rows, exactly and in the type of the field', async () => {
      const values = {
        rows: '$count',
        clerks: { $count: 'clerk' },
        names: { $countDistinct: 'clerk' },
        codes: { $countDistinct: 'code' },
        pieces: { $sum: 'pieces' },
        points: { $sum: 'points' },
        long: { $sum: 'long' },
        safe: { $sum: 'safe' },
        price: { $sum: 'price' },
        weight: { $sum: 'weight' },
        mean: { $avg: 'safe' },
        meanWeight: { $avg: 'weight' },
        cheapest: { $min: 'price' },
        dearest: { $max: 'price' },
        first: { $min: 'at' },
        last: { $max: 'at' },
        most: { $max: 'points' },
        shop: { $min: 'shop' },
      } as const
      expect(await sales().aggregate({ values })).toEqual([
        {
          rows: 5,
          clerks: 3,
          names: 2,
          codes: 1,
          pieces: 4_294_967_297,
          points: 2n * MOST,
          long: '15',
          safe: 15,
          price: `1${'0'.repeat(31)}18.0001`,
          weight: 3.25,
          mean: 3,
          meanWeight: 0.65,
          cheapest: '-1.0000',
          dearest: `${'9'.repeat(33)}.0001`,
          first: at(1),
          last: at(5),
          most: MOST,
          shop: 'a',
        },
      ])
    })

    it('gives an average as a double, with all its digits', async () => {
      const values = { pieces: { $avg: 'pieces' }, price: { $avg: 'price' } } as const
      const [row] = await sales().aggregate({ where: { shop: 'a' }, values })
      expect(row).toEqual({ pieces: 1.5, price: 4.25 })
      const [thirds] = await sales().aggregate({ where: { safe: { $in: [1, 2, 4] } }, values: { mean: { $avg: 'safe' } } })
      expect(thirds!.mean).toBeCloseTo(7 / 3, 12)
    })

    it('gives one row of nulls and zeros where no row matches, and none with groups', async () => {
      const where = { shop: 'nowhere' }
      const values = {
        rows: '$count',
        sum: { $sum: 'price' },
        points: { $sum: 'points' },
        mean: { $avg: 'weight' },
        least: { $min: 'at' },
      } as const
      expect(await sales().aggregate({ where, values })).toEqual([{ rows: 0, sum: null, points: null, mean: null, least: null }])
      expect(await sales().aggregate({ where, groupBy: ['shop'], values })).toEqual([])
    })

    it('groups by fields, null being a group of its own', async () => {
      const rows = await sales().aggregate({
        groupBy: ['clerk'],
        values: { rows: '$count', pieces: { $sum: 'pieces' } },
        orderBy: { clerk: 'asc' },
      })
      expect(rows).toEqual([
        { clerk: 'x', rows: 2, pieces: 2_147_483_648 },
        { clerk: 'y', rows: 1, pieces: 2 },
        { clerk: null, rows: 2, pieces: 2_147_483_647 },
      ])
      const both = await sales().aggregate({ groupBy: ['shop', 'clerk'], values: { rows: '$count' } })
      expect(both).toHaveLength(5)
    })

    it('gives groups by what was computed for them, in its order, by pages', async () => {
      const groupBy = ['shop'] as const
      const values = { rows: '$count', price: { $sum: 'price' }, last: { $max: 'at' } } as const
      const having = await sales().aggregate({ groupBy, values, having: { rows: { $gte: 2 }, price: { $lt: '100' } } })
      expect(having).toEqual([{ shop: 'a', rows: 2, price: '8.5000', last: at(4) }])
      const shops = async (input: object) => (await sales().aggregate({ groupBy, values, ...input })).map(({ shop }) => shop)
      expect(await shops({ orderBy: { price: 'desc' } })).toEqual(['c', 'b', 'a'])
      expect(await shops({ orderBy: { price: { direction: 'desc', nulls: 'last' } } })).toEqual(['b', 'a', 'c'])
      expect(await shops({ orderBy: [{ rows: 'asc' }, { last: 'desc' }] })).toEqual(['c', 'a', 'b'])
      expect(await shops({ orderBy: { last: 'asc' }, limit: 1, offset: 1 })).toEqual(['a'])
      expect(await shops({ having: { last: { $gte: at(5) } } })).toEqual(['c'])
      expect(await shops({ having: { price: null } })).toEqual(['c'])
    })

    it('refuses a sum that its type cannot hold', async () => {
      const most = Number.MAX_SAFE_INTEGER
      const [one, two] = [1, 2].map((number) => ({ ...SALES[0]!, shop: 'big', safe: most, long: String(number) }))
      await sales().bulkCreate({ rows: [one!, two!] })
      const summing = sales().aggregate({ where: { shop: 'big' }, values: { safe: { $sum: 'safe' } } })
      expect(await rejectionOf(summing)).toMatchObject({ code: 'INVALID_VALUE' })
      await sales().bulkDelete({ where: { shop: 'big' } })
    })

    it.each<[what: string, input: object, message: string]>([
      ['nothing to compute', { values: {} }, 'values: expected an object of at least one value'],
      ['no values', {}, 'values: expected an object'],
      ['an unknown aggregate', { values: { x: { $median: 'safe' } } }, 'values.x.$median: unknown aggregate'],
      ['two aggregates in one', { values: { x: { $min: 'safe', $max: 'safe' } } }, "values.x: expected '$count', or an object with one of"],
      ['an unknown field', { values: { x: { $sum: 'sfae' } } }, 'unknown field "sfae"'],
      ['a sum of text', { values: { x: { $sum: 'shop' } } }, 'cannot be computed of a field of type varchar'],
      ['an extreme of a uuid', { values: { x: { $min: 'code' } } }, 'cannot be computed of a field of type uuid'],
      ['different values of json', { values: { x: { $countDistinct: 'extra' } } }, 'cannot be computed of a field of type json'],
      ['a name taken twice', { groupBy: ['shop'], values: { shop: '$count' } }, 'has the name of a field in groupBy'],
      ['a name that is none', { values: { 'a b"': '$count' } }, 'values.a b"'],
      ['__proto__ as a name', { values: JSON.parse('{"__proto__":"$count"}') }, 'values.__proto__'],
      ['a group of an unknown field', { groupBy: ['x'], values: { rows: '$count' } }, 'groupBy[0]: unknown field'],
      ['a condition on what is not there', { values: { rows: '$count' }, having: { shop: 'a' } }, 'having.shop: unknown field'],
      ['an order by what is not there', { values: { rows: '$count' }, orderBy: { shop: 'asc' } }, 'orderBy.shop: unknown field'],
      ['a limit of text', { values: { rows: '$count' }, limit: '1' }, 'limit: expected a whole number'],
      ['a cursor', { values: { rows: '$count' }, after: 'x' }, 'after: unknown entry'],
    ])('refuses %s', async (_what, input, message) => {
      const error = await rejectionOf(sales().aggregate(input as never))
      expect(error).toMatchObject({ name: expect.stringMatching(/^(Validation|UnknownField)Error$/) })
      expect(error.message).toContain(message)
    })
  })
})
