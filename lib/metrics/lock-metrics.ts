import { type LockKind, lockEvents } from '../events.js'
import { processLocks } from '../lock/lock-registry.js'
import type { MetricSet, Reading } from './metric-set.js'
import { fromZero, inSeconds } from './series.js'

/** Empty for locks of the application, which belong to no pool. */
const LABELS = ['kind', 'pool'] as const
const APPLICATION = { kind: 'application', pool: '' } as const

/** Puts in what becomes of those who want a lock. Locks of the application count as one: there is no end to their keys. */
export function countLocks(metrics: MetricSet): void {
  const seriesOf = lockSeries(metrics)
  metrics.listen(lockEvents, (event) => {
    const series = seriesOf(event.kind, event.key)
    if (event.isReentry && (event.type === 'acquired' || event.type === 'released')) {
      // the lock was held already: neither a wait for it nor a hold
      if (event.type === 'acquired') series.reentry.inc()
      return
    }
    switch (event.type) {
      case 'acquired':
        return series.wait.observe(inSeconds(event.waitedMs))
      case 'released':
        return series.hold.observe(inSeconds(event.heldMs))
      default:
        return series[event.type].inc()
    }
  })
  metrics.gauge('lock_held', 'Locks that are held', LABELS, () => readNow(metrics, 'held'))
  metrics.gauge('lock_waiting', 'Callers who wait for a lock', LABELS, () => readNow(metrics, 'waiting'))
}

function lockSeries(metrics: MetricSet) {
  const wait = metrics.histogram('lock_wait_seconds', 'Wait for a lock, of callers who got it', LABELS)
  const hold = metrics.histogram('lock_hold_seconds', 'From the taking of a lock to its release', LABELS)
  const counter = (name: string, help: string) => metrics.counter(`lock_${name}`, help, LABELS)
  const counters = {
    timedOut: counter('timeouts_total', 'Callers whose wait for a lock ran out'),
    aborted: counter('aborts_total', 'Callers who gave up waiting for a lock'),
    deadlock: counter('deadlocks_total', 'Callers refused because their wait would have closed a circle'),
    leaked: counter('leaks_total', 'Locks freed by the end of their scope'),
    overheld: counter('overheld_total', 'Locks held for longer than their maxHoldMs'),
    reentry: counter('reentries_total', 'Locks taken by a call chain that held them already'),
  }
  const make = (labels: { readonly kind: LockKind; readonly pool: string }) => ({
    wait: wait.labels(labels),
    hold: hold.labels(labels),
    timedOut: fromZero(counters.timedOut, labels),
    aborted: fromZero(counters.aborted, labels),
    deadlock: fromZero(counters.deadlock, labels),
    leaked: fromZero(counters.leaked, labels),
    overheld: fromZero(counters.overheld, labels),
    reentry: fromZero(counters.reentry, labels),
  })
  let application: ReturnType<typeof make> | undefined
  const ofPool = metrics.series.perPool((pool) => make({ kind: 'pool', pool }))
  return (kind: LockKind, key: string) => {
    if (kind === 'pool') return ofPool(key)
    application ??= make(APPLICATION)
    return application
  }
}

function* readNow(metrics: MetricSet, figure: 'held' | 'waiting'): Iterable<Reading<'kind' | 'pool'>> {
  yield [APPLICATION, 0]
  for (const [name, { kind, [figure]: count }] of processLocks().meter.entries()) {
    yield [kind === 'pool' ? { kind, pool: metrics.series.poolLabel(name) } : APPLICATION, count]
  }
}
