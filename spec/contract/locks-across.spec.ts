import { once } from 'node:events'
import {
  ConfigurationError,
  createDatabase,
  type HeldLock,
  LockLostError,
  LockTimeoutError,
  ScopeClosedError,
  withLockScope,
} from 'latchwork'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { forEachEngine } from '../support/engines.js'
import { LockProcess } from './lock-processes.js'
import { models } from './members.js'
import { outsideOf } from './outside-of.js'
import { rejectionOf, useDatabase } from './use-database.js'
import { breakOff } from './use-locks.js'

const ACROSS = { across: 'database', timeoutMs: 10_000 } as const

forEachEngine((engine) => {
  describe('db.lock across the database', () => {
    const shop = useDatabase(engine, models)
    let peer: LockProcess
    beforeAll(async () => {
      peer = new LockProcess('obeys.ts', shop.url)
      await peer.prints('ready')
    }, 30_000)
    afterAll(() => peer.kill())
    /** What another process answers when it is told to `try`, `hold` or `release` the lock. */
    const peerDoes = (order: 'try' | 'hold' | 'release', answer: string) => {
      peer.tell(`${order} ${job}`)
      return peer.prints(`${order} ${job}: ${answer}\n`)
    }
    let job: string
    let jobs = 0
    beforeEach(() => {
      job = `job-${++jobs}`
    })

    it('has one holder in all processes, whichever came first', async () => {
      await peerDoes('hold', 'held')
      const error = await rejectionOf(shop.db.lock(job, () => 'ran', { across: 'database', timeoutMs: 400 }))
      expect(error).toBeInstanceOf(LockTimeoutError)
      // a lock of this process alone knows nothing of it
      expect(await shop.db.lock(job, () => 'ran')).toBe('ran')
      const waiting = shop.db.lock(job, () => peerDoes('try', 'LOCK_TIMEOUT'), ACROSS)
      await peerDoes('release', 'released')
      await waiting
    })

    it('is there for calls below, and for no other process until the outermost has ended', async () => {
      const again = shop.another()
      await shop.db.lock(
        job,
        async () => {
          expect(await shop.db.lock(job, () => again.lock(job, () => 'inner', ACROSS), ACROSS)).toBe('inner')
          await peerDoes('try', 'LOCK_TIMEOUT')
        },
        ACROSS,
      )
      await peerDoes('try', 'ran')
    })

    it('is there for calls below in a scope with a registry of its own', async () => {
      const inner = () => withLockScope(() => shop.db.lock(job, () => 'inner', ACROSS), { registry: 'own' })
      expect(await shop.db.lock(job, inner, ACROSS)).toBe('inner')
    })

    it('is not what a lock of this process is that has its name', async () => {
      await peerDoes('hold', 'held')
      const error = await shop.db.lock(`${job} (all processes)`, () =>
        rejectionOf(shop.db.lock(job, () => 'ran', { across: 'database', timeoutMs: 400 })),
      )
      expect(error).toBeInstanceOf(LockTimeoutError)
      await peerDoes('release', 'released')
    })

    it('stays until what was not awaited below it has ended', async () => {
      let finish: (() => void) | undefined
      let inner: Promise<void> | undefined
      await shop.db.lock(
        job,
        () =>
          new Promise<void>((outerEnds) => {
            const runs = () =>
              new Promise<void>((innerEnds) => {
                finish = innerEnds
                outerEnds()
              })
            inner = shop.db.lock(job, runs, ACROSS)
          }),
        ACROSS,
      )
      await peerDoes('try', 'LOCK_TIMEOUT')
      finish!()
      await inner
      await peerDoes('try', 'ran')
    })

    it('turns away what was not awaited and comes while it is given back', async () => {
      let late: Promise<Error> | undefined
      const ask = async () => shop.db.lock(job, () => 'ran', ACROSS)
      const leaves = () => {
        // after all that goes on at once when the work has ended: what is left is the answer of the database
        late = rejectionOf(new Promise(process.nextTick).then(ask))
      }
      await shop.db.lock(job, leaves, ACROSS)
      expect(await late).toBeInstanceOf(ScopeClosedError)
    })

    it('tells the work and all calls below it that it is lost with its session', { timeout: 30_000 }, async () => {
      const reasons: unknown[] = []
      const inner = shop.db.lock(
        job,
        async (outer) => {
          const below = await rejectionOf(
            shop.db.lock(
              job,
              async (held) => {
                const both = Promise.all([outer, held].map(aborted))
                await breakOff(engine, shop.url)
                reasons.push(...(await both))
              },
              ACROSS,
            ),
          )
          reasons.push(below)
          // and who comes now is not let in
          reasons.push(await rejectionOf(shop.db.lock(job, () => 'ran', ACROSS)))
        },
        ACROSS,
      )
      const error = await rejectionOf(inner)
      expect(error).toBeInstanceOf(LockLostError)
      expect(error.message).toMatch(/lock "job-\d+" of .*, held by db\.lock, was lost: .*another process may have it by now/)
      expect(reasons).toEqual([error, error, error, error])
      expect(await shop.db.lock(job, () => 'again', ACROSS)).toBe('again')
    })

    it('says that it was lost also where that shows only when it is given back', async () => {
      const error = await rejectionOf(shop.db.lock(job, () => breakOff(engine, shop.url), ACROSS))
      expect(error).toBeInstanceOf(LockLostError)
    })

    it('is free for other processes when the work throws, whose error it gives', async () => {
      const failure = new Error('no paper')
      expect(await rejectionOf(shop.db.lock(job, () => Promise.reject(failure), ACROSS))).toBe(failure)
      await peerDoes('try', 'ran')
    })

    it('is lost when the database object is closed', async () => {
      const closing = shop.another()
      const work = closing.lock(
        job,
        async (held) => {
          const told = aborted(held)
          await closing.close()
          return told
        },
        ACROSS,
      )
      const error = await rejectionOf(work)
      expect(error).toMatchObject({ code: 'LOCK_LOST', message: expect.stringContaining('the database object was closed') })
      await peerDoes('try', 'ran')
    })

    it('is given in the order in which the callers of this process came', async () => {
      const order: string[] = []
      await shop.db
        .lock(
          job,
          async () => {
            const others = ['first', 'second'].map((name) => outsideOf(() => shop.db.lock(job, () => order.push(name), ACROSS)))
            order.push('outer')
            return { others }
          },
          ACROSS,
        )
        .then(({ others }) => Promise.all(others))
      expect(order).toEqual(['outer', 'first', 'second'])
    })

    it('is refused behind a pooler in transaction mode, before anything is asked', async () => {
      const open = () => createDatabase({ url: shop.url, models: {}, pool: { pooler: 'transaction' } })
      if (engine.name !== 'postgres') {
        expect(open).toThrow(ConfigurationError)
        return
      }
      const db = open()
      const error = await rejectionOf(db.lock(job, () => 'ran', ACROSS))
      expect(error).toMatchObject({ code: 'POOLER_MODE', message: expect.stringContaining('a lock of the database') })
      await db.close()
    })
  })
})

/** What the signal of a held lock is aborted with. */
async function aborted({ signal }: HeldLock): Promise<unknown> {
  if (!signal.aborted) await once(signal, 'abort')
  return signal.reason
}
