import { poolEvents } from '../events.js'
import { poolRegistry } from '../pool/pool-registry.js'
import type { MetricSet, Reading } from './metric-set.js'
import { fromZero, inSeconds } from './series.js'

/**
 * Puts in what pools do. The words are ours, the measures those that HikariCP and OpenTelemetry have too: connections by state,
 * waiting (pending), acquire (wait time), usage (use time), connect (creation, create time), time-outs.
 * How often something was done is the `_count` of how long it took: no counter says it again.
 */
export function countPools(metrics: MetricSet): void {
  const seriesOf = poolSeries(metrics)
  const closed = metrics.counter('pool_connections_closed_total', 'Connections ended, by reason', ['pool', 'reason'])
  metrics.listen(poolEvents, (event) => {
    const series = seriesOf(event.pool)
    switch (event.type) {
      case 'acquired':
        return series.acquire.observe(inSeconds(event.waitedMs))
      case 'released':
        return series.usage.observe(inSeconds(event.heldMs))
      case 'connected':
        return series.connect.observe(inSeconds(event.durationMs))
      case 'disconnected':
        return closed.inc({ pool: series.label, reason: event.reason })
      case 'connectFailed':
      case 'timedOut':
      case 'refused':
      case 'deadlock':
      case 'fallback':
      case 'leaked':
        return series[event.type].inc()
    }
  })
  readStates(metrics)
}

function poolSeries(metrics: MetricSet) {
  const histogram = (name: string, help: string) => metrics.histogram(`pool_${name}`, help, ['pool'])
  const counter = (name: string, help: string) => metrics.counter(`pool_${name}`, help, ['pool'])
  const acquire = histogram('acquire_seconds', 'Wait for a connection, of callers who got one')
  const usage = histogram('usage_seconds', 'From the lending of a connection to its return')
  const connect = histogram('connect_seconds', 'Making of a connection, of those that were made')
  const counters = {
    connectFailed: counter('connect_errors_total', 'Connections that could not be made'),
    timedOut: counter('timeouts_total', 'Callers whose wait for a connection ran out'),
    refused: counter('refused_total', 'Callers refused because the queue was full'),
    deadlock: counter('deadlocks_total', 'Callers refused because their wait would have closed a circle'),
    fallback: counter('fallbacks_total', 'Dedicated connections tried because the pool was not open in time'),
    leaked: counter('leaks_total', 'Connections lent for longer than leakAfterMs'),
  }
  return metrics.series.perPool((label) => {
    const labels = { pool: label }
    return {
      label,
      acquire: acquire.labels(labels),
      usage: usage.labels(labels),
      connect: connect.labels(labels),
      connectFailed: fromZero(counters.connectFailed, labels),
      timedOut: fromZero(counters.timedOut, labels),
      refused: fromZero(counters.refused, labels),
      deadlock: fromZero(counters.deadlock, labels),
      fallback: fromZero(counters.fallback, labels),
      leaked: fromZero(counters.leaked, labels),
    }
  })
}

function readStates(metrics: MetricSet): void {
  metrics.gauge('pool_connections', 'Connections of open pools, by state', ['pool', 'state'], function* () {
    for (const { pool, stats } of openPools(metrics)) {
      yield [{ pool, state: 'idle' }, stats.idle] satisfies Reading<'pool' | 'state'>
      yield [{ pool, state: 'leased' }, stats.leased]
    }
  })
  metrics.gauge('pool_waiting', 'Callers who wait for a connection', ['pool'], function* () {
    for (const { pool, stats } of openPools(metrics)) yield [{ pool }, stats.waiting]
  })
  metrics.gauge('pool_max_connections', 'Most connections that a pool may have', ['pool'], function* () {
    for (const { pool, stats } of openPools(metrics)) yield [{ pool }, stats.capacity]
  })
  const processFigure = (name: string, help: string, read: () => number) => metrics.gauge(name, help, [], () => [[{}, read()]])
  processFigure('dedicated_connections', 'Connections beside the pools', () => poolRegistry().stats().dedicated)
  processFigure('connection_budget', 'Most connections that this process may have', () => poolRegistry().stats().budget.limit)
  processFigure('connection_budget_taken', 'Connections that are open or being opened', () => poolRegistry().stats().budget.taken)
}

function* openPools(metrics: MetricSet) {
  for (const { name, stats } of poolRegistry().stats().pools) {
    if (stats !== undefined) yield { pool: metrics.series.poolLabel(name), stats }
  }
}
