import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Generated, QueryEvent } from 'latchwork'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type FreshDatabase, forEachEngine } from '../support/engines.js'
import { rejectionOf } from './use-database.js'

/** A copy of the package of which nothing has been loaded later yet, with a database of its own. */
async function freshCopy(url: string) {
  vi.resetModules()
  const { createDatabase, defineModel } = await import('../../index.js')
  class Coin {
    id!: number
    realm!: Generated<string>
    cents!: number
  }
  defineModel(Coin, {
    fields: {
      id: { kind: 'integer', primary: true },
      realm: { kind: 'text', maxLength: 20, role: 'tenant' } as never,
      cents: { kind: 'integer' },
    },
  })
  return createDatabase({ url, models: { coins: Coin } })
}

type Copy = Awaited<ReturnType<typeof freshCopy>>

forEachEngine((engine) => {
  describe('the first call of an operation that is loaded later', () => {
    let fresh: FreshDatabase
    let db: Copy
    const statements: string[] = []
    const note = (message: unknown) => statements.push((message as QueryEvent).label)

    beforeEach(async () => {
      fresh = await engine.freshDatabase()
      db = await freshCopy(fresh.url)
      await db.createTables()
      await db.withTenant('mint', () => db.nodes.coins.create({ id: 1, cents: 5 }))
      statements.length = 0
      subscribe('latchwork:query', note)
    })

    afterEach(async () => {
      unsubscribe('latchwork:query', note)
      await db.close()
      await fresh.drop()
    })

    const sum = (of: Copy = db) => of.nodes.coins.aggregate({ values: { cents: { $sum: 'cents' } } })

    it('keeps its place among the statements of its transaction', async () => {
      const both = () => Promise.all([sum(), db.nodes.coins.create({ id: 2, cents: 7 }), db.nodes.coins.count()])
      const [rows, , count] = await db.withTenant('mint', () => db.transaction(both))
      expect({ rows, count }).toEqual({ rows: [{ cents: 5 }], count: 2 })
      expect(statements.filter((node) => node.startsWith('Coin'))[0]).toBe('CoinAggregateNode')
    })

    it('counts as unawaited where its transaction ends before', async () => {
      let unawaited: Promise<unknown> | undefined
      const work = async () => {
        await db.nodes.coins.create({ id: 2, cents: 7 })
        unawaited = db.nodes.coins.bulkCreate({ rows: [{ id: 3, cents: 1 }] })
        unawaited.catch(() => undefined)
      }
      const error = await rejectionOf(db.withTenant('mint', () => db.transaction(work)))
      expect(error).toMatchObject({ code: 'UNAWAITED_QUERY' })
      expect(await rejectionOf(unawaited!)).toMatchObject({ code: 'SCOPE_CLOSED' })
      expect(await db.acrossTenants(() => db.nodes.coins.count())).toBe(1)
    })

    it('runs for the tenant of its call, whoever loads', async () => {
      const [mint, other] = await Promise.all([db.withTenant('mint', () => sum()), db.withTenant('other', () => sum())])
      expect([mint, other]).toEqual([[{ cents: 5 }], [{ cents: null }]])
    })

    it('gives a stream in the transaction that asked for it, wherever its rows are taken', async () => {
      const ids = await db.acrossTenants(() =>
        db.transaction(async () => {
          const rows = db.nodes.coins.stream({ orderBy: { id: 'asc' } })
          await db.nodes.coins.update({ where: { id: 1 }, set: { cents: 6 } })
          return db.detached(async () => {
            const taken: number[] = []
            for await (const { cents } of rows) taken.push(cents)
            return taken
          })
        }),
      )
      expect(ids).toEqual([6])
    })

    it('is not made where it was aborted before', async () => {
      const signal = AbortSignal.abort()
      const call = db.withTenant('mint', () => db.nodes.coins.aggregate({ values: { rows: '$count' } }, { signal }))
      expect(await rejectionOf(call)).toMatchObject({ code: 'ABORTED' })
      expect(statements).toEqual([])
    })

    it('rejects what it refuses, as any other call', async () => {
      expect(await rejectionOf(db.nodes.coins.upsert({ on: ['cents' as 'id'], values: {} as never }))).toMatchObject({ code: 'VALIDATION' })
    })

    it('is waited for by close', async () => {
      const call = db.withTenant('mint', () => sum())
      await db.close()
      expect(await call).toEqual([{ cents: 5 }])
    })
  })
})
