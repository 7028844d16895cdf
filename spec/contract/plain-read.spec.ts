import { createDatabase, type Database, deletedAt, field, type Generated, id, model, tenant } from 'latchwork'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { forEachEngine } from '../support/engines.js'
import { rejectionOf, useDatabase } from './use-database.js'

@model()
class Coin {
  @id() id!: Generated<number>
  @field.text({ unique: true, maxLength: 20 }) mint!: string
  @field.uuid({ unique: true }) tag!: string
  @field.bigint({ unique: true }) serial!: bigint
  @field.timestamp({ unique: true }) struckAt!: Date
  @deletedAt() deletedAt!: Generated<Date | null>
}

@model()
class Shelf {
  @id.text({ maxLength: 20 }) code!: string
  @tenant() orgId!: Generated<number>
}

const models = { coins: Coin, shelves: Shelf } as const
const tagOf = (n: number) => `00000000-0000-4000-8000-00000000000${n}`
const coin = (n: number) => ({
  mint: `mint ${n}`,
  tag: tagOf(n),
  serial: 9_007_199_254_740_993n + BigInt(n),
  struckAt: new Date(Date.UTC(2020, 0, n)),
})

forEachEngine((engine) => {
  describe('a read that says nothing but the value of a key, once more', () => {
    const use = useDatabase(engine, models)
    let ids: number[]
    let opened: Database<typeof models> | undefined

    beforeAll(async () => {
      const { rows } = await use.nodes.coins.bulkCreate({ rows: [coin(1), coin(2), coin(3)], returning: true })
      ids = rows!.map((row) => row.id)
    })

    afterEach(async () => {
      await opened?.close()
      opened = undefined
    })

    it('gives the row of that value, by a key of any kind', async () => {
      const { coins } = use.nodes
      for (const n of [1, 2, 3, 1]) {
        const { mint, tag, serial, struckAt } = coin(n)
        const id = ids[n - 1]!
        for (const where of [{ id }, { mint }, { tag }, { serial }, { struckAt }]) {
          expect(await coins.read({ where })).toEqual({ id, ...coin(n), deletedAt: null })
          expect(await coins.readOrThrow({ where })).toEqual({ id, ...coin(n), deletedAt: null })
        }
      }
      expect(await coins.read({ where: { id: -1 } })).toBeNull()
      expect(await coins.read({ where: { tag: tagOf(1).toUpperCase() } })).toMatchObject({ mint: 'mint 1' })
    })

    it('refuses what the first one would have refused, in the same words', async () => {
      const wrong: readonly unknown[] = [
        { where: { id: '1' } },
        { where: { id: 1.5 } },
        { where: { id: Number.NaN } },
        { where: { id: null } },
        { where: { id: undefined } },
        { where: { id: {} } },
        { where: { id: [1] } },
        { where: { id: { $gt: 1 } } },
        { where: { id: true } },
        { where: { mint: 7 } },
        { where: { tag: 'no uuid' } },
        { where: { serial: 1 } },
        { where: { struckAt: 'today' } },
        { where: { struckAt: new Date(Number.NaN) } },
        { where: { $and: [] } },
        { where: { constructor: 1 } },
        { where: {} },
        { where: null },
        { where: { id: 1 }, limit: 1 },
        {},
        undefined,
      ]
      opened = createDatabase({ url: use.url, models })
      for (const operation of ['read', 'readOrThrow'] as const) {
        for (const input of wrong) {
          // a database that has read nothing yet, and one that has
          const first = await rejectionOf((opened.nodes.coins[operation] as (input: unknown) => Promise<unknown>)(input))
          const again = await rejectionOf((use.nodes.coins[operation] as (input: unknown) => Promise<unknown>)(input))
          expect(first).toMatchObject({ name: expect.stringMatching(/^(Validation|UnknownField)Error$/) })
          expect({ ...again, message: again.message }).toEqual({ ...first, message: first.message })
        }
      }
    })

    it('takes the value in an operator too, and more beside it, without changing what others get', async () => {
      const { coins } = use.nodes
      const [id] = ids
      expect(await coins.read({ where: { id: { $eq: id! } } })).toMatchObject({ id })
      expect(await coins.read({ where: { id: id!, mint: 'mint 2' } })).toBeNull()
      expect(await coins.read({ where: { id: id! } }, { select: ['mint'] })).toEqual({ mint: 'mint 1' })
      expect(await coins.read({ where: { id: id! } })).toMatchObject({ id, mint: 'mint 1' })
    })

    it('does not see a row that has been marked as deleted since', async () => {
      const { coins } = use.nodes
      const where = { id: ids[2]! }
      expect(await coins.read({ where })).not.toBeNull()
      await coins.delete({ where })
      try {
        expect(await coins.read({ where })).toBeNull()
        expect(await rejectionOf(coins.readOrThrow({ where }))).toMatchObject({ code: 'NOT_FOUND', operation: 'readOrThrow' })
        expect(await coins.read({ where }, { deleted: 'include' })).toMatchObject(where)
      } finally {
        await coins.restore({ where })
      }
    })

    it('sees the rows of its own tenant only', async () => {
      const { shelves } = use.nodes
      await use.db.withTenant(1, () => shelves.create({ code: 'A' }))
      for (const [orgId, found] of [
        [1, { code: 'A', orgId: 1 }],
        [2, null],
        [1, { code: 'A', orgId: 1 }],
      ] as const) {
        expect(await use.db.withTenant(orgId, () => shelves.read({ where: { code: 'A' } }))).toEqual(found)
      }
      expect(await rejectionOf(shelves.read({ where: { code: 'A' } }))).toMatchObject({ code: 'TENANT_REQUIRED' })
    })

    it('sees what its transaction has written, and is stopped with it', async () => {
      const { coins } = use.nodes
      const where = { id: ids[0]! }
      await use.db.transaction(async () => {
        await coins.update({ where, set: { mint: 'changed' } })
        expect(await coins.read({ where })).toMatchObject({ mint: 'changed' })
        await coins.update({ where, set: { mint: 'mint 1' } })
      })
      const late = use.db.transaction(async () => coins.read({ where }), { signal: AbortSignal.abort() })
      expect(await rejectionOf(late)).toMatchObject({ code: 'ABORTED' })
    })
  })
})
