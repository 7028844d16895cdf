import { setTimeout as sleep } from 'node:timers/promises'
import { createDatabase, type Database, type DatabaseOptions, defineModel, ModelError } from 'latchwork'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { rejectionOf } from '../contract/use-database.js'
import { type FreshDatabase, forEachEngine } from '../support/engines.js'
import { atNoon, CHECKS, fillDesk } from './checks.js'
import { models } from './models.js'

forEachEngine((engine) => {
  describe('a model with a tenant', () => {
    let fresh: FreshDatabase
    let desk: Database<typeof models>
    const open = (pool: DatabaseOptions<typeof models>['pool'] = {}) =>
      createDatabase({ url: fresh.url, models, now: atNoon, pool: { share: false, ...pool } })

    beforeEach(async () => {
      fresh = await engine.freshDatabase()
      desk = open()
      await desk.createTables()
      await fillDesk(desk)
    })

    afterEach(async () => {
      await desk.close()
      await fresh.drop()
    })

    it.each(CHECKS)('$title', ({ run }) => run(desk))

    it('is asked for the tenant of the call, a thousand interleaved scopes of twenty calls on few connections', {
      timeout: 60_000,
    }, async () => {
      await desk.withTenant(1, () => desk.nodes.customers.bulkDelete({ all: true }))
      await desk.withTenant(2, () => desk.nodes.customers.bulkDelete({ all: true }))
      const tenants = Array.from({ length: 50 }, (_, index) => index + 10)
      for (const org of tenants) await desk.withTenant(org, () => desk.nodes.customers.create({ email: 'own', points: org }))
      const busy = open({ maxConnections: 4, acquireTimeoutMs: 60_000 })
      let wrong = 0
      const scope = (org: number) =>
        busy.withTenant(org, async () => {
          for (let call = 0; call < 20; call++) {
            if (call % 7 === 0) await sleep(Math.random() * 3)
            const seen =
              call % 4 === 0
                ? await busy.transaction(() => busy.nodes.customers.list())
                : call % 4 === 1
                  ? await busy.nodes.customers.list({ where: { email: 'own' } })
                  : { rows: [await busy.nodes.customers.readOrThrow({ where: { email: 'own' } })] }
            if (seen.rows.length !== 1 || seen.rows[0]!.orgId !== org || seen.rows[0]!.points !== org) wrong++
          }
        })
      await Promise.all(Array.from({ length: 1_000 }, (_, index) => scope(tenants[index % tenants.length]!)))
      expect(wrong).toBe(0)
      await busy.close()
    })

    it('takes the innermost tenant, back to the one around it, in transactions and side by side', async () => {
      const sum = async () => (await desk.nodes.customers.aggregate({ values: { sum: { $sum: 'points' } } }))[0]!.sum
      const seen = await desk.withTenant(1, () =>
        desk.transaction(async () => {
          const sums = [await sum(), await desk.withTenant(2, sum), await sum(), await desk.acrossTenants(sum)]
          const [left, right] = await Promise.all([desk.withTenant(1, sum), desk.withTenant(2, sum)])
          return [...sums, left, right]
        }),
      )
      expect(seen).toEqual([3, 30, 3, 33, 3, 30])
    })

    it('belongs to one database object: another one has a tenant of its own', async () => {
      const other = open()
      await desk.withTenant(1, async () => {
        expect(await rejectionOf(other.nodes.customers.count())).toMatchObject({ code: 'TENANT_REQUIRED' })
        expect(await other.withTenant(2, () => desk.nodes.customers.readOrThrow({ where: { email: 'ada' } }))).toMatchObject({ points: 1 })
      })
      await other.close()
    })

    it.each(['', null, undefined, {}, Number.NaN, true, Symbol('x')])('refuses %s as a tenant', async (tenant) => {
      const calling = desk.withTenant(tenant as never, () => desk.nodes.customers.count())
      expect(await rejectionOf(calling)).toMatchObject({ code: 'CONFIGURATION' })
    })

    it('refuses a tenant of another type than its field', async () => {
      expect(await rejectionOf(desk.withTenant('1', () => desk.nodes.customers.count()))).toMatchObject({ code: 'CONFIGURATION' })
    })
  })
})

describe('a tenant field', () => {
  it.each([
    ['a boolean', { kind: 'boolean', role: 'tenant' }, /role/],
    ['nullable', { kind: 'integer', role: 'tenant', nullable: true }, /not nullable/],
    ['with a default', { kind: 'integer', role: 'tenant', default: 1 }, /exclude each other/],
  ])('cannot be %s', (_what, spec, message) => {
    const define = () => defineModel(class Thing {}, { fields: { id: { kind: 'integer', primary: true }, orgId: spec } } as never)
    expect(define).toThrow(ModelError)
    expect(define).toThrow(message)
  })
})
