type Labels = Readonly<Record<string, string>>

/** One line of what a registry reads. */
interface Reading {
  readonly metricName: string
  readonly labels: Readonly<Record<string, string | number>>
  readonly value: number
}

/**
 * A histogram that stands in a registry of prom-client beside its own. To observe a value takes a tenth of what theirs takes,
 * which looks for the series by its labels each time: there are two a call of a lock or a pool.
 */
export class BucketHistogram<Label extends string> {
  readonly type = 'histogram'
  readonly name: string
  readonly help: string
  readonly labelNames: readonly Label[]
  readonly #bounds: readonly number[]
  readonly #series = new Map<string, Series>()

  /** @param bounds upper bounds of the buckets, going up */
  constructor(name: string, help: string, labelNames: readonly Label[], bounds: readonly number[]) {
    this.name = name
    this.help = help
    this.labelNames = labelNames
    this.#bounds = bounds
  }

  /** The series of these labels; to be kept by who observes often. */
  labels(labels: Readonly<Record<Label, string>>): Series {
    const key = JSON.stringify(this.labelNames.map((name) => labels[name]))
    const known = this.#series.get(key)
    if (known !== undefined) return known
    const series = new Series(labels, this.#bounds)
    this.#series.set(key, series)
    return series
  }

  /** What a registry reads. */
  async get(): Promise<object> {
    const values = [...this.#series.values()].flatMap((series) => series.read(this.name))
    return { name: this.name, help: this.help, type: this.type, values, aggregator: 'sum' }
  }

  /** What a registry asks of all its metrics when it is reset. */
  reset(): void {
    for (const series of this.#series.values()) series.reset()
  }
}

/** How many values fell into which bucket, under one set of labels. */
export class Series {
  readonly #labels: Labels
  readonly #bounds: readonly number[]
  /** One more than bounds: what is above them all. */
  readonly #counts: number[]
  #sum = 0

  constructor(labels: Labels, bounds: readonly number[]) {
    this.#labels = labels
    this.#bounds = bounds
    this.#counts = new Array(bounds.length + 1).fill(0)
  }

  observe(value: number): void {
    let bucket = 0
    while (bucket < this.#bounds.length && value > this.#bounds[bucket]!) bucket++
    this.#counts[bucket]!++
    this.#sum += value
  }

  /** As Prometheus counts: each bucket holds those below it too. */
  read(name: string): Reading[] {
    let count = 0
    const buckets = this.#counts.map((inBucket, at) => {
      count += inBucket
      return { metricName: `${name}_bucket`, labels: { le: this.#bounds[at] ?? '+Inf', ...this.#labels }, value: count }
    })
    return [
      ...buckets,
      { metricName: `${name}_sum`, labels: this.#labels, value: this.#sum },
      { metricName: `${name}_count`, labels: this.#labels, value: count },
    ]
  }

  reset(): void {
    this.#counts.fill(0)
    this.#sum = 0
  }
}
