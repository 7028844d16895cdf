import { TransactionAbortedError, UniqueViolationError, ValidationError } from 'latchwork'
import { sandbox } from 'latchwork/testing'
import { describe, expect, it } from 'vitest'
import { models } from '../../contract/members.js'
import { rejectionOf, useDatabase } from '../../contract/use-database.js'
import { forEachEngine } from '../../support/engines.js'

forEachEngine((engine) => {
  const shop = useDatabase(engine, models)

  /** How many tickets there are when all is over. */
  const left = () => shop.nodes.tickets.count()

  describe('a sandbox', () => {
    it('gives what the work gives, and leaves nothing of it', async () => {
      const { db } = shop
      const seen = await sandbox(db, async () => {
        await shop.nodes.tickets.create({})
        await db.transaction(() => shop.nodes.tickets.create({}))
        return shop.nodes.tickets.count()
      })
      expect([seen, await left()]).toEqual([2, 0])
    })

    it('lets the error of the work through', async () => {
      const reason = new Error('mine')
      const failing = sandbox(shop.db, async () => {
        await shop.nodes.tickets.create({})
        throw reason
      })
      expect(await rejectionOf(failing)).toBe(reason)
      expect(await left()).toBe(0)
    })

    it('shows each of many only its own rows', async () => {
      const counts = await Promise.all(
        Array.from({ length: 6 }, (_, index) =>
          sandbox(shop.db, async () => {
            for (let made = 0; made <= index; made++)
              await shop.nodes.stocks.create({ warehouse: `w${index}`, item: String(made), amount: 1 })
            return shop.nodes.stocks.count()
          }),
        ),
      )
      expect(counts).toEqual([1, 2, 3, 4, 5, 6])
      expect(await shop.nodes.stocks.count()).toBe(0)
    })

    it('goes on after a call that failed, which left nothing', async () => {
      const codes = await sandbox(shop.db, async () => {
        await shop.nodes.members.create({ email: 'a@b.c' })
        const one = await rejectionOf(shop.nodes.members.create({ email: 'a@b.c' }))
        const many = await rejectionOf(
          shop.nodes.members.bulkCreate({ rows: [{ email: 'b@b.c' }, { email: 'c@b.c' }, { email: 'a@b.c' }] }),
        )
        const raw = await rejectionOf(shop.db.kysely.insertInto('members').values({ email: 'a@b.c' }).execute())
        expect([one, many, raw].map((error) => error instanceof UniqueViolationError)).toEqual([true, true, true])
        return (await shop.nodes.members.list({ orderBy: { email: 'asc' } })).rows.map(({ email }) => email)
      })
      expect(codes).toEqual(['a@b.c'])
      expect(await shop.nodes.members.count()).toBe(0)
    })

    it('is no transaction to a call that needs one', async () => {
      const error = await sandbox(shop.db, () => rejectionOf(shop.nodes.tickets.list({}, { for: 'update' })))
      expect(error).toBeInstanceOf(ValidationError)
      const locked = await sandbox(shop.db, () => shop.db.transaction(() => shop.nodes.tickets.list({}, { for: 'update' })))
      expect(locked.rows).toEqual([])
    })
  })

  describe('a transaction in a sandbox', () => {
    it('takes every option that an outermost one takes', async () => {
      const { db } = shop
      const counts = await sandbox(db, async () => {
        await db.transaction(() => shop.nodes.tickets.create({}), { isolation: 'serializable', retry: 'serialization', timeoutMs: 5_000 })
        await db.transaction(() => shop.nodes.tickets.create({}), { propagation: 'never' })
        await db.transaction(() => shop.nodes.tickets.create({}), { propagation: 'join' })
        await db.transaction(() => shop.nodes.tickets.create({}), { propagation: 'new', signal: new AbortController().signal })
        return db.transaction(() => shop.nodes.tickets.count(), { readOnly: true })
      })
      expect([counts, await left()]).toEqual([4, 0])
    })

    it('refuses what one in a transaction is refused', async () => {
      const { db } = shop
      const errors = await sandbox(db, () =>
        db.transaction(async () => [
          await rejectionOf(db.transaction(() => shop.nodes.tickets.count(), { propagation: 'never' })),
          await rejectionOf(db.transaction(() => shop.nodes.tickets.count(), { isolation: 'serializable' })),
        ]),
      )
      expect(errors.map(({ code }) => code)).toEqual(['CONFIGURATION', 'CONFIGURATION'])
    })

    it('that throws is undone, and costs nothing else', async () => {
      const { db } = shop
      const count = await sandbox(db, async () => {
        await shop.nodes.tickets.create({})
        const reason = new Error('mine')
        const failing = db.transaction(async () => {
          await shop.nodes.tickets.create({})
          throw reason
        })
        expect(await rejectionOf(failing)).toBe(reason)
        return shop.nodes.tickets.count()
      })
      expect([count, await left()]).toEqual([1, 0])
    })

    it('of which one that had joined it failed is undone, and costs nothing else', async () => {
      const { db } = shop
      const count = await sandbox(db, async () => {
        await shop.nodes.tickets.create({})
        const failing = db.transaction(async () => {
          await shop.nodes.tickets.create({})
          const fail = () => Promise.reject(new Error('mine'))
          await db.transaction(fail, { propagation: 'join' }).catch(() => undefined)
        })
        expect(await rejectionOf(failing)).toBeInstanceOf(TransactionAbortedError)
        return shop.nodes.tickets.count()
      })
      expect([count, await left()]).toEqual([1, 0])
    })

    it('runs what waits for its commit once it is over, and never where it is undone', async () => {
      const { db } = shop
      const ran: string[] = []
      await sandbox(db, async () => {
        await db.afterCommit(() => ran.push('at once'))
        await db.transaction(async () => {
          await db.afterCommit(() => ran.push('after the commit'))
          await db.transaction(() => db.afterCommit(async () => ran.push(`with ${await shop.nodes.tickets.count()}`)))
          await shop.nodes.tickets.create({})
          ran.push('the work')
        })
        const undone = db.transaction(async () => {
          await db.afterCommit(() => ran.push('never'))
          throw new Error('mine')
        })
        await rejectionOf(undone)
      })
      expect(ran).toEqual(['at once', 'the work', 'after the commit', 'with 1'])
    })

    it('keeps what is independent of it out of the database, too', async () => {
      const { db } = shop
      const seen = await sandbox(db, () =>
        db.transaction(async () => {
          const ran: string[] = []
          await db.transaction(
            async () => {
              await db.afterCommit(() => ran.push('after the inner commit'))
              await shop.nodes.tickets.create({})
            },
            { propagation: 'new' },
          )
          await db.detached(() => shop.nodes.tickets.create({}))
          return [...ran, await shop.nodes.tickets.count()]
        }),
      )
      expect(seen).toEqual(['after the inner commit', 2])
      expect(await left()).toBe(0)
    })

    it('may be one of several at once', async () => {
      const { db } = shop
      const count = await sandbox(db, async () => {
        await Promise.all(Array.from({ length: 5 }, () => db.transaction(() => shop.nodes.tickets.create({}))))
        return shop.nodes.tickets.count()
      })
      expect([count, await left()]).toEqual([5, 0])
    })
  })

  it('a sandbox in another leaves nothing in it', async () => {
    const { db } = shop
    const counts = await sandbox(db, async () => {
      await shop.nodes.tickets.create({})
      const inner = await sandbox(db, async () => {
        await shop.nodes.tickets.create({})
        return shop.nodes.tickets.count()
      })
      return [inner, await shop.nodes.tickets.count()]
    })
    expect([...counts, await left()]).toEqual([2, 1, 0])
  })
})
