import { deepStrictEqual, rejects } from 'node:assert/strict'
import type { Database } from 'latchwork'
import type { models } from './models.js'

type Desk = Database<typeof models>

/** What two tenants are each to see of rows that lie in the same tables. Throws where one sees more, or changes what is not its own. */
export interface TenancyCheck {
  readonly title: string
  run(desk: Desk): Promise<void>
}

/** Everything is done in the same instant. */
export const atNoon = () => new Date('2026-01-31T12:00:00Z')

/** The same rows for tenants 1 and 2; the second one's ids are higher, and its points ten times as many. Refers to rows of the other, too. */
export async function fillDesk(desk: Desk): Promise<void> {
  const { plans, words } = desk.nodes
  const plan = await plans.create({ name: 'free' })
  const word = await words.create({ word: 'printer' })
  const first: { customer?: number; ticket?: number } = {}
  for (const org of [1, 2]) {
    await desk.withTenant(org, async () => {
      const { customers, tickets, uses } = desk.nodes
      const ada = await customers.create({ email: 'ada', code: org === 1 ? 'x' : null, planId: plan.id, points: org === 1 ? 1 : 10 })
      await customers.create({ email: 'bob', planId: plan.id, points: org === 1 ? 2 : 20 })
      const ticket = await tickets.create({ number: 1, customerId: ada.id })
      await tickets.create({ number: 2, customerId: ada.id })
      await uses.create({ ticketId: ticket.id, wordId: word.id })
      // what no foreign key keeps from happening: the other one's rows are referred to
      if (first.customer !== undefined) await tickets.create({ number: 3, customerId: first.customer })
      if (first.ticket !== undefined) await uses.create({ ticketId: first.ticket, wordId: word.id })
      first.customer ??= ada.id
      first.ticket ??= ticket.id
    })
  }
}

const points = async (desk: Desk) =>
  (await desk.acrossTenants(() => desk.nodes.customers.list({ orderBy: { id: 'asc' } }))).rows.map((customer) => customer.points)

/** One after the other, on a desk that each finds as {@link fillDesk} left it. */
export const CHECKS: readonly TenancyCheck[] = [
  {
    title: 'list, count, exists, aggregate and stream see the rows of one tenant',
    async run(desk) {
      const { customers } = desk.nodes
      for (const [org, own] of [
        [1, [1, 2]],
        [2, [10, 20]],
      ] as const) {
        await desk.withTenant(org, async () => {
          deepStrictEqual(
            (await customers.list({ orderBy: { id: 'asc' } })).rows.map((row) => row.points),
            own,
          )
          deepStrictEqual((await customers.list({ where: { $or: [{ email: 'ada' }, { email: 'bob' }] }, total: true })).total, 2)
          deepStrictEqual(await customers.count(), 2)
          deepStrictEqual(await customers.exists({ where: { points: own[0] * (org === 1 ? 10 : 0.1) } }), false)
          deepStrictEqual(await customers.aggregate({ values: { sum: { $sum: 'points' } } }), [{ sum: own[0] + own[1] }])
          const streamed: number[] = []
          for await (const row of customers.stream({ orderBy: { points: 'asc' } })) streamed.push(row.points)
          deepStrictEqual(streamed, own)
        })
      }
    },
  },
  {
    title: 'read and readMany find a row by a key of their tenant only, and by a unique key without naming the tenant',
    async run(desk) {
      const { customers } = desk.nodes
      const all = await desk.acrossTenants(() => customers.list({ orderBy: { id: 'asc' } }))
      await desk.withTenant(1, async () => {
        deepStrictEqual((await customers.readOrThrow({ where: { email: 'ada' } })).points, 1)
        deepStrictEqual(await customers.read({ where: { id: all.rows[2]!.id } }), null)
        const keys = all.rows.map(({ id }) => ({ id }))
        deepStrictEqual(
          (await customers.readMany({ keys })).map((row) => row?.points),
          [1, 2, undefined, undefined],
        )
        deepStrictEqual((await customers.readMany({ keys: [{ email: 'bob' }] }))[0]?.points, 2)
      })
    },
  },
  {
    title: 'update, delete and the bulk nodes change rows of their tenant only',
    async run(desk) {
      const { customers } = desk.nodes
      const all = await desk.acrossTenants(() => customers.list({ orderBy: { id: 'asc' } }))
      const where = { id: all.rows[2]!.id }
      await desk.withTenant(1, async () => {
        await rejects(customers.update({ where, set: { points: 99 } }), { code: 'NOT_FOUND' })
        await rejects(customers.update({ where, set: { points: 99 }, version: 1 }), { code: 'NOT_FOUND' })
        await rejects(customers.delete({ where }), { code: 'NOT_FOUND' })
        deepStrictEqual(await customers.bulkUpdate({ where: { points: { $gte: 0 } }, set: { points: { $increment: 100 } } }), { count: 2 })
        deepStrictEqual(await customers.bulkUpdate({ all: true, set: { points: { $increment: 100 } } }), { count: 2 })
        deepStrictEqual(
          (await customers.claim({ where: { points: { $gte: 10 } }, set: { points: { $decrement: 200 } }, limit: 9 })).length,
          2,
        )
      })
      deepStrictEqual(await points(desk), [1, 2, 10, 20])
      await desk.withTenant(1, async () => {
        deepStrictEqual(await customers.bulkDelete({ where: { points: { $gte: 10 } } }), { count: 0 })
        deepStrictEqual(await customers.bulkDelete({ all: true }), { count: 2 })
      })
      deepStrictEqual(await points(desk), [10, 20])
      // the other tenant's ticket for a customer who is gone stays: it is not this one's to delete, nor to bring back
      deepStrictEqual(await desk.withTenant(2, () => desk.nodes.tickets.count()), 3)
      await desk.withTenant(2, () => desk.nodes.tickets.delete({ where: { number: 3 } }))
      await desk.withTenant(2, () => rejects(customers.restore({ where }), { code: 'NOT_FOUND' }))
      await desk.withTenant(2, () => rejects(customers.restore({ where: { id: all.rows[0]!.id } }), { code: 'NOT_FOUND' }))
      deepStrictEqual((await desk.withTenant(1, () => customers.restore({ where: { id: all.rows[0]!.id } }))).points, 1)
      deepStrictEqual(await desk.withTenant(1, () => desk.nodes.tickets.count()), 2)
      deepStrictEqual(await desk.withTenant(2, () => desk.nodes.tickets.count()), 2)
    },
  },
  {
    title: 'new rows are of the tenant, and an upsert meets no row of another',
    async run(desk) {
      const { customers } = desk.nodes
      await desk.withTenant(2, async () => {
        const { orgId } = await customers.create({ email: 'cleo' })
        deepStrictEqual(orgId, 2)
        await customers.bulkCreate({ rows: [{ email: 'dan' }, { email: 'eve' }] })
        const { outcome, row } = await customers.upsert({ on: ['email'], values: { email: 'ada', points: 11 } })
        deepStrictEqual([outcome, row.points, row.orgId], ['updated', 11, 2])
        const rows = [{ email: 'ada', points: 12 }, { email: 'fay' }]
        deepStrictEqual(await customers.bulkUpsert({ on: ['email'], rows }), { created: 1, updated: 1, unchanged: 0 })
        await rejects(customers.bulkUpsert({ on: ['email'], rows: [rows[0]!, rows[0]!] }), { code: 'VALIDATION' })
        await rejects(customers.create({ email: 'gus', orgId: 1 } as never), { code: 'VALIDATION' })
        await rejects(customers.update({ where: { email: 'ada' }, set: { orgId: 1 } as never }), { code: 'VALIDATION' })
        // the row of this key may be another tenant's
        await rejects(customers.upsert({ on: ['code'], values: { code: 'x', email: 'ada', points: 13 } }), { code: 'VALIDATION' })
        await rejects(customers.bulkUpsert({ on: ['code'], rows: [{ code: 'x', email: 'ada', points: 13 }] }), { code: 'VALIDATION' })
      })
      deepStrictEqual(await points(desk), [1, 2, 12, 20, 0, 0, 0, 0])
    },
  },
  {
    title: 'relations lead to rows of the tenant only: in a join, in a list, over a model between',
    async run(desk) {
      const { plans, tickets, customers, words } = desk.nodes
      await desk.withTenant(2, async () => {
        const { rows } = await tickets.list({ orderBy: { number: 'asc' }, include: { customer: true, words: true } })
        deepStrictEqual(
          rows.map(({ number, customer }) => [number, customer?.email]),
          [
            [1, 'ada'],
            [2, 'ada'],
            // the customer is another tenant's
            [3, undefined],
          ],
        )
        const [plan] = (await plans.list({ include: { customers: { orderBy: { id: 'asc' }, include: { tickets: true } } } })).rows
        deepStrictEqual(
          plan!.customers.map((customer) => [customer.points, customer.tickets.length]),
          [
            [10, 2],
            [20, 0],
          ],
        )
        const [word] = (await words.list({ include: { tickets: true } })).rows
        deepStrictEqual(word!.tickets.length, 1)
        const made = await tickets.create({ number: 7, customerId: 1 }, { include: { customer: true } })
        deepStrictEqual(made.customer, null)
        const [limited] = (await plans.list({ include: { customers: { orderBy: { id: 'asc' }, limit: 1 } } })).rows
        deepStrictEqual(
          limited!.customers.map((customer) => customer.points),
          [10],
        )
      })
      await desk.withTenant(1, async () => {
        // tied to the word by the other tenant too, which is not to be counted
        const [word] = (await words.list({ include: { tickets: true } })).rows
        deepStrictEqual(word!.tickets.length, 1)
        deepStrictEqual((await customers.readOrThrow({ where: { email: 'ada' }, include: { tickets: true } })).tickets.length, 2)
      })
    },
  },
  {
    title: 'conditions on related rows ask rows of the tenant only',
    async run(desk) {
      const { plans, tickets, words, customers } = desk.nodes
      await desk.withTenant(1, async () => {
        deepStrictEqual(await plans.exists({ where: { customers: { $some: { points: 10 } } } }), false)
        deepStrictEqual(await plans.exists({ where: { customers: { $every: { points: { $lt: 10 } } } } }), true)
        deepStrictEqual(await plans.exists({ where: { customers: { $none: { points: { $gte: 10 } } } } }), true)
        deepStrictEqual(await words.exists({ where: { tickets: { $some: { number: 1 } } } }), true)
      })
      await desk.withTenant(2, async () => {
        deepStrictEqual(await tickets.count({ where: { customer: null } }), 1)
        deepStrictEqual(await tickets.count({ where: { customer: { email: 'ada' } } }), 2)
        deepStrictEqual(await customers.bulkUpdate({ where: { tickets: { $none: {} } }, set: { points: 0 } }), { count: 1 })
      })
      deepStrictEqual(await points(desk), [1, 2, 10, 0])
    },
  },
  {
    title: 'work after a commit is for the tenant that it was queued for',
    async run(desk) {
      const { customers } = desk.nodes
      const create = (email: string) => async () => deepStrictEqual((await customers.create({ email })).orgId, email === 'one' ? 1 : 2)
      await desk.withTenant(2, () =>
        desk.transaction(async () => {
          await desk.withTenant(1, () => desk.afterCommit(create('one')))
          await desk.acrossTenants(() => desk.afterCommit(async () => deepStrictEqual(await customers.count(), 5)))
          await desk.afterCommit(create('two'))
        }),
      )
      await desk.withTenant(1, () => rejects(customers.readOrThrow({ where: { email: 'two' } }), { code: 'NOT_FOUND' }))
    },
  },
  {
    title: 'a call without a tenant is refused before any SQL, and one for all sees all',
    async run(desk) {
      const { customers, plans, tickets } = desk.nodes
      const calls: (() => Promise<unknown>)[] = [
        () => customers.list(),
        () => customers.create({ email: 'x' }),
        () => customers.bulkCreate({ rows: [{ email: 'x' }] }),
        () => customers.read({ where: { id: 1 } }),
        () => customers.upsert({ on: ['email'], values: { email: 'x' } }),
        () => customers.stream().next(),
        () => plans.list({ include: { customers: true } }),
        () => plans.list({ where: { customers: { $some: {} } } }),
        () => tickets.claim({ all: true, set: { text: 'x' } }),
      ]
      for (const call of calls) await rejects(call(), { code: 'TENANT_REQUIRED' })
      deepStrictEqual(await plans.count(), 1)
      await desk.acrossTenants(async () => {
        deepStrictEqual(await customers.count(), 4)
        await rejects(customers.create({ email: 'x' }), { code: 'TENANT_REQUIRED' })
        await rejects(customers.read({ where: { email: 'ada' } }), /orgId \+ email/)
        deepStrictEqual((await customers.readOrThrow({ where: { email: 'ada', orgId: 2 } })).points, 10)
      })
    },
  },
]
