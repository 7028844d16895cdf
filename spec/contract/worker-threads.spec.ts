import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { cleanupUnusedLocks, createDatabase, lockMetrics, poolStats } from 'latchwork'
import { describe, expect, it } from 'vitest'
import type { RegistrySeen } from '../fixtures/threads/registry.js'

describe('worker threads', { timeout: 60_000 }, () => {
  it('have each their own pools and locks, five at once', async () => {
    const seen = await Promise.all([1, 2, 3, 4, 5].map((locks) => inThread(locks * 10)))
    // and one for the pool
    expect(seen.map(({ acquisitions, pools, keys }) => ({ acquisitions, pools, keys }))).toEqual(
      [10, 20, 30, 40, 50].map((locks) => ({ acquisitions: locks + 1, pools: 1, keys: locks + 1 })),
    )
  })

  it('clean up their own locks, three at once, and nobody else’s', async () => {
    await using db = createDatabase({ url: 'sqlite::memory:', models: {} })
    await db.lock('ours', () => undefined)
    const seen = await Promise.all([inThread(100), inThread(100), inThread(100)])
    expect(seen.map(({ cleanedUp, left }) => [cleanedUp, left])).toEqual([1, 2, 3].map(() => [100, 0]))
    expect(Object.keys(lockMetrics().byKey)).toEqual([expect.stringMatching(/^ours@/)])
    expect(cleanupUnusedLocks()).toBe(1)
  })

  it('leave nothing behind in the others when one has ended', async () => {
    await using db = createDatabase({ url: 'sqlite::memory:', models: {} })
    await db.ping()
    const before = [poolStats().pools.length, lockMetrics().total.acquisitions]
    await inThread(10)
    expect([poolStats().pools.length, lockMetrics().total.acquisitions]).toEqual(before)
    await db.lock('ours', () => db.ping())
    expect(cleanupUnusedLocks()).toBe(1)
  })
})

async function inThread(locks: number): Promise<RegistrySeen> {
  const worker = new Worker(new URL('../fixtures/threads/registry.mjs', import.meta.url), { workerData: { locks } })
  const exited = once(worker, 'exit')
  const [seen] = (await once(worker, 'message')) as [RegistrySeen]
  await exited
  return seen
}
