import type { Generated } from 'kysely'
import { belongsTo, field, hasMany, hasOne, id, type Many, model, type One, tenant, View } from 'latchwork'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { forEachEngine } from '../support/engines.js'
import { rejectionOf, useDatabase } from './use-database.js'

@model()
class Shop {
  @id() id!: Generated<number>
  @field.text({ maxLength: 20 }) name!: string
  @hasMany(() => Sale, 'shopId') sales!: Many<Sale>
  @hasMany(() => SaleByDay, 'shopId') days!: Many<SaleByDay>
  @hasOne(() => ShopTotal, 'shopId') total!: One<ShopTotal> | null
}

@model()
class Sale {
  @id() id!: Generated<number>
  @tenant() orgId!: Generated<number>
  @field.integer() shopId!: number
  @field.date() day!: string
  @field.decimal({ precision: 12, scale: 2 }) price!: string
  @belongsTo(() => Shop, 'shopId') shop!: One<Shop>
}

/** A view without a key. */
@model({ table: 'sales_by_day' })
class SaleByDay extends View {
  @tenant() orgId!: Generated<number>
  @field.integer() shopId!: number
  @field.date() day!: string
  @field.integer() sold!: number
  @belongsTo(() => Shop, 'shopId') shop!: One<Shop>
}

/** A view with a key. */
@model({ table: 'shop_totals' })
class ShopTotal extends View<'shopId'> {
  @id.integer() shopId!: number
  @field.decimal({ precision: 12, scale: 2 }) total!: string
  @belongsTo(() => Shop, 'shopId') shop!: One<Shop>
  @hasMany(() => SaleByDay, { foreignKey: 'shopId', references: 'shopId' }) days!: Many<SaleByDay>
}

/** A view that a table refers to, and that has no key. */
@model({ table: 'favourites' })
class Favourite extends View {
  @field.integer() shopId!: number
  @field.text({ maxLength: 20 }) name!: string
}

@model()
class Fan {
  @id.text({ maxLength: 20 }) name!: string
  @field.integer() shopId!: number
  @belongsTo(() => Favourite, { foreignKey: 'shopId', references: 'shopId', constraint: false }) favourite!: One<Favourite> | null
}

const MODELS = { shops: Shop, sales: Sale, saleDays: SaleByDay, totals: ShopTotal, favourites: Favourite, fans: Fan }

const VIEWS = [
  'create view sales_by_day as select org_id, shop_id, day, count(*) as sold from sales group by org_id, shop_id, day',
  'create view favourites as select id as shop_id, name from shops where id <> 2',
]
const TOTALS = {
  postgres: 'select shop_id, cast(sum(price) as numeric(12,2)) as total from sales group by shop_id',
  mysql: 'select shop_id, cast(sum(price) as decimal(12,2)) as total from sales group by shop_id',
  sqlite: "select shop_id, printf('%.2f', sum(price)) as total from sales group by shop_id",
}

forEachEngine((engine) => {
  const house = useDatabase(engine, MODELS)

  beforeAll(async () => {
    for (const statement of [...VIEWS, `create view shop_totals as ${TOTALS[engine.name]}`]) await engine.admin(house.url, statement)
    const { shops, sales, fans } = house.nodes
    for (const name of ['Ada', 'Bob', 'Cyd']) await shops.create({ name })
    await house.db.withTenant(1, () =>
      sales.bulkCreate({
        rows: [
          { shopId: 1, day: '2026-01-01', price: '5.00' },
          { shopId: 1, day: '2026-01-01', price: '2.50' },
          { shopId: 1, day: '2026-01-02', price: '1.00' },
          { shopId: 2, day: '2026-01-02', price: '4.00' },
        ],
      }),
    )
    await house.db.withTenant(2, () => sales.create({ shopId: 3, day: '2026-01-03', price: '9.00' }))
    await fans.bulkCreate({
      rows: [
        { name: 'one', shopId: 1 },
        { name: 'two', shopId: 2 },
      ],
    })
  })

  afterAll(async () => {
    for (const view of ['shop_totals', 'favourites', 'sales_by_day']) await engine.admin(house.url, `drop view ${view}`)
  })

  describe('a view', () => {
    it('has the nodes that read, and of those that go by a key none without one', () => {
      expect(Object.keys(house.nodes.totals).sort()).toEqual([
        'aggregate',
        'count',
        'exists',
        'list',
        'read',
        'readMany',
        'readOrThrow',
        'stream',
      ])
      expect(Object.keys(house.nodes.saleDays).sort()).toEqual(['aggregate', 'count', 'exists', 'list'])
      expect(() => house.db.node('ShopTotalCreateNode')).toThrow(expect.objectContaining({ code: 'CONFIGURATION' }))
      expect(() => house.db.node('SaleByDayReadNode')).toThrow(expect.objectContaining({ code: 'CONFIGURATION' }))
      expect(house.db.node('SaleByDayListNode').inputSchema.properties).not.toHaveProperty('after')
    })

    it('is read by its key, streamed and paged like a table', async () => {
      const { totals } = house.nodes
      expect(await totals.read({ where: { shopId: 1 } })).toEqual({ shopId: 1, total: '8.50' })
      expect(await totals.readMany({ keys: [{ shopId: 3 }, { shopId: 9 }] })).toEqual([{ shopId: 3, total: '9.00' }, null])
      const first = await totals.list({ orderBy: { total: 'desc' }, limit: 2 })
      const second = await totals.list({ orderBy: { total: 'desc' }, limit: 2, after: first.nextCursor! })
      expect([...first.rows, ...second.rows].map(({ total }) => total)).toEqual(['9.00', '8.50', '4.00'])
      const streamed: number[] = []
      for await (const { shopId } of totals.stream()) streamed.push(shopId)
      expect(streamed).toEqual([1, 2, 3])
    })

    it('is listed without a key, by offset; a cursor is none', async () => {
      const { saleDays } = house.nodes
      await house.db.withTenant(1, async () => {
        const order = [{ day: 'asc' }, { shopId: 'asc' }] as const
        const page = await saleDays.list({ orderBy: order, limit: 2, offset: 1, total: true }, { select: ['shopId', 'sold'] })
        expect(page).toEqual({
          rows: [
            { shopId: 1, sold: 1 },
            { shopId: 2, sold: 1 },
          ],
          total: 3,
        })
        expect(await rejectionOf(saleDays.list({ limit: 1, after: 'x' }))).toMatchObject({
          code: 'VALIDATION',
          issues: [{ path: ['after'] }],
        })
        expect(await saleDays.aggregate({ values: { sold: { $sum: 'sold' } }, groupBy: ['shopId'], orderBy: { shopId: 'asc' } })).toEqual([
          { shopId: 1, sold: 3 },
          { shopId: 2, sold: 1 },
        ])
      })
    })

    it('shows a tenant its own rows', async () => {
      const { saleDays } = house.nodes
      expect(await house.db.withTenant(2, () => saleDays.list())).toMatchObject({ rows: [{ orgId: 2, shopId: 3, sold: 1 }] })
      expect(await rejectionOf(saleDays.count())).toMatchObject({ code: 'TENANT_REQUIRED' })
    })

    it('has relations in both directions', async () => {
      const { shops, totals, saleDays, fans } = house.nodes
      await house.db.withTenant(1, async () => {
        const { rows } = await shops.list({
          where: { days: { $some: { sold: 2 } } },
          include: { days: { orderBy: { day: 'asc' } }, total: true },
        })
        expect(rows).toMatchObject([{ name: 'Ada', days: [{ sold: 2 }, { sold: 1 }], total: { total: '8.50' } }])
        const [total] = (await totals.list({ where: { shop: { name: 'Bob' } }, include: { shop: true, days: true } })).rows
        expect(total).toMatchObject({ shop: { name: 'Bob' }, days: [{ day: '2026-01-02' }] })
        expect((await saleDays.list({ where: { day: '2026-01-01' }, include: { shop: true } })).rows[0]?.shop.name).toBe('Ada')
      })
      const found = await fans.list({ orderBy: { name: 'asc' }, include: { favourite: { select: ['name'] } } })
      expect(found.rows.map(({ favourite }) => favourite)).toEqual([{ name: 'Ada' }, null])
    })

    it('is read by db.kysely, which refuses to write to it', async () => {
      const { kysely } = house.db
      expect(await kysely.selectFrom('totals').select('total').where('shopId', '=', 2).execute()).toEqual([{ total: '4.00' }])
      const writes = [
        kysely.insertInto('favourites').values({ shopId: 7, name: 'x' }),
        kysely.updateTable('favourites').set({ name: 'x' }),
        kysely.deleteFrom('favourites'),
      ]
      for (const write of writes) expect(await rejectionOf(write.execute())).toMatchObject({ code: 'READ_ONLY' })
      expect(await house.nodes.favourites.count({ where: { name: 'x' } })).toBe(0)
    })

    it('has no rows that are made with another, and no hooks', async () => {
      const { shops, fans } = house.nodes
      const refused = [
        shops.create({ name: 'Dan', days: [{}] } as never),
        shops.create({ name: 'Dan', total: {} } as never),
        fans.create({ name: 'three', favourite: { name: 'x' } } as never),
      ]
      const messages = (await Promise.all(refused.map(rejectionOf))).map(({ message }) => message)
      for (const message of messages) expect(message).toMatch(/is a view, whose rows are not made/)
      expect(await shops.count()).toBe(3)
      const hooks = { totals: { create: { before: () => undefined } } }
      expect(() => house.another({ hooks } as never)).toThrow(/hooks\.totals: a view is never written/)
    })

    it('is not what createTables makes, nor what it minds', async () => {
      const other = house.another({ models: { totals: ShopTotal, favourites: Favourite } as never })
      await other.createTables()
      expect(await house.nodes.totals.count()).toBe(3)
    })
  })
})
