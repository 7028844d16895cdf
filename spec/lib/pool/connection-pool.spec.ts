import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { deadlineAfter } from '../../../lib/deadline.js'
import {
  AbortedError,
  ConnectionError,
  PoolClosedError,
  PoolExhaustedError,
  PoolQueueFullError,
  PoolTimeoutError,
  ScopeClosedError,
} from '../../../lib/errors.js'
import { type PoolEvent, poolEvents } from '../../../lib/events.js'
import { ConnectionBudget } from '../../../lib/pool/connection-budget.js'
import { ConnectionPool } from '../../../lib/pool/connection-pool.js'
import { type PoolOptions, poolOptions } from '../../../lib/pool/pool-options.js'
import { FakeConnector, FakeMember, Gate, outcomeOf, request, settle } from './fake-connector.js'

let connector: FakeConnector

function createPool(given: Partial<PoolOptions> = {}, budget?: ConnectionBudget): ConnectionPool<FakeMember> {
  return new ConnectionPool('fake:target#0001', connector, { ...poolOptions(), ...given }, budget)
}

/** A pool with `count` idle connections. */
async function warmPool(count: number, given: Partial<PoolOptions> = {}): Promise<ConnectionPool<FakeMember>> {
  const pool = createPool({ maxConnections: count, ...given })
  await pool.warm(count, Infinity)
  return pool
}

function acquireNow(pool: ConnectionPool<FakeMember>, label?: string): FakeMember {
  const member = pool.acquire(request(label))
  if (member instanceof Promise) throw new Error('expected an idle connection')
  return member
}

beforeEach(() => {
  connector = new FakeConnector()
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate', 'performance'] })
})

afterEach(() => {
  vi.useRealTimers()
})

describe('ConnectionPool.acquire', () => {
  it('gives an idle connection at once, not as a promise', async () => {
    const pool = await warmPool(1)
    expect(pool.acquire(request())).toBe(connector.members[0])
  })

  it('opens a connection where none is there', async () => {
    const pool = createPool()
    expect(await pool.acquire(request())).toBe(connector.members[0])
    expect(pool.stats()).toMatchObject({ open: 1, idle: 0, leased: 1, waiting: 0, created: 1 })
  })

  it('lends the connection that was used last', async () => {
    const pool = await warmPool(3)
    const [first, second] = [acquireNow(pool), acquireNow(pool)]
    pool.release(second, 'clean')
    pool.release(first, 'clean')
    expect(acquireNow(pool)).toBe(first)
  })

  it('serves 100 waiters on one connection strictly in the order in which they came', async () => {
    const pool = await warmPool(1)
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
    const pool = createPool({ maxConnections: 4 })
    const callers = Array.from({ length: 300 }, async () => {
      const member = await pool.acquire(request())
      await null
      pool.release(member, 'clean')
    })
    await Promise.all(callers)
    expect(connector.mostOpen).toBe(4)
    expect(pool.stats()).toMatchObject({ open: 4, idle: 4, leased: 0, waiting: 0, created: 4, destroyed: 0 })
  })

  it('makes one dial for each waiter without one, and no more', async () => {
    const gate = new Gate()
    connector.whileOpening = () => gate.opened
    const pool = createPool({ maxConnections: 5 })
    const callers = [pool.acquire(request()), pool.acquire(request())]
    expect(connector.dials).toBe(2)
    gate.open()
    await Promise.all(callers)
    expect(pool.stats()).toMatchObject({ open: 2, leased: 2, dialling: 0 })
  })

  it('gives a waiter whichever comes first, a returned connection or a new one', async () => {
    const gate = new Gate()
    const pool = createPool({ maxConnections: 2 })
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
    const { AsyncLocalStorage } = await import('node:async_hooks')
    const store = new AsyncLocalStorage<number>()
    const seenByDials: unknown[] = []
    connector.whileOpening = () => void seenByDials.push(store.getStore())
    const pool = createPool({ maxConnections: 7 })
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
    const pool = createPool({ maxConnections: 2, maxQueue: 3 })
    const outcomes = Array.from({ length: 10 }, () => outcomeOf(pool.acquire(request())))
    await settle()
    expect(outcomes.map(({ isSettled }) => isSettled)).toEqual([...Array(5).fill(false), ...Array(5).fill(true)])
    expect(outcomes[5]!.error).toBeInstanceOf(PoolQueueFullError)
    expect(pool.stats().waiting).toBe(5)
  })

  it('serves without any queue, from cold', async () => {
    const pool = createPool({ maxConnections: 1, maxQueue: 0 })
    const first = await pool.acquire(request())
    await expect(pool.acquire(request())).rejects.toBeInstanceOf(PoolQueueFullError)
    pool.release(first, 'clean')
    expect(acquireNow(pool)).toBe(first)
  })

  it('rejects an aborted waiter with the reason of its signal, and serves the next', async () => {
    const pool = await warmPool(1)
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
    const pool = await warmPool(1)
    await expect(pool.acquire(request('late', { signal: AbortSignal.abort() }))).rejects.toBeInstanceOf(AbortedError)
    expect(pool.stats()).toMatchObject({ idle: 1, leased: 0, waiting: 0 })
  })

  it('leaves no listener on a signal that 500 callers share', async () => {
    const { getEventListeners } = await import('node:events')
    const pool = createPool({ maxConnections: 3 })
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
    const pool = createPool()
    pool.release(await pool.acquire(request('UserReadNode')), 'broken')
    await settle()
    poolEvents.unsubscribe(listener)
    expect(events.map(({ type }) => type)).toEqual(['connected', 'acquired', 'released', 'disconnected'])
    expect(events[1]).toMatchObject({ pool: 'fake:target#0001', label: 'UserReadNode', waitedMs: 0 })
    expect(events[3]).toMatchObject({ reason: 'broken' })
  })
})

describe('ConnectionPool deadlines', () => {
  it('rejects each waiter at its own deadline, which nothing sets anew', async () => {
    const pool = await warmPool(1)
    const held = acquireNow(pool)
    const [short, long] = [
      outcomeOf(pool.acquire(request('short', { deadline: deadlineAfter(100) }))),
      outcomeOf(pool.acquire(request('long', { deadline: deadlineAfter(300) }))),
    ]
    const shortest = outcomeOf(pool.acquire(request('shortest', { deadline: deadlineAfter(50) })))
    await vi.advanceTimersByTimeAsync(60)
    expect([short.isSettled, long.isSettled, shortest.isSettled]).toEqual([false, false, true])
    await vi.advanceTimersByTimeAsync(60)
    expect([short.isSettled, long.isSettled]).toEqual([true, false])
    await vi.advanceTimersByTimeAsync(170)
    expect(long.isSettled).toBe(false)
    await vi.advanceTimersByTimeAsync(20)
    expect(long.error).toBeInstanceOf(PoolTimeoutError)
    pool.release(held, 'clean')
    expect(pool.stats()).toMatchObject({ idle: 1, waiting: 0 })
  })

  it('says in the error what is open, lent and waiting, and who has held longest', async () => {
    const pool = await warmPool(4)
    for (const label of ['oldest', 'older', 'old', 'new']) {
      acquireNow(pool, label)
      await vi.advanceTimersByTimeAsync(100)
    }
    const late = [1, 2].map(() => outcomeOf(pool.acquire(request('late', { deadline: deadlineAfter(100) }))))
    await vi.advanceTimersByTimeAsync(150)
    const error = late[0]!.error as PoolTimeoutError
    expect(error).toMatchObject({ open: 4, leased: 4, waiting: 2 })
    expect(error.holders.map(({ label }) => label)).toEqual(['oldest', 'older', 'old'])
    expect(error.holders[0]!.heldMs).toBeCloseTo(500, -1)
    expect(error.message).toContain('4 of 4 in use, 2 waiting; held by oldest for 50')
  })

  it('passes over waiters who gave up', async () => {
    const pool = await warmPool(1)
    const held = acquireNow(pool)
    const gone = Array.from({ length: 50 }, () => outcomeOf(pool.acquire(request('gone', { deadline: deadlineAfter(10) }))))
    const patient = pool.acquire(request('patient'))
    await vi.advanceTimersByTimeAsync(20)
    expect(gone.every(({ error }) => error instanceof PoolTimeoutError)).toBe(true)
    pool.release(held, 'clean')
    expect(await patient).toBe(held)
  })

  it('sets one timer for any number of deadlines', async () => {
    const pool = await warmPool(1)
    const before = vi.getTimerCount()
    acquireNow(pool)
    const outcomes = Array.from({ length: 200 }, (_, caller) =>
      outcomeOf(pool.acquire(request('waiter', { deadline: deadlineAfter(1_000 - caller) }))),
    )
    expect(vi.getTimerCount() - before).toBe(1)
    await vi.advanceTimersByTimeAsync(1_010)
    expect(outcomes.every(({ isSettled }) => isSettled)).toBe(true)
    expect(vi.getTimerCount() - before).toBe(0)
  })

  it('serves a waiter whose connection is ready when a late timer fires', async () => {
    vi.useRealTimers()
    const pool = await warmPool(1)
    const held = acquireNow(pool)
    const answer = await loopback()
    answer.arrived.then(() => pool.release(held, 'clean'))
    const waiting = pool.acquire(request('waiting', { deadline: deadlineAfter(30) }))
    // the loop stands still past the deadline; then it runs timers first, and reads sockets after that
    answer.send()
    stall(100)
    expect(await waiting).toBe(held)
    answer.close()
  })
})

describe('ConnectionPool dials', () => {
  it('rejects only the first waiter with the error of a failed dial, and dials again for the next', async () => {
    const pool = createPool({ maxConnections: 1 })
    const refusal = new ConnectionError('refused')
    connector.whileOpening = (dial) => {
      if (dial === 1) throw refusal
    }
    const [first, second] = [pool.acquire(request()), pool.acquire(request())]
    await expect(first).rejects.toBe(refusal)
    expect(await second).toBe(connector.members[0])
  })

  it('rejects every waiter in turn when the server takes nobody, and serves again as soon as it does', async () => {
    const pool = createPool({ maxConnections: 3 })
    connector.whileOpening = () => {
      throw new ConnectionError('down')
    }
    const outcomes = Array.from({ length: 20 }, () => outcomeOf(pool.acquire(request())))
    await settle()
    await settle()
    await settle()
    expect(outcomes.filter(({ error }) => error instanceof ConnectionError)).toHaveLength(20)
    connector.whileOpening = () => undefined
    expect(await pool.acquire(request())).toBe(connector.members[0])
  })

  it('stops growing at the limit of the server, and serves everybody with what it has', async () => {
    let admitted = 0
    connector.whileOpening = () => {
      if (admitted === 30) throw new ConnectionError('too many connections')
      admitted++
    }
    const pool = createPool({ maxConnections: 60 })
    const callers = Array.from({ length: 300 }, async () => {
      const member = await pool.acquire(request('caller', { deadline: deadlineAfter(5_000) }))
      await new Promise((resolve) => setTimeout(resolve, 10))
      pool.release(member, 'clean')
    })
    await vi.advanceTimersByTimeAsync(2_000)
    await Promise.all(callers)
    expect(pool.stats()).toMatchObject({ open: 30, idle: 30, waiting: 0 })
    // 60 at once, then one probe after each pause
    expect(connector.dials).toBeLessThan(70)
  })

  it('dials again, after a pause, while callers wait for a connection that does not come back', async () => {
    const pool = await warmPool(1, { maxConnections: 2 })
    acquireNow(pool)
    connector.whileOpening = () => {
      throw new ConnectionError('too many connections')
    }
    const waiting = outcomeOf(pool.acquire(request()))
    await vi.advanceTimersByTimeAsync(40)
    expect(connector.dials).toBe(2)
    connector.whileOpening = () => undefined
    await vi.advanceTimersByTimeAsync(20)
    expect(waiting.value).toBe(connector.members[1])
  })

  it('gives the refusal of the server as the cause when the deadline passes', async () => {
    const pool = await warmPool(1, { maxConnections: 2 })
    acquireNow(pool)
    const refusal = new ConnectionError('too many connections')
    connector.whileOpening = () => {
      throw refusal
    }
    const waiting = outcomeOf(pool.acquire(request('waiting', { deadline: deadlineAfter(100) })))
    await vi.advanceTimersByTimeAsync(110)
    expect(waiting.error).toMatchObject({ code: 'POOL_TIMEOUT', cause: refusal })
  })

  it('rejects at the deadline when a dial is not answered, and says so', async () => {
    connector.whileOpening = () => new Gate().opened
    const pool = createPool()
    const waiting = outcomeOf(pool.acquire(request('waiting', { deadline: deadlineAfter(100) })))
    await vi.advanceTimersByTimeAsync(110)
    expect(waiting.error).toMatchObject({ code: 'POOL_TIMEOUT', cause: { code: 'CONNECTION' } })
  })

  it('keeps the connection of a waiter who left while it was made', async () => {
    const gate = new Gate()
    connector.whileOpening = () => gate.opened
    const pool = createPool()
    const abort = new AbortController()
    const aborted = outcomeOf(pool.acquire(request('left', { signal: abort.signal })))
    abort.abort()
    gate.open()
    await settle()
    expect(aborted.error).toBeInstanceOf(AbortedError)
    expect(pool.stats()).toMatchObject({ open: 1, idle: 1 })
  })

  it('warms up to a number of connections, and fails with the first failure', async () => {
    const pool = await warmPool(3)
    expect(pool.stats()).toMatchObject({ open: 3, idle: 3 })
    const failing = createPool()
    connector.whileOpening = () => {
      throw new ConnectionError('down')
    }
    await expect(failing.warm(2, Infinity)).rejects.toBeInstanceOf(ConnectionError)
    expect(failing.stats()).toMatchObject({ open: 0, dialling: 0 })
  })
})

describe('ConnectionPool.release', () => {
  it('refuses a connection that is released twice, or was never lent', async () => {
    const pool = await warmPool(1)
    const member = acquireNow(pool)
    pool.release(member, 'clean')
    expect(() => pool.release(member, 'clean')).toThrow(ScopeClosedError)
    expect(() => pool.release(new FakeMember(99), 'clean')).toThrow(ScopeClosedError)
    expect(pool.stats()).toMatchObject({ open: 1, idle: 1 })
  })

  it('resets a tainted connection before anybody else has it', async () => {
    const gate = new Gate()
    connector.whileResetting = () => gate.opened
    const pool = await warmPool(1)
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
    const pool = await warmPool(1)
    pool.release(acquireNow(pool), 'clean')
    await settle()
    expect(connector.resets).toBe(0)
  })

  it('destroys a connection whose reset fails, and replaces it for who waits', async () => {
    connector.whileResetting = () => {
      throw new Error('reset failed')
    }
    const pool = await warmPool(1)
    const member = acquireNow(pool)
    const next = pool.acquire(request())
    pool.release(member, 'tainted')
    expect(await next).toBe(connector.members[1])
    expect(member.isClosed).toBe(true)
    expect(pool.stats().destroyedBy.reset).toBe(1)
  })

  it('destroys a connection whose reset does not end', async () => {
    connector.whileResetting = () => new Gate().opened
    const pool = await warmPool(1)
    pool.release(acquireNow(pool), 'tainted')
    await vi.advanceTimersByTimeAsync(5_010)
    expect(pool.stats()).toMatchObject({ open: 0, destroyed: 1 })
  })

  it.each([
    ['given back as broken', (member: FakeMember) => ({ condition: 'broken' as const, member })],
    ['found broken', (member: FakeMember) => ({ condition: 'clean' as const, member: Object.assign(member, { isBroken: true }) })],
  ])('destroys a connection that is %s, and replaces it for who waits', async (_, spoil) => {
    const pool = await warmPool(1)
    const spoilt = spoil(acquireNow(pool))
    const next = pool.acquire(request())
    pool.release(spoilt.member, spoilt.condition)
    expect(await next).toBe(connector.members[1])
    expect(spoilt.member.isClosed).toBe(true)
    expect(pool.stats()).toMatchObject({ open: 1, leased: 1, created: 2, destroyed: 1 })
  })

  it('does not replace a broken one when nobody waits', async () => {
    const pool = await warmPool(1)
    pool.release(acquireNow(pool), 'broken')
    await settle()
    expect(connector.dials).toBe(1)
    expect(pool.stats()).toMatchObject({ open: 0, idle: 0 })
  })

  it('waits for a connection to be closed before another takes its place, at most a second', async () => {
    connector.whileClosing = () => new Gate().opened
    const pool = await warmPool(1)
    pool.release(acquireNow(pool), 'broken')
    const next = outcomeOf(pool.acquire(request()))
    await vi.advanceTimersByTimeAsync(900)
    expect(connector.dials).toBe(1)
    await vi.advanceTimersByTimeAsync(110)
    expect(next.value).toBe(connector.members[1])
  })
})

describe('ConnectionPool upkeep', () => {
  it('checks a connection that was idle for validateAfterIdleMs before it lends it', async () => {
    const pool = await warmPool(1, { validateAfterIdleMs: 1_000 })
    await vi.advanceTimersByTimeAsync(999)
    pool.release(acquireNow(pool), 'clean')
    expect(connector.validations).toBe(0)
    await vi.advanceTimersByTimeAsync(1_000)
    expect(await pool.acquire(request())).toBe(connector.members[0])
    expect(connector.validations).toBe(1)
  })

  it.each([
    ['says no', () => false],
    ['throws', () => Promise.reject(new Error('contract broken'))],
  ])('destroys a connection whose check %s, and opens a new one instead of checking another', async (_, whileValidating) => {
    const pool = await warmPool(3, { maxConnections: 5 })
    connector.whileValidating = whileValidating
    await vi.advanceTimersByTimeAsync(1_000)
    expect(await pool.acquire(request())).toBe(connector.members[3])
    expect(connector.validations).toBe(1)
    expect(pool.stats()).toMatchObject({ open: 3, idle: 2, destroyedBy: { validation: 1 } })
  })

  it('opens a new one after a failed check in a full pool too', async () => {
    const pool = await warmPool(2)
    connector.whileValidating = () => false
    await vi.advanceTimersByTimeAsync(1_000)
    expect(await pool.acquire(request())).toBe(connector.members[2])
    expect(connector.validations).toBe(1)
  })

  it('gives a check one second', async () => {
    connector.whileValidating = () => new Promise<boolean>(() => undefined)
    const pool = await warmPool(1)
    await vi.advanceTimersByTimeAsync(1_000)
    const waiting = outcomeOf(pool.acquire(request()))
    await vi.advanceTimersByTimeAsync(990)
    expect(waiting.isSettled).toBe(false)
    await vi.advanceTimersByTimeAsync(20)
    expect(waiting.value).toBe(connector.members[1])
  })

  it('never lends a connection that broke while it was idle', async () => {
    const pool = await warmPool(2)
    connector.members[1]!.isBroken = true
    expect(await pool.acquire(request())).toBe(connector.members[0])
    connector.members[1]!.isBroken = true
    await settle()
    expect(pool.stats()).toMatchObject({ open: 1, destroyedBy: { broken: 1 } })
  })

  it('removes a connection that broke while it was idle, though nobody asks', async () => {
    const pool = await warmPool(2)
    connector.members[0]!.isBroken = true
    await vi.advanceTimersByTimeAsync(5_010)
    expect(pool.stats()).toMatchObject({ open: 1, idle: 1 })
    expect(connector.members[0]!.isClosed).toBe(true)
  })

  it('closes connections idle for idleTimeoutMs, keeps minConnections, and leaves lent ones alone', async () => {
    const pool = await warmPool(5, { idleTimeoutMs: 1_000, minConnections: 2 })
    const lent = acquireNow(pool)
    await vi.advanceTimersByTimeAsync(2_000)
    expect(pool.stats()).toMatchObject({ open: 2, idle: 1, leased: 1, destroyedBy: { idle: 3 } })
    expect(lent.isClosed).toBe(false)
  })

  it('fills up to minConnections again', async () => {
    const pool = await warmPool(2, { minConnections: 2 })
    pool.release(acquireNow(pool), 'broken')
    await settle()
    expect(pool.stats()).toMatchObject({ open: 2, idle: 2, created: 3 })
  })

  it('goes on trying to fill up to minConnections, without haste', async () => {
    const pool = await warmPool(1, { minConnections: 1 })
    connector.whileOpening = () => {
      throw new ConnectionError('down')
    }
    pool.release(acquireNow(pool), 'broken')
    await vi.advanceTimersByTimeAsync(20_000)
    expect(connector.dials).toBeGreaterThan(3)
    expect(connector.dials).toBeLessThan(10)
    connector.whileOpening = () => undefined
    await vi.advanceTimersByTimeAsync(5_010)
    expect(pool.stats().idle).toBe(1)
  })

  it('replaces connections at the age of maxLifetimeMs, give or take 10 %, not all at once', async () => {
    const pool = await warmPool(50, { maxLifetimeMs: 100_000, idleTimeoutMs: Infinity })
    await vi.advanceTimersByTimeAsync(89_000)
    expect(pool.stats().open).toBe(50)
    await vi.advanceTimersByTimeAsync(11_000)
    expect(pool.stats().open).toBeGreaterThan(5)
    expect(pool.stats().open).toBeLessThan(45)
    await vi.advanceTimersByTimeAsync(16_000)
    expect(pool.stats()).toMatchObject({ open: 0, destroyedBy: { lifetime: 50 } })
  })

  it('ends a connection past its lifetime when it comes back', async () => {
    const pool = await warmPool(1, { maxLifetimeMs: 1_000 })
    const member = acquireNow(pool)
    await vi.advanceTimersByTimeAsync(1_200)
    expect(member.isClosed).toBe(false)
    pool.release(member, 'clean')
    await settle()
    expect(pool.stats()).toMatchObject({ open: 0, destroyedBy: { lifetime: 1 } })
  })

  it('keeps a connection for ever where idle time and lifetime are endless', async () => {
    const pool = await warmPool(1, { idleTimeoutMs: Infinity, maxLifetimeMs: Infinity, validateAfterIdleMs: Infinity })
    await vi.advanceTimersByTimeAsync(10_000_000)
    expect(acquireNow(pool)).toBe(connector.members[0])
  })

  it('evicts nobody because the process stood still', async () => {
    vi.useRealTimers()
    const pool = await warmPool(5, { idleTimeoutMs: 200, maxLifetimeMs: 300 })
    stall(400)
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect(pool.stats()).toMatchObject({ open: 5, destroyed: 0 })
    await pool.close(100)
  })

  it('lets the process end: its own timers do not hold it', async () => {
    vi.useRealTimers()
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
    const before = timers()
    const pool = await warmPool(2, { minConnections: 1 })
    pool.release(acquireNow(pool), 'clean')
    expect(timers()).toBe(before)
    const held = [acquireNow(pool), acquireNow(pool)]
    const waiting = pool.acquire(request('waiting', { deadline: deadlineAfter(60_000) }))
    // a caller who waits is work to be done
    expect(timers()).toBe(before + 1)
    pool.release(held[0]!, 'clean')
    await waiting
    expect(timers()).toBe(before)
  })
})

describe('ConnectionPool.close', () => {
  it('refuses queued and new callers at once, and closes idle connections', async () => {
    const pool = await warmPool(2)
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
    expect(pool.stats()).toMatchObject({ open: 0, idle: 0, leased: 0, waiting: 0, destroyed: 2 })
    expect(connector.openNow).toBe(0)
  })

  it('waits for running calls, then settles as soon as they are done', async () => {
    const pool = await warmPool(1)
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
    const pool = await warmPool(1)
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
    const pool = await warmPool(1, { maxConnections: 2 })
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
    const pool = createPool()
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
    const pool = await warmPool(3)
    await Promise.all(Array.from({ length: 10 }, () => pool.close(1_000)))
    await pool.close(1_000)
    expect(connector.closes).toBe(3)
  })

  it('leaves no timer behind', async () => {
    const pool = await warmPool(3, { minConnections: 2 })
    const held = acquireNow(pool)
    const closing = pool.close(1_000)
    pool.release(held, 'tainted')
    await closing
    expect(vi.getTimerCount()).toBe(0)
    expect(connector.resets).toBe(0)
  })

  it('opens nothing more once it has begun', async () => {
    const pool = await warmPool(2, { minConnections: 2 })
    await pool.close(0)
    await vi.advanceTimersByTimeAsync(20_000)
    expect(connector.dials).toBe(2)
    await expect(pool.warm(2, Infinity)).rejects.toBeInstanceOf(PoolClosedError)
  })
})

describe('ConnectionPool within a budget', () => {
  it('takes room for each connection and gives it back when that is closed', async () => {
    const budget = new ConnectionBudget()
    budget.limitTo(3)
    const pool = createPool({}, budget)
    await pool.warm(3, Infinity)
    expect(budget.taken).toBe(3)
    await expect(pool.warm(4, Infinity)).rejects.toBeInstanceOf(PoolExhaustedError)
    pool.release(acquireNow(pool), 'broken')
    await settle()
    expect(budget.taken).toBe(2)
    await pool.close(0)
    expect(budget.taken).toBe(0)
  })

  it('gives room back when a dial fails', async () => {
    const budget = new ConnectionBudget()
    budget.limitTo(1)
    connector.whileOpening = () => {
      throw new ConnectionError('down')
    }
    await expect(createPool({}, budget).acquire(request())).rejects.toBeInstanceOf(ConnectionError)
    expect(budget.taken).toBe(0)
  })

  it('refuses at once where there is no room and nothing of its own can come free', async () => {
    const budget = new ConnectionBudget()
    budget.limitTo(1)
    budget.tryTake()
    await expect(createPool({}, budget).acquire(request())).rejects.toBeInstanceOf(PoolExhaustedError)
  })

  it('waits for its own connections where it has some, and grows when there is room again', async () => {
    const budget = new ConnectionBudget()
    budget.limitTo(2)
    budget.tryTake()
    const pool = createPool({}, budget)
    const first = await pool.acquire(request())
    const [second, third] = [outcomeOf(pool.acquire(request())), outcomeOf(pool.acquire(request()))]
    await vi.advanceTimersByTimeAsync(100)
    expect(second.isSettled).toBe(false)
    pool.release(first, 'clean')
    await settle()
    expect(second.value).toBe(first)
    budget.give()
    await vi.advanceTimersByTimeAsync(500)
    expect(third.value).toBe(connector.members[1])
  })
})

describe('ConnectionPool figures', () => {
  it.each(Array.from({ length: 20 }, (_, seed) => [seed]))('are exact through a storm of calls, round %i', async (seed) => {
    let state = seed + 1
    const random = () => {
      state = (state * 48_271) % 2_147_483_647
      return state / 2_147_483_647
    }
    connector.whileOpening = () => {
      if (random() < 0.1) throw new ConnectionError('refused')
    }
    connector.whileResetting = () => {
      if (random() < 0.2) throw new Error('reset failed')
    }
    connector.whileValidating = () => random() < 0.8
    const pool = createPool({ maxConnections: 5, validateAfterIdleMs: 3, idleTimeoutMs: 50, maxLifetimeMs: 100 })
    const held = new Set<FakeMember>()
    const callers = Array.from({ length: 200 }, async () => {
      await new Promise((resolve) => setTimeout(resolve, random() * 100))
      const abort = new AbortController()
      if (random() < 0.2) setTimeout(() => abort.abort(), random() * 5)
      const member = await pool.acquire(request('storm', { deadline: deadlineAfter(5 + random() * 20), signal: abort.signal }))
      expect(held.has(member) || member.isBroken || member.isClosed).toBe(false)
      held.add(member)
      expect(pool.stats().leased).toBeGreaterThanOrEqual(held.size)
      await new Promise((resolve) => setTimeout(resolve, random() * 4))
      if (random() < 0.1) member.isBroken = true
      held.delete(member)
      pool.release(member, random() < 0.3 ? 'tainted' : 'clean')
    })
    const outcomes = callers.map(outcomeOf)
    await vi.advanceTimersByTimeAsync(1_000)
    expect(outcomes.every(({ isSettled }) => isSettled)).toBe(true)
    const errors = outcomes.flatMap(({ error }) => (error === undefined ? [] : [error]))
    expect(errors.filter((error) => !(error as { code?: string }).code)).toEqual([])
    expect(connector.mostOpen).toBeLessThanOrEqual(5)
    const stats = pool.stats()
    expect(stats).toMatchObject({ leased: 0, waiting: 0, dialling: 0, idle: stats.open })
    expect(stats.created - stats.destroyed).toBe(stats.open)
    expect(connector.openNow).toBe(stats.open)
  })
})

/** A message over a real socket: read by the event loop, as an answer of a database is. */
async function loopback() {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve))
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const socket = await accepted
  const arrived = new Promise<void>((resolve) => socket.once('data', () => resolve()))
  const close = () => {
    client.destroy()
    server.close()
  }
  return { arrived, send: () => client.write('answer'), close }
}

function stall(ms: number): void {
  const until = performance.now() + ms
  while (performance.now() < until);
}
