import { ConnectionError, ConnectionLostError } from 'latchwork'
import { describe, expect, it } from 'vitest'
import { forEachEngine } from '../support/engines.js'
import { ROUNDS, roundsTimeoutMs } from '../support/rounds.js'
import { useShop } from './shop.js'

/** From one round to the next: the last ones get as far as the answer. */
const BYTES = 5

forEachEngine(
  (engine) => {
    const shop = useShop(engine)
    const countOf = async (name: string) => Number((await shop.admin(`select count(*) as n from items where name = '${name}'`))[0]!.n)

    describe('a statement whose connection breaks', { timeout: roundsTimeoutMs(2_000) }, () => {
      it('anywhere in its answer has run once or not at all, and is not sent again', async () => {
        const proxy = await shop.proxy()
        const db = shop.open({ maxConnections: 2 }, proxy.url)
        /** Calls that ran without an answer. */
        let lost = 0
        for (let round = 0; round < ROUNDS; round++) {
          const name = `round ${round}`
          await db.nodes.items.count()
          // so many bytes more of answers come through
          proxy.set({ kind: 'cut', afterBytes: round * BYTES })
          // a statement that commits by itself
          const insert = db.kysely.insertInto('items').values({ name })
          const outcome = await insert.execute().then(
            () => undefined,
            (error: unknown) => error,
          )
          proxy.set('pass')
          // one that was waiting for a dead connection does not come back to it
          await db.nodes.items.count().catch(() => undefined)
          const count = await countOf(name)
          if (outcome === undefined) expect(count).toBe(1)
          else if (outcome instanceof ConnectionError && !(outcome instanceof ConnectionLostError)) expect(count).toBe(0)
          else {
            expect(outcome).toBeInstanceOf(ConnectionLostError)
            expect(count).toBeLessThanOrEqual(1)
            if (count === 1) lost++
          }
        }
        // else nothing was cut where it matters
        expect(lost).toBeGreaterThan(0)
      })
    })
  },
  { engines: ['postgres', 'mysql'] },
)
