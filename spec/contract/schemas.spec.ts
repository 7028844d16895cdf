import type { Generated } from 'kysely'
import { belongsTo, createDatabase, type Database, deletedAt, field, hasMany, id, type Many, model, type One, version } from 'latchwork'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type FreshDatabase, forEachEngine } from '../support/engines.js'
import { rejectionOf } from './use-database.js'

type Mood = 'calm' | 'cross'

/** A client of the connection's own schema; orders, and clients of the same table name, of another one. */
function modelsIn(schema: string) {
  @model()
  class Client {
    @id() id!: Generated<number>
    @field.text({ maxLength: 50, unique: true }) email!: string
  }

  @model({ name: 'FarClient', table: 'clients', schema })
  class FarClient {
    @id() id!: Generated<number>
    @field.text({ maxLength: 50, unique: true }) email!: string
    @field.oneOf(['calm', 'cross'], { native: true, default: 'calm' }) mood!: Generated<Mood>
    @field.array({ kind: 'enum', values: ['calm', 'cross'], native: true, name: 'past_mood' }, { default: ['calm'] }) past!: Generated<
      Mood[]
    >
    @hasMany(() => Order, 'clientId') orders!: Many<Order>
  }

  @model({ schema, indexes: [{ on: ['total'] }] })
  class Order {
    @id() id!: Generated<number>
    @field.integer() clientId!: number
    @field.integer({ nullable: true }) nearId!: number | null
    @field.integer({ check: { $gte: 0 } }) total!: number
    @version() version!: Generated<number>
    @deletedAt() deletedAt!: Generated<Date | null>
    @belongsTo(() => FarClient, { foreignKey: 'clientId', onDelete: 'cascade' }) client!: One<FarClient>
    @belongsTo(() => Client, 'nearId') near!: One<Client> | null
  }
  return { clients: Client, farClients: FarClient, orders: Order }
}

const HOSTILE = 'Ünï select; drop table x -- $$ 100% ?'

forEachEngine(
  (engine) => {
    describe.each(['sales', HOSTILE])('models in the schema %j', (name) => {
      let fresh: FreshDatabase
      let schema: string
      let db: Database<ReturnType<typeof modelsIn>>

      beforeAll(async () => {
        fresh = await engine.freshDatabase()
        // on MySQL a schema is a database of the whole server
        schema = engine.name === 'mysql' ? `${fresh.url.slice(-8)} ${name}` : name
        if (engine.name === 'mysql') await engine.admin(fresh.url, `create database \`${schema}\``)
        db = createDatabase({ url: fresh.url, models: modelsIn(schema) })
        await db.createTables()
      })

      afterAll(async () => {
        await db.close()
        if (engine.name === 'mysql') await engine.admin(fresh.url, `drop database \`${schema}\``)
        await fresh.drop()
      })

      beforeEach(async () => {
        await db.kysely.deleteFrom('orders').execute()
        await db.kysely.deleteFrom('farClients').execute()
        await db.kysely.deleteFrom('clients').execute()
      })

      it('have their tables there', async () => {
        const found = await engine.admin(
          fresh.url,
          `select table_name as name from information_schema.tables where table_schema = '${schema}' and table_type = 'BASE TABLE' order by 1`,
        )
        expect(found.map((row) => row.name)).toEqual(['clients', 'orders'])
        expect(await rejectionOf(db.createTables())).toMatchObject({ code: 'CONFIGURATION' })
      })

      it('go through every node', async () => {
        const { clients, farClients, orders } = db.nodes
        const near = await clients.create({ email: 'ada@example.com' })
        const far = await farClients.create({ email: 'ada@example.com', mood: 'cross' })
        expect(far).toMatchObject({ mood: 'cross', past: ['calm'] })
        const { rows } = await farClients.bulkCreate({
          rows: [
            { email: 'bob@example.com', mood: 'cross', past: ['cross', 'calm'] },
            { email: 'cyd@example.com', mood: 'calm', past: [] },
          ],
          returning: true,
        })
        expect(rows?.map(({ mood, past }) => [mood, past])).toEqual([
          ['cross', ['cross', 'calm']],
          ['calm', []],
        ])
        const upserted = await farClients.upsert(
          { on: ['email'], values: { email: 'bob@example.com', mood: 'calm' } },
          { select: ['mood'] },
        )
        expect(upserted).toEqual({ row: { mood: 'calm' }, outcome: 'updated' })
        const bulk = {
          on: ['email'] as const,
          rows: [
            { email: 'bob@example.com', mood: 'cross' as const },
            { email: 'dan@example.com', mood: 'calm' as const },
          ],
        }
        expect(await farClients.bulkUpsert(bulk)).toEqual({ created: 1, updated: 1, unchanged: 0 })
        expect(await farClients.count({ where: { mood: { $in: ['cross'] } } })).toBe(2)

        const order = await orders.create({ clientId: far.id, nearId: near.id, total: 5 }, { include: { client: true, near: true } })
        expect([order.client.email, order.near?.email]).toEqual(['ada@example.com', 'ada@example.com'])
        await orders.bulkCreate({ rows: [{ clientId: far.id, total: 7 }] })
        expect(await orders.update({ where: { id: order.id }, set: { total: { $increment: 1 } }, version: 1 })).toMatchObject({
          total: 6,
          version: 2,
        })
        const listed = await farClients.list({
          where: { orders: { $some: { total: { $gt: 6 } } } },
          orderBy: { email: 'asc' },
          limit: 1,
          include: { orders: { orderBy: { total: 'desc' }, limit: 1, include: { near: true } } },
        })
        expect(listed.rows.map((row) => row.orders.map(({ total, near: one }) => [total, one]))).toEqual([[[7, null]]])
        expect(await orders.count({ where: { near: { email: 'ada@example.com' }, client: { email: 'ada@example.com' } } })).toBe(1)
        expect(await orders.aggregate({ values: { total: { $sum: 'total' } }, groupBy: ['clientId'] })).toEqual([
          { clientId: far.id, total: 13 },
        ])
        expect(await orders.readMany({ keys: [{ id: order.id }] }, { include: { near: true } })).toHaveLength(1)
        const streamed: number[] = []
        for await (const { total } of orders.stream({ orderBy: { total: 'asc' } })) streamed.push(total)
        expect(streamed).toEqual([6, 7])
        expect(await orders.claim({ where: { total: 7 }, set: { total: 8 } })).toMatchObject([{ total: 8 }])
        await db.transaction(() => orders.list({ where: { client: { email: 'ada@example.com' } } }, { for: 'update' }))
        await orders.delete({ where: { id: order.id } })
        await orders.restore({ where: { id: order.id } })
        expect(await orders.bulkUpdate({ where: { total: { $gt: 1 } }, set: { total: 2 } })).toEqual({ count: 2 })
        expect(await farClients.bulkDelete({ where: { email: 'ada@example.com' } })).toEqual({ count: 1 })
        expect(await orders.exists()).toBe(false)
        expect(await clients.count()).toBe(1)
      })

      it('are named by what the database refuses, though another schema has the same table', async () => {
        const { clients, farClients, orders } = db.nodes
        const [near, far] = await Promise.all([clients.create({ email: 'a' }), farClients.create({ email: 'a' })])
        expect(await rejectionOf(clients.create({ email: 'a' }))).toMatchObject({
          code: 'UNIQUE_VIOLATION',
          model: 'Client',
          fields: ['email'],
        })
        expect(await rejectionOf(farClients.create({ email: 'a' }))).toMatchObject({
          code: 'UNIQUE_VIOLATION',
          model: 'FarClient',
          fields: ['email'],
        })
        expect(await rejectionOf(farClients.bulkCreate({ rows: [{ email: 'a' }] }))).toMatchObject({
          model: 'FarClient',
          fields: ['email'],
        })
        expect(await rejectionOf(orders.create({ clientId: far.id, total: -1 }))).toMatchObject({ code: 'CHECK_VIOLATION', model: 'Order' })
        await orders.create({ clientId: far.id, nearId: near.id, total: 1 })
        const missing = await rejectionOf(orders.create({ clientId: far.id, nearId: near.id + 9, total: 1 }))
        expect(missing).toMatchObject({ code: 'FOREIGN_KEY_VIOLATION', model: 'Order', fields: ['nearId'] })
        expect(await rejectionOf(clients.delete({ where: { id: near.id } }))).toMatchObject({
          code: 'FOREIGN_KEY_VIOLATION',
          model: 'Order',
        })
      })

      it('are joined by db.kysely', async () => {
        const { id: clientId } = await db.nodes.farClients.create({ email: 'a', mood: 'cross' })
        await db.nodes.orders.create({ clientId, total: 3 })
        const query = db.kysely
          .selectFrom('orders')
          .innerJoin('farClients', 'farClients.id', 'orders.clientId')
          .select(['orders.total', 'farClients.mood'])
        expect(await query.execute()).toEqual([{ total: 3, mood: 'cross' }])
      })
    })
  },
  { engines: ['postgres', 'mysql'] },
)

describe('a schema that cannot be one', () => {
  it.each(['a"b', 'a`b', "a'b", 'a.b', 'a\\b', 'a\0b', '', ' a', 'a as b'])('is refused while the model is defined: %j', (schema) => {
    expect(() => modelsIn(schema)).toThrow(expect.objectContaining({ code: 'MODEL' }))
  })
})

forEachEngine(
  () => {
    it('refuses models in a schema before it opens anything', () => {
      const models = modelsIn('sales')
      expect(() => createDatabase({ url: 'sqlite::memory:', models })).toThrow(
        expect.objectContaining({ code: 'UNSUPPORTED', engine: 'sqlite', message: expect.stringContaining('FarClient') }),
      )
    })
  },
  { engines: ['sqlite'] },
)
