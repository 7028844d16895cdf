import { readFileSync } from 'node:fs'
import { collectMetrics, type Metrics } from 'latchwork/metrics'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

interface Panel {
  readonly id: number
  readonly type: string
  readonly title: string
  readonly datasource?: { readonly type: string; readonly uid: string }
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly targets?: readonly { readonly refId: string; readonly expr: string }[]
}

interface Dashboard {
  readonly schemaVersion: number
  readonly title: string
  readonly panels: readonly Panel[]
  readonly templating: { readonly list: readonly { readonly name: string; readonly type: string; readonly definition?: string }[] }
}

const TEXT = readFileSync(new URL('../../../docs/grafana-dashboard.json', import.meta.url), 'utf8')
const dashboard = JSON.parse(TEXT) as Dashboard
const expressions = dashboard.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr))

/** What Prometheus adds to every series of a target. */
const TARGET_LABELS = ['job', 'instance']

describe('docs/grafana-dashboard.json', () => {
  let metrics: Metrics
  /** The labels of each series, by the name that it is asked for. */
  const labelsOf = new Map<string, readonly string[]>()
  let names: readonly string[]

  beforeAll(async () => {
    metrics = await collectMetrics()
    // what a metric was made of is on it, though its type does not say so
    const registered = metrics.registry.getMetricsAsArray() as unknown as readonly { name: string; type: string; labelNames: string[] }[]
    names = registered.map(({ name }) => name)
    for (const { name, type, labelNames } of registered) {
      const labels = [...labelNames, ...TARGET_LABELS]
      if (type !== 'histogram') labelsOf.set(name, labels)
      else for (const part of ['bucket', 'sum', 'count']) labelsOf.set(`${name}_${part}`, part === 'bucket' ? [...labels, 'le'] : labels)
    }
  })

  afterAll(() => metrics.stop())

  it('has rows for all that is measured', () => {
    const rows = dashboard.panels.filter(({ type }) => type === 'row').map(({ title }) => title)
    expect(rows).toEqual(['Overview', 'Pools', 'Locks', 'Queries', 'Nodes'])
    expect(expressions.length).toBeGreaterThan(30)
  })

  it('asks for series that there are, by labels that they have', () => {
    const unknown = expressions.flatMap((expression) => {
      return seriesIn(expression).flatMap(({ name, labels }) => {
        const known = labelsOf.get(name)
        if (known === undefined) return [name]
        return labels.filter((label) => !known.includes(label)).map((label) => `${name}{${label}}`)
      })
    })
    expect(unknown).toEqual([])
    const variables = dashboard.templating.list.flatMap(({ definition = '' }) => definition.match(/latchwork_\w+/g) ?? [])
    expect(variables.length).toBeGreaterThan(0)
    expect(variables.filter((name) => !labelsOf.has(name))).toEqual([])
  })

  it('shows every metric', () => {
    expect(names.filter((name) => !expressions.some((expression) => expression.includes(name)))).toEqual([])
  })

  it('counts what only goes up by its rate', () => {
    const bare = expressions.filter((expression) => /(?<!(?:rate|increase)\()latchwork_\w+_(?:total|bucket|sum|count)\b/.test(expression))
    expect(bare).toEqual([])
  })

  it('can be imported: its form, its identities, one variable for the data source', () => {
    expect(dashboard.schemaVersion).toBeGreaterThanOrEqual(36)
    const ids = dashboard.panels.map(({ id }) => id)
    expect(new Set(ids).size).toBe(ids.length)
    expect(dashboard.templating.list.filter(({ type }) => type === 'datasource').map(({ name }) => name)).toEqual(['datasource'])
    const sources = new Set([...TEXT.matchAll(/"uid": "(\$[^"]*)"/g)].map(([, uid]) => uid))
    expect(sources).toEqual(new Set([`\${datasource}`]))
    for (const { type, title, targets = [] } of dashboard.panels) {
      if (type !== 'row') expect([title, targets.length]).toEqual([title, expect.toSatisfy((count: number) => count > 0)])
      const refIds = targets.map(({ refId }) => refId)
      expect(new Set(refIds).size).toBe(refIds.length)
    }
    const asked = new Set(expressions.flatMap((expression) => [...expression.matchAll(/\$(\w+)/g)].map(([, name]) => name!)))
    asked.delete('__rate_interval')
    const known = dashboard.templating.list.map(({ name }) => name)
    expect([...asked].filter((name) => !known.includes(name))).toEqual([])
  })

  it('lays no panel over another, nor past the edge', () => {
    const overlapping = dashboard.panels.flatMap((left, at) => {
      return dashboard.panels.slice(at + 1).flatMap((right) => (overlaps(left, right) ? [`${left.title} and ${right.title}`] : []))
    })
    expect(overlapping).toEqual([])
    expect(dashboard.panels.filter(({ gridPos: { x, w } }) => x < 0 || w < 1 || x + w > 24)).toEqual([])
  })
})

/** The series that a PromQL expression asks for, with the labels that it picks and groups them by. */
function seriesIn(expression: string): { name: string; labels: string[] }[] {
  const selectors = [...expression.matchAll(/(latchwork_\w+)(?:\{([^}]*)\})?/g)]
  const grouping = [...expression.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list]) => list!.split(',').map((label) => label.trim()))
  return selectors.map(([, name, matchers = '']) => {
    const picked = [...matchers.matchAll(/(\w+)\s*(?:=~|=|!=|!~)/g)].map(([, label]) => label!)
    return { name: name!, labels: [...picked, ...grouping] }
  })
}

function overlaps({ gridPos: a }: Panel, { gridPos: b }: Panel): boolean {
  return a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h
}
