import { SerializationError } from 'latchwork'
import { describe, expect, it } from 'vitest'
import { type TransactionEvent, transactionEvents } from '../../lib/events.js'
import { forEachEngine } from '../support/engines.js'
import { TIMED } from '../support/timed.js'
import { models } from './members.js'
import { rejectionOf, useDatabase } from './use-database.js'

const KEY = { warehouse: 'w', item: 'a' }

/** Hears of the transactions that are run again while `work` goes on. */
type Retry = Extract<TransactionEvent, { readonly type: 'retried' }>

async function retriesOf(work: () => Promise<unknown>): Promise<Retry[]> {
  const events: Retry[] = []
  const listener = (event: TransactionEvent) => void (event.type === 'retried' && events.push(event))
  transactionEvents.subscribe(listener)
  try {
    await work()
  } finally {
    transactionEvents.unsubscribe(listener)
  }
  return events
}

forEachEngine((engine) => {
  describe("retry: 'serialization'", () => {
    const use = useDatabase(engine, models)
    const stocks = () => use.nodes.stocks

    it('lets twenty serializable transactions that read and then write count to twenty', async () => {
      await stocks().create({ ...KEY, amount: 0 })
      const add = () =>
        use.db.transaction(
          async () => {
            const { amount } = await stocks().readOrThrow({ where: KEY })
            await stocks().update({ where: KEY, set: { amount: amount + 1 } })
          },
          { isolation: 'serializable', retry: 'serialization' },
        )
      const events = await retriesOf(() => Promise.all(Array.from({ length: 20 }, add)))
      expect(await stocks().read({ where: KEY })).toMatchObject({ amount: 20 })
      // SQLite has them one after the other
      if (engine.name === 'sqlite') expect(events).toEqual([])
      else expect(events.length).toBeGreaterThan(0)
      for (const { code, attempts, delayMs } of events) {
        expect(['SERIALIZATION', 'DEADLOCK']).toContain(code)
        expect(attempts).toBeGreaterThan(0)
        expect(delayMs).toBeLessThan(1_000)
      }
      await use.clear()
    })

    it('runs the callback again in a new transaction, and keeps nothing of the attempts before', async () => {
      let attempts = 0
      const made = await use.db.transaction(
        async () => {
          const { id } = await use.nodes.tickets.create({})
          if (++attempts < 3) throw new SerializationError('made up')
          return id
        },
        { retry: 'serialization' },
      )
      expect(attempts).toBe(3)
      expect((await use.nodes.tickets.list()).rows).toEqual([{ id: made }])
      await use.clear()
    })

    it('sees the error of the database in one that wraps it', async () => {
      let attempts = 0
      const wrapped = () => {
        if (++attempts === 1) throw new Error('the order could not be placed', { cause: new SerializationError('made up') })
        return use.nodes.tickets.count()
      }
      expect(await use.db.transaction(async () => wrapped(), { retry: 'serialization' })).toBe(0)
      expect(attempts).toBe(2)
    })

    it('gives up after ten attempts, with the last error', async () => {
      let attempts = 0
      const error = await rejectionOf(
        use.db.transaction(
          async () => {
            throw new SerializationError(`attempt ${++attempts}`)
          },
          { retry: 'serialization' },
        ),
      )
      expect(error.message).toBe('attempt 10')
    })

    it('gives up where the next attempt would come past timeoutMs, and when it is aborted', TIMED, async () => {
      const failing = async () => {
        throw new SerializationError('made up')
      }
      const startedMs = performance.now()
      const error = await rejectionOf(use.db.transaction(failing, { retry: 'serialization', timeoutMs: 60 }))
      expect(['SERIALIZATION', 'QUERY_TIMEOUT', 'POOL_TIMEOUT']).toContain(error.code)
      expect(performance.now() - startedMs).toBeLessThan(1_000)
      const controller = new AbortController()
      const aborted = use.db.transaction(
        async () => {
          controller.abort()
          throw new SerializationError('made up')
        },
        { retry: 'serialization', signal: controller.signal },
      )
      expect(await rejectionOf(aborted)).toMatchObject({ code: expect.stringMatching(/ABORTED|SERIALIZATION/) })
    })

    it('runs nothing again for another error, nor without being asked', async () => {
      let attempts = 0
      const reason = new Error('mine')
      const failing = (error: Error) => async () => {
        attempts++
        throw error
      }
      expect(await rejectionOf(use.db.transaction(failing(reason), { retry: 'serialization' }))).toBe(reason)
      await rejectionOf(use.db.transaction(failing(new SerializationError('made up'))))
      expect(attempts).toBe(2)
    })
  })

  describe('a version that is checked', () => {
    const use = useDatabase(engine, models)

    it('lets twenty callers who try again count to twenty', async () => {
      const { members } = use.nodes
      const { id } = await members.create({ email: 'a@b.c', age: 0 })
      const add = async () => {
        for (;;) {
          const { age, version } = await members.readOrThrow({ where: { id } })
          try {
            return await members.update({ where: { id }, set: { age: age! + 1 }, version })
          } catch (error) {
            if ((error as { code?: string }).code !== 'STALE_VERSION') throw error
          }
        }
      }
      await Promise.all(Array.from({ length: 20 }, add))
      expect(await members.read({ where: { id } })).toMatchObject({ age: 20, version: 21 })
    })
  })
})
