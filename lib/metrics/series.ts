import type { Counter } from 'prom-client'
import type { PoolEvent } from '../events.js'
import { LabelValues } from './label-values.js'

const MOST_POOLS = 100
const MOST_LABELS = 1_000

/** Remembers what `make` gave for a key. To find a series by its labels each time costs more than all else there is to do. */
export function remembered<Key, Value>(make: (key: Key) => Value): ((key: Key) => Value) & { forget(key: Key): void } {
  const known = new Map<Key, Value>()
  const get = (key: Key) => {
    let value = known.get(key)
    if (value === undefined) {
      value = make(key)
      known.set(key, value)
    }
    return value
  }
  return Object.assign(get, { forget: (key: Key) => void known.delete(key) })
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
  readonly #perPool: { forget(pool: string): void }[] = []

  /** Where the pool leads, without the hash in its name: that is another one in each process, and would be a new series with each. */
  poolLabel(pool: string): string {
    const end = pool.lastIndexOf('#')
    return this.#pools.of(end === -1 ? pool : pool.slice(0, end))
  }

  /** Who sent a statement, or a node. */
  senderLabel(label: string): string {
    return this.#labels.of(label)
  }

  /** The series of a pool by its name, until it is closed. */
  perPool<Series>(make: (poolLabel: string) => Series): (pool: string) => Series {
    const seriesOf = remembered((pool: string) => make(this.poolLabel(pool)))
    this.#perPool.push(seriesOf)
    return seriesOf
  }

  /** A pool that is gone may never come again: what is counted stays in the registry, under its label. */
  readonly forgetClosed = ({ type, pool }: PoolEvent): void => {
    if (type === 'closed') for (const seriesOf of this.#perPool) seriesOf.forget(pool)
  }
}
