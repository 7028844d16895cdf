import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'

/** How long something took, in milliseconds; all 0 where it never happened. */
export interface LatencyFigures {
  readonly count: number
  readonly p50: number
  readonly p95: number
  readonly p99: number
  readonly max: number
}

const US_PER_MS = 1_000
/** A day: what lasts longer counts as that. */
const HIGHEST_US = 86_400_000_000

/** Values that are kept as they are. A histogram takes some 20 kB and 10 µs to make: too much for what happens once. */
const FEW = 16

/**
 * Remembers how long something took, in some 25 ns and without an allocation each time. Exact to 1 %, or to a microsecond;
 * its memory does not grow.
 */
export class LatencyRecorder {
  #few: number[] | undefined
  #histogram: RecordableHistogram | undefined

  record(ms: number): void {
    const us = Math.min(Math.max(1, Math.round(ms * US_PER_MS)), HIGHEST_US)
    if (this.#histogram !== undefined) this.#histogram.record(us)
    else this.#recordFew(us)
  }

  figures(): LatencyFigures {
    if (this.#histogram !== undefined) return figuresOf(this.#histogram)
    return this.#few === undefined ? NO_LATENCY : figuresOfFew(this.#few)
  }

  #recordFew(us: number): void {
    this.#few ??= []
    this.#few.push(us)
    if (this.#few.length <= FEW) return
    this.#histogram = createHistogram({ lowest: 1, highest: HIGHEST_US, figures: 2 })
    for (const each of this.#few) this.#histogram.record(each)
    this.#few = undefined
  }
}

function figuresOf(histogram: RecordableHistogram): LatencyFigures {
  const atMs = (percentile: number) => histogram.percentile(percentile) / US_PER_MS
  return { count: histogram.count, p50: atMs(50), p95: atMs(95), p99: atMs(99), max: histogram.max / US_PER_MS }
}

function figuresOfFew(few: readonly number[]): LatencyFigures {
  const sorted = few.toSorted((left, right) => left - right)
  // the same one of them as the histogram gives
  const atMs = (percentile: number) => sorted[Math.round((percentile / 100) * sorted.length) - 1]! / US_PER_MS
  return { count: sorted.length, p50: atMs(50), p95: atMs(95), p99: atMs(99), max: atMs(100) }
}

/** Of what never happened. */
export const NO_LATENCY: LatencyFigures = Object.freeze({ count: 0, p50: 0, p95: 0, p99: 0, max: 0 })
