import { beforeAll, describe, expect, it } from 'vitest'
import { field, id, model, type OrderBy } from '../../index.js'
import { forEachEngine } from '../support/engines.js'
import { useDatabase } from './use-database.js'

const SIZES = ['small', 'large', 'medium'] as const

@model()
class Item {
  @id.integer() id!: number
  @field.integer({ nullable: true }) rank!: number | null
  @field.text() text!: string
  @field.decimal({ precision: 12, scale: 2 }) price!: string
  @field.bigint() big!: bigint
  @field.boolean() isNew!: boolean
  @field.timestamp() at!: Date
  @field.oneOf(SIZES) size!: (typeof SIZES)[number]
  @field.oneOf(SIZES, { native: true, nullable: true }) nativeSize!: (typeof SIZES)[number] | null
}

@model()
class Place {
  @id.integer() x!: number
  @id.integer() y!: number
  @field.integer({ nullable: true }) group!: number | null
}

const BIG = 2n ** 53n
const ITEMS = [
  { id: 1, rank: 2, text: 'b', price: '10.00', big: BIG + 1n, isNew: true, at: new Date(0), size: 'small', nativeSize: 'small' },
  { id: 2, rank: null, text: 'B', price: '9.50', big: BIG, isNew: false, at: new Date(-1), size: 'large', nativeSize: null },
  {
    id: 3,
    rank: 1,
    text: '😀',
    price: '-1.00',
    big: -1n,
    isNew: true,
    at: new Date('9999-12-31T23:59:59.999Z'),
    size: 'medium',
    nativeSize: 'medium',
  },
  {
    id: 4,
    rank: 2,
    text: '\uffee',
    price: '-10.00',
    big: BIG + 2n,
    isNew: false,
    at: new Date('0001-01-01T00:00:00Z'),
    size: 'large',
    nativeSize: 'large',
  },
  { id: 5, rank: null, text: 'é', price: '10.50', big: 9n, isNew: true, at: new Date(1), size: 'small', nativeSize: 'small' },
] as const

const ORDERS: readonly (readonly [orderBy: OrderBy<Item>, ids: readonly number[]])[] = [
  [{ rank: 'asc', id: 'asc' }, [3, 1, 4, 2, 5]],
  [{ rank: 'desc', id: 'asc' }, [2, 5, 1, 4, 3]],
  [{ rank: { direction: 'asc', nulls: 'first' }, id: 'asc' }, [2, 5, 3, 1, 4]],
  [{ rank: { direction: 'asc', nulls: 'last' }, id: 'desc' }, [3, 4, 1, 5, 2]],
  [{ rank: { direction: 'desc', nulls: 'first' }, id: 'desc' }, [5, 2, 4, 1, 3]],
  [{ rank: { direction: 'desc', nulls: 'last' }, id: 'asc' }, [1, 4, 3, 2, 5]],
  [
    [{ rank: 'desc' }, { id: 'desc' }],
    [5, 2, 4, 1, 3],
  ],
  [{ text: 'asc' }, [2, 1, 5, 4, 3]],
  [{ text: 'desc' }, [3, 4, 5, 1, 2]],
  [{ price: 'asc' }, [4, 3, 2, 1, 5]],
  [{ price: 'desc' }, [5, 1, 2, 3, 4]],
  [{ big: 'asc' }, [3, 5, 2, 1, 4]],
  [{ isNew: 'asc', id: 'asc' }, [2, 4, 1, 3, 5]],
  [{ isNew: 'desc', id: 'desc' }, [5, 3, 1, 4, 2]],
  [{ at: 'asc' }, [4, 2, 1, 5, 3]],
  [{ size: 'asc', id: 'asc' }, [2, 4, 3, 1, 5]],
  [{ nativeSize: 'asc', id: 'asc' }, [4, 3, 1, 5, 2]],
  [{ nativeSize: { direction: 'desc', nulls: 'last' }, id: 'asc' }, [1, 5, 3, 4, 2]],
]

forEachEngine((engine) => {
  const house = useDatabase(engine, { items: Item, places: Place })

  describe('orderBy', () => {
    beforeAll(async () => {
      await house.nodes.items.bulkCreate({ rows: ITEMS })
    })

    const idsBy = async (orderBy: OrderBy<Item>, page: { limit?: number; offset?: number } = {}) => {
      const { rows } = await house.nodes.items.list({ orderBy, ...page })
      return rows.map((row) => row.id)
    }

    it.each(ORDERS)('%j gives one order on every engine, by pages too', async (orderBy, ids) => {
      expect(await idsBy(orderBy)).toEqual(ids)
      expect(await idsBy(orderBy, { limit: 2, offset: 1 })).toEqual(ids.slice(1, 3))
    })

    it.each([
      [{ emial: 'asc' }, 'orderBy.emial: unknown field "emial"'],
      [{ rank: 'up' }, "orderBy.rank: expected 'asc', 'desc' or"],
      [{ rank: { direction: 'asc' } }, 'orderBy.rank: expected'],
      [{ rank: { direction: 'asc', nulls: 'last', more: 1 } }, 'orderBy.rank: expected'],
      [[{ rank: 'asc' }, { rank: 'desc' }], 'orderBy: names "rank" twice'],
      ['rank', 'orderBy: expected an object of fields, got text'],
      [null, 'orderBy: expected an object of fields, got null'],
    ])('%j is refused', async (orderBy, message) => {
      await expect(idsBy(orderBy as never)).rejects.toThrow(message)
    })
  })

  describe('a list', () => {
    const COUNT = 105
    const all = Array.from({ length: COUNT }, (_, n) => ({ x: n % 7, y: n, group: n % 4 === 0 ? null : n % 3 }))
    const places = () => house.nodes.places

    beforeAll(async () => {
      await places().bulkCreate({ rows: all })
    })

    it.each([
      { group: 'asc' },
      { group: 'desc' },
      { group: { direction: 'asc', nulls: 'first' } },
      { x: 'desc' },
      { group: 'desc', y: 'desc' },
      {},
    ] as const)('in pages ordered by %j shows each row once', async (orderBy) => {
      const seen: number[] = []
      for (let offset = 0; offset < COUNT + 10; offset += 10) {
        const { rows, total } = await places().list({ orderBy, limit: 10, offset, total: true })
        expect(total).toBe(COUNT)
        expect(rows).toHaveLength(Math.max(0, Math.min(10, COUNT - offset)))
        seen.push(...rows.map((row) => row.y))
      }
      expect(new Set(seen).size).toBe(COUNT)
      expect(seen).toEqual((await places().list({ orderBy, limit: COUNT })).rows.map((row) => row.y))
    })

    it('holds all rows unless it is limited', async () => {
      expect((await places().list()).rows).toHaveLength(COUNT)
      expect(await places().list({ limit: 0, total: true })).toEqual({ rows: [], total: COUNT })
      expect((await places().list({ offset: 100 })).rows).toHaveLength(5)
      expect((await places().list({ offset: 1_000 })).rows).toEqual([])
      expect((await places().list({ limit: Number.MAX_SAFE_INTEGER })).rows).toHaveLength(COUNT)
      expect(await places().list({ where: { group: null }, limit: 3, total: true })).toMatchObject({ total: 27, rows: [{}, {}, {}] })
    })

    it('has no total unless it is asked for', async () => {
      expect(Object.keys(await places().list({ limit: 10_000 }))).toEqual(['rows'])
      expect(Object.keys(await places().list({ limit: 10_000, total: false }))).toEqual(['rows'])
    })
  })
})
