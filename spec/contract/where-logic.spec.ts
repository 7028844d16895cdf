import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { field, id, model, type Where } from '../../index.js'
import { FIELD_CONDITIONS as fields, NAMES, PRICES, SIZES } from '../oracle/field-conditions.js'
import { meets } from '../oracle/where-logic.js'
import { forEachEngine } from '../support/engines.js'
import { useDatabase } from './use-database.js'

@model()
class Sample {
  @id.integer() id!: number
  @field.integer({ nullable: true }) size!: number | null
  @field.text({ nullable: true }) name!: string | null
  @field.decimal({ precision: 4, scale: 1, nullable: true }) price!: string | null
}

@model()
class Wide {
  @id.integer() id!: number
  @field.bigint() big!: bigint
  @field.text() text!: string
  @field.decimal({ precision: 20, scale: 2 }) price!: string
  @field.float() ratio!: number
}

const SAMPLES = SIZES.flatMap((size, i) =>
  NAMES.flatMap((name, j) => PRICES.map((price, k) => ({ id: i * 100 + j * 10 + k, size, name, price }))),
)

const filters = fc.letrec<{ where: Where<Sample> }>((tie) => ({
  where: fc.oneof(
    { maxDepth: 3 },
    fc.record(fields, { requiredKeys: [] }) as fc.Arbitrary<Where<Sample>>,
    fc.record(
      { ...fields, $and: fc.array(tie('where'), { maxLength: 3 }), $or: fc.array(tie('where'), { maxLength: 3 }), $not: tie('where') },
      { requiredKeys: [] },
    ) as fc.Arbitrary<Where<Sample>>,
  ),
})).where

forEachEngine((engine) => {
  const house = useDatabase(engine, { samples: Sample, wides: Wide })

  describe('filters of many parts', () => {
    beforeAll(async () => {
      await house.nodes.samples.bulkCreate({ rows: SAMPLES })
    })

    const idsWhere = async (where: Where<Sample>) =>
      (await house.nodes.samples.list({ where, orderBy: { id: 'asc' } })).rows.map((row) => row.id)

    it('match what their operators say, nulls included, however they are nested', async () => {
      await fc.assert(
        fc.asyncProperty(filters, async (where) => {
          expect(await idsWhere(where)).toEqual(SAMPLES.filter((row) => meets(row, where)).map((row) => row.id))
          expect(await house.nodes.samples.count({ where })).toBe(SAMPLES.filter((row) => meets(row, where)).length)
        }),
        { numRuns: 150 },
      )
    })

    it('match every row when they are empty, and none for an empty $or', async () => {
      const all = SAMPLES.map((row) => row.id)
      expect(await idsWhere({})).toEqual(all)
      expect(await idsWhere({ $and: [] })).toEqual(all)
      expect(await idsWhere({ $and: [{}, { $and: [{}] }] })).toEqual(all)
      expect(await idsWhere({ $or: [] })).toEqual([])
      expect(await idsWhere({ $or: [{}, { id: 1 }] })).toEqual(all)
      expect(await idsWhere({ $not: {} })).toEqual([])
      expect(await idsWhere({ $not: { $or: [] } })).toEqual(all)
    })

    it('nest to 32 levels', async () => {
      const nested = (levels: number): Where<Sample> => (levels === 0 ? { id: 0 } : { $not: nested(levels - 1) })
      expect(await idsWhere(nested(32))).toEqual([0])
      await expect(idsWhere(nested(33))).rejects.toThrow('expected at most 32 levels')
    })
  })

  describe('a list in a filter', () => {
    const FIRST_BIG = 2n ** 53n
    const wide = (n: number) => ({ id: n, big: FIRST_BIG + BigInt(n), text: `it's ${n}, \\ "${n}"`, price: `${n}.50`, ratio: n / 3 })

    beforeAll(async () => {
      await house.nodes.wides.bulkCreate({ rows: Array.from({ length: 1_200 }, (_, n) => wide(n)) })
    })

    it.each([0, 1, 2, 3, 5, 64, 1_000])('of %i entries matches exactly these', async (length) => {
      const wanted = Array.from({ length }, (_, n) => wide(n + 100))
      const expected = wanted.map((row) => row.id)
      for (const name of ['id', 'big', 'text', 'price', 'ratio'] as const) {
        const entries = wanted.map((row) => row[name]) as never[]
        const { rows } = await house.nodes.wides.list({ where: { [name]: { $in: entries } }, orderBy: { id: 'asc' } }, { select: ['id'] })
        expect(rows.map((row) => row.id)).toEqual(expected)
        expect(await house.nodes.wides.count({ where: { [name]: { $nin: entries } } })).toBe(1_200 - length)
      }
    })

    it('may have 10,000 entries, and no more', async () => {
      const entries = Array.from({ length: 10_000 }, (_, n) => n)
      expect(await house.nodes.wides.count({ where: { id: { $in: entries } } })).toBe(1_200)
      await expect(house.nodes.wides.count({ where: { id: { $in: [...entries, 10_000] } } })).rejects.toThrow(
        'expected at most 10000 entries',
      )
    })
  })
})
