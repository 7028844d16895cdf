import { PoolClosedError } from 'latchwork'
import { describe, expect, it } from 'vitest'
import { poolRegistry } from '../../lib/pool/pool-registry.js'
import { models } from '../contract/members.js'
import { rejectionOf } from '../contract/use-database.js'
import { Gate } from '../lib/pool/fake-connector.js'
import { onlyPool, useGround } from '../stress/ground.js'
import { forEachEngine } from '../support/engines.js'
import { openTransactions } from '../support/nothing-left.js'

const ROUNDS = 20
const MOST = 4

forEachEngine((engine) => {
  describe('a database object that is closed while another has its pool', { timeout: 60_000 }, () => {
    const ground = useGround(engine, models)

    it('has its queued calls refused and its running ones ended, and nobody else is disturbed', async () => {
      for (let round = 0; round < ROUNDS; round++) {
        const pool = { maxConnections: MOST, acquireTimeoutMs: 15_000 }
        const [ending, staying] = [ground.open(pool), ground.open(pool)]
        await Promise.all([ending.ping(), staying.ping()])
        const isOver = new Gate()
        let begun = 0
        // reading ones, since SQLite has one writer
        const held = (db: typeof ending) =>
          db.transaction(
            async () => {
              await db.nodes.members.count()
              begun++
              await isOver.opened
              return db.nodes.members.count()
            },
            { readOnly: true },
          )
        const ended = Array.from({ length: MOST - 1 }, () => rejectionOf(held(ending)))
        const kept = held(staying)
        await expect.poll(() => begun, { timeout: 10_000, interval: 1 }).toBe(MOST)
        const queued = [ending, staying, ending, staying].map((db) => db.nodes.members.count())
        const refused = [queued[0]!, queued[2]!].map(rejectionOf)
        expect(onlyPool()).toMatchObject({ leased: MOST, waiting: 4 })

        const startedMs = performance.now()
        const closing = ending.close({ timeoutMs: 50 })
        for (const error of await Promise.all(refused)) expect(error).toBeInstanceOf(PoolClosedError)
        expect(onlyPool()).toMatchObject({ leased: MOST, waiting: 2 })
        await closing
        expect(performance.now() - startedMs).toBeLessThan(1_500)
        // with the three that were taken away their places are free again
        expect(await Promise.all([queued[1], queued[3]])).toEqual([0, 0])
        expect(onlyPool()).toMatchObject({ leased: 1, waiting: 0 })
        // InnoDB shows an older state to who looks again within 100 ms
        await expect.poll(() => openTransactions(engine, ground.url), { interval: 150 }).toBe(engine.name === 'sqlite' ? 0 : 1)
        isOver.open()
        expect(await kept).toBe(0)
        for (const error of await Promise.all(ended)) expect(error).toHaveProperty('code')
        expect(onlyPool()).toMatchObject({ leased: 0, waiting: 0 })
        await staying.close()
        expect(poolRegistry().stats().pools).toEqual([])
      }
    })

    it('waits for its own calls alone, and gives their connections back for others to use', async () => {
      const pool = { maxConnections: MOST, acquireTimeoutMs: 15_000 }
      const [ending, staying] = [ground.open(pool), ground.open(pool)]
      await Promise.all([ending.ping(), staying.ping()])
      const [mayEnd, mayStay] = [new Gate(), new Gate()]
      const ends = ending.transaction(() => mayEnd.opened.then(() => ending.nodes.members.count()), { readOnly: true })
      const stays = staying.transaction(() => mayStay.opened.then(() => staying.nodes.members.count()), { readOnly: true })
      await expect.poll(() => onlyPool().leased).toBe(2)
      const { created } = onlyPool()
      const closing = ending.close({ timeoutMs: 10_000 })
      mayEnd.open()
      await closing
      expect(await ends).toBe(0)
      expect(onlyPool()).toMatchObject({ leased: 1, created, destroyed: { closed: 0, broken: 0 } })
      mayStay.open()
      expect(await stays).toBe(0)
    })
  })
})
