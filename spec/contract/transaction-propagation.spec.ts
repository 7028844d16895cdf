import { setTimeout as sleep } from 'node:timers/promises'
import { createDatabase, PoolSelfDeadlockError, TransactionAbortedError } from 'latchwork'
import { describe, expect, it } from 'vitest'
import { forEachEngine } from '../support/engines.js'
import { models } from './members.js'
import { rejectionOf, useDatabase } from './use-database.js'

forEachEngine((engine) => {
  describe('a transaction inside another', () => {
    const use = useDatabase(engine, models)
    const tickets = () => use.nodes.tickets
    const count = () => tickets().count()

    it('is a savepoint unless something else is said', async () => {
      await use.db.transaction(async () => {
        await tickets().create({})
        await rejectionOf(
          use.db.transaction(async () => {
            await tickets().create({})
            throw new Error('undo')
          }),
        )
        await use.db.transaction(() => tickets().create({}), { propagation: 'nested' })
      })
      expect(await count()).toBe(2)
      await use.clear()
    })

    it('that joins is kept with it, and its error costs the whole, also where it is answered', async () => {
      await use.db.transaction(async () => {
        await tickets().create({})
        await use.db.transaction(() => tickets().create({}), { propagation: 'join' })
      })
      expect(await count()).toBe(2)
      const reason = new Error('not this one')
      const outcome = use.db.transaction(async () => {
        await tickets().create({})
        const joined = use.db.transaction(
          async () => {
            await tickets().create({})
            throw reason
          },
          { propagation: 'join' },
        )
        expect(await rejectionOf(joined)).toBe(reason)
        expect(await rejectionOf(tickets().create({}))).toBeInstanceOf(TransactionAbortedError)
      })
      const error = await rejectionOf(outcome)
      expect(error).toBeInstanceOf(TransactionAbortedError)
      expect(error.cause).toBe(reason)
      expect(await count()).toBe(2)
      await use.clear()
    })

    it('is refused with never, and begins one where there is none', async () => {
      const inner = () => use.db.transaction(() => tickets().create({}), { propagation: 'never' })
      expect(await rejectionOf(use.db.transaction(inner))).toMatchObject({ code: 'CONFIGURATION', option: 'propagation' })
      expect(await count()).toBe(0)
      await inner()
      await use.db.transaction(() => tickets().create({}), { propagation: 'join' })
      await use.db.transaction(() => tickets().create({}), { propagation: 'new' })
      expect(await count()).toBe(3)
      await use.clear()
    })

    // SQLite has one writer: see below
    if (engine.name !== 'sqlite') {
      it('that is new is independent of it, both ways', async () => {
        const outcome = use.db.transaction(async () => {
          await tickets().create({})
          await use.db.transaction(
            async () => {
              expect(await count()).toBe(0)
              await tickets().create({})
            },
            { propagation: 'new', isolation: 'read committed' },
          )
          await rejectionOf(
            use.db.transaction(
              async () => {
                await tickets().create({})
                throw new Error('undo')
              },
              { propagation: 'new' },
            ),
          )
          // back in the first, which has no savepoint to go back to
          await tickets().create({})
          throw new Error('undo')
        })
        expect((await rejectionOf(outcome)).message).toBe('undo')
        expect(await count()).toBe(1)
        await use.clear()
      })

      it('that is new fails at once where no connection would ever come free, and names who waits', async () => {
        const db = use.another({ pool: { maxConnections: 2, share: false, acquireTimeoutMs: 10_000 } })
        const startedMs = performance.now()
        const inner = () => db.transaction(() => db.nodes.tickets.create({}), { propagation: 'new' })
        const outer = () => db.transaction(() => sleep(50).then(inner))
        const outcomes = await Promise.allSettled([outer(), outer()])
        expect(performance.now() - startedMs).toBeLessThan(5_000)
        const errors = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as Error] : []))
        // one gives up, and the other has its connection
        expect(errors).toHaveLength(1)
        expect(errors[0]).toBeInstanceOf(PoolSelfDeadlockError)
        await use.clear()
      })
    } else {
      it('that is new fails at once, since it would wait for the writer that it is in', async () => {
        const inner = () => use.db.transaction(() => tickets().create({}), { propagation: 'new' })
        expect(await rejectionOf(use.db.transaction(inner))).toBeInstanceOf(PoolSelfDeadlockError)
      })
    }

    it('may set isolation, readOnly and retry only where it begins anew', async () => {
      for (const options of [{ isolation: 'serializable' }, { readOnly: true }, { retry: 'serialization' }] as const) {
        for (const propagation of ['nested', 'join'] as const) {
          const inner = () => use.db.transaction(() => tickets().count(), { ...options, propagation })
          expect(await rejectionOf(use.db.transaction(inner))).toMatchObject({ code: 'CONFIGURATION', option: Object.keys(options)[0] })
        }
      }
    })
  })

  describe('detached work', () => {
    const use = useDatabase(engine, models)

    it('is in no transaction of its database, and stays where that is undone', async () => {
      const { db } = use
      const outcome = db.transaction(async () => {
        // on SQLite the writer is taken: detached reads go on beside it
        if (engine.name === 'sqlite') expect(await db.detached(() => db.nodes.tickets.count())).toBe(0)
        else await db.detached(() => db.nodes.tickets.create({}))
        await db.nodes.tickets.create({})
        expect(await db.detached(() => db.nodes.tickets.count())).toBe(engine.name === 'sqlite' ? 0 : 1)
        throw new Error('undo')
      })
      await rejectionOf(outcome)
      expect(await db.nodes.tickets.count()).toBe(engine.name === 'sqlite' ? 0 : 1)
      await use.clear()
    })

    it('stays in the transaction of another database, and may begin one of its own', async () => {
      const other = createDatabase({ url: 'sqlite::memory:', models })
      await other.createTables()
      const outcome = other.transaction(() =>
        use.db.detached(async () => {
          await other.nodes.tickets.create({})
          await use.db.transaction(() => use.nodes.tickets.create({}))
          throw new Error('undo')
        }),
      )
      await rejectionOf(outcome)
      expect([await other.nodes.tickets.count(), await use.nodes.tickets.count()]).toEqual([0, 1])
      await other.close()
      await use.clear()
    })

    it('that needs the one connection its own transaction has fails at once', async () => {
      const db = use.another({ pool: { maxConnections: 1, share: false, acquireTimeoutMs: 10_000 } })
      const startedMs = performance.now()
      const write = () => db.detached(() => db.transaction(() => db.nodes.tickets.create({})))
      expect(await rejectionOf(db.transaction(write))).toBeInstanceOf(PoolSelfDeadlockError)
      expect(performance.now() - startedMs).toBeLessThan(5_000)
    })
  })
})
