import type { Counter, Gauge, Histogram } from 'prom-client'
import { ConfigurationError } from '../errors.js'
import type { EventChannel } from '../events.js'
import { BucketHistogram } from './bucket-histogram.js'
import type { MetricsRegistry, PromClient } from './prom-client.js'
import { SeriesMaker } from './series.js'

/** A value of a gauge, with the labels that it stands under. */
export type Reading<Label extends string> = readonly [labels: Readonly<Record<Label, string>>, value: number]

/** Where the metrics stand, and how they are called. */
interface MetricSetOptions {
  readonly registry: MetricsRegistry
  readonly prefix: string
  /** Upper bounds of the histograms, in seconds. */
  readonly buckets: readonly number[]
}

/** Metrics in one registry and the listeners that feed them: put in and taken out together. */
export class MetricSet {
  readonly series = new SeriesMaker()
  readonly #client: PromClient
  readonly #options: MetricSetOptions
  readonly #names: string[] = []
  readonly #subscriptions: { readonly start: () => void; readonly stop: () => void }[] = []

  constructor(client: PromClient, options: MetricSetOptions) {
    this.#client = client
    this.#options = options
  }

  counter<Label extends string>(name: string, help: string, labelNames: readonly Label[]): Counter<Label> {
    return new this.#client.Counter({ ...this.#register(name, help), labelNames })
  }

  histogram<Label extends string>(name: string, help: string, labelNames: readonly Label[]): BucketHistogram<Label> {
    const { registry, buckets } = this.#options
    const histogram = new BucketHistogram(this.#register(name, help).name, help, labelNames, buckets)
    // by its shape: prom-client's own type is a union of its classes
    registry.registerMetric(histogram as unknown as Histogram)
    return histogram
  }

  /** @param read asked each time the metrics are read; readings with the same labels are added up */
  gauge<Label extends string>(name: string, help: string, labelNames: readonly Label[], read: () => Iterable<Reading<Label>>): void {
    const collect = (gauge: Gauge<Label>) => {
      gauge.reset()
      for (const [labels, value] of read()) gauge.inc(labels, value)
    }
    new this.#client.Gauge({
      ...this.#register(name, help),
      labelNames,
      collect() {
        collect(this)
      },
    })
  }

  /** Hears the events of a channel from {@link start} to {@link remove}. */
  listen<Event>(channel: EventChannel<Event>, listener: (event: Event) => void): void {
    this.#subscriptions.push({ start: () => channel.subscribe(listener), stop: () => channel.unsubscribe(listener) })
  }

  /** Begins the listening. Once. */
  start(): void {
    for (const { start } of this.#subscriptions) start()
  }

  /** Ends the listening, and takes the metrics out of the registry. */
  remove(): void {
    for (const { stop } of this.#subscriptions) stop()
    for (const name of this.#names) this.#options.registry.removeSingleMetric(name)
  }

  #register(name: string, help: string): { name: string; help: string; registers: MetricsRegistry[] } {
    const { registry, prefix } = this.#options
    const fullName = `${prefix}${name}`
    if (registry.getSingleMetric(fullName) !== undefined) {
      throw new ConfigurationError(
        'registry',
        `it has a metric ${fullName} already; stop the metrics that were there first, or give another prefix`,
      )
    }
    this.#names.push(fullName)
    return { name: fullName, help, registers: [registry] }
  }
}
