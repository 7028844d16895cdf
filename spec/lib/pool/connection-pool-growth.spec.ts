import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { deadlineAfter } from '../../../lib/deadline.js'
import { AbortedError, ConnectionError, PoolExhaustedError } from '../../../lib/errors.js'
import { withResource } from '../../../lib/lock/lock-scope.js'
import { ConnectionBudget } from '../../../lib/pool/connection-budget.js'
import {
  acquireNow,
  createPool,
  endedBy,
  FakeConnector,
  type FakeMember,
  Gate,
  outcomeOf,
  request,
  settle,
  warmPool,
} from './fake-connector.js'

let connector: FakeConnector

beforeEach(() => {
  connector = new FakeConnector()
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate', 'performance'] })
})

afterEach(() => {
  vi.useRealTimers()
})

describe('ConnectionPool dials', () => {
  it('rejects only the first waiter with the error of a failed dial, and dials again for the next', async () => {
    const pool = createPool(connector, { maxConnections: 1 })
    const refusal = new ConnectionError('refused')
    connector.whileOpening = (dial) => {
      if (dial === 1) throw refusal
    }
    const [first, second] = [pool.acquire(request()), pool.acquire(request())]
    await expect(first).rejects.toBe(refusal)
    expect(await second).toBe(connector.members[0])
  })

  it('rejects every waiter in turn when the server takes nobody, and serves again as soon as it does', async () => {
    const pool = createPool(connector, { maxConnections: 3 })
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
    const pool = createPool(connector, { maxConnections: 60 })
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
    const pool = await warmPool(connector, 1, { maxConnections: 2 })
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
    const pool = await warmPool(connector, 1, { maxConnections: 2 })
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
    const pool = createPool(connector)
    const waiting = outcomeOf(pool.acquire(request('waiting', { deadline: deadlineAfter(100) })))
    await vi.advanceTimersByTimeAsync(110)
    expect(waiting.error).toMatchObject({ code: 'POOL_TIMEOUT', cause: { code: 'CONNECTION' } })
  })

  it('keeps the connection of a waiter who left while it was made', async () => {
    const gate = new Gate()
    connector.whileOpening = () => gate.opened
    const pool = createPool(connector)
    const abort = new AbortController()
    const aborted = outcomeOf(pool.acquire(request('left', { signal: abort.signal })))
    abort.abort()
    gate.open()
    await settle()
    expect(aborted.error).toBeInstanceOf(AbortedError)
    expect(pool.stats()).toMatchObject({ open: 1, idle: 1 })
  })

  it('takes a dial for failed though its connector gives no reason', async () => {
    connector.whileOpening = () => Promise.reject(undefined)
    const pool = createPool(connector)
    await expect(pool.warm(1, Infinity)).rejects.toThrow(/could not be opened/)
    await expect(pool.acquire(request())).rejects.toThrow(/could not be opened/)
  })

  it('warms up to a number of connections, and fails with the first failure', async () => {
    const pool = await warmPool(connector, 3)
    expect(pool.stats()).toMatchObject({ open: 3, idle: 3 })
    const failing = createPool(connector)
    connector.whileOpening = () => {
      throw new ConnectionError('down')
    }
    await expect(failing.warm(2, Infinity)).rejects.toBeInstanceOf(ConnectionError)
    expect(failing.stats()).toMatchObject({ open: 0, dialling: 0 })
  })

  it('begins a connection for each caller it is opened for, as far as there is room, and waits for one of them only', async () => {
    const gate = new Gate()
    connector.whileOpening = (dial) => (dial === 2 ? undefined : gate.opened)
    const pool = createPool(connector, { maxConnections: 3 })
    await pool.warm(1, Infinity, 300)
    expect(pool.stats()).toMatchObject({ open: 1, dialling: 2 })
    gate.open()
    await settle()
    expect(pool.stats()).toMatchObject({ open: 3, dialling: 0, idle: 3 })
  })

  it('is opened by whichever connection goes well, and fails when none does', async () => {
    connector.whileOpening = (dial) => {
      if (dial !== 3) throw new ConnectionError('down')
    }
    const pool = createPool(connector)
    await pool.warm(1, Infinity, 3)
    expect(pool.stats()).toMatchObject({ open: 1, dialling: 0 })
    await expect(createPool(connector).warm(1, Infinity, 3)).rejects.toBeInstanceOf(ConnectionError)
  })
})

describe('ConnectionPool within a budget', () => {
  it('takes room for each connection and gives it back when that is closed', async () => {
    const budget = new ConnectionBudget()
    budget.limitTo(3)
    const pool = createPool(connector, {}, budget)
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
    await expect(createPool(connector, {}, budget).acquire(request())).rejects.toBeInstanceOf(ConnectionError)
    expect(budget.taken).toBe(0)
  })

  it('refuses at once where there is no room and nothing of its own can come free', async () => {
    const budget = new ConnectionBudget()
    budget.limitTo(1)
    budget.tryTake()
    await expect(createPool(connector, {}, budget).acquire(request())).rejects.toBeInstanceOf(PoolExhaustedError)
  })

  it('finds callers who wait for each other where the budget is what ends its growth', async () => {
    const budget = new ConnectionBudget()
    budget.limitTo(2)
    const pool = createPool(connector, { maxConnections: 10 }, budget)
    const nested = async (label: string) => {
      const outer = await pool.acquire(request(label))
      try {
        return await withResource(pool.slotsOf(), label, async () => {
          await settle()
          pool.release(await pool.acquire(request(`${label}, inner`)), 'clean')
        })
      } finally {
        pool.release(outer, 'clean')
      }
    }
    const outcomes = await Promise.allSettled([nested('first'), nested('second')])
    expect(outcomes.map((outcome) => (outcome.status === 'rejected' ? outcome.reason.code : 'served'))).toEqual([
      'served',
      'POOL_SELF_DEADLOCK',
    ])
  })

  it('waits for its own connections where it has some, and grows when there is room again', async () => {
    const budget = new ConnectionBudget()
    budget.limitTo(2)
    budget.tryTake()
    const pool = createPool(connector, {}, budget)
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
    const pool = createPool(connector, { maxConnections: 5, validateAfterIdleMs: 3, idleTimeoutMs: 50, maxLifetimeMs: 100 })
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
    expect(stats.created - endedBy(pool)).toBe(stats.open)
    expect(connector.openNow).toBe(stats.open)
  })
})
