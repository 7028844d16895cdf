import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { field, id, model, ValidationError, type Where } from '../../index.js'
import { FIELD_CONDITIONS as fields, NAMES, PRICES, SIZES } from '../oracle/field-conditions.js'
import { meets } from '../oracle/where-logic.js'
import { forEachEngine } from '../support/engines.js'
import { rejectionOf, useDatabase } from './use-database.js'

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

    it('may have 10,000 parts, at many levels', async () => {
      const parts = (size: number): Where<Sample>[] => Array.from({ length: size }, (_, n) => ({ id: n }))
      expect(await idsWhere({ $or: parts(10_000) })).toEqual(SAMPLES.map((row) => row.id))
      expect(await idsWhere({ $and: parts(10_000) })).toEqual([])
      expect(await idsWhere({ $and: Array.from({ length: 10_000 }, () => ({ id: 1 })) })).toEqual([1])
      const nested = (levels: number): Where<Sample> => (levels === 0 ? { id: 1_000 } : { $or: [nested(levels - 1), ...parts(100)] })
      expect(await idsWhere(nested(32))).toEqual(SAMPLES.map((row) => row.id).filter((id) => id < 100))
      await expect(idsWhere({ $or: parts(10_001) })).rejects.toThrow('expected at most 10000 entries')
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

    it('is refused with others before anything is sent, when their values are more than a statement takes', async () => {
      const list = Array.from({ length: 10_000 }, (_, n) => n / 3)
      const where = { $and: Array.from({ length: 7 }, () => ({ ratio: { $nin: list } })) }
      const query = house.nodes.wides.count({ where })
      // one value on PostgreSQL
      if (engine.name === 'postgres') return expect(await query).toBe(0)
      const error = await rejectionOf(query)
      expect(error).toBeInstanceOf(ValidationError)
      expect(error).toMatchObject({ model: 'Wide', operation: 'count', issues: [{ path: ['where'] }] })
      expect(error.message).toMatch(/conditions of at most (65535|32766) bound values in all, got 114688/)
      expect(await house.nodes.wides.count({ where: { ratio: { $in: list } } })).toBe(1_200)
    })
  })
})
