import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { createDatabase } from 'latchwork'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { deadlineAfter } from '../../lib/deadline.js'
import { AbortedError, LockLostError, LockTimeoutError, PoolClosedError, PoolExhaustedError } from '../../lib/errors.js'
import { poolRegistry } from '../../lib/pool/pool-registry.js'
import { forEachEngine } from '../support/engines.js'
import { startTcpProxy } from '../support/tcp-proxy.js'
import { TIMED } from '../support/timed.js'
import { LockProcess } from './lock-processes.js'
import { rejectionOf } from './use-database.js'
import { breakOff, connectionsOf, lossOf, QUICK, useLocks } from './use-locks.js'

const soon = () => ({ deadline: deadlineAfter(5_000) })

/** What a text may be that somebody uses as a name; each is another lock than all the others. */
const NAMES = [
  '',
  ' ',
  'invoice:42',
  'Invoice:42',
  'invoice:42 ',
  'ärger',
  'a\u0308rger',
  '日本語 🔒',
  '\ud83d',
  '\udd12',
  'null\0byte',
  'line\nbreak',
  "'; drop table locks; --",
  '`"\\%_',
  '../../etc/passwd',
  'x'.repeat(64),
  'x'.repeat(65),
  'x'.repeat(100_000),
]

forEachEngine((engine) => {
  describe('DatabaseLocks', () => {
    const house = useLocks(engine)
    const processes: LockProcess[] = []
    const start = (file: string, ...parameters: string[]) => {
      const started = new LockProcess(file, ...parameters)
      processes.push(started)
      return started
    }
    afterEach(async () => {
      await Promise.all(processes.splice(0).map((each) => each.kill()))
    })

    it('never gives two processes one name, in 200 holds', { timeout: 60_000 }, async () => {
      const folder = await mkdtemp(join(tmpdir(), 'latchwork-locks-'))
      try {
        await writeFile(join(folder, 'count'), '0')
        const contenders = [0, 1].map(() => start('contends.ts', house.url, 'contended', folder, '100'))
        await Promise.all(contenders.map((each) => each.prints('ready')))
        for (const contender of contenders) contender.tell('go')
        const runs = (await Promise.all(contenders.map((each) => each.ended()))).map((line) => JSON.parse(line))
        expect(runs).toMatchObject([{ rounds: 100 }, { rounds: 100 }])
        // they did meet
        expect(runs[0].waited + runs[1].waited).toBeGreaterThan(0)
        expect(await readFile(join(folder, 'count'), 'utf8')).toBe('200')
      } finally {
        await rm(folder, { recursive: true, force: true })
      }
    })

    it('gives a lock within a second once the process that held it was killed', TIMED, async () => {
      const holder = start('holds.ts', house.url, 'of a process')
      await holder.prints('held')
      const locks = house.locks()
      const early = await rejectionOf(locks.hold('of a process', { deadline: deadlineAfter(100) }))
      expect(early).toBeInstanceOf(LockTimeoutError)
      const waiting = locks.hold('of a process', soon())
      await holder.kill()
      const killedAtMs = performance.now()
      await waiting
      expect(performance.now() - killedAtMs).toBeLessThan(1_000)
    })

    it('excludes threads of one process, and is free when the thread that held it is gone', async () => {
      const threads = start('threads.ts', house.url, 'of a thread')
      expect(JSON.parse(await threads.ended())).toEqual({ whileHeld: 'LOCK_TIMEOUT', afterwards: 'held' })
    })

    it('holds many names at a time, on one connection', async () => {
      const locks = house.locks()
      const holds = await Promise.all(Array.from({ length: 50 }, (_, index) => locks.hold(`name ${index}`, soon())))
      expect(await connectionsOf(engine, house.url)).toBe(1)
      await Promise.all(holds.map((hold) => hold.release()))
    })

    it('tells names apart by every letter, however long or strange they are', async () => {
      // names that stand together are alike: each is taken by another session than its neighbours
      const sessions = [house.locks(), house.locks(), house.locks()]
      for (const [index, name] of NAMES.entries()) {
        await expect(sessions[index % 3]!.hold(name, soon()), shown(name)).resolves.toMatchObject({ name })
      }
      for (const [index, name] of NAMES.entries()) {
        const refusal = await rejectionOf(sessions[(index + 1) % 3]!.hold(name, { deadline: deadlineAfter(30) }))
        expect(refusal, shown(name)).toBeInstanceOf(LockTimeoutError)
      }
    })

    it('is of one database: another on the same server has locks of its own', async () => {
      const there = house.locks({ url: await house.elsewhere() })
      await house.locks().hold('same name', soon())
      await expect(there.hold('same name', { deadline: deadlineAfter(1_000) })).resolves.toMatchObject({ name: 'same name' })
    })

    it('gives a lock again when it is released, to a caller of this process too', async () => {
      const locks = house.locks()
      const order: string[] = []
      const first = await locks.hold('again', soon())
      const second = locks.hold('again', soon()).then((hold) => {
        order.push('second')
        return hold
      })
      await sleep(60)
      order.push('released')
      await first.release()
      await (await second).release()
      expect(order).toEqual(['released', 'second'])
      await (await house.locks().hold('again', soon())).release()
    })

    it('gives up at the deadline, with the time waited and who has the lock', async () => {
      const holder = start('holds.ts', house.url, 'busy')
      await holder.prints('held')
      const startedAtMs = performance.now()
      const error = await rejectionOf(house.locks().hold('busy', { deadline: deadlineAfter(1_000), label: 'InvoiceCreateNode' }))
      expect(performance.now() - startedAtMs).toBeLessThan(1_800)
      expect(error).toBeInstanceOf(LockTimeoutError)
      expect(error.message).toMatch(/lock "busy" of \w+:.* by InvoiceCreateNode, was not free within \d+ ms; held by /)
      if (engine.name === 'postgres') expect(error.message).toMatch(/held by the session with process id \d+ of "latchwork locks"/)
      if (engine.name === 'mysql') expect(error.message).toMatch(/held by connection \d+ of \w+@/)
      if (engine.name === 'sqlite') expect(error.message).toContain(`held by process ${holder.pid}`)
    })

    it('says so when it is this process that has the lock', async () => {
      const locks = house.locks()
      await locks.hold('own', { ...soon(), label: 'InvoiceCreateNode' })
      const error = await rejectionOf(locks.hold('own', { deadline: deadlineAfter(60) }))
      expect(error.message).toContain('held by this process by InvoiceCreateNode')
    })

    it('stops waiting when the signal is aborted, and leaves nothing held', async () => {
      const [one, other] = [house.locks(), house.locks()]
      const held = await one.hold('aborted', soon())
      const abort = new AbortController()
      const waiting = rejectionOf(other.hold('aborted', { ...soon(), signal: abort.signal }))
      await sleep(30)
      abort.abort('enough')
      expect(await waiting).toMatchObject({ code: 'ABORTED', cause: 'enough' })
      await held.release()
      await (await one.hold('aborted', soon())).release()
      const early = await rejectionOf(one.hold('aborted', { signal: AbortSignal.abort('before') }))
      expect(early).toBeInstanceOf(AbortedError)
    })

    it('leaves no lock behind of callers who gave up while they were asked for', async () => {
      const locks = house.locks()
      const callers = Array.from({ length: 60 }, (_, index) =>
        locks.hold(`given up ${index % 3}`, { deadline: deadlineAfter(index / 4) }).then(
          (hold) => hold.release(),
          () => undefined,
        ),
      )
      await Promise.all(callers)
      const other = house.locks()
      for (const index of [0, 1, 2]) await other.hold(`given up ${index}`, soon())
    })

    it('tells all holders when the connection is lost, and serves the next on a new one', async () => {
      const locks = house.locks({ times: QUICK })
      const holds = [await locks.hold('lost a', { ...soon(), label: 'InvoiceCreateNode' }), await locks.hold('lost b', soon())]
      const losses = holds.map(lossOf)
      await breakOff(engine, house.url)
      const error = (await Promise.all(losses))[0]!
      expect(error).toBeInstanceOf(LockLostError)
      expect(error.message).toMatch(/lock "lost a" of \w+:.*, held by InvoiceCreateNode, was lost: .*; another process may have it by now/)
      for (const hold of holds) await hold.release()
      const again = await locks.hold('lost a', soon())
      expect(await lossOf(holds[0]!)).toBe(error)
      await again.release()
    })

    it('goes on waiting when the connection is lost under a waiter', async () => {
      const [one, other] = [house.locks({ times: QUICK }), house.locks({ times: QUICK })]
      const held = await one.hold('waited for', soon())
      const waiting = other.hold('waited for', soon())
      await sleep(50)
      await breakOff(engine, house.url)
      // the first has lost it with its own connection
      await lossOf(held)
      await (await waiting).release()
    })

    it('settles a release that the connection does not outlive, and says that the lock was lost', async () => {
      const locks = house.locks()
      const hold = await locks.hold('gone', soon())
      const lost = lossOf(hold)
      await breakOff(engine, house.url)
      await hold.release()
      expect(await lost).toBeInstanceOf(LockLostError)
    })

    it('refuses a second release', async () => {
      const hold = await house.locks().hold('twice', soon())
      await hold.release()
      await expect(hold.release()).rejects.toThrow(/lock "twice" of the database was released before/)
    })

    it('refuses who waits and who comes when it is closed, and frees what is held', async () => {
      const [one, other] = [house.locks(), house.locks()]
      const held = await one.hold('closed', soon())
      const lost = lossOf(held)
      const waiting = rejectionOf(one.hold('closed', soon()))
      await sleep(20)
      await one.close()
      expect(await waiting).toBeInstanceOf(PoolClosedError)
      expect(await rejectionOf(one.hold('other', soon()))).toBeInstanceOf(PoolClosedError)
      expect(await lost).toMatchObject({ code: 'LOCK_LOST', message: expect.stringContaining('the database object was closed') })
      await held.release()
      await other.hold('closed', { deadline: deadlineAfter(2_000) })
    })

    it('closes its connection when it has nothing to do, and opens another for the next lock', async () => {
      const locks = house.locks({ times: QUICK })
      await (await locks.hold('rest', soon())).release()
      const deadline = deadlineAfter(5_000)
      while ((await connectionsOf(engine, house.url)) > 0 && performance.now() < deadline) await sleep(50)
      expect(await connectionsOf(engine, house.url)).toBe(0)
      await (await locks.hold('rest', soon())).release()
    })

    it('keeps no process that has nothing to do, closed or not', async () => {
      const idle = start('rests.ts', house.url, 'rest')
      await idle.prints('released')
      const releasedAtMs = performance.now()
      expect(await idle.ended()).toBe('released')
      expect(performance.now() - releasedAtMs).toBeLessThan(4_000)
    })

    it('takes a place of the connection budget while its connection is open', async () => {
      const { budget } = poolRegistry()
      const lift = budget.limitTo(1)
      const [one, other] = [house.locks({ times: QUICK }), house.locks()]
      try {
        const hold = await one.hold('budget', soon())
        expect(budget.taken).toBe(1)
        const error = await rejectionOf(other.hold('another', soon()))
        expect(error).toBeInstanceOf(PoolExhaustedError)
        expect(error.message).toContain('1 of 1 in use')
        await hold.release()
        await one.close()
        expect(budget.taken).toBe(0)
        await other.hold('another', soon())
      } finally {
        lift()
      }
    })

    it('leaves nothing of itself', async () => {
      const locks = house.locks()
      await locks.hold('left', soon())
      await locks.close()
      const { budget } = poolRegistry()
      expect(budget).toMatchObject({ taken: 0, limit: 0 })
      expect(await connectionsOf(engine, house.url)).toBe(0)
    })
  })
})

forEachEngine(
  (engine) => {
    describe('DatabaseLocks', () => {
      const house = useLocks(engine)

      it('notices a connection that goes without a word', { timeout: 30_000 }, async () => {
        const proxy = await startTcpProxy(withPort(house.url))
        try {
          const locks = house.locks({ url: proxy.url, times: QUICK })
          const hold = await locks.hold('silent', soon())
          const lost = lossOf(hold)
          proxy.set({ kind: 'drop' })
          expect(await lost).toMatchObject({ code: 'LOCK_LOST', message: expect.stringContaining('silent for 1000 ms') })
          proxy.set('pass')
          await hold.release()
        } finally {
          await proxy.close()
        }
      })

      it('keeps to the deadline when nothing answers', { ...TIMED, timeout: 30_000 }, async () => {
        const proxy = await startTcpProxy(withPort(house.url))
        try {
          proxy.set({ kind: 'drop' })
          const locks = house.locks({ url: proxy.url })
          const startedAtMs = performance.now()
          const error = await rejectionOf(locks.hold('nobody', { deadline: deadlineAfter(300) }))
          expect(error).toBeInstanceOf(LockTimeoutError)
          expect(error.message).toContain('there was no connection yet')
          expect(performance.now() - startedAtMs).toBeLessThan(900)
        } finally {
          await proxy.close()
        }
      })

      it('is closed without a wait for a connection that is being opened', TIMED, async () => {
        const proxy = await startTcpProxy(withPort(house.url))
        try {
          proxy.set({ kind: 'drop' })
          const db = createDatabase({ url: proxy.url, models: {} })
          const waiting = rejectionOf(db.lock('nobody', () => 'ran', { across: 'database' }))
          await vi.waitUntil(() => proxy.connections > 0)
          const startedAtMs = performance.now()
          await db.close({ timeoutMs: 100 })
          expect(performance.now() - startedAtMs).toBeLessThan(1_000)
          expect(await waiting).toBeInstanceOf(PoolClosedError)
          expect(poolRegistry().budget.taken).toBe(0)
          await vi.waitUntil(() => proxy.connections === 0)
        } finally {
          await proxy.close()
        }
      })

      it('says why no connection can be made', async () => {
        const url = new URL(house.url)
        url.port = '1'
        const error = await rejectionOf(house.locks({ url: url.href }).hold('nowhere', soon()))
        expect(error).toMatchObject({ code: 'CONNECTION', message: expect.stringContaining('nothing listens there') })
        expect(poolRegistry().budget.taken).toBe(0)
      })
    })
  },
  { engines: ['postgres', 'mysql'] },
)

function shown(name: string): string {
  return JSON.stringify(name.slice(0, 100))
}

function withPort(url: string): string {
  const parsed = new URL(url)
  if (parsed.port === '') parsed.port = parsed.protocol.startsWith('postgres') ? '5432' : '3306'
  return parsed.href
}
