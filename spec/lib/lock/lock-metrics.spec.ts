import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { deadlineAfter } from '../../../lib/deadline.js'
import { AbortedError, LockTimeoutError } from '../../../lib/errors.js'
import { KeyedLock } from '../../../lib/lock/keyed-lock.js'
import { LockMeter } from '../../../lib/lock/lock-metrics.js'
import { withHold } from '../../../lib/lock/lock-scope.js'

describe('LockMeter', () => {
  it('tells apart who was served at once, after a wait, too late, aborted, and in a circle', async () => {
    const { lock, meter } = metered()
    const hold = await lock.acquire('a')
    const aborter = new AbortController()
    const waiting = [lock.acquire('a'), lock.acquire('a', { deadline: 0 }), lock.acquire('a', { signal: aborter.signal })]
    for (const each of waiting) each.catch(() => {})
    expect(meter.metrics().total).toMatchObject({ held: 1, waiting: 3 })
    aborter.abort()
    await expect(waiting[1]).rejects.toThrow(LockTimeoutError)
    hold.release()
    ;(await waiting[0]!).release()
    await expect(waiting[2]).rejects.toThrow(AbortedError)
    await circle(lock)
    const { total, byKey } = meter.metrics()
    expect(total).toMatchObject({ acquisitions: 5, contended: 2, timeouts: 1, aborted: 1, deadlocks: 1, held: 0, waiting: 0 })
    expect(total.successRate).toBeCloseTo(5 / 8)
    expect(byKey.a).toMatchObject({ acquisitions: 2, contended: 1, timeouts: 1, aborted: 1, deadlocks: 0, successRate: 0.5 })
  })

  it('counts re-entries apart, and waits of re-entries not at all', async () => {
    const { lock, meter } = metered()
    await withHold(lock, 'a', {}, () => Promise.all([1, 2, 3].map(() => withHold(lock, 'a', {}, () => Promise.resolve()))))
    expect(meter.metrics().byKey.a).toMatchObject({ acquisitions: 1, contended: 0, reentries: 3, held: 0, waiting: 0 })
  })

  it('measures waits of those who waited, and how long each hold lasted', async () => {
    const { lock, meter } = metered()
    const hold = await lock.acquire('a')
    const next = lock.acquire('a')
    const heldFromMs = performance.now()
    while (performance.now() - heldFromMs < 20) await new Promise((resolve) => setImmediate(resolve))
    hold.release()
    ;(await next).release()
    const { waitMs, holdMs } = meter.metrics().byKey.a!
    expect([waitMs.count, holdMs.count]).toEqual([1, 2])
    expect(waitMs.max).toBeGreaterThanOrEqual(19)
    expect(holdMs.max).toBeGreaterThanOrEqual(19)
    expect(holdMs.p50).toBeLessThan(holdMs.max)
  })

  it('keeps 256 keys at most, the last used among them, and all in the totals', async () => {
    const { lock, meter } = metered()
    for (let key = 0; key < 1_000; key++) {
      ;(await lock.acquire('every time')).release()
      ;(await lock.acquire(`key ${key}`)).release()
    }
    const { total, byKey } = meter.metrics()
    expect(Object.keys(byKey)).toHaveLength(256)
    expect(byKey['every time']).toMatchObject({ acquisitions: 1_000 })
    expect(byKey['key 999']).toBeDefined()
    expect(byKey['key 0']).toBeUndefined()
    expect(total.acquisitions).toBe(2_000)
  })

  it('goes back to 256 keys after 5,000 were held at once', async () => {
    const { lock, meter } = metered()
    const holds = await Promise.all(Array.from({ length: 5_000 }, (_, key) => lock.acquire(`key ${key}`)))
    expect(Object.keys(meter.metrics().byKey)).toHaveLength(5_000)
    for (const hold of holds) hold.release()
    expect(Object.keys(meter.metrics().byKey)).toHaveLength(256)
  })

  it('forgets on demand what nobody holds, waits for or has pinned', async () => {
    const { lock, meter } = metered()
    meter.countersOf('a pool', 'pool')
    meter.pin('a pool')
    const hold = await lock.acquire('held')
    ;(await lock.acquire('free')).release()
    expect(meter.forgetUnused()).toBe(1)
    expect(Object.keys(meter.metrics().byKey).sort()).toEqual(['a pool', 'held'])
    meter.unpin('a pool')
    hold.release()
    expect(meter.forgetUnused()).toBe(1)
    expect(meter.metrics().byKey).toEqual({})
    expect(meter.metrics().total.acquisitions).toBe(2)
  })

  it('takes no more memory for 200,000 keys than for 20,000', { timeout: 60_000 }, async () => {
    const { lock } = metered()
    const use = async (from: number, to: number) => {
      for (let key = from; key < to; key++) await withHold(lock, `key ${key}`, { deadline: deadlineAfter(1_000) }, () => undefined)
    }
    await use(0, 20_000)
    const before = memory()
    await use(20_000, 200_000)
    const after = memory()
    expect(after.heapUsed - before.heapUsed).toBeLessThan(2_000_000)
    // histograms lie outside of the heap; what the runtime keeps for itself differs by version, some 150 MB on Node 24
    expect(after.rss - before.rss).toBeLessThan(300_000_000)
    expect(lock.size).toBe(0)
  })
})

function metered(): { readonly lock: KeyedLock; readonly meter: LockMeter } {
  const meter = new LockMeter()
  return { lock: new KeyedLock({ meter }), meter }
}

/** Two chains that want what the other has: three acquisitions, one of them after a wait, and one deadlock. */
async function circle(lock: KeyedLock): Promise<void> {
  const take = (first: string, second: string) =>
    withHold(lock, first, {}, async () => {
      await new Promise((resolve) => setImmediate(resolve))
      await withHold(lock, second, {}, () => undefined)
    })
  await Promise.allSettled([take('b', 'c'), take('c', 'b')])
}

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

function memory(): NodeJS.MemoryUsage {
  collectGarbage()
  return process.memoryUsage()
}
