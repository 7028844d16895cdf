import { ConfigurationError } from '../errors.js'
import { requireKnownNames } from '../nearest-name.js'
import { countLocks } from './lock-metrics.js'
import { MetricSet } from './metric-set.js'
import { countNodes } from './node-metrics.js'
import { countPools } from './pool-metrics.js'
import { loadPromClient, type MetricsRegistry, type PromClient } from './prom-client.js'
import { countQueries } from './query-metrics.js'

/** Where metrics are put and how they look. */
export interface MetricsOptions {
  /** A registry of prom-client where other metrics may stand too. Default: one of its own. */
  readonly registry?: MetricsRegistry
  /** What every name begins with. Default `latchwork_`. */
  readonly prefix?: string
  /** Upper bounds of every histogram, in seconds, going up. Default: 0.0001, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10. */
  readonly buckets?: readonly number[]
}

/** What {@link collectMetrics} gives. */
export interface Metrics extends Disposable {
  readonly registry: MetricsRegistry
  /** Of {@link text}, for the header of that name. */
  readonly contentType: string
  /** All that stands in the registry, as Prometheus reads it. */
  text(): Promise<string>
  /** Ends the counting and takes the metrics out of the registry. Once or more often. */
  stop(): void
}

const OPTIONS = ['registry', 'prefix', 'buckets']
const PREFIX = 'latchwork_'

/** What OpenTelemetry advises for `db.client.operation.duration`, and a tenth of a millisecond for embedded databases. */
const BUCKETS: readonly number[] = [0.0001, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10]

/**
 * Counts what the pools, locks, statements and nodes of this process do, from now on, and tells it in Prometheus' text format.
 *
 * ```ts
 * const metrics = await collectMetrics()
 * createServer(async (_, response) => response.setHeader('content-type', metrics.contentType).end(await metrics.text()))
 * ```
 *
 * @throws {ConfigurationError} an option is unknown or cannot be used; prom-client is not installed; the registry has such metrics already
 */
export async function collectMetrics(options: MetricsOptions = {}): Promise<Metrics> {
  checkOptions(options)
  return startMetrics(await loadPromClient(), options)
}

function startMetrics(client: PromClient, options: MetricsOptions): Metrics {
  const registry = options.registry ?? new client.Registry()
  const metrics = new MetricSet(client, { registry, prefix: options.prefix ?? PREFIX, buckets: options.buckets ?? BUCKETS })
  try {
    for (const count of [countPools, countLocks, countQueries, countNodes]) count(metrics)
  } catch (error) {
    metrics.remove()
    throw error
  }
  metrics.start()
  return {
    registry,
    get contentType() {
      return registry.contentType
    },
    text: () => registry.metrics(),
    stop: () => metrics.remove(),
    [Symbol.dispose]: () => metrics.remove(),
  }
}

function checkOptions(options: MetricsOptions): void {
  requireKnownNames('', options, OPTIONS)
  const { registry, prefix, buckets } = options
  if (registry !== undefined && !isRegistry(registry)) throw new ConfigurationError('registry', 'expected a Registry of prom-client')
  if (prefix !== undefined && !(typeof prefix === 'string' && /^[a-z_:][a-z0-9_:]*$/i.test(prefix))) {
    throw new ConfigurationError('prefix', 'expected letters, digits, _ and :, not a digit first')
  }
  if (buckets !== undefined && !isRising(buckets)) throw new ConfigurationError('buckets', 'expected a list of seconds above 0, going up')
}

function isRegistry(value: unknown): value is MetricsRegistry {
  const { registerMetric, getSingleMetric, removeSingleMetric, metrics } = (value ?? {}) as Partial<MetricsRegistry>
  return [registerMetric, getSingleMetric, removeSingleMetric, metrics].every((method) => typeof method === 'function')
}

function isRising(buckets: unknown): boolean {
  if (!Array.isArray(buckets) || buckets.length === 0) return false
  return buckets.every((bound, at) => Number.isFinite(bound) && bound > (at === 0 ? 0 : buckets[at - 1]))
}
