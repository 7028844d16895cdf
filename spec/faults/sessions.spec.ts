import { type Database, sql } from 'latchwork'
import { describe, expect, it } from 'vitest'
import { models } from '../contract/members.js'
import { rejectionOf } from '../contract/use-database.js'
import { onlyPool, useGround } from '../stress/ground.js'
import { forEachEngine } from '../support/engines.js'
import { SOILS } from './soils.js'

const ROUNDS = 100

forEachEngine((engine) => {
  describe('a connection that comes back dirty', { timeout: 60_000 }, () => {
    const ground = useGround(engine, models)
    type Shop = Database<typeof models>

    describe.each(SOILS[engine.name])('with $what', ({ soil, look, isRefused }) => {
      const dirty = async (db: Shop): Promise<void> => {
        const soiling = sql.raw(soil).execute(db.kysely)
        if (isRefused === true) await rejectionOf(soiling)
        else await soiling
      }
      const seen = async (db: Shop) => (await sql.raw<object>(look).execute(db.kysely)).rows

      it(`is as new for the next borrower, ${ROUNDS} times of ${ROUNDS}`, async () => {
        const db = ground.open({ maxConnections: 1 })
        const asNew = await seen(db)
        for (let round = 0; round < ROUNDS; round++) {
          await dirty(db)
          expect(await seen(db)).toEqual(asNew)
          expect(await db.nodes.stocks.count()).toBe(0)
        }
        expect(onlyPool().leased).toBe(0)
      })

      it('is as new after a transaction too, whether it was kept or undone', async () => {
        const db = ground.open({ maxConnections: 1 })
        const asNew = await seen(db)
        for (let round = 0; round < 10; round++) {
          // what a statement does to its own transaction is up to the engine: it may refuse what follows
          await db.transaction(() => dirty(db)).catch(() => undefined)
          expect(await seen(db)).toEqual(asNew)
          const undone = db.transaction(async () => {
            await dirty(db)
            throw new Error('undo')
          })
          await rejectionOf(undone)
          expect(await seen(db)).toEqual(asNew)
          expect(await db.nodes.stocks.count()).toBe(0)
        }
      })
    })

    if (engine.name === 'mysql') {
      it('with a database, where it began without one, is a new session for the next borrower', async () => {
        const url = new URL(ground.url)
        url.pathname = ''
        const db = ground.open({ maxConnections: 1 }, { url: url.href })
        const database = async () => (await sql<{ name: string | null }>`select database() as name`.execute(db.kysely)).rows[0]!.name
        for (let round = 0; round < 10; round++) {
          await sql`use information_schema`.execute(db.kysely)
          expect(await database()).toBeNull()
        }
        expect(onlyPool().created).toBe(11)
      })
    }

    it('shows that what is looked at does change: in the transaction that made it dirty', async () => {
      const db = ground.open({ maxConnections: 1 })
      const asNew = await Promise.all(SOILS[engine.name].map(({ look }) => sql.raw(look).execute(db.kysely)))
      for (const [index, { soil, look, what, isRefused, endsTransaction }] of SOILS[engine.name].entries()) {
        if (isRefused === true || endsTransaction === true) continue
        const within = db.transaction(async () => {
          await sql.raw(soil).execute(db.kysely)
          return sql.raw(look).execute(db.kysely)
        })
        expect((await within).rows, what).not.toEqual(asNew[index]!.rows)
      }
    })
  })
})
