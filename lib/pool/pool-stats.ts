import type { LockFigures } from '../lock/lock-counters.js'
import type { EndReason } from './end-reason.js'
import type { PoolStats } from './pool.js'

/** The figures of two pools that are one to their callers, and share their timings. */
export function addPoolStats(left: PoolStats, right: PoolStats): PoolStats {
  const sum = (name: 'capacity' | 'open' | 'idle' | 'leased' | 'dialling' | 'waiting' | 'created') => left[name] + right[name]
  const destroyed = Object.entries(left.destroyed).map(([reason, count]) => [reason, count + right.destroyed[reason as EndReason]])
  return {
    capacity: sum('capacity'),
    open: sum('open'),
    idle: sum('idle'),
    leased: sum('leased'),
    dialling: sum('dialling'),
    waiting: sum('waiting'),
    created: sum('created'),
    destroyed: Object.fromEntries(destroyed) as PoolStats['destroyed'],
    acquireMs: left.acquireMs,
    usageMs: left.usageMs,
  }
}

/** A pool as the process has it. */
export interface PoolInfo {
  /** Readable, without a secret: `postgres:127.0.0.1:5432/shop#3f9a02c7`. */
  readonly name: string
  readonly state: 'opening' | 'open'
  /** Database objects that use it. */
  readonly leases: number
  readonly minConnections: number
  readonly maxConnections: number
  /** Undefined while it is being opened. */
  readonly stats: PoolStats | undefined
  /** The lock under which it is opened and closed; never held while a query runs. */
  readonly lock: PoolLockInfo
}

/** Who has a pool's lock now, and what became of those who wanted it. */
export interface PoolLockInfo extends LockFigures {
  readonly holder: { readonly label: string | undefined; readonly heldMs: number } | undefined
}

/** What a process has: its pools, and its connections beside them. */
export interface ProcessPools {
  readonly pools: readonly PoolInfo[]
  /** Dedicated connections, open or being opened: for callers who could not wait for a pool any longer. */
  readonly dedicated: number
  /** Connections of the process, dedicated ones and those for locks included, and how many it may have. */
  readonly budget: { readonly limit: number; readonly taken: number }
}
