import { collectMetrics, type Metrics } from 'latchwork/metrics'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { deadlineAfter } from '../../../lib/deadline.js'
import { processLocks } from '../../../lib/lock/lock-registry.js'
import type { BorrowRequest } from '../../../lib/pool/borrow-request.js'
import { ConnectionPool } from '../../../lib/pool/connection-pool.js'
import { poolOptions } from '../../../lib/pool/pool-options.js'
import { poolRegistry } from '../../../lib/pool/pool-registry.js'
import { FakeConnector, type FakeMember, Gate, request } from '../pool/fake-connector.js'
import { parseExposition } from './exposition.js'

const OPTIONS = poolOptions({ maxConnections: 1 })

let metrics: Metrics

beforeEach(async () => {
  metrics = await collectMetrics()
})

afterEach(() => {
  metrics.stop()
  vi.unstubAllEnvs()
})

/** Who wants the pool of a target that opens with the gate. */
function wanted(target: string, gate?: Gate): BorrowRequest<ConnectionPool<FakeMember>> {
  const open = async () => {
    await gate?.opened
    return new ConnectionPool(target, new FakeConnector(), OPTIONS)
  }
  return { key: target, name: `${target}#12345678`, options: OPTIONS, deadline: deadlineAfter(10_000), label: 'spec', open }
}

/** Locks that are held and callers who wait: by the pool whose lock it is, all of the application as one. */
async function locksNow(): Promise<Record<string, readonly [held: number | undefined, waiting: number | undefined]>> {
  const { samples, value } = parseExposition(await metrics.text())
  const held = samples.filter(({ name }) => name === 'latchwork_lock_held')
  return Object.fromEntries(
    held.map(({ labels }) => [
      labels.kind === 'pool' ? labels.pool! : labels.kind!,
      [value('latchwork_lock_held', labels), value('latchwork_lock_waiting', labels)] as const,
    ]),
  )
}

describe('latchwork_lock_held and latchwork_lock_waiting', () => {
  it('tell the locks of pools and of the application apart', async () => {
    const held = await processLocks().application('shop').acquire('invoice')
    const gate = new Gate()
    const opening = poolRegistry().borrow(wanted('fake:one', gate))
    const sharing = poolRegistry().borrow(wanted('fake:one', gate))
    expect(await locksNow()).toEqual({ application: [1, 0], 'fake:one': [1, 1] })
    gate.open()
    const leases = await Promise.all([opening, sharing])
    held.release()
    expect(await locksNow()).toEqual({ application: [0, 0], 'fake:one': [0, 0] })
    for (const lease of leases) await lease.release({ closeIfLast: true })
    expect(await locksNow()).toEqual({ application: [0, 0] })
  })

  it('count the lock of all pools once, and none of the application, under the legacy switch', async () => {
    vi.stubEnv('LATCHWORK_LEGACY_POOL_LOCKING', 'true')
    const gate = new Gate()
    const opening = ['fake:one', 'fake:two', 'fake:three'].map((target) => poolRegistry().borrow(wanted(target, gate)))
    const during = await locksNow()
    gate.open()
    for (const lease of await Promise.all(opening)) await lease.release({ closeIfLast: true })
    expect(during).toEqual({ application: [0, 0], 'every pool': [1, 2] })
  })

  it('count the lock of a pool that is being closed as one of a pool', async () => {
    const lease = await poolRegistry().borrow(wanted('fake:one'))
    const busy = await lease.pool.acquire(request())
    const closed = lease.release({ closeIfLast: true })
    const during = await locksNow()
    lease.pool.release(busy, 'clean')
    await closed
    expect(during).toMatchObject({ application: [0, 0], 'fake:one': [1, 0] })
    expect(await locksNow()).not.toHaveProperty('fake:one')
  })
})
