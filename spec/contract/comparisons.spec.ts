import { beforeAll, describe, expect, it } from 'vitest'
import { ValidationError } from '../../index.js'
import type { FieldSpec } from '../../lib/model/field-spec.js'
import { forEachEngine } from '../support/engines.js'
import { holdersOn, slotsWhere } from './holder.js'

interface KindCase {
  readonly title: string
  readonly spec: FieldSpec
  /** In order, where the kind has one. */
  readonly values: readonly [low: unknown, middle: unknown, high: unknown]
}

const ORDERED: readonly KindCase[] = [
  { title: 'text, by code point', spec: { kind: 'text' }, values: ['B', 'a', 'b'] },
  { title: 'text beyond the basic plane', spec: { kind: 'text' }, values: ['a', '\uffee', '😀'] },
  { title: 'text with spaces at its end', spec: { kind: 'varchar', length: 9 }, values: ['a', 'a\t', 'a '] },
  { title: 'integer', spec: { kind: 'integer' }, values: [-2, 9, 10] },
  { title: 'bigint around 2^53', spec: { kind: 'bigint' }, values: [2n ** 53n, 2n ** 53n + 1n, 2n ** 53n + 2n] },
  { title: 'bigint at its bounds', spec: { kind: 'bigint' }, values: [-(2n ** 63n), 2n ** 63n - 2n, 2n ** 63n - 1n] },
  { title: 'bigint as number', spec: { kind: 'bigint', as: 'number' }, values: [-2, 9, Number.MAX_SAFE_INTEGER] },
  { title: 'bigint as string', spec: { kind: 'bigint', as: 'string' }, values: ['-10', '9', '10'] },
  { title: 'float', spec: { kind: 'float' }, values: [-1e308, 5e-324, 0.1] },
  { title: 'decimal', spec: { kind: 'decimal', precision: 12, scale: 2 }, values: ['-1', '9.5', '10'] },
  { title: 'decimal below zero', spec: { kind: 'decimal', precision: 12, scale: 2 }, values: ['-10.00', '-9.50', '-0.01'] },
  {
    title: 'decimal of 38 digits',
    spec: { kind: 'decimal', precision: 38, scale: 0 },
    values: ['9'.repeat(37), `1${'0'.repeat(37)}`, `1${'0'.repeat(36)}1`],
  },
  { title: 'date', spec: { kind: 'date' }, values: ['0099-12-31', '1969-12-31', '2024-02-29'] },
  { title: 'time', spec: { kind: 'time' }, values: ['02:00:00', '02:00:00.5', '10:00:00'] },
  {
    title: 'timestamp',
    spec: { kind: 'timestamp' },
    values: [new Date('0099-12-31T00:00:00Z'), new Date(-1), new Date(0)],
  },
  {
    title: 'timestamp of microseconds',
    spec: { kind: 'timestamp', precision: 6 },
    values: ['1969-12-31T23:59:59.999999Z', '1970-01-01T00:00:00Z', '1970-01-01T00:00:00.000001Z'],
  },
  {
    title: 'uuid',
    spec: { kind: 'uuid' },
    values: ['0190f5fe-7c00-7a00-8000-000000000009', '0190F5FE-7C00-7A00-8000-00000000000A', 'ffffffff-ffff-4fff-bfff-ffffffffffff'],
  },
]

const STATES = ['draft', 'live', 'gone'] as const

const UNORDERED: readonly KindCase[] = [
  { title: 'bytes', spec: { kind: 'bytes' }, values: [new Uint8Array(), new Uint8Array([0]), new Uint8Array([0, 0xff])] },
  { title: 'enum', spec: { kind: 'enum', values: STATES }, values: STATES },
  { title: 'native enum', spec: { kind: 'enum', values: STATES, native: true }, values: STATES },
]

const OPAQUE: readonly KindCase[] = [
  { title: 'json', spec: { kind: 'json' }, values: [{}, [], 'text'] },
  { title: 'array', spec: { kind: 'array', of: { kind: 'integer' } }, values: [[], [1], [2]] },
]

type Conditions = (low: unknown, middle: unknown, high: unknown) => unknown

// the rows hold low, middle, high and null, in slots 0 to 3
const NULL_TABLE: readonly (readonly [what: string, conditions: Conditions, slots: readonly number[]])[] = [
  ['null', () => null, [3]],
  ['$null: true', () => ({ $null: true }), [3]],
  ['$null: false', () => ({ $null: false }), [0, 1, 2]],
  ['$not $null: true', () => ({ $not: { $null: true } }), [0, 1, 2]],
]

const EQUALITY_TABLE: typeof NULL_TABLE = [
  ...NULL_TABLE,
  ['$eq: null', () => ({ $eq: null }), [3]],
  ['$ne: null', () => ({ $ne: null }), [0, 1, 2]],
  ['the value itself', (_low, middle) => middle, [1]],
  ['$eq', (_low, middle) => ({ $eq: middle }), [1]],
  ['$ne', (_low, middle) => ({ $ne: middle }), [0, 2]],
  ['$in', (low, _middle, high) => ({ $in: [low, high] }), [0, 2]],
  ['$in of one value twice', (low) => ({ $in: [low, low, low] }), [0]],
  ['$in of nothing', () => ({ $in: [] }), []],
  ['$nin', (low) => ({ $nin: [low] }), [1, 2]],
  ['$nin of nothing', () => ({ $nin: [] }), [0, 1, 2, 3]],
  ['$not $eq', (_low, middle) => ({ $not: { $eq: middle } }), [0, 2]],
  ['$not $in', (low, middle) => ({ $not: { $in: [low, middle] } }), [2]],
  ['$not $in of nothing', () => ({ $not: { $in: [] } }), [0, 1, 2, 3]],
  ['$not $nin of nothing', () => ({ $not: { $nin: [] } }), []],
  ['$not $not $eq', (_low, middle) => ({ $not: { $not: { $eq: middle } } }), [1]],
  ['$ne and $ne by $not', (low, middle) => ({ $ne: low, $not: { $eq: middle } }), [2]],
]

const ORDER_TABLE: typeof NULL_TABLE = [
  ...EQUALITY_TABLE,
  ['$gt', (_low, middle) => ({ $gt: middle }), [2]],
  ['$gte', (_low, middle) => ({ $gte: middle }), [1, 2]],
  ['$lt', (_low, middle) => ({ $lt: middle }), [0]],
  ['$lte', (_low, middle) => ({ $lte: middle }), [0, 1]],
  ['$gt and $lt', (low, _middle, high) => ({ $gt: low, $lt: high }), [1]],
  ['$between', (_low, middle, high) => ({ $between: [middle, high] }), [1, 2]],
  ['$between the wrong way round', (low, _middle, high) => ({ $between: [high, low] }), []],
  ['$not $gt', (_low, middle) => ({ $not: { $gt: middle } }), [0, 1]],
  ['$not $between', (low, middle) => ({ $not: { $between: [low, middle] } }), [2]],
]

const CASES = [
  ...ORDERED.map((each) => ({ ...each, table: ORDER_TABLE, refused: [] as string[] })),
  ...UNORDERED.map((each) => ({ ...each, table: EQUALITY_TABLE, refused: ['$gt', '$gte', '$lt', '$lte', '$between'] })),
  ...OPAQUE.map((each) => ({ ...each, table: NULL_TABLE, refused: ['$eq', '$ne', '$in', '$nin', '$gt', '$between', '$contains'] })),
].map((each, index) => ({ ...each, index }))

forEachEngine((engine) => {
  const { of: holders } = holdersOn(engine, CASES)

  describe.each(CASES)('a filter on $title', ({ index, values: [low, middle, high], table, refused }) => {
    beforeAll(async () => {
      await holders(index).bulkCreate({ rows: [low, middle, high, null].map((value, slot) => ({ slot, value })) })
    })

    it.each(table)('matches the rows that %s says, and no null beside', async (_what, conditions, slots) => {
      expect(await slotsWhere(holders(index), conditions(low, middle, high))).toEqual(slots)
    })

    if (refused.length === 0) return

    it('refuses what the type has no meaning for', async () => {
      for (const operator of refused) {
        const operand = operator === '$between' ? [low, high] : operator.endsWith('in') ? [low] : low
        await expect(slotsWhere(holders(index), { [operator]: operand })).rejects.toThrow(ValidationError)
      }
    })
  })
})
