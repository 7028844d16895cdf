import { Registry } from 'prom-client'
import { afterEach, describe, expect, it } from 'vitest'
import { MetricSet } from '../../../lib/metrics/metric-set.js'
import { loadPromClient } from '../../../lib/metrics/prom-client.js'

const registry = new Registry()
const metrics = new MetricSet(await loadPromClient(), { registry, prefix: 'spec_', buckets: [1] })

afterEach(() => metrics.remove())

describe('MetricSet', () => {
  it('adds up the readings of a gauge that stand under the same labels, and forgets those of the last time', async () => {
    let readings: readonly (readonly [{ pool: string }, number])[] = [
      [{ pool: 'a' }, 2],
      [{ pool: 'a' }, 3],
      [{ pool: 'b' }, 1],
    ]
    metrics.gauge('leased', 'Connections', ['pool'], () => readings)
    expect(await registry.getSingleMetricAsString('spec_leased')).toContain('spec_leased{pool="a"} 5\nspec_leased{pool="b"} 1')
    readings = [[{ pool: 'b' }, 4]]
    expect(await registry.getSingleMetricAsString('spec_leased')).toMatch(/gauge\nspec_leased\{pool="b"\} 4$/)
  })

  it('says where a pool leads, whatever else is in its name', () => {
    const labels = ['postgres:db:5432/shop#ab12cd34', 'sqlite:a#b.db#ab12cd34', 'every pool'].map((name) => metrics.series.poolLabel(name))
    expect(labels).toEqual(['postgres:db:5432/shop', 'sqlite:a#b.db', 'every pool'])
  })
})
