export { collectMetrics, type Metrics, type MetricsOptions } from './metrics.js'
export type { MetricsRegistry } from './prom-client.js'
