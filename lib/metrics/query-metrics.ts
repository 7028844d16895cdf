import { queryEvents, slowQueryEvents, transactionEvents } from '../events.js'
import { errorCode } from './error-code.js'
import type { MetricSet } from './metric-set.js'
import { inSeconds, remembered } from './series.js'

/** Puts in how statements go, by who sent them. Their text is nobody's label: there is no end to texts. */
export function countQueries(metrics: MetricSet): void {
  const duration = metrics.histogram('query_seconds', 'Running of a statement, by the node or call that sent it', ['pool', 'label'])
  const errors = metrics.counter('query_errors_total', 'Statements that failed, by the code of the error', ['pool', 'code'])
  const slow = metrics.counter('slow_queries_total', "Statements that took longer than the database's slowQueryMs", ['pool', 'label'])
  const retries = metrics.counter('transaction_retries_total', 'Transactions run again, by the code of the error', ['pool', 'code'])
  const { series } = metrics
  const durationsOf = series.perPool((pool) => {
    return remembered((sender: string) => duration.labels({ pool, label: series.senderLabel(sender) }))
  })
  metrics.listen(queryEvents, ({ pool, label, durationMs, error }) => {
    durationsOf(pool)(label).observe(inSeconds(durationMs))
    if (error !== undefined) errors.inc({ pool: series.poolLabel(pool), code: errorCode(error) })
  })
  metrics.listen(transactionEvents, (event) => {
    if (event.type === 'retried') retries.inc({ pool: series.poolLabel(event.pool), code: event.code })
  })
  metrics.listen(slowQueryEvents, ({ pool, label }) => {
    slow.inc({ pool: series.poolLabel(pool), label: series.senderLabel(label) })
  })
}
