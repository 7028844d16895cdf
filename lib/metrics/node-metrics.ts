import { nodeEvents } from '../events.js'
import { errorCode } from './error-code.js'
import type { MetricSet } from './metric-set.js'
import { inSeconds, remembered } from './series.js'

/** Puts in how the calls of nodes go: the wait for a connection and every statement of the call are part of them. */
export function countNodes(metrics: MetricSet): void {
  const duration = metrics.histogram('node_seconds', 'A call of a node, waiting included', ['node'])
  const errors = metrics.counter('node_errors_total', 'Calls of a node that failed, by the code of the error', ['node', 'code'])
  const { series } = metrics
  const durationOf = remembered((node: string) => duration.labels({ node: series.senderLabel(node) }))
  metrics.listen(nodeEvents, ({ node, durationMs, error }) => {
    durationOf(node).observe(inSeconds(durationMs))
    if (error !== undefined) errors.inc({ node: series.senderLabel(node), code: errorCode(error) })
  })
}
