import type { LockMetrics } from './lock-metrics.js'
import { currentLocks } from './lock-scope.js'

/**
 * What has become of those who wanted a lock: in total and by lock, of the process; inside `withLockScope(fn, { registry: 'own' })`
 * of that scope's own registry.
 *
 * ```ts
 * const { total } = lockMetrics()
 * console.log(total.successRate, total.waitMs.p95)
 * ```
 */
export function lockMetrics(): LockMetrics {
  return currentLocks().meter.metrics()
}

/**
 * Forgets the figures of locks that nobody holds or waits for and whose pool is gone. They go by themselves when their place is
 * needed; totals stay. Gives how many were forgotten.
 */
export function cleanupUnusedLocks(): number {
  return currentLocks().meter.forgetUnused()
}
