import { setTimeout as sleep } from 'node:timers/promises'
import {
  AbortedError,
  ConfigurationError,
  currentLockScope,
  DeadlockError,
  LockTimeoutError,
  ScopeClosedError,
  withLockScope,
} from 'latchwork'
import { describe, expect, it } from 'vitest'
import { type LockEvent, lockEvents, type PoolEvent, poolEvents } from '../../lib/events.js'
import { currentFrame } from '../../lib/lock/lock-scope.js'
import { warningsDuring } from '../lib/lock/warnings.js'
import { forEachEngine } from '../support/engines.js'
import { TIMED } from '../support/timed.js'
import { models } from './members.js'
import { outsideOf } from './outside-of.js'
import { rejectionOf, useDatabase } from './use-database.js'

forEachEngine((engine) => {
  describe('db.lock', () => {
    const shop = useDatabase(engine, models, { pool: { maxConnections: 2, acquireTimeoutMs: 10_000 } })

    it('runs one at a time, in the order in which they came, also between database objects', async () => {
      const other = shop.another({ pool: { maxConnections: 3 } })
      const order: number[] = []
      let running = 0
      const work = (number: number) => async () => {
        expect(++running).toBe(1)
        order.push(number)
        await shop.nodes.members.create({ email: `lock${number}@example.com` })
        running--
      }
      await Promise.all(Array.from({ length: 20 }, (_, number) => (number % 2 === 0 ? shop.db : other).lock('a', work(number))))
      expect(order).toEqual(Array.from({ length: 20 }, (_, number) => number))
    })

    it('is there for every call below, and for no sibling at the same time', async () => {
      let running = 0
      const sibling = () =>
        shop.db.lock('a', async () => {
          expect(++running).toBe(1)
          await sleep(1)
          running--
        })
      await shop.db.lock('a', () => Promise.all([sibling(), sibling(), shop.db.lock('b', sibling)]))
      expect(currentLockScope()).toBeUndefined()
    })

    it('does not exclude another database', async () => {
      const fresh = await engine.freshDatabase()
      const other = shop.another({ url: fresh.url })
      await shop.db.lock('a', () => other.lock('a', () => undefined, { timeoutMs: 1_000 }))
      await other.close()
      await fresh.drop()
    })

    it('fails the newest of two that hold what the other wants, at once, naming both chains', TIMED, async () => {
      const take = (first: string, second: string, label: string) =>
        shop.db.lock(
          first,
          async () => {
            await sleep(10)
            return shop.db.lock(second, () => label, { label: `${label}, within` })
          },
          { label },
        )
      const startedMs = performance.now()
      const [one, two] = await Promise.allSettled([take('a', 'b', 'ship'), take('b', 'a', 'bill')])
      expect(performance.now() - startedMs).toBeLessThan(1_000)
      expect([one.status, two.status]).toEqual(['fulfilled', 'rejected'])
      const { reason } = two as PromiseRejectedResult
      expect(reason).toBeInstanceOf(DeadlockError)
      expect(reason.message).toMatch(
        /lock "a@.*" would never come free: bill holds lock "b@.*, bill, within waits for lock "a@.*ship holds lock "a@.*ship, within waits for lock "b@/,
      )
      expect(reason.chains).toHaveLength(2)
    })

    it('times out with the name of its holder', async () => {
      const startedMs = performance.now()
      const error = await shop.db.lock('a', () => rejectionOf(outsideOf(() => shop.db.lock('a', () => 1, { timeoutMs: 20 }))), {
        label: 'InvoiceJob',
      })
      // not the ten seconds of the pool
      expect(performance.now() - startedMs).toBeLessThan(3_000)
      expect(error).toBeInstanceOf(LockTimeoutError)
      expect(error.message).toMatch(/lock "a@.*" was not free within \d+ ms; held \d+ ms by InvoiceJob/)
    })

    it('aborts the signal of one that is held too long, and keeps it held', async () => {
      const done = await shop.db.lock(
        'a',
        async ({ signal }) => {
          await new Promise((resolve) => signal.addEventListener('abort', resolve))
          const other = await rejectionOf(outsideOf(() => shop.db.lock('a', () => 1, { timeoutMs: 20 })))
          return [(signal.reason as Error).message, other]
        },
        { maxHoldMs: 20, label: 'slow' },
      )
      expect(done[0]).toMatch(/lock "a@.*" by slow is held for longer than 20 ms/)
      expect(done[1]).toBeInstanceOf(LockTimeoutError)
    })

    it('reports one that is held too long once, with where it was asked for', async () => {
      const events: LockEvent[] = []
      const listener = (event: LockEvent): void => void (event.type === 'overheld' && events.push(event))
      lockEvents.subscribe(listener)
      const warnings = await warningsDuring(() => shop.db.lock('a', () => sleep(60), { maxHoldMs: 10 })).finally(() =>
        lockEvents.unsubscribe(listener),
      )
      expect(events).toMatchObject([
        { key: expect.stringMatching(/^a@/), label: 'db.lock', stack: expect.stringContaining('locks.spec.ts') },
      ])
      expect(warnings).toMatchObject([{ code: 'LATCHWORK_OVERHELD', detail: expect.stringContaining('locks.spec.ts') }])
    })

    it('is called db.lock or db.hold where nobody says otherwise', async () => {
      const late = () => rejectionOf(outsideOf(() => shop.db.lock('a', () => 1, { timeoutMs: 5 })))
      expect((await shop.db.lock('a', late)).message).toMatch(/held \d+ ms by db\.lock/)
      const error = await withLockScope(async () => {
        using _held = await shop.db.hold('a')
        return await late()
      })
      expect(error.message).toMatch(/held \d+ ms by db\.hold/)
    })

    it.each([
      ['a key that is no text', 7, {}, 'key: expected a text of 1 to 200 characters, got number'],
      ['an empty key', '', {}, 'key: expected a text of 1 to 200 characters, got 0 characters'],
      ['a key that is too long', 'x'.repeat(201), {}, 'got 201 characters'],
      ['an unknown option', 'a', { timeoutMS: 5 }, /timeoutMS.*timeoutMs/],
      ['a time-out out of bounds', 'a', { timeoutMs: 0 }, 'timeoutMs: expected a whole number from 1 to 86400000, got 0'],
      ['a hold out of bounds', 'a', { maxHoldMs: 1.5 }, 'maxHoldMs: expected a whole number from 1 to 86400000, got 1.5'],
      ['a queue out of bounds', 'a', { maxQueue: -1 }, 'maxQueue: expected a whole number from 0 to 1000000, got -1'],
      ['a queue by another name', 'a', { maxqueue: 5 }, /maxqueue.*maxQueue/],
      ['an unknown reach', 'a', { across: 'cluster' }, 'across: expected process or database'],
      ['a label that is no text', 'a', { label: 7 }, 'label: expected a text, got number'],
      ['a signal that is none', 'a', { signal: {} }, 'signal: expected an AbortSignal'],
    ])('refuses %s before anything is held', async (_, key, options, message) => {
      const error = await rejectionOf(shop.db.lock(key as string, () => 1, options as object))
      expect(error).toBeInstanceOf(ConfigurationError)
      expect(error.message).toMatch(message)
    })

    it('refuses one more than maxQueue at once, and serves those who wait', async () => {
      const attempt = () => outsideOf(() => shop.db.lock('a', () => 'ran', { maxQueue: 2 }))
      const { waiting, refused } = await shop.db.lock('a', async () => {
        const waiting = [attempt(), attempt()]
        return { waiting, refused: await rejectionOf(attempt()) }
      })
      expect(refused).toMatchObject({ code: 'LOCK_QUEUE_FULL', retryable: true })
      expect(refused.message).toMatch(/lock "a@.*": 2 callers wait already; raise maxQueue or send less/)
      expect(await Promise.all(waiting)).toEqual(['ran', 'ran'])
    })

    it('gives a lock at once or not at all where no line is wanted', async () => {
      const atOnce = () => shop.db.lock('a', () => 'ran', { maxQueue: 0 })
      expect(await shop.db.lock('a', atOnce)).toBe('ran')
      expect((await shop.db.lock('a', () => rejectionOf(outsideOf(atOnce)))).code).toBe('LOCK_QUEUE_FULL')
      expect(await atOnce()).toBe('ran')
    })

    it('gives up when its signal is aborted', async () => {
      const aborter = new AbortController()
      const error = await shop.db.lock('a', () => {
        const waiting = rejectionOf(outsideOf(() => shop.db.lock('a', () => 1, { signal: aborter.signal })))
        setImmediate(() => setImmediate(() => aborter.abort(new Error('not wanted'))))
        return waiting
      })
      expect(error).toBeInstanceOf(AbortedError)
      expect(error.cause).toMatchObject({ message: 'not wanted' })
    })

    it('excludes nobody outside a scope with a registry of its own', async () => {
      await shop.db.lock('a', () =>
        outsideOf(() =>
          withLockScope(
            async () => {
              let running = 0
              const work = () =>
                shop.db.lock(
                  'a',
                  async () => {
                    expect(++running).toBe(1)
                    await sleep(1)
                    running--
                  },
                  { timeoutMs: 1_000 },
                )
              await Promise.all([work(), work()])
            },
            { registry: 'own' },
          ),
        ),
      )
    })

    it('turns away at its end what was not awaited: who waits, at once; who comes later, too', async () => {
      const late: Promise<Error>[] = []
      await shop.db.lock('b', () =>
        outsideOf(() =>
          shop.db.lock(
            'a',
            () => {
              late.push(rejectionOf(shop.db.lock('b', () => 1)))
              late.push(rejectionOf(sleep(5).then(() => shop.db.lock('c', () => 1))))
            },
            { label: 'InvoiceJob' },
          ),
        ).then(async () => {
          expect(await late[0]).toBeInstanceOf(ScopeClosedError)
        }),
      )
      expect(await late[1]).toBeInstanceOf(ScopeClosedError)
      expect((await late[1])!.message).toMatch(/lock "a@.*", held by InvoiceJob above this call, has been released/)
    })

    it('turns away a node call and a transaction that come after its end', async () => {
      const late: Promise<Error>[] = []
      await shop.db.lock('a', () => {
        late.push(rejectionOf(sleep(5).then(() => shop.nodes.members.create({ email: 'late@example.com' }))))
        late.push(rejectionOf(sleep(5).then(() => shop.db.transaction(() => shop.nodes.members.count()))))
      })
      for (const error of await Promise.all(late)) expect(error).toBeInstanceOf(ScopeClosedError)
      expect(await shop.nodes.members.count({ where: { email: 'late@example.com' } })).toBe(0)
    })
  })

  describe('a lone call', () => {
    const shop = useDatabase(engine, models)

    it('on an open pool opens no scope', async () => {
      await shop.nodes.members.count()
      const frames: unknown[] = []
      const listener = (_: PoolEvent): void => void frames.push(currentFrame())
      poolEvents.subscribe(listener)
      await shop.nodes.members.count().finally(() => poolEvents.unsubscribe(listener))
      expect(frames).toEqual([undefined, undefined])
    })

    it('in a transaction is in the scope that the transaction opened', async () => {
      const [own, below] = await shop.db.transaction(async () => [
        currentLockScope()?.id,
        await shop.db.transaction(async () => currentLockScope()?.id),
      ])
      expect(own).toEqual(expect.any(Number))
      expect(below).toBe(own)
      expect(currentLockScope()).toBeUndefined()
    })
  })

  describe('db.hold', () => {
    const shop = useDatabase(engine, models)

    it('holds until it is released, or until its scope ends', async () => {
      await withLockScope(async () => {
        using held = await shop.db.hold('a')
        expect(currentLockScope()?.holds.map(({ name }) => name)).toEqual([held.name])
      })
      await withLockScope(() => shop.db.hold('a').then(() => undefined))
      await shop.db.lock('a', () => undefined, { timeoutMs: 100 })
      await expect(shop.db.hold('a')).rejects.toThrow('needs a scope that frees it')
    })
  })
})
