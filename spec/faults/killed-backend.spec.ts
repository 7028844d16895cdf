import { setTimeout as sleep } from 'node:timers/promises'
import { CommitUnknownError, ConnectionLostError, LatchworkError, TransactionAbortedError } from 'latchwork'
import { describe, expect, it } from 'vitest'
import { endSessions, rejectionOf } from '../contract/use-database.js'
import { forEachEngine, type SpecEngine } from '../support/engines.js'
import { ROUNDS } from '../support/rounds.js'
import { type ShopDatabase, useShop } from './shop.js'

forEachEngine(
  (engine) => {
    const shop = useShop(engine)
    const kill = () => endSessions(engine as SpecEngine, shop.url)

    /** The codes of `calls` that failed, one after the other. */
    async function failuresOf(calls: number, db: ShopDatabase): Promise<string[]> {
      const codes: string[] = []
      for (let call = 0; call < calls; call++) {
        await db.nodes.items.count().catch((error: unknown) => {
          if (!(error instanceof LatchworkError)) throw error
          codes.push(error.code)
        })
      }
      return codes
    }

    describe('the session of a connection, ended by the server', () => {
      it('while it is idle costs at most one call', async () => {
        const db = shop.open({ maxConnections: 1 })
        for (let round = 0; round < ROUNDS; round++) {
          await db.nodes.items.count()
          await kill()
          const codes = await failuresOf(3, db)
          expect(codes.length).toBeLessThanOrEqual(1)
          expect(codes.filter((code) => code !== 'CONNECTION_LOST')).toEqual([])
        }
      })

      it('while it is idle costs none, once the word of it has come', async () => {
        const db = shop.open({ maxConnections: 3 })
        await Promise.all([1, 2, 3].map(() => db.nodes.items.count()))
        await kill()
        await sleep(100)
        expect(await failuresOf(5, db)).toEqual([])
      })

      it('in the middle of a statement fails that one, and no later one', async () => {
        const db = shop.open({ maxConnections: 1 })
        for (let round = 0; round < ROUNDS; round++) {
          const napping = rejectionOf(db.nodes.naps.list())
          await shop.killRunning('naps')
          expect(await napping).toBeInstanceOf(ConnectionLostError)
          expect(await failuresOf(3, db)).toEqual([])
        }
      })

      it('in the middle of a statement of a transaction keeps nothing of it', async () => {
        const db = shop.open({ maxConnections: 1 })
        for (let round = 0; round < ROUNDS; round++) {
          const transaction = rejectionOf(
            db.transaction(async () => {
              await db.nodes.items.create({ name: 'never' })
              await db.nodes.naps.list()
            }),
          )
          await shop.killRunning('naps')
          expect(await transaction).toBeInstanceOf(ConnectionLostError)
          expect(await db.nodes.items.count()).toBe(0)
        }
      })

      it('between two calls of a transaction fails the second, says so, and keeps nothing of it', async () => {
        const db = shop.open({ maxConnections: 1 })
        for (let round = 0; round < ROUNDS; round++) {
          const swallows = round % 2 === 1
          let lost: (Error & Record<string, unknown>) | undefined
          const error = await rejectionOf(
            db.transaction(async () => {
              await db.nodes.items.create({ name: 'never' })
              await kill()
              // before the word of it has come, and after
              await sleep(5 * (round % 4))
              lost = await rejectionOf(db.nodes.items.create({ name: 'nor this' }))
              if (!swallows) throw lost
            }),
          )
          // it was not sent, or nobody knows whether it was
          expect(['CONNECTION', 'CONNECTION_LOST']).toContain(lost?.code)
          if (swallows) expect(error).toBeInstanceOf(TransactionAbortedError)
          else expect(error).toBe(lost)
          expect(await failuresOf(3, db)).toEqual([])
          expect(await db.nodes.items.count()).toBe(0)
        }
      })

      it('at any moment of a transaction keeps all of it or nothing, and says which unless it was in COMMIT', async () => {
        const db = shop.open({ maxConnections: 2 })
        let kept = 0
        let unknown = 0
        for (let round = 0; round < ROUNDS; round++) {
          const outcome = threeItems(db, round)
          await sleep(round / 2)
          await kill()
          const code = await outcome
          if (code === undefined) kept++
          else if (code === 'COMMIT_UNKNOWN') unknown++
          else expect(['CONNECTION', 'CONNECTION_LOST']).toContain(code)
          expect((await failuresOf(3, db)).length).toBeLessThanOrEqual(1)
        }
        const count = await db.nodes.items.count()
        expect(count % 3).toBe(0)
        expect(count / 3).toBeGreaterThanOrEqual(kept)
        expect(count / 3).toBeLessThanOrEqual(kept + unknown)
      })
    })

    // MariaDB has nothing of its own to wait for in COMMIT: its server's specs have a lock for it
    if (engine.name === 'postgres') {
      it('in COMMIT leaves it unknown, and says so', async () => {
        await shop.admin(`create function doze() returns trigger language plpgsql as $$ begin perform pg_sleep(10); return null; end $$;
          create constraint trigger dozes after insert on items deferrable initially deferred
            for each row when (new.name = 'dozing') execute function doze()`)
        const db = shop.open({ maxConnections: 1 })
        for (let round = 0; round < ROUNDS; round++) {
          const committing = rejectionOf(db.transaction(() => db.nodes.items.create({ name: 'dozing' })))
          await shop.killRunning('commit')
          expect(await committing).toBeInstanceOf(CommitUnknownError)
          expect(await failuresOf(3, db)).toEqual([])
        }
        expect(await db.nodes.items.count()).toBe(0)
      })
    }
  },
  { engines: ['postgres', 'mysql'] },
)

/** Creates three items in a transaction; gives the code of its error. */
async function threeItems(db: ShopDatabase, round: number): Promise<string | undefined> {
  try {
    await db.transaction(async () => {
      for (const part of [1, 2, 3]) await db.nodes.items.create({ name: `${round}.${part}` })
    })
    return undefined
  } catch (error) {
    if (!(error instanceof LatchworkError)) throw error
    return error.code
  }
}
