import type { Generated } from 'kysely'
import { belongsTo, definitionOf, field, hasMany, id, type Many, model, type One } from 'latchwork'
import { beforeEach, describe, expect, it } from 'vitest'
import { jsonSchemaOf } from '../../lib/model/json-schema.js'
import { forEachEngine } from '../support/engines.js'
import { MONEY, Money } from './money.js'
import { rejectionOf, useDatabase } from './use-database.js'

const money = (text: string) => Money.parse(text)

class Sku {
  constructor(readonly code: string) {}
}

const SKU = {
  type: { kind: 'varchar', length: 20 },
  encode: (sku: Sku) => sku.code,
  decode: (code: string) => {
    if (code.startsWith('?')) throw new RangeError(`no such code: ${code}`)
    return new Sku(code)
  },
} as const

interface Size {
  readonly width: number
  readonly height: number
}

@model()
class Item {
  @id.custom(SKU) sku!: Sku
  @field.custom({ ...MONEY, check: { $gte: money('0.00') } }) price!: Money
  @field.custom({ ...MONEY, nullable: true, unique: true }) tax!: Money | null
  @field.custom({ ...MONEY, default: money('1.50') }) deposit!: Generated<Money>
  @field.custom({ ...MONEY, default: () => money('0.10') }) fee!: Generated<Money>
  @field.custom({ type: 'json', encode: (size: Size) => size, decode: (stored) => stored as Size, nullable: true }) size!: Size | null
  @field.custom({
    type: { kind: 'array', of: { kind: 'text' } },
    encode: (tags: Set<string>) => [...tags],
    decode: (list) => new Set(list),
    nullable: true,
  })
  tags!: Set<string> | null
  @hasMany(() => Sale, 'sku') sales!: Many<Sale>
}

@model()
class Sale {
  @id() id!: Generated<number>
  @field.custom(SKU) sku!: Sku
  @belongsTo(() => Item, 'sku') item!: One<Item>
}

const book = { sku: new Sku('book'), price: money('12.50') }
const lamp = { sku: new Sku('lamp'), price: money('9.00'), tax: money('1.80') }
const sofa = { sku: new Sku('sofa'), price: money('100.00'), tax: money('20.00') }

forEachEngine((engine) => {
  const house = useDatabase(engine, { items: Item, sales: Sale })
  const codes = (rows: readonly { readonly sku: Sku }[]) => rows.map(({ sku }) => sku.code)

  beforeEach(() => house.clear())

  describe('a field of the application’s own type', () => {
    it('is written and read as that type, with its defaults', async () => {
      const { items } = house.nodes
      const given = { ...lamp, size: { width: 10, height: 40 }, tags: new Set(['light', 'a,b']) }
      const stored = { ...given, deposit: money('1.50'), fee: money('0.10') }
      expect(await items.create(given)).toStrictEqual(stored)
      expect(await items.read({ where: { sku: lamp.sku } })).toStrictEqual(stored)
      expect(stored.price.plus(money('0.50')).toString()).toBe('9.50')
    })

    it('is stored as the built-in type', async () => {
      await house.nodes.items.create(lamp)
      expect(await engine.admin(house.url, 'select sku, cast(price as char(10)) as price from items')).toMatchObject([
        { sku: 'lamp', price: expect.stringMatching(/^9\.00 *$/) },
      ])
    })

    it('takes the default that the database has', async () => {
      await engine.admin(house.url, "insert into items (sku, price, fee) values ('plain', '5.00', '1.00')")
      const row = await house.nodes.items.readOrThrow({ where: { sku: new Sku('plain') } })
      expect(row).toMatchObject({ deposit: money('1.50'), tax: null })
    })

    it('is held to its check', async () => {
      const error = await rejectionOf(house.nodes.items.create({ ...lamp, price: money('-0.01') }))
      expect(error).toMatchObject({ code: 'CHECK_VIOLATION', model: 'Item', fields: ['price'] })
    })

    it('is compared, listed and sorted by what is stored', async () => {
      const { items } = house.nodes
      await items.bulkCreate({ rows: [book, lamp, sofa] })
      const found = async (where: Parameters<typeof items.count>[0]) =>
        codes((await items.list({ ...where, orderBy: { price: 'asc' } })).rows)
      expect(await found({})).toEqual(['lamp', 'book', 'sofa'])
      expect(await found({ where: { price: money('9.00') } })).toEqual(['lamp'])
      expect(await found({ where: { price: { $gt: money('9.00'), $ne: money('12.50') } } })).toEqual(['sofa'])
      expect(await found({ where: { price: { $between: [money('9.00'), money('12.50')] } } })).toEqual(['lamp', 'book'])
      expect(await found({ where: { sku: { $in: [book.sku, sofa.sku] } } })).toEqual(['book', 'sofa'])
      expect(await found({ where: { tax: null } })).toEqual(['book'])
      expect(await found({ where: { $not: { tax: { $nin: [money('20.00')] } } } })).toEqual(['sofa'])
    })

    it('is changed by update, and by upsert on a key of it', async () => {
      const { items } = house.nodes
      await items.create(lamp)
      const where = { sku: lamp.sku }
      expect(await items.update({ where, set: { price: money('8.00') } }, { select: ['price'] })).toStrictEqual({ price: money('8.00') })
      const upsert = (price: string) => items.upsert({ on: ['tax'], values: { ...lamp, price: money(price) } }, { select: ['price'] })
      expect(await upsert('7.00')).toStrictEqual({ row: { price: money('7.00') }, outcome: 'updated' })
      expect(await upsert('7.00')).toStrictEqual({ row: { price: money('7.00') }, outcome: 'unchanged' })
    })

    it('goes through the bulk nodes', async () => {
      const { items } = house.nodes
      const made = await items.bulkCreate({ rows: [book, lamp], returning: true }, { select: ['sku', 'price'] })
      expect(made.rows).toStrictEqual([book, { sku: lamp.sku, price: lamp.price }])
      const rows = [{ ...book, price: money('13.00') }, lamp, sofa]
      expect(await items.bulkUpsert({ on: ['sku'], rows })).toEqual({ created: 1, updated: 1, unchanged: 1 })
      const twice = await rejectionOf(items.bulkUpsert({ on: ['sku'], rows: [book, { ...book }] }))
      expect(twice).toMatchObject({ code: 'VALIDATION', issues: [{ path: ['rows', 1] }] })
      expect(await items.bulkUpdate({ where: { price: { $lt: money('50.00') } }, set: { tax: null } })).toEqual({ count: 2 })
      expect(await items.bulkDelete({ where: { sku: { $in: [lamp.sku] } } })).toEqual({ count: 1 })
    })

    it('carries cursors and streams', async () => {
      const { items } = house.nodes
      await items.bulkCreate({ rows: [book, lamp, sofa] })
      const first = await items.list({ orderBy: { price: 'desc' }, limit: 2 })
      const second = await items.list({ orderBy: { price: 'desc' }, limit: 2, after: first.nextCursor! })
      expect([codes(first.rows), codes(second.rows)]).toEqual([['sofa', 'book'], ['lamp']])
      const streamed: string[] = []
      for await (const { sku } of items.stream({ orderBy: { tax: 'asc' } })) streamed.push(sku.code)
      expect(streamed).toEqual(['lamp', 'sofa', 'book'])
    })

    it('is a key that relations and readMany go by', async () => {
      const { items, sales } = house.nodes
      await items.bulkCreate({ rows: [book, lamp] })
      await sales.bulkCreate({ rows: [{ sku: book.sku }, { sku: book.sku }] })
      const [owner] = (
        await items.list({ where: { sales: { $some: { sku: book.sku } } }, include: { sales: { include: { item: true } } } })
      ).rows
      expect(owner?.sales.map(({ item }) => item.price)).toStrictEqual([book.price, book.price])
      const many = await items.readMany({ keys: [{ sku: lamp.sku }, { sku: new Sku('none') }, { sku: book.sku }] }, { select: ['price'] })
      expect(many).toStrictEqual([{ price: lamp.price }, null, { price: book.price }])
      const missing = await rejectionOf(sales.create({ sku: new Sku('none') }))
      expect(missing).toMatchObject({ code: 'FOREIGN_KEY_VIOLATION', model: 'Sale', fields: ['sku'] })
    })

    it('is counted, and has extremes where it has an order', async () => {
      const { items } = house.nodes
      await items.bulkCreate({ rows: [book, lamp, sofa] })
      const [all] = await items.aggregate({ values: { n: { $countDistinct: 'price' }, least: { $min: 'price' }, most: { $max: 'price' } } })
      expect(all).toStrictEqual({ n: 3, least: lamp.price, most: sofa.price })
    })

    it('is of its type in db.kysely too', async () => {
      const { db } = house
      await db.kysely
        .insertInto('items')
        .values({ ...lamp, fee: money('2.00') })
        .execute()
      const query = db.kysely.selectFrom('items').select(['sku', 'fee as cost']).where('price', '=', lamp.price)
      expect(await query.execute()).toStrictEqual([{ sku: lamp.sku, cost: money('2.00') }])
    })
  })

  describe('what cannot be done with such a field is refused before any SQL:', () => {
    const cases: readonly (readonly [string, () => Promise<unknown>, string])[] = [
      ['a value that encode throws at', () => house.nodes.items.create({ ...lamp, price: 'cheap' as never }), 'price'],
      ['a value that encode makes nothing of', () => house.nodes.items.create({ ...lamp, sku: {} as Sku }), 'sku'],
      ['an encoded value that its column does not hold', () => house.nodes.items.create({ ...lamp, sku: new Sku('x'.repeat(21)) }), 'sku'],
      ['such a value in a filter', () => house.nodes.items.count({ where: { price: { $gt: 3 as never } } }), 'where.price.$gt'],
      ['an order of what is stored in none', () => house.nodes.items.list({ orderBy: { sku: 'asc' } }), 'orderBy.sku'],
      ['a comparison by such an order', () => house.nodes.items.count({ where: { sku: { $lt: lamp.sku } } }), 'where.sku.$lt'],
      ['a search for an element', () => house.nodes.items.count({ where: { tags: { $has: 'light' } as never } }), 'where.tags.$has'],
      ['a search for no elements', () => house.nodes.items.count({ where: { tags: { $hasEvery: [] } as never } }), 'where.tags.$hasEvery'],
      ['a pattern', () => house.nodes.items.count({ where: { sku: { $like: 'l%' } as never } }), 'where.sku.$like'],
      [
        'a comparison of what is stored as JSON',
        () => house.nodes.items.count({ where: { size: { $eq: { width: 1, height: 1 } } } }),
        'where.size.$eq',
      ],
      ['a sum', () => house.nodes.items.aggregate({ values: { sum: { $sum: 'price' as never } } }), 'values.sum.$sum'],
      [
        'arithmetic',
        () => house.nodes.items.update({ where: { sku: lamp.sku }, set: { price: { $increment: money('1.00') } as never } }),
        'set.price',
      ],
    ]

    it.each(cases)('%s', async (_, call, place) => {
      const error = await rejectionOf(call())
      expect(error).toMatchObject({ code: 'VALIDATION', model: 'Item' })
      expect(error.message).toContain(`${place}: `)
      expect(error.message).not.toContain('cheap')
    })
  })

  it('a stored value that decode throws at is a typed error with the model and the field', async () => {
    await engine.admin(house.url, "insert into items (sku, price, fee) values ('?', '5.00', '1.00')")
    const error = await rejectionOf(house.nodes.items.list())
    expect(error).toMatchObject({ code: 'INVALID_VALUE', model: 'Item', fields: ['sku'], cause: expect.any(RangeError) })
    expect(error.message).toBe('Item: a stored value is none that its decode takes on sku')
    // the connection is as good as before
    expect(await house.nodes.items.count()).toBe(1)
  })
})

describe('the JSON schema of a custom field', () => {
  it('is that of what it is stored as, with the operators that it takes', () => {
    const { input } = jsonSchemaOf(definitionOf(Item), 'list')
    const { $defs } = input as { $defs: Record<string, { properties: Record<string, { anyOf: { $ref?: string }[] }> }> }
    const operators = (name: string) => {
      const { $ref } = $defs.where!.properties[name]!.anyOf.at(-1)!
      return Object.keys($defs[$ref!.replace('#/$defs/', '')]!.properties)
    }
    expect(operators('price')).toContain('$gt')
    expect(operators('sku')).toEqual(['$eq', '$ne', '$null', '$not', '$in', '$nin'])
    expect(operators('tags')).toEqual(['$eq', '$ne', '$null', '$not'])
    const create = (jsonSchemaOf(definitionOf(Item), 'create').input as { $defs: Record<string, unknown> }).$defs.newRow
    expect(create).toMatchObject({ properties: { deposit: { type: 'string', default: '1.50' }, sku: { type: 'string', maxLength: 20 } } })
  })
})
