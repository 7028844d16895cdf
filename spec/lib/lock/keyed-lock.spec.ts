import { AsyncLocalStorage } from 'node:async_hooks'
import { stat } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { deadlineAfter } from '../../../lib/deadline.js'
import { AbortedError, ConfigurationError, LockQueueFullError, LockTimeoutError, ScopeClosedError } from '../../../lib/errors.js'
import { type LockEvent, lockEvents } from '../../../lib/events.js'
import { KeyedLock } from '../../../lib/lock/keyed-lock.js'

describe('KeyedLock.acquire', () => {
  it('gives a free key at once and forgets it on release', async () => {
    const lock = new KeyedLock()
    const hold = await lock.acquire('a', { label: 'first' })
    expect(lock.stateOf('a')).toMatchObject({ label: 'first', waiting: 0 })
    hold.release()
    expect(lock.stateOf('a')).toBeUndefined()
    expect(lock.size).toBe(0)
  })

  it('serves waiters in the order they came, one at a time', async () => {
    const lock = new KeyedLock()
    const served: number[] = []
    let holders = 0
    await Promise.all(
      Array.from({ length: 100 }, async (_, i) => {
        const hold = await lock.acquire('a')
        expect(++holders).toBe(1)
        served.push(i)
        await Promise.resolve()
        holders--
        hold.release()
      }),
    )
    expect(served).toEqual(Array.from({ length: 100 }, (_, i) => i))
    expect(lock.size).toBe(0)
  })

  it('lets different keys be held at the same time', async () => {
    const lock = new KeyedLock()
    const holds = await Promise.all(['a', 'b', '', '__proto__', 'constructor'].map((key) => lock.acquire(key)))
    expect(lock.size).toBe(5)
    for (const hold of holds) hold.release()
    expect(lock.size).toBe(0)
  })

  it('goes on in the async context of its caller, not of the holder before', async () => {
    const lock = new KeyedLock()
    const request = new AsyncLocalStorage<number>()
    const body = async (): Promise<number | undefined> => {
      const hold = await lock.acquire('a')
      const seen = request.getStore()
      await Promise.resolve()
      hold.release()
      return request.getStore() === seen ? seen : undefined
    }
    const seen = await Promise.all(Array.from({ length: 1_000 }, (_, i) => request.run(i, body)))
    expect(seen).toEqual(Array.from({ length: 1_000 }, (_, i) => i))
  })

  it('gives up at the deadline and says who holds the key', async () => {
    const lock = new KeyedLock()
    const hold = await lock.acquire('pool:shop', { label: 'UserCreateNode' })
    const startedMs = performance.now()
    const error = await lock.acquire('pool:shop', { deadline: deadlineAfter(30) }).catch((reason: unknown) => reason)
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(30)
    expect(performance.now() - startedMs).toBeLessThan(2_000)
    expect(error).toBeInstanceOf(LockTimeoutError)
    expect((error as Error).message).toMatch(/^lock "pool:shop" was not free within \d+ ms; held \d+ ms by UserCreateNode; /)
    hold.release()
    await nextTurn()
    expect(lock.size).toBe(0)
  })

  it('gives a free key even after the deadline, and a taken one never', async () => {
    const lock = new KeyedLock()
    const hold = await lock.acquire('a', { deadline: deadlineAfter(-1) })
    await expect(lock.acquire('a', { deadline: deadlineAfter(-1) })).rejects.toThrow(LockTimeoutError)
    hold.release()
  })

  it('waits without an end for a deadline that no timer can be set to', async () => {
    const lock = new KeyedLock()
    const hold = await lock.acquire('a')
    const next = lock.acquire('a', { deadline: deadlineAfter(2 ** 40) })
    expect(await Promise.race([next, sleep(20, 'waiting')])).toBe('waiting')
    hold.release()
    ;(await next).release()
  })

  it('takes no stall of the event loop for a wait: a release that came meanwhile counts', async () => {
    const lock = new KeyedLock()
    const hold = await lock.acquire('a')
    // from here timers are what the event loop looks at next, and only then at files and sockets
    await nextTurn()
    const next = lock.acquire('a', { deadline: deadlineAfter(5) })
    stat('.', () => hold.release())
    const stalledUntilMs = performance.now() + 50
    while (performance.now() < stalledUntilMs);
    ;(await next).release()
    expect(lock.size).toBe(0)
  })

  it('gives up when the signal is aborted, with its reason as cause', async () => {
    const lock = new KeyedLock()
    const hold = await lock.acquire('a')
    const aborter = new AbortController()
    const waiting = lock.acquire('a', { signal: aborter.signal })
    aborter.abort(new Error('no longer wanted'))
    await expect(waiting).rejects.toMatchObject({ name: 'AbortedError', cause: { message: 'no longer wanted' } })
    await expect(lock.acquire('b', { signal: aborter.signal })).rejects.toThrow(AbortedError)
    hold.release()
    await nextTurn()
    expect(lock.size).toBe(0)
  })

  it('passes over those who gave up, however many, and serves the next', async () => {
    const lock = new KeyedLock()
    const hold = await lock.acquire('a')
    const aborter = new AbortController()
    const gone = Array.from({ length: 10_000 }, () => lock.acquire('a', { signal: aborter.signal }).catch(() => 'gone'))
    const last = lock.acquire('a', { label: 'last' })
    aborter.abort()
    expect(new Set(await Promise.all(gone))).toEqual(new Set(['gone']))
    expect(lock.stateOf('a')?.waiting).toBe(1)
    hold.release()
    expect((await last).label).toBe('last')
    ;(await last).release()
    await nextTurn()
    expect(lock.size).toBe(0)
  })

  it('serves one who comes while the turns of those who gave up run out', async () => {
    const lock = new KeyedLock()
    const hold = await lock.acquire('a')
    const aborter = new AbortController()
    const gone = Array.from({ length: 3 }, () => lock.acquire('a', { signal: aborter.signal }).catch(() => 'gone'))
    aborter.abort()
    hold.release()
    const newcomer = lock.acquire('a')
    ;(await newcomer).release()
    await Promise.all(gone)
    await nextTurn()
    expect(lock.size).toBe(0)
  })

  it('refuses one more than maxQueue at once, and lets others in when one has left', async () => {
    const lock = new KeyedLock()
    const hold = await lock.acquire('a')
    const abort = new AbortController()
    const leaves = lock.acquire('a', { signal: abort.signal }).catch(() => 'left')
    const waits = lock.acquire('a')
    await expect(lock.acquire('a', { maxQueue: 2 })).rejects.toBeInstanceOf(LockQueueFullError)
    expect(lock.stateOf('a')).toMatchObject({ waiting: 2 })
    abort.abort()
    expect(await leaves).toBe('left')
    const last = lock.acquire('a', { maxQueue: 2 })
    hold.release()
    ;(await waits).release()
    ;(await last).release()
    expect(lock.size).toBe(0)
    ;(await lock.acquire('a', { maxQueue: 0 })).release()
  })

  it('lets 200,000 wait where nothing else is said, and each costs as little as the first', { timeout: 30_000 }, async () => {
    const lock = new KeyedLock()
    const hold = await lock.acquire('a')
    const waiting = Array.from({ length: 200_000 }, () => lock.acquire('a').then((each) => each.release()))
    await expect(lock.acquire('a')).rejects.toBeInstanceOf(LockQueueFullError)
    hold.release()
    await Promise.all(waiting)
    expect(lock.size).toBe(0)
  })

  it('refuses a key that is no string', async () => {
    const key = ['a', 'b'] as unknown as string
    await expect(new KeyedLock().acquire(key)).rejects.toThrow(ConfigurationError)
  })

  it('keeps no memory of keys, nor of those who gave up behind a long hold', { timeout: 30_000 }, async () => {
    const lock = new KeyedLock()
    const churn = async (): Promise<void> => {
      for (let i = 0; i < 20_000; i++) (await lock.acquire(`key ${i}`)).release()
      const hold = await lock.acquire('long')
      for (let i = 0; i < 20_000; i++) await lock.acquire('long', { deadline: 0 }).catch(() => 'gone')
      expect(lock.stateOf('long')?.waiting).toBe(0)
      const before = heapBytes()
      for (let i = 0; i < 20_000; i++) await lock.acquire('long', { deadline: 0 }).catch(() => 'gone')
      expect(heapBytes() - before).toBeLessThan(1_000_000)
      hold.release()
    }
    await churn()
    const before = heapBytes()
    await churn()
    expect(heapBytes() - before).toBeLessThan(1_000_000)
    await nextTurn()
    expect(lock.size).toBe(0)
  })
})

describe('Hold.release', () => {
  it('throws when it was released before, and leaves the next holder alone', async () => {
    const lock = new KeyedLock()
    const hold = await lock.acquire('a', { label: 'once' })
    hold.release()
    const next = await lock.acquire('a')
    expect(() => hold.release()).toThrow(ScopeClosedError)
    expect(() => hold.release()).toThrow('lock "a" by once was released before')
    expect(lock.stateOf('a')).toBeDefined()
    next.release()
  })

  it('is what the end of a using block does', async () => {
    const lock = new KeyedLock()
    {
      using hold = await lock.acquire('a')
      expect(lock.stateOf(hold.key)).toBeDefined()
    }
    expect(lock.size).toBe(0)
  })
})

describe('the lock channel', () => {
  it('tells of holds, releases, time-outs and aborts, with who and how long', async () => {
    const events: LockEvent[] = []
    const listener = (event: LockEvent): void => void events.push(event)
    lockEvents.subscribe(listener)
    try {
      const lock = new KeyedLock()
      const hold = await lock.acquire('a', { label: 'holder' })
      await lock.acquire('a', { label: 'late', deadline: 0 }).catch(() => {})
      const aborter = new AbortController()
      const waiting = lock.acquire('a', { label: 'leaver', signal: aborter.signal }).catch(() => {})
      aborter.abort()
      await waiting
      hold.release()
    } finally {
      lockEvents.unsubscribe(listener)
    }
    expect(events.map(({ type, label }) => [type, label])).toEqual([
      ['acquired', 'holder'],
      ['timedOut', 'late'],
      ['aborted', 'leaver'],
      ['released', 'holder'],
    ])
    expect(events.every((event) => event.key === 'a' && !event.isReentry)).toBe(true)
    expect(events.at(-1)).toMatchObject({ heldMs: expect.any(Number) })
  })
})

describe('KeyedLock under any order of calls', () => {
  const KEYS = ['a', 'b', 'c']
  const step = fc.oneof(
    { weight: 5, arbitrary: fc.record({ do: fc.constant('acquire' as const), key: fc.constantFrom(...KEYS), isLate: fc.boolean() }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('release' as const), key: fc.constantFrom(...KEYS) }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('abort' as const), which: fc.nat(40) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('microtask' as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('turn' as const) }) },
  )

  it('never has two holders, loses no waiter, keeps the order and every context, and ends empty', { timeout: 60_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const run = new ModelRun()
        for (const each of steps) {
          if (each.do === 'acquire') run.acquire(each.key, each.isLate)
          else if (each.do === 'release') run.release(each.key)
          else if (each.do === 'abort') run.abort(each.which)
          else if (each.do === 'microtask') await Promise.resolve()
          else await nextTurn()
        }
        await run.drain(KEYS)
      }),
      { numRuns: 2_000 },
    )
  })
})

/** What callers of a lock may rely on, checked after each thing that happens. */
class ModelRun {
  readonly #lock = new KeyedLock()
  readonly #context = new AsyncLocalStorage<number>()
  readonly #holders = new Map<string, () => void>()
  readonly #lastServed = new Map<string, number>()
  readonly #aborters: AbortController[] = []
  readonly #settled: Promise<'served' | 'gone'>[] = []

  acquire(key: string, isLate: boolean): void {
    const id = this.#aborters.length
    const aborter = new AbortController()
    this.#aborters.push(aborter)
    const isTaken = this.#lock.stateOf(key) !== undefined
    this.#settled.push(this.#context.run(id, () => this.#hold(id, key, isLate, aborter.signal, isTaken)))
  }

  async #hold(id: number, key: string, isLate: boolean, signal: AbortSignal, isTaken: boolean): Promise<'served' | 'gone'> {
    try {
      const hold = await this.#lock.acquire(key, isLate ? { signal, deadline: 0 } : { signal })
      expect(this.#context.getStore()).toBe(id)
      expect(this.#holders.has(key)).toBe(false)
      expect(id).toBeGreaterThan(this.#lastServed.get(key) ?? -1)
      this.#lastServed.set(key, id)
      this.#holders.set(key, () => hold.release())
      return 'served'
    } catch (error) {
      expect(this.#context.getStore()).toBe(id)
      if (error instanceof AbortedError) expect(signal.aborted).toBe(true)
      else if (error instanceof LockTimeoutError) expect([isLate, isTaken]).toEqual([true, true])
      else throw error
      return 'gone'
    }
  }

  release(key: string): void {
    const release = this.#holders.get(key)
    this.#holders.delete(key)
    release?.()
  }

  abort(which: number): void {
    this.#aborters[which]?.abort()
  }

  async drain(keys: readonly string[]): Promise<void> {
    // each turn must serve somebody, so that as many turns as there were callers are enough
    for (let i = 0; i <= this.#settled.length; i++) {
      await nextTurn()
      for (const key of keys) this.release(key)
    }
    await nextTurn()
    const outcomes = await Promise.race([Promise.all(this.#settled), nextTurn().then(() => 'somebody still waits')])
    expect(outcomes).toHaveLength(this.#settled.length)
    expect(this.#lock.size).toBe(0)
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

function heapBytes(): number {
  collectGarbage()
  return process.memoryUsage().heapUsed
}
