import { AsyncLocalStorage } from 'node:async_hooks'
import { getEventListeners } from 'node:events'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { AbortedError, PoolClosedError, PoolQueueFullError, ScopeClosedError } from '../../../lib/errors.js'
import { type PoolEvent, poolEvents } from '../../../lib/events.js'
import { acquireNow, createPool, endedBy, FakeConnector, FakeMember, Gate, outcomeOf, request, settle, warmPool } from './fake-connector.js'

let connector: FakeConnector

beforeEach(() => {
  connector = new FakeConnector()
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate', 'performance'] })
})

afterEach(() => {
  vi.useRealTimers()
})

describe('ConnectionPool.acquire', () => {
  it('gives an idle connection at once, not as a promise', async () => {
    const pool = await warmPool(connector, 1)
    expect(pool.acquire(request())).toBe(connector.members[0])
  })

  it('opens a connection where none is there', async () => {
    const pool = createPool(connector)
    expect(await pool.acquire(request())).toBe(connector.members[0])
    expect(pool.stats()).toMatchObject({ open: 1, idle: 0, leased: 1, waiting: 0, created: 1 })
  })

  it('lends the connection that was used last', async () => {
    const pool = await warmPool(connector, 3)
    const [first, second] = [acquireNow(pool), acquireNow(pool)]
    pool.release(second, 'clean')
    pool.release(first, 'clean')
    expect(acquireNow(pool)).toBe(first)
  })

  it('serves 100 waiters on one connection strictly in the order in which they came', async () => {
    const pool = await warmPool(connector, 1)
    const served: number[] = []
    const callers = Array.from({ length: 100 }, async (_, caller) => {
      const member = await pool.acquire(request())
      served.push(caller)
      await null
      pool.release(member, 'clean')
    })
    await Promise.all(callers)
    expect(served).toEqual(Array.from({ length: 100 }, (_, caller) => caller))
  })

  it('never opens more than maxConnections, whatever the number of callers', async () => {
    const pool = createPool(connector, { maxConnections: 4 })
    const callers = Array.from({ length: 300 }, async () => {
      const member = await pool.acquire(request())
      await null
      pool.release(member, 'clean')
    })
    await Promise.all(callers)
    expect(connector.mostOpen).toBe(4)
    expect(pool.stats()).toMatchObject({ open: 4, idle: 4, leased: 0, waiting: 0, created: 4 })
    expect(endedBy(pool)).toBe(0)
  })

  it('makes one dial for each waiter without one, and no more', async () => {
    const gate = new Gate()
    connector.whileOpening = () => gate.opened
    const pool = createPool(connector, { maxConnections: 5 })
    const callers = [pool.acquire(request()), pool.acquire(request())]
    expect(connector.dials).toBe(2)
    gate.open()
    await Promise.all(callers)
    expect(pool.stats()).toMatchObject({ open: 2, leased: 2, dialling: 0 })
  })

  it('gives a waiter whichever comes first, a returned connection or a new one', async () => {
    const gate = new Gate()
    const pool = createPool(connector, { maxConnections: 2 })
    const first = await pool.acquire(request())
    connector.whileOpening = () => gate.opened
    const second = pool.acquire(request())
    pool.release(first, 'clean')
    expect(await second).toBe(first)
    gate.open()
    await settle()
    expect(pool.stats()).toMatchObject({ open: 2, idle: 1, leased: 1 })
  })

  it('keeps 1,000 waiters in their own async contexts, and dials outside all of them', async () => {
    const store = new AsyncLocalStorage<number>()
    const seenByDials: unknown[] = []
    connector.whileOpening = () => void seenByDials.push(store.getStore())
    const pool = createPool(connector, { maxConnections: 7 })
    const seen = await Promise.all(
      Array.from({ length: 1_000 }, (_, caller) =>
        store.run(caller, async () => {
          const before = await pool.acquire(request())
          const context = store.getStore()
          await null
          pool.release(before, 'clean')
          return context
        }),
      ),
    )
    expect(seen).toEqual(Array.from({ length: 1_000 }, (_, caller) => caller))
    expect(seenByDials).toEqual(Array.from({ length: 7 }, () => undefined))
  })

  it('refuses a caller beyond maxQueue at once; those whom a dial will serve do not count', async () => {
    connector.whileOpening = () => new Gate().opened
    const pool = createPool(connector, { maxConnections: 2, maxQueue: 3 })
    const outcomes = Array.from({ length: 10 }, () => outcomeOf(pool.acquire(request())))
    await settle()
    expect(outcomes.map(({ isSettled }) => isSettled)).toEqual([...Array(5).fill(false), ...Array(5).fill(true)])
    expect(outcomes[5]!.error).toBeInstanceOf(PoolQueueFullError)
    expect(pool.stats().waiting).toBe(5)
  })

  it('serves without any queue, from cold', async () => {
    const pool = createPool(connector, { maxConnections: 1, maxQueue: 0 })
    const first = await pool.acquire(request())
    await expect(pool.acquire(request())).rejects.toBeInstanceOf(PoolQueueFullError)
    pool.release(first, 'clean')
    expect(acquireNow(pool)).toBe(first)
  })

  it('rejects an aborted waiter with the reason of its signal, and serves the next', async () => {
    const pool = await warmPool(connector, 1)
    const held = acquireNow(pool)
    const abort = new AbortController()
    const aborted = pool.acquire(request('aborted', { signal: abort.signal }))
    const next = pool.acquire(request('next'))
    abort.abort('enough')
    await expect(aborted).rejects.toMatchObject({ code: 'ABORTED', cause: 'enough' })
    pool.release(held, 'clean')
    expect(await next).toBe(held)
  })

  it('refuses a signal that is aborted already, though a connection is idle', async () => {
    const pool = await warmPool(connector, 1)
    await expect(pool.acquire(request('late', { signal: AbortSignal.abort() }))).rejects.toBeInstanceOf(AbortedError)
    expect(pool.stats()).toMatchObject({ idle: 1, leased: 0, waiting: 0 })
  })

  it('leaves no listener on a signal that 500 callers share', async () => {
    const pool = createPool(connector, { maxConnections: 3 })
    const { signal } = new AbortController()
    const warnings: unknown[] = []
    const onWarning = (warning: unknown) => warnings.push(warning)
    process.on('warning', onWarning)
    await Promise.all(
      Array.from({ length: 500 }, async () => {
        const member = await pool.acquire(request('shared', { signal }))
        pool.release(member, 'clean')
      }),
    )
    await new Promise((resolve) => process.nextTick(resolve))
    process.off('warning', onWarning)
    expect(getEventListeners(signal, 'abort')).toEqual([])
    expect(warnings).toEqual([])
  })

  it('publishes what happened to a connection', async () => {
    const events: PoolEvent[] = []
    const listener = (event: PoolEvent) => events.push(event)
    poolEvents.subscribe(listener)
    const pool = createPool(connector)
    pool.release(await pool.acquire(request('UserReadNode')), 'broken')
    await settle()
    poolEvents.unsubscribe(listener)
    expect(events.map(({ type }) => type)).toEqual(['connected', 'acquired', 'released', 'disconnected'])
    expect(events[1]).toMatchObject({ pool: 'fake:target#00000001', label: 'UserReadNode', waitedMs: 0 })
    expect(events[3]).toMatchObject({ reason: 'broken' })
  })
})

describe('ConnectionPool.release', () => {
  it('refuses a connection that is released twice, or was never lent', async () => {
    const pool = await warmPool(connector, 1)
    const member = acquireNow(pool)
    pool.release(member, 'clean')
    expect(() => pool.release(member, 'clean')).toThrow(ScopeClosedError)
    expect(() => pool.release(new FakeMember(99), 'clean')).toThrow(ScopeClosedError)
    expect(pool.stats()).toMatchObject({ open: 1, idle: 1 })
  })

  it('resets a tainted connection before anybody else has it', async () => {
    const gate = new Gate()
    connector.whileResetting = () => gate.opened
    const pool = await warmPool(connector, 1)
    const member = acquireNow(pool)
    const next = outcomeOf(pool.acquire(request()))
    pool.release(member, 'tainted')
    await settle()
    expect(next.isSettled).toBe(false)
    gate.open()
    await settle()
    expect(next.value).toBe(member)
    expect(connector.resets).toBe(1)
  })

  it('does not reset a clean one', async () => {
    const pool = await warmPool(connector, 1)
    pool.release(acquireNow(pool), 'clean')
    await settle()
    expect(connector.resets).toBe(0)
  })

  it('destroys a connection whose reset fails, and replaces it for who waits', async () => {
    connector.whileResetting = () => {
      throw new Error('reset failed')
    }
    const pool = await warmPool(connector, 1)
    const member = acquireNow(pool)
    const next = pool.acquire(request())
    pool.release(member, 'tainted')
    expect(await next).toBe(connector.members[1])
    expect(member.isClosed).toBe(true)
    expect(pool.stats().destroyed.reset).toBe(1)
  })

  it('destroys a connection whose reset does not end', async () => {
    connector.whileResetting = () => new Gate().opened
    const pool = await warmPool(connector, 1)
    pool.release(acquireNow(pool), 'tainted')
    await vi.advanceTimersByTimeAsync(760)
    expect(pool.stats()).toMatchObject({ open: 0 })
    expect(endedBy(pool)).toBe(1)
  })

  it('lets nobody wait for the close of a connection whose reset failed, where there is room for another', async () => {
    const reset = new Gate()
    connector.whileResetting = () => reset.opened
    connector.whileClosing = () => new Gate().opened
    const pool = await warmPool(connector, 1, { maxConnections: 2 })
    pool.release(acquireNow(pool), 'tainted')
    const waiting = outcomeOf(pool.acquire(request()))
    reset.fail(new Error('no reset'))
    await settle()
    expect(waiting.value).toBe(connector.members[1])
  })

  it.each([
    ['given back as broken', (member: FakeMember) => ({ condition: 'broken' as const, member })],
    ['found broken', (member: FakeMember) => ({ condition: 'clean' as const, member: Object.assign(member, { isBroken: true }) })],
  ])('destroys a connection that is %s, and replaces it for who waits', async (_, spoil) => {
    const pool = await warmPool(connector, 1)
    const spoilt = spoil(acquireNow(pool))
    const next = pool.acquire(request())
    pool.release(spoilt.member, spoilt.condition)
    expect(await next).toBe(connector.members[1])
    expect(spoilt.member.isClosed).toBe(true)
    expect(pool.stats()).toMatchObject({ open: 1, leased: 1, created: 2 })
    expect(endedBy(pool)).toBe(1)
  })

  it('does not replace a broken one when nobody waits', async () => {
    const pool = await warmPool(connector, 1)
    pool.release(acquireNow(pool), 'broken')
    await settle()
    expect(connector.dials).toBe(1)
    expect(pool.stats()).toMatchObject({ open: 0, idle: 0 })
  })

  it('waits for a connection to be closed before another takes its place, at most a second', async () => {
    connector.whileClosing = () => new Gate().opened
    const pool = await warmPool(connector, 1)
    pool.release(acquireNow(pool), 'broken')
    const next = outcomeOf(pool.acquire(request()))
    await vi.advanceTimersByTimeAsync(900)
    expect(connector.dials).toBe(1)
    await vi.advanceTimersByTimeAsync(110)
    expect(next.value).toBe(connector.members[1])
  })
})

describe('ConnectionPool.close', () => {
  it('refuses queued and new callers at once, and closes idle connections', async () => {
    const pool = await warmPool(connector, 2)
    const held = [acquireNow(pool), acquireNow(pool)]
    const queued = outcomeOf(pool.acquire(request()))
    pool.release(held[0]!, 'clean')
    const [, second] = [await queued, outcomeOf(pool.acquire(request()))]
    const closing = pool.close(1_000)
    await settle()
    expect(second.error).toBeInstanceOf(PoolClosedError)
    await expect(pool.acquire(request())).rejects.toBeInstanceOf(PoolClosedError)
    pool.release(held[0]!, 'clean')
    pool.release(held[1]!, 'clean')
    await closing
    expect(pool.stats()).toMatchObject({ open: 0, idle: 0, leased: 0, waiting: 0 })
    expect(endedBy(pool)).toBe(2)
    expect(connector.openNow).toBe(0)
  })

  it('waits for running calls, then settles as soon as they are done', async () => {
    const pool = await warmPool(connector, 1)
    const held = acquireNow(pool)
    const closing = outcomeOf(pool.close(10_000))
    await vi.advanceTimersByTimeAsync(500)
    expect(closing.isSettled).toBe(false)
    pool.release(held, 'clean')
    await settle()
    expect(closing.isSettled).toBe(true)
    expect(held.isClosed).toBe(true)
  })

  it('ends what still runs after timeoutMs; its release is then taken once', async () => {
    const pool = await warmPool(connector, 1)
    const held = acquireNow(pool)
    const closing = outcomeOf(pool.close(100))
    await vi.advanceTimersByTimeAsync(110)
    expect(closing.isSettled).toBe(true)
    expect(held.isClosed).toBe(true)
    pool.release(held, 'clean')
    expect(() => pool.release(held, 'clean')).toThrow(ScopeClosedError)
    expect(connector.closes).toBe(1)
  })

  it('settles though neither a dial nor a close ever ends', async () => {
    connector.whileClosing = () => new Gate().opened
    const pool = await warmPool(connector, 1, { maxConnections: 2 })
    acquireNow(pool)
    connector.whileOpening = () => new Gate().opened
    const queued = outcomeOf(pool.acquire(request()))
    const closing = outcomeOf(pool.close(100))
    await vi.advanceTimersByTimeAsync(1_200)
    expect(queued.error).toBeInstanceOf(PoolClosedError)
    expect(closing.isSettled).toBe(true)
  })

  it('closes a connection that was being made', async () => {
    const gate = new Gate()
    connector.whileOpening = () => gate.opened
    const pool = createPool(connector)
    const queued = outcomeOf(pool.acquire(request()))
    const closing = outcomeOf(pool.close(1_000))
    await settle()
    expect(queued.error).toBeInstanceOf(PoolClosedError)
    expect(closing.isSettled).toBe(false)
    gate.open()
    await settle()
    expect(closing.isSettled).toBe(true)
    expect(connector.members[0]!.isClosed).toBe(true)
  })

  it('is one close, however many ask for it', async () => {
    const pool = await warmPool(connector, 3)
    await Promise.all(Array.from({ length: 10 }, () => pool.close(1_000)))
    await pool.close(1_000)
    expect(connector.closes).toBe(3)
  })

  it('leaves no timer behind', async () => {
    const pool = await warmPool(connector, 3, { minConnections: 2 })
    const held = acquireNow(pool)
    const closing = pool.close(1_000)
    pool.release(held, 'tainted')
    await closing
    expect(vi.getTimerCount()).toBe(0)
    expect(connector.resets).toBe(0)
  })

  it('opens nothing more once it has begun', async () => {
    const pool = await warmPool(connector, 2, { minConnections: 2 })
    await pool.close(0)
    await vi.advanceTimersByTimeAsync(20_000)
    expect(connector.dials).toBe(2)
    await expect(pool.warm(2, Infinity)).rejects.toBeInstanceOf(PoolClosedError)
  })
})
