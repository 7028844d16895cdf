import { createDatabase, type Database } from 'latchwork'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { models } from '../contract/members.js'
import { rejectionOf } from '../contract/use-database.js'
import { whileRowIsLocked } from '../stress/row-lock.js'
import { type FreshDatabase, forEachEngine } from './engines.js'
import { noteWhatIsThere } from './nothing-left.js'

type Shop = Database<typeof models>

const LIMITS = { restMs: 150, exitMs: 150 }

forEachEngine((engine) => {
  describe('noteWhatIsThere', () => {
    let fresh: FreshDatabase
    const open = () => createDatabase({ url: fresh.url, models })

    beforeAll(async () => {
      fresh = await engine.freshDatabase()
      await using db = open()
      await db.createTables()
    })
    afterAll(() => fresh.drop())

    /** What is said of a database object that is used, and closed in the end. */
    async function saidOf(work: (db: Shop) => Promise<void>, close = (db: Shop) => db.close({ timeoutMs: 0 })): Promise<string> {
      const closedWithNothingLeft = noteWhatIsThere(engine, fresh.url, LIMITS)
      const db = open()
      try {
        await db.nodes.members.count()
        await work(db)
        return await closedWithNothingLeft(() => close(db)).then(
          () => 'nothing',
          (error: Error) => error.message,
        )
      } finally {
        await db.close({ timeoutMs: 0 })
      }
    }

    it('finds nothing where nothing is left', async () => {
      expect(await saidOf(async (db) => void (await db.lock('a key', () => db.nodes.members.count())))).toBe('nothing')
    })

    it('finds a connection that is still lent, and who waits for it', async () => {
      let end = () => {}
      const never = new Promise<void>((resolve) => {
        end = resolve
      })
      let over: Promise<unknown> | undefined
      const said = await saidOf(async (db) => {
        await new Promise<void>((begun) => {
          over = rejectionOf(
            db.transaction(async () => {
              await db.nodes.members.count()
              begun()
              await never
              await db.nodes.members.count()
            }),
          )
        })
      })
      end()
      await over
      expect(said).toMatch(/^in use before the close: .*leased connections/s)
    })

    it('finds a lock that is still held', async () => {
      let end = () => {}
      const never = new Promise<void>((resolve) => {
        end = resolve
      })
      let over: Promise<unknown> | undefined
      const said = await saidOf(
        (db) =>
          new Promise((held) => {
            over = db.lock('a key', () => {
              held()
              return never
            })
          }),
      )
      end()
      await over
      expect(said).toMatch(/^in use before the close: .*held locks/s)
    })

    it('finds a transaction that stands open, though its end would come with the close', async () => {
      const said = await whileRowIsLocked(engine, fresh.url, () => saidOf(async () => undefined))
      expect(said).toMatch(/^open transactions before the close/)
    })

    it('finds a pool that was not closed', async () => {
      const said = await saidOf(
        async () => undefined,
        async () => undefined,
      )
      expect(said).toMatch(/^there after the close: .*pools/s)
    })

    it('finds what would keep the process from ending', async () => {
      let timer: NodeJS.Timeout | undefined
      const said = await saidOf(async () => {
        timer = setTimeout(() => undefined, 60_000)
      })
      clearTimeout(timer)
      expect(said).toMatch(/^there after the close: .*Timeout/s)
    })
  })
})
