import type { Counter } from 'prom-client'
import { LabelValues } from './label-values.js'

const MOST_POOLS = 100
const MOST_LABELS = 1_000
/** The names of pools and senders have no end, unlike the labels that they stand under. */
const MOST_REMEMBERED = 1_000

/** Remembers what `make` gave for the newest keys. To find a series by its labels each time costs more than all else there is to do. */
export function remembered<Key, Value>(make: (key: Key) => Value): (key: Key) => Value {
  const known = new Map<Key, Value>()
  return (key) => {
    let value = known.get(key)
    if (value === undefined) {
      if (known.size === MOST_REMEMBERED) known.delete(known.keys().next().value as Key)
      value = make(key)
      known.set(key, value)
    }
    return value
  }
}

/** A counter's series that is there before anything is counted: a rate needs the 0 that the first one came from. */
export function fromZero<Label extends string>(
  counter: Counter<Label>,
  labels: Readonly<Partial<Record<Label, string>>>,
): Counter.Internal {
  counter.inc(labels, 0)
  return counter.labels(labels)
}

/** Prometheus' unit of time: milliseconds of an event as seconds. */
export function inSeconds(ms: number): number {
  return ms / 1_000
}

/** Makes the series of pools, nodes and labels, each once, and never without an end. */
export class SeriesMaker {
  readonly #pools = new LabelValues(MOST_POOLS)
  readonly #labels = new LabelValues(MOST_LABELS)

  /** Where the pool leads, without the hash in its name: that is another one in each process, and would be a new series with each. */
  poolLabel(pool: string): string {
    const end = pool.lastIndexOf('#')
    return this.#pools.of(end === -1 ? pool : pool.slice(0, end))
  }

  /** Who sent a statement, or a node. */
  senderLabel(label: string): string {
    return this.#labels.of(label)
  }

  /** The series of a pool by its name; the same for all that lead to one target, and for one that is opened again. */
  perPool<Series>(make: (poolLabel: string) => Series): (pool: string) => Series {
    return remembered((pool) => make(this.poolLabel(pool)))
  }
}
