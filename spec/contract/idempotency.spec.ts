import {
  belongsTo,
  createDatabase,
  field,
  type Generated,
  hasMany,
  IdempotencyKeyReusedError,
  IdempotencyRecord,
  id,
  type Json,
  type Many,
  model,
  type One,
  tenant,
} from 'latchwork'
import { manualClock } from 'latchwork/testing'
import { beforeEach, describe, expect, it } from 'vitest'
import { forEachEngine } from '../support/engines.js'
import { statementsOf } from './use-blog.js'
import { rejectionOf, useDatabase } from './use-database.js'

@model()
class Payer {
  @id() id!: Generated<number>
  @field.text({ maxLength: 50, unique: true }) name!: string
  @hasMany(() => Payment, 'payerId') payments!: Many<Payment>
}

/** A field of each kind that JSON does not have. */
@model()
class Payment {
  @id('bigint') id!: Generated<bigint>
  @field.integer() payerId!: number
  @field.decimal({ precision: 20, scale: 2 }) amount!: string
  @field.timestamp() dueAt!: Date
  @field.bytes({ nullable: true }) receipt!: Uint8Array | null
  @field.json({ nullable: true }) lines!: Json<{ z: number; a: string }> | null
  @field.text({ maxLength: 50, nullable: true, unique: true }) reference!: string | null
  @belongsTo(() => Payer, 'payerId') payer!: One<Payer>
}

@model()
class Ticket {
  @id() id!: Generated<number>
  @tenant() orgId!: Generated<number>
  @field.text({ maxLength: 50 }) title!: string
}

const models = { payers: Payer, payments: Payment, tickets: Ticket, idempotencyRecords: IdempotencyRecord } as const
const NOON = new Date('2026-01-31T12:00:00.123Z')
const DAY_MS = 86_400_000

forEachEngine((engine) => {
  describe('an idempotency key', () => {
    const clock = manualClock(NOON)
    const use = useDatabase(engine, models, { now: clock.now, pool: { maxConnections: 4 } })
    let payerId: number

    beforeEach(async () => {
      clock.set(NOON)
      await use.nodes.idempotencyRecords.bulkDelete({ all: true })
      await use.nodes.payments.bulkDelete({ all: true })
      await use.nodes.tickets.bulkDelete({ all: true }).catch(() => undefined)
      payerId = (await use.nodes.payers.upsert({ on: ['name'], values: { name: 'Ada' } })).row.id
    })

    const payment = (more = {}) => ({
      payerId,
      amount: '12345678901234567.80',
      dueAt: NOON,
      receipt: new Uint8Array([0, 255]),
      lines: { z: 1, a: 'x' },
      ...more,
    })

    it('gives the first result again, each value as it was, and writes nothing more', async () => {
      const { payments } = use.nodes
      const options = { idempotencyKey: 'k1' }
      const first = await payments.create(payment(), options)
      await payments.update({ where: { id: first.id }, set: { amount: '1.00' } })
      const again = await payments.create(payment(), options)
      expect(again).toEqual(first)
      expect(Object.keys(again)).toEqual(Object.keys(first))
      expect([typeof again.id, again.dueAt, again.receipt]).toEqual(['bigint', NOON, new Uint8Array([0, 255])])
      expect(await payments.count()).toBe(1)
    })

    it('is for the same input, in whatever order, and for the same select and include', async () => {
      const { payments } = use.nodes
      const key = { idempotencyKey: 'k2' }
      const wanted = { ...key, select: ['id', 'amount'], include: { payer: { include: { payments: { select: ['id'] } } } } } as const
      const first = await payments.create(payment(), wanted)
      expect(first).toEqual({
        id: first.id,
        amount: '12345678901234567.80',
        payer: { id: payerId, name: 'Ada', payments: [{ id: first.id }] },
      })
      const { payerId: payer, ...rest } = payment({ lines: { a: 'x', z: 1 } })
      expect(await payments.create({ ...rest, payerId: payer }, wanted)).toEqual(first)
      for (const other of [
        () => payments.create(payment({ amount: '1.00' }), wanted),
        () => payments.create(payment({ dueAt: new Date(0) }), wanted),
        () => payments.create(payment({ receipt: new Uint8Array([1]) }), wanted),
        () => payments.create(payment(), key),
      ]) {
        const error = await rejectionOf(other())
        expect(error).toBeInstanceOf(IdempotencyKeyReusedError)
        expect(error).toMatchObject({ code: 'IDEMPOTENCY_KEY_REUSED', model: 'Payment', operation: 'create', retryable: false })
      }
      expect(await payments.count()).toBe(1)
    })

    it('holds for bulkCreate, with and without the rows given back', async () => {
      const { payments } = use.nodes
      const rows = [payment({ reference: 'a' }), payment({ reference: 'b' })]
      const counted = () => payments.bulkCreate({ rows }, { idempotencyKey: 'counted' })
      expect([await counted(), await counted()]).toEqual([{ count: 2 }, { count: 2 }])
      const more = [payment({ reference: 'c' }), payment()]
      const given = () => payments.bulkCreate({ rows: more, returning: true }, { idempotencyKey: 'given', select: ['id', 'reference'] })
      const first = await given()
      expect(first.rows?.map(({ reference }) => reference)).toEqual(['c', null])
      expect(await given()).toEqual(first)
      expect(await payments.count()).toBe(4)
    })

    it('lets many at once wait for the first, and gives all the same', async () => {
      const { payments } = use.nodes
      const calls = Array.from({ length: 12 }, () => payments.create(payment(), { idempotencyKey: 'at once' }))
      const results = await Promise.all(calls)
      expect(new Set(results.map(({ id }) => id)).size).toBe(1)
      expect(await payments.count()).toBe(1)
    })

    it.each(['committed', 'undone'])(
      'has others wait for a call in a transaction that is open, and one of them run unless that is committed: %s',
      async (end) => {
        const { payments } = use.nodes
        const create = () => payments.create(payment(), { idempotencyKey: 'open' })
        const made = signal()
        const asked = signal()
        const open = use.db.transaction(async () => {
          const { id } = await create()
          made.give()
          await asked.given
          if (end === 'undone') throw new Error('undone')
          return id
        })
        const first = open.catch(() => undefined)
        await made.given
        const waiting = Promise.all([create(), create(), create()])
        asked.give()
        const ids = new Set((await waiting).map(({ id }) => id))
        expect(ids.size).toBe(1)
        expect(ids.has((await first) ?? -1n)).toBe(end === 'committed')
        expect(await payments.count()).toBe(1)
      },
    )

    it('stays free where the call fails, and takes nothing else along', async () => {
      const { payments } = use.nodes
      const key = { idempotencyKey: 'free' }
      await payments.create(payment({ reference: 'taken' }))
      await use.db.transaction(async () => {
        expect(await rejectionOf(payments.create(payment({ reference: 'taken' }), key))).toMatchObject({ code: 'UNIQUE_VIOLATION' })
        await payments.create(payment({ reference: 'kept' }))
      })
      await payments.create(payment({ reference: 'free' }), key)
      expect(await payments.count()).toBe(3)
      expect(await rejectionOf(payments.create(payment({ amount: 'x' }), { idempotencyKey: 'bad' }))).toMatchObject({ code: 'VALIDATION' })
      expect(await use.nodes.idempotencyRecords.count()).toBe(1)
    })

    it('stands for its call for a day, or as long as is said, and is free then', async () => {
      const { payments, idempotencyRecords } = use.nodes
      const key = { idempotencyKey: 'day' }
      const first = await payments.create(payment(), key)
      clock.advance(DAY_MS - 1)
      expect(await payments.create(payment(), key)).toEqual(first)
      clock.advance(1)
      const second = await payments.create(payment({ amount: '2.00' }), key)
      expect(second.id).not.toEqual(first.id)
      expect(await payments.create(payment({ amount: '2.00' }), key)).toEqual(second)
      expect(await idempotencyRecords.bulkDelete({ where: { expiresAt: { $lte: clock.now() } } })).toEqual({ count: 0 })
      const short = use.another({ idempotencyTtlMs: 1_000 })
      await short.nodes.payments.create(payment(), { idempotencyKey: 'short' })
      clock.advance(1_000)
      expect(await idempotencyRecords.bulkDelete({ where: { expiresAt: { $lte: clock.now() } } })).toEqual({ count: 1 })
    })

    it('is of one node and of one tenant', async () => {
      const { payments, payers, tickets } = use.nodes
      const key = { idempotencyKey: 'shared' }
      await payments.create(payment(), key)
      await payments.bulkCreate({ rows: [payment()] }, key)
      const name = `x ${await payers.count()}`
      await payers.create({ name }, key)
      const ticket = () => tickets.create({ title: 'same' }, key)
      const [one, two] = [await use.db.withTenant(1, ticket), await use.db.withTenant(2, ticket)]
      expect([one.orgId, two.orgId]).toEqual([1, 2])
      expect(await use.db.withTenant(1, ticket)).toEqual(one)
      expect(await rejectionOf(ticket())).toMatchObject({ code: 'TENANT_REQUIRED' })
      expect(await rejectionOf(use.db.acrossTenants(ticket))).toMatchObject({ code: 'TENANT_REQUIRED' })
    })

    it('runs the hooks of the first call only', async () => {
      let count = 0
      const hooked = use.another({ hooks: { payments: { create: { before: () => void count++ } } } })
      const create = () => hooked.nodes.payments.create(payment(), { idempotencyKey: 'hooked' })
      expect(await create()).toEqual(await create())
      expect(count).toBe(1)
    })

    it('is refused before any SQL where it is none, or where the call cannot have one', async () => {
      const { payments, payers } = use.nodes
      const rows = [payment()]
      const key = { idempotencyKey: 'k' }
      const calls = [
        () => payments.create(payment(), { idempotencyKey: '' }),
        () => payments.create(payment(), { idempotencyKey: 'x'.repeat(201) }),
        () => payments.create(payment(), { idempotencyKey: 7 as never }),
        () => payments.bulkCreate({ rows: new Set(rows) }, key),
        () => payments.bulkCreate({ rows }, { ...key, transaction: false }),
        () => payers.update({ where: { id: 1 }, set: { name: 'x' } }, key as never),
      ]
      const sent = await statementsOf(async () => {
        for (const call of calls)
          expect(await rejectionOf(call())).toMatchObject({ code: expect.stringMatching(/^(VALIDATION|UNKNOWN_FIELD)$/) })
      })
      expect(sent).toBe(0)
    })
  })
})

describe('idempotency of a database', () => {
  it('needs IdempotencyRecord among its models, when a key is used', async () => {
    await using db = createDatabase({ url: 'sqlite::memory:', models: { payers: Payer, payments: Payment } })
    expect(await rejectionOf(db.nodes.payers.create({ name: 'x' }, { idempotencyKey: 'k' }))).toMatchObject({
      code: 'CONFIGURATION',
      option: 'models',
    })
  })

  it.each([0, 1.5, '1', 315_360_000_001])('refuses idempotencyTtlMs: %j', (idempotencyTtlMs) => {
    expect(() => createDatabase({ url: 'sqlite::memory:', models: {}, idempotencyTtlMs: idempotencyTtlMs as never })).toThrow(
      /idempotencyTtlMs: expected a whole number from 1 to 315360000000/,
    )
  })
})

function signal() {
  let give = () => {}
  const given = new Promise<void>((resolve) => {
    give = resolve
  })
  return { given, give }
}
