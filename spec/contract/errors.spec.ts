import { inspect } from 'node:util'
import BetterSqlite3 from 'better-sqlite3'
import {
  CheckViolationError,
  DeadlockError,
  ForeignKeyViolationError,
  type Generated,
  InvalidValueError,
  type LatchworkError,
  LockTimeoutError,
  type ModelClass,
  NotNullViolationError,
  ReadOnlyError,
  SerializationError,
  UniqueViolationError,
} from 'latchwork'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type PoolEvent, poolEvents } from '../../lib/events.js'
import { defineLooseModel } from '../../lib/model/define-model.js'
import { forEachEngine } from '../support/engines.js'
import { models } from './members.js'
import { rejectionOf, useDatabase } from './use-database.js'

/** Stands in every value that is bound, and may stand in nothing that an error holds. */
const CANARY = 'canary7f3a'

/** A model with two references and a column whose default is no value: the only way past the layer's own check. */
function orderModel(noValue: string): ModelClass<Order> {
  class Purchase {}
  defineLooseModel(Purchase, {
    name: 'Order',
    fields: {
      id: { kind: 'integer', primary: true, increment: true },
      reference: { kind: 'text', maxLength: 50 },
      quantity: { kind: 'integer', defaultSql: noValue },
      memberId: { kind: 'integer', nullable: true },
      giftForId: { kind: 'integer', nullable: true },
    },
    relations: {
      member: { kind: 'belongsTo', target: () => models.members, foreignKey: 'memberId', onDelete: 'restrict' },
      giftFor: { kind: 'belongsTo', target: () => models.members, foreignKey: 'giftForId' },
    },
    checks: [{ name: 'orders_quantity_or_gift', sql: 'quantity < 100 or gift_for_id is not null' }],
  })
  return Purchase as unknown as ModelClass<Order>
}

interface Order {
  id: Generated<number>
  reference: string
  quantity: Generated<number>
  memberId: number | null
  giftForId: number | null
}

const ADA = { email: `${CANARY}@example.com`, nickname: `nick-${CANARY}` }

forEachEngine((engine) => {
  describe('an error of the database', () => {
    const shop = useDatabase(
      engine,
      { ...models, orders: orderModel(engine.name === 'mysql' ? '1' : '(nullif(1, 1))') },
      { pool: { maxConnections: 1 } },
    )
    const connected: string[] = []
    const listen = (event: PoolEvent) => void (event.type === 'connected' && connected.push(event.pool))

    beforeAll(async () => {
      poolEvents.subscribe(listen)
      // MySQL looks at a default when the table is made
      if (engine.name === 'mysql') await engine.admin(shop.url, 'alter table orders alter column quantity drop default')
    })
    afterAll(() => poolEvents.unsubscribe(listen))
    beforeEach(() => shop.clear())

    const aMember = async () => (await shop.nodes.members.create(ADA)).id
    const aNote = async (memberId: number) => shop.nodes.notes.create({ memberId, title: CANARY })
    const anOrder = (more: object) => ({ reference: CANARY, quantity: 1, ...more })

    const cases: readonly [string, new (...args: never[]) => LatchworkError, object, () => Promise<unknown>][] = [
      [
        'a unique key that is taken',
        UniqueViolationError,
        { code: 'UNIQUE_VIOLATION', model: 'Member', fields: ['email'], constraint: 'members_email_key' },
        async () => aMember().then(() => shop.nodes.members.create({ email: ADA.email })),
      ],
      [
        'a unique key that an update takes',
        UniqueViolationError,
        { model: 'Member', fields: ['nickname'], constraint: 'members_nickname_key' },
        async () => {
          const { id } = await shop.nodes.members.create({ email: 'bob@example.com' })
          await aMember()
          await shop.nodes.members.update({ where: { id }, set: { nickname: ADA.nickname } })
        },
      ],
      [
        'a composite unique key with a name',
        UniqueViolationError,
        { model: 'Note', fields: ['memberId', 'title'], constraint: 'one_title_a_member' },
        async () => {
          const memberId = await aMember()
          await aNote(memberId)
          await aNote(memberId)
        },
      ],
      [
        'a primary key that is taken',
        UniqueViolationError,
        { model: 'Stock', fields: ['warehouse', 'item'], constraint: 'stocks_pkey' },
        () => shop.nodes.stocks.bulkCreate({ rows: [1, 2].map((amount) => ({ warehouse: CANARY, item: 'a', amount })) }),
      ],
      [
        'a row that refers to nothing',
        ForeignKeyViolationError,
        { code: 'FOREIGN_KEY_VIOLATION', model: 'Note', fields: ['memberId'], constraint: 'notes_member_id_fkey' },
        () => aNote(77_123),
      ],
      [
        'one of two references that leads nowhere',
        ForeignKeyViolationError,
        { model: 'Order', fields: ['giftForId'], constraint: 'orders_gift_for_id_fkey' },
        async () => shop.nodes.orders.create(anOrder({ memberId: await aMember(), giftForId: 77_123 })),
      ],
      [
        'an update to a reference that leads nowhere',
        ForeignKeyViolationError,
        { model: 'Order', fields: ['memberId'], constraint: 'orders_member_id_fkey' },
        async () => {
          const { id } = await shop.nodes.orders.create(anOrder({ memberId: await aMember() }))
          await shop.nodes.orders.update({ where: { id }, set: { memberId: 77_123 } })
        },
      ],
      [
        'a bulk update to a reference that leads nowhere',
        ForeignKeyViolationError,
        { model: 'Order', fields: ['giftForId'], constraint: 'orders_gift_for_id_fkey' },
        async () => {
          await shop.nodes.orders.bulkCreate({ rows: [anOrder({ memberId: await aMember() }), anOrder({})] })
          await shop.nodes.orders.bulkUpdate({ where: { reference: CANARY }, set: { giftForId: 77_123 } })
        },
      ],
      [
        'one row of many that refers to nothing',
        ForeignKeyViolationError,
        { model: 'Note', fields: ['memberId'], constraint: 'notes_member_id_fkey' },
        async () => {
          const memberId = await aMember()
          const rows = Array.from({ length: 1_200 }, (_, index) => ({
            memberId: index === 1_100 ? 77_123 : memberId,
            title: `${CANARY}${index}`,
          }))
          await shop.nodes.notes.bulkCreate({ rows })
        },
      ],
      [
        'an upsert that refers to nothing',
        ForeignKeyViolationError,
        { model: 'Note', fields: ['memberId'], constraint: 'notes_member_id_fkey' },
        () => shop.nodes.notes.upsert({ on: ['memberId', 'title'], values: { memberId: 77_123, title: CANARY } }),
      ],
      [
        'a bulk upsert with a row that refers to nothing',
        ForeignKeyViolationError,
        { model: 'Note', fields: ['memberId'], constraint: 'notes_member_id_fkey' },
        () => shop.nodes.notes.bulkUpsert({ on: ['memberId', 'title'], rows: [{ memberId: 77_123, title: CANARY }] }),
      ],
      [
        'a delete of a row that others refer to',
        ForeignKeyViolationError,
        { model: 'Note', fields: ['memberId'], constraint: 'notes_member_id_fkey' },
        async () => {
          const id = await aMember()
          await aNote(id)
          await shop.nodes.members.delete({ where: { id } })
        },
      ],
      [
        'a bulk delete where one row is referred to, by a reference that restricts',
        ForeignKeyViolationError,
        { model: 'Order', fields: ['memberId'], constraint: 'orders_member_id_fkey' },
        async () => {
          await shop.nodes.members.create({ email: 'bob@example.com' })
          await shop.nodes.orders.create(anOrder({ memberId: await aMember() }))
          await shop.nodes.members.bulkDelete({ all: true })
        },
      ],
      [
        'a check on one field',
        CheckViolationError,
        { code: 'CHECK_VIOLATION', model: 'Member', fields: ['age'], constraint: 'members_age_check' },
        async () => {
          const id = await aMember()
          await shop.nodes.members.update({ where: { id }, set: { age: 3 } })
          await shop.nodes.members.update({ where: { id }, set: { age: { $decrement: 4 } } })
        },
      ],
      [
        'a check in SQL with a name',
        CheckViolationError,
        { model: 'Order', constraint: 'orders_quantity_or_gift' },
        () => shop.nodes.orders.create(anOrder({ quantity: 100 })),
      ],
      [
        'a value that is required',
        NotNullViolationError,
        { code: 'NOT_NULL_VIOLATION', model: 'Order', fields: ['quantity'], constraint: undefined },
        () => shop.nodes.orders.create({ reference: CANARY }),
      ],
      [
        'a number that leaves its range',
        InvalidValueError,
        { code: 'INVALID_VALUE' },
        async () => {
          const { id } = await shop.nodes.orders.create(anOrder({}))
          await shop.nodes.orders.update({ where: { id }, set: { quantity: { $increment: 2_147_483_647 } } })
        },
      ],
    ]

    it.each(cases)('is typed for %s, holds no value, and costs no connection', async (_, type, fields, provoke) => {
      await shop.db.ping()
      connected.length = 0
      const error = await rejectionOf(provoke())
      expect(error).toBeInstanceOf(type)
      expect(error).toMatchObject({ ...fields, retryable: false, name: type.name })
      if (!(error instanceof InvalidValueError)) expect(error.cause).toBeInstanceOf(Error)
      expect(everythingIn(error)).not.toMatch(/canary7f3a|77.?123/)
      await shop.db.ping()
      expect(connected).toEqual([])
    })

    it.each(cases)('is the same in a transaction for %s', async (_, type, fields, provoke) => {
      const error = await rejectionOf(shop.db.transaction(async () => void (await provoke())))
      expect(error).toBeInstanceOf(type)
      expect(error).toMatchObject(fields)
    })

    it('says that a transaction is read-only, and which statement it was', async () => {
      const error = await rejectionOf(shop.db.transaction(() => shop.nodes.members.create(ADA), { readOnly: true }))
      expect(error).toBeInstanceOf(ReadOnlyError)
      expect(everythingIn(error)).not.toContain(CANARY)
      expect(await shop.nodes.members.count()).toBe(0)
    })
  })

  describe('a lock that others hold', () => {
    // SQLite waits 5 s: nothing but a call's own timeoutMs says otherwise
    const initSql = { postgres: ['set lock_timeout = 200'], mysql: ['set innodb_lock_wait_timeout = 1'], sqlite: [] }[engine.name]
    const shop = useDatabase(engine, models, { pool: { initSql } })

    beforeEach(() => shop.clear())

    it('is waited for no longer than said: a LockTimeoutError, which may be repeated', async () => {
      const { id } = await shop.nodes.members.create(ADA)
      const write = () => shop.nodes.members.update({ where: { id }, set: { age: 1 } })
      const error = await rejectionOf(whileLocked(write))
      expect(error).toBeInstanceOf(LockTimeoutError)
      expect(error).toMatchObject({ code: 'LOCK_TIMEOUT', retryable: true })
      expect(everythingIn(error)).not.toContain(CANARY)
      expect(await write()).toMatchObject({ age: 1 })
    })

    async function whileLocked(work: () => Promise<unknown>): Promise<unknown> {
      if (engine.name === 'sqlite') {
        // another process's connection, as far as the pool can know
        const other = new BetterSqlite3(shop.url.slice('sqlite:'.length))
        other.exec('begin immediate')
        return work().finally(() => other.close())
      }
      // a transaction of another database object: what `work` calls does not join it
      const other = shop.another()
      return other.transaction(async () => {
        await other.nodes.members.bulkUpdate({ all: true, set: { age: 9 } })
        return work()
      })
    }
  })

  if (engine.name === 'sqlite') return

  describe('transactions that cross', () => {
    const shop = useDatabase(engine, models)

    beforeEach(() => shop.clear())

    it('end in a DeadlockError for one of them, which may be repeated', async () => {
      await shop.nodes.stocks.bulkCreate({ rows: ['a', 'b'].map((item) => ({ warehouse: 'w', item, amount: 0 })) })
      const both = barrier(2)
      const cross = (items: readonly string[]) =>
        shop.db.transaction(async () => {
          for (const [position, item] of items.entries()) {
            await shop.nodes.stocks.update({ where: { warehouse: 'w', item }, set: { amount: { $increment: 1 } } })
            if (position === 0) await both()
          }
        })
      const outcomes = await Promise.allSettled([cross(['a', 'b']), cross(['b', 'a'])])
      const failed = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason] : []))
      expect(failed).toHaveLength(1)
      expect(failed[0]).toBeInstanceOf(DeadlockError)
      expect(failed[0]).toMatchObject({ code: 'DEADLOCK', retryable: true })
      await cross(['a', 'b'])
      expect(await shop.nodes.stocks.count({ where: { amount: 2 } })).toBe(2)
    })

    // MariaDB 10.11 and MySQL let the later writer go on
    if (engine.name !== 'postgres') return

    it('end in a SerializationError for the one that read what another has changed since', async () => {
      const { id } = await shop.nodes.members.create({ ...ADA, age: 1 })
      const error = await rejectionOf(
        shop.db.transaction(
          async () => {
            await shop.nodes.members.readOrThrow({ where: { id } })
            await shop.another().nodes.members.update({ where: { id }, set: { age: 2 } })
            await shop.nodes.members.update({ where: { id }, set: { age: { $increment: 1 } } })
          },
          { isolation: 'repeatable read' },
        ),
      )
      expect(error).toBeInstanceOf(SerializationError)
      expect(error).toMatchObject({ code: 'SERIALIZATION', retryable: true })
      expect(everythingIn(error)).not.toContain(CANARY)
    })
  })
})

/** Everything that a log could print of an error. */
function everythingIn(error: Error): string {
  const shown = inspect(error, { depth: 20, showHidden: true })
  const causes: unknown[] = []
  for (let each: unknown = error; each instanceof Error; each = each.cause) causes.push(each.message, each.stack, { ...each })
  return `${shown}\n${JSON.stringify(error)}\n${JSON.stringify(causes)}`
}

/** Resolves for all once `count` callers are there. */
function barrier(count: number): () => Promise<void> {
  let open: () => void
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return () => {
    if (--count === 0) open()
    return opened
  }
}
