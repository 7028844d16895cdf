import { AsyncLocalStorage } from 'node:async_hooks'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { deadlineAfter } from '../../../lib/deadline.js'
import { AbortedError, ConnectionError, LockTimeoutError, PoolExhaustedError, ScopeClosedError } from '../../../lib/errors.js'
import { type LockEvent, lockEvents } from '../../../lib/events.js'
import { LockMeter } from '../../../lib/lock/lock-metrics.js'
import type { BorrowRequest, PoolOpening } from '../../../lib/pool/borrow-request.js'
import { ConnectionPool } from '../../../lib/pool/connection-pool.js'
import type { Lease } from '../../../lib/pool/lease.js'
import { poolOptions } from '../../../lib/pool/pool-options.js'
import { PoolRegistry, poolRegistry } from '../../../lib/pool/pool-registry.js'
import { TIMED } from '../../support/timed.js'
import { FakeConnector, type FakeMember, Gate, outcomeOf, request, settle } from './fake-connector.js'

type FakePool = ConnectionPool<FakeMember>

let meter: LockMeter
let registry: PoolRegistry
let pools: FakePool[]
let connector: FakeConnector
let whileOpening: () => Promise<void> | void

async function openPool(given: Partial<Parameters<typeof poolOptions>[0]> = {}): Promise<FakePool> {
  await whileOpening()
  const pool = new ConnectionPool('fake:target#00000001', connector, poolOptions({ maxConnections: 2, ...given }))
  pools.push(pool)
  await pool.warm(1, Infinity)
  return pool
}

function want(given: Partial<BorrowRequest<FakePool>> = {}): BorrowRequest<FakePool> {
  return {
    key: 'key',
    name: 'fake:target#00000001',
    options: poolOptions({ maxConnections: 2, acquireTimeoutMs: 1_000, lockTimeoutMs: 500, idleTimeoutMs: 10_000 }),
    deadline: deadlineAfter(1_000),
    label: 'spec',
    open: () => openPool(),
    openDedicated: async () => {
      const pool = new ConnectionPool('fake:target#00000001', connector, poolOptions({ maxConnections: 1 }))
      pools.push(pool)
      await pool.warm(1, Infinity)
      return pool
    },
    ...given,
  }
}

/** Lets the opening stand still until the gate opens. */
function stallOpening(): Gate {
  const gate = new Gate()
  whileOpening = () => gate.opened
  return gate
}

function expectNothingLeft(): void {
  expect(registry.stats()).toEqual({ pools: [], dedicated: 0, budget: { limit: 0, taken: 0 } })
  expect(registry.locks.size).toBe(0)
  expect(meter.metrics().byKey).toEqual({})
  expect(connector.openNow).toBe(0)
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate', 'performance'] })
  meter = new LockMeter()
  registry = new PoolRegistry(meter)
  pools = []
  connector = new FakeConnector()
  whileOpening = () => undefined
})

afterEach(() => {
  vi.useRealTimers()
})

describe('PoolRegistry.borrow', () => {
  it('shares one pool between 300 concurrent callers', async () => {
    const leases = await Promise.all(Array.from({ length: 300 }, () => registry.borrow(want())))
    expect(pools).toHaveLength(1)
    expect(new Set(leases.map(({ pool }) => pool)).size).toBe(1)
    expect(registry.stats().pools).toMatchObject([{ leases: 300 }])
  })

  it('closes a pool whose opening was broken off just as it succeeded, and touches no other of its key', async () => {
    const gate = stallOpening()
    const giveUp = new AbortController()
    const open = async () => {
      const pool = await openPool()
      queueMicrotask(() => void registry.closeUnused('key', 0))
      return pool
    }
    const waiting = outcomeOf(Promise.resolve(registry.borrow(want({ open, signal: giveUp.signal }))))
    await settle()
    giveUp.abort()
    await settle()
    expect(waiting.error).toBeInstanceOf(AbortedError)
    gate.open()
    await settle()
    expectNothingLeft()
    const lease = await registry.borrow(want())
    vi.advanceTimersByTime(20_000)
    await settle()
    expect(registry.stats().pools).toMatchObject([{ leases: 1 }])
    await lease.release({ closeIfLast: true })
    expectNothingLeft()
  })

  it('says to who opens the pool how many callers wait for it', async () => {
    const open = vi.fn((_opening: PoolOpening) => openPool())
    await Promise.all(Array.from({ length: 300 }, () => registry.borrow(want({ open }))))
    expect(open.mock.calls).toMatchObject([[{ callers: 300 }]])
  })

  it('gives a lease on an open pool at once, not as a promise', async () => {
    await registry.borrow(want())
    expect(registry.borrow(want())).not.toBeInstanceOf(Promise)
  })

  it('opens a pool for each key, side by side', async () => {
    const gates = new Map(['a', 'b', 'c'].map((key) => [key, new Gate()]))
    const started: string[] = []
    const outcomes = [...gates].map(([key, gate]) => {
      const open = async () => {
        started.push(key)
        await gate.opened
        return openPool()
      }
      return outcomeOf(registry.borrow(want({ key, open })))
    })
    await settle()
    expect(started).toEqual(['a', 'b', 'c'])
    gates.get('c')!.open()
    await settle()
    expect(outcomes.map(({ isSettled }) => isSettled)).toEqual([false, false, true])
  })

  it('starts three different pools within 50 ms of each other', TIMED, async () => {
    vi.useRealTimers()
    const startedAt: number[] = []
    const open = async () => {
      startedAt.push(performance.now())
      await new Promise((resolve) => setTimeout(resolve, 100))
      return openPool()
    }
    await Promise.all(['a', 'b', 'c'].map((key) => registry.borrow(want({ key, open, deadline: deadlineAfter(1_000) }))))
    expect(Math.max(...startedAt) - Math.min(...startedAt)).toBeLessThan(50)
  })

  it('opens outside every async context, and lets each caller go on in its own', async () => {
    const store = new AsyncLocalStorage<number>()
    const seenWhileOpening: unknown[] = []
    whileOpening = () => void seenWhileOpening.push(store.getStore())
    const seen = await Promise.all(
      Array.from({ length: 1_000 }, (_, caller) =>
        store.run(caller, async () => {
          await registry.borrow(want())
          return store.getStore()
        }),
      ),
    )
    expect(seenWhileOpening).toEqual([undefined])
    expect(seen).toEqual(Array.from({ length: 1_000 }, (_, caller) => caller))
  })

  it('gives the error of an opening to all who wait for it, without falling back, and tries anew for the next', async () => {
    const refusal = new ConnectionError('refused')
    whileOpening = () => Promise.reject(refusal)
    const outcomes = await Promise.allSettled(Array.from({ length: 5 }, async () => registry.borrow(want())))
    expect(outcomes).toEqual(Array.from({ length: 5 }, () => ({ status: 'rejected', reason: refusal })))
    expectNothingLeft()
    whileOpening = () => undefined
    expect((await registry.borrow(want())).kind).toBe('shared')
  })

  it('does not take a lock time-out of the engine for one of its own', async () => {
    whileOpening = () => Promise.reject(new LockTimeoutError('database is locked'))
    await expect(registry.borrow(want())).rejects.toThrow('database is locked')
    expectNothingLeft()
  })

  it('rejects an aborted caller at once, and opens the pool for the others', async () => {
    const gate = stallOpening()
    const abort = new AbortController()
    const aborted = outcomeOf(registry.borrow(want({ signal: abort.signal })))
    const patient = outcomeOf(registry.borrow(want()))
    abort.abort()
    await settle()
    expect(aborted.error).toBeInstanceOf(AbortedError)
    gate.open()
    await settle()
    expect(patient.value?.kind).toBe('shared')
  })

  it('keeps no pool that was opened for callers who all gave up', async () => {
    const gate = stallOpening()
    const abort = new AbortController()
    const aborted = outcomeOf(registry.borrow(want({ signal: abort.signal })))
    await settle()
    abort.abort()
    gate.open()
    await settle()
    expect(aborted.error).toBeInstanceOf(AbortedError)
    expect(registry.stats().pools).toMatchObject([{ leases: 0 }])
    await vi.advanceTimersByTimeAsync(10_010)
    expectNothingLeft()
  })

  it('serialises the openings of all pools under the legacy switch', async () => {
    vi.stubEnv('LATCHWORK_LEGACY_POOL_LOCKING', 'true')
    const gate = stallOpening()
    const slow = outcomeOf(registry.borrow(want({ key: 'slow' })))
    await settle()
    whileOpening = () => undefined
    const quick = outcomeOf(registry.borrow(want({ key: 'quick' })))
    await settle()
    expect([slow.isSettled, quick.isSettled]).toEqual([false, false])
    gate.open()
    await settle()
    vi.unstubAllEnvs()
    expect([slow.isSettled, quick.isSettled]).toEqual([true, true])
  })
})

describe('PoolRegistry fallback', () => {
  it('opens a dedicated connection when the wait for the pool runs out, and closes it on release', async () => {
    stallOpening()
    const borrowed = outcomeOf(registry.borrow(want()))
    await vi.advanceTimersByTimeAsync(490)
    expect(borrowed.isSettled).toBe(false)
    await vi.advanceTimersByTimeAsync(20)
    const lease = borrowed.value as Lease<FakePool>
    expect(lease.kind).toBe('dedicated')
    expect(registry.stats()).toMatchObject({ dedicated: 1, budget: { limit: 4, taken: 1 } })
    const member = await lease.pool.acquire(request())
    lease.pool.release(member, 'clean')
    await lease.release()
    expect(member.isClosed).toBe(true)
    expect(registry.stats()).toMatchObject({ dedicated: 0, budget: { taken: 0 } })
  })

  it('never has more dedicated connections than the budget allows: the rest get PoolExhaustedError, with the time-out as cause', async () => {
    stallOpening()
    const outcomes = Array.from({ length: 300 }, () => outcomeOf(registry.borrow(want())))
    await vi.advanceTimersByTimeAsync(510)
    const leases = outcomes.flatMap(({ value }) => (value === undefined ? [] : [value]))
    const errors = outcomes.flatMap(({ error }) => (error === undefined ? [] : [error]))
    expect(leases).toHaveLength(4)
    expect(errors).toHaveLength(296)
    expect(errors.every((error) => error instanceof PoolExhaustedError && error.cause instanceof LockTimeoutError)).toBe(true)
    await Promise.all(leases.map((lease) => lease.release()))
    expect(registry.stats()).toMatchObject({ dedicated: 0, budget: { taken: 0 } })
    expect(connector.mostOpen).toBe(4)
  })

  it('raises the time-out, naming who holds the lock, where a second connection cannot be', async () => {
    stallOpening()
    const borrowed = outcomeOf(registry.borrow(want({ label: 'UserCreateNode', openDedicated: undefined })))
    await vi.advanceTimersByTimeAsync(510)
    expect(borrowed.error).toBeInstanceOf(LockTimeoutError)
    expect((borrowed.error as Error).message).toMatch(/lock "fake:target#00000001".* 50\d ms; held 50\d ms by UserCreateNode; raise/)
  })

  it('raises the time-out when the deadline leaves no time for a dedicated connection', async () => {
    stallOpening()
    const borrowed = outcomeOf(registry.borrow(want({ deadline: deadlineAfter(100) })))
    await vi.advanceTimersByTimeAsync(110)
    expect(borrowed.error).toBeInstanceOf(LockTimeoutError)
    expect(connector.dials).toBe(0)
  })

  it('gives the error of a dedicated connection that cannot be made, and its room back', async () => {
    stallOpening()
    const refusal = new ConnectionError('refused')
    const borrowed = outcomeOf(registry.borrow(want({ openDedicated: () => Promise.reject(refusal) })))
    await vi.advanceTimersByTimeAsync(510)
    expect(borrowed.error).toBe(refusal)
    expect(registry.stats()).toMatchObject({ dedicated: 0, budget: { taken: 0 } })
  })

  it.each([
    ['the deadline', () => vi.advanceTimersByTimeAsync(500), LockTimeoutError],
    ['an abort', async (abort: AbortController) => abort.abort(), AbortedError],
  ])('closes a dedicated connection that comes after %s', async (_, giveUp, expected) => {
    stallOpening()
    const abort = new AbortController()
    const gate = new Gate()
    const openDedicated = async () => {
      await gate.opened
      return want().openDedicated!(abort.signal)
    }
    const borrowed = outcomeOf(registry.borrow(want({ openDedicated, signal: abort.signal })))
    await vi.advanceTimersByTimeAsync(510)
    expect(registry.stats().dedicated).toBe(1)
    await giveUp(abort)
    await settle()
    expect(borrowed.error).toBeInstanceOf(expected)
    gate.open()
    await settle()
    expect(connector.openNow).toBe(0)
    expect(registry.stats()).toMatchObject({ dedicated: 0, budget: { taken: 0 } })
  })

  it('counts dedicated connections against a number given, over all pools', async () => {
    const lift = registry.budget.limitTo(1)
    stallOpening()
    const outcomes = ['a', 'b'].map((key) => outcomeOf(registry.borrow(want({ key }))))
    await vi.advanceTimersByTimeAsync(510)
    expect(outcomes[0]!.value?.kind).toBe('dedicated')
    expect(outcomes[1]!.error).toBeInstanceOf(PoolExhaustedError)
    lift()
    expect(registry.budget.limit).toBe(8)
  })
})

describe('PoolRegistry figures', () => {
  it('count those whose pool could not be opened as such, and not as aborted', async () => {
    whileOpening = () => Promise.reject(new ConnectionError('refused'))
    await Promise.allSettled(Array.from({ length: 5 }, async () => registry.borrow(want())))
    const { total } = meter.metrics()
    expect(total).toMatchObject({ acquisitions: 1, failed: 5, aborted: 0, timeouts: 0, held: 0, waiting: 0 })
    expect(total.successRate).toBeCloseTo(1 / 6)
    expectNothingLeft()
  })

  it('count each who gives up as aborted, whether he began the opening or not, and tell it to who listens', async () => {
    const events: LockEvent[] = []
    const listener = (event: LockEvent) => void events.push(event)
    lockEvents.subscribe(listener)
    const gate = stallOpening()
    const abort = new AbortController()
    const [opener, other] = ['opener', 'other'].map((label) => outcomeOf(registry.borrow(want({ label, signal: abort.signal }))))
    const patient = outcomeOf(registry.borrow(want()))
    await vi.advanceTimersByTimeAsync(20)
    abort.abort()
    await settle()
    expect([opener!.error, other!.error]).toEqual([expect.any(AbortedError), expect.any(AbortedError)])
    gate.open()
    await settle()
    lockEvents.unsubscribe(listener)
    expect(patient.value?.kind).toBe('shared')
    expect(meter.metrics().total).toMatchObject({ acquisitions: 2, aborted: 2, failed: 0, held: 0, waiting: 0, successRate: 0.5 })
    const aborted = { type: 'aborted', kind: 'pool', key: 'fake:target#00000001', isReentry: false, waitedMs: 20 }
    expect(events.filter(({ type }) => type === 'aborted')).toEqual([
      { ...aborted, label: 'opener' },
      { ...aborted, label: 'other' },
    ])
  })

  it('of a name go with its pool, when callers waited for an opening that failed or took a dedicated connection', async () => {
    const gate = stallOpening()
    const impatient = outcomeOf(registry.borrow(want()))
    await vi.advanceTimersByTimeAsync(510)
    const patient = outcomeOf(registry.borrow(want()))
    await settle()
    expect(meter.metrics().byKey['fake:target#00000001']).toMatchObject({ held: 1, waiting: 1, timeouts: 1, fallbacks: 1 })
    gate.fail(new ConnectionError('refused'))
    await settle()
    expect(patient.error).toBeInstanceOf(ConnectionError)
    await impatient.value!.release()
    expect(meter.metrics().total).toMatchObject({ acquisitions: 1, timeouts: 1, fallbacks: 1, failed: 1 })
    expectNothingLeft()
  })

  it('of a name stay while another pool of it is open', async () => {
    const lease = await registry.borrow(want())
    const closed = lease.release({ closeIfLast: true })
    const next = registry.borrow(want())
    await closed
    await settle()
    expect(meter.metrics().byKey['fake:target#00000001']).toMatchObject({ acquisitions: 3 })
    await (await next).release({ closeIfLast: true })
    expectNothingLeft()
  })
})

describe('PoolRegistry leases', () => {
  it('counts 3 → 2 → 1 → gone, an idle time after the last', async () => {
    const leases = [await registry.borrow(want()), await registry.borrow(want()), await registry.borrow(want())]
    const counted = () => registry.stats().pools.map((pool) => pool.leases)
    expect(counted()).toEqual([3])
    await leases[0]!.release()
    expect(counted()).toEqual([2])
    await leases[2]!.release()
    expect(counted()).toEqual([1])
    await leases[1]!.release()
    await vi.advanceTimersByTimeAsync(9_990)
    expect(counted()).toEqual([0])
    await vi.advanceTimersByTimeAsync(20)
    expectNothingLeft()
  })

  it('keeps a pool that is borrowed again within the idle time, and measures that time anew', async () => {
    const first = await registry.borrow(want())
    await first.release()
    await vi.advanceTimersByTimeAsync(9_000)
    const second = await registry.borrow(want())
    await vi.advanceTimersByTimeAsync(30_000)
    expect(second.pool).toBe(first.pool)
    await second.release()
    await vi.advanceTimersByTimeAsync(9_000)
    expect(registry.stats().pools).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(1_100)
    expectNothingLeft()
  })

  it('refuses a lease that is released twice', async () => {
    const [lease, other] = [await registry.borrow(want()), await registry.borrow(want())]
    await lease.release()
    expect(() => lease.release()).toThrow(ScopeClosedError)
    expect(registry.stats().pools).toMatchObject([{ leases: 1 }])
    await other.release({ closeIfLast: true })
  })

  it('is released at the end of an `await using` block', async () => {
    {
      await using lease = await registry.borrow(want())
      expect(lease.kind).toBe('shared')
    }
    expect(registry.stats().pools).toMatchObject([{ leases: 0 }])
  })

  it('gives whoever opened the pool no right to close it under the others', async () => {
    const [opener, other] = [await registry.borrow(want()), await registry.borrow(want())]
    await opener.release({ closeIfLast: true, timeoutMs: 0 })
    const member = await other.pool.acquire(request())
    expect(member.isClosed).toBe(false)
    other.pool.release(member, 'clean')
    await other.release({ closeIfLast: true })
    expectNothingLeft()
  })

  it('closes at once, and leaves no timer, where the last lease says so', async () => {
    const lease = await registry.borrow(want())
    await lease.release({ closeIfLast: true })
    expectNothingLeft()
    expect(vi.getTimerCount()).toBe(0)
  })

  it('bounds that close by timeoutMs', async () => {
    const lease = await registry.borrow(want())
    const member = await lease.pool.acquire(request())
    const closing = outcomeOf(lease.release({ closeIfLast: true, timeoutMs: 200 }))
    await vi.advanceTimersByTimeAsync(210)
    expect(closing.isSettled).toBe(true)
    expect(member.isClosed).toBe(true)
    expectNothingLeft()
  })

  it('lets a borrow during the close wait for its end, and opens another pool then', async () => {
    const lease = await registry.borrow(want())
    const gate = new Gate()
    connector.whileClosing = () => gate.opened
    const closing = lease.release({ closeIfLast: true })
    const next = outcomeOf(registry.borrow(want()))
    await settle()
    expect([pools.length, next.isSettled]).toEqual([1, false])
    gate.open()
    await closing
    await settle()
    expect(pools).toHaveLength(2)
    expect(next.value?.pool).toBe(pools[1])
  })

  it.each(Array.from({ length: 20 }, (_, round) => [round]))('survives five connects and double clean-ups at once, round %i', async () => {
    const callers = Array.from({ length: 5 }, async (_, caller) => {
      const lease = await registry.borrow(want())
      for (let turn = 0; turn < caller; turn++) await null
      const member = await lease.pool.acquire(request())
      lease.pool.release(member, 'clean')
      const cleanUps = [lease.release({ closeIfLast: true })]
      expect(() => lease.release({ closeIfLast: true })).toThrow(ScopeClosedError)
      await Promise.all(cleanUps)
    })
    await vi.advanceTimersByTimeAsync(10)
    await Promise.all(callers)
    expectNothingLeft()
    expect(pools.every((pool) => pool.stats().open === 0)).toBe(true)
  })

  it('keeps nothing of 1,000 keys whose pools are gone', async () => {
    await Promise.all(
      Array.from({ length: 1_000 }, async (_, id) => {
        const lease = await registry.borrow(want({ key: `key ${id}` }))
        await lease.release({ closeIfLast: id % 2 === 0 })
      }),
    )
    expect(registry.stats().pools).toHaveLength(500)
    await vi.advanceTimersByTimeAsync(10_010)
    expectNothingLeft()
  })
})

describe('poolRegistry', () => {
  it('is one for all copies of the package, and cannot be replaced', async () => {
    vi.resetModules()
    const copy = await import('../../../lib/pool/pool-registry.js')
    expect(copy.PoolRegistry).not.toBe(PoolRegistry)
    expect(copy.poolRegistry()).toBe(poolRegistry())
    expect(Object.keys(globalThis)).not.toContain('latchwork.pools.v1')
  })
})
