import { createDatabase, field, type Generated, id, model } from 'latchwork'
import { collectMetrics, type Metrics, type MetricsOptions } from 'latchwork/metrics'
import { Counter, type OpenMetricsContentType, Registry } from 'prom-client'
import { afterEach, describe, expect, it } from 'vitest'
import { type LockEvent, lockEvents, nodeEvents, poolEvents, queryEvents, slowQueryEvents } from '../../../lib/events.js'
import { loadPromClient } from '../../../lib/metrics/prom-client.js'
import { parseExposition } from './exposition.js'

const CHANNELS = { nodeEvents, queryEvents, slowQueryEvents, poolEvents, lockEvents }

@model()
class Note {
  @id() id!: Generated<number>
  @field.text({ unique: true, maxLength: 50 }) title!: string
}

const running: Metrics[] = []

async function collect(options?: MetricsOptions): Promise<Metrics> {
  const metrics = await collectMetrics(options)
  running.push(metrics)
  return metrics
}

function listeners(): Record<string, boolean> {
  return Object.fromEntries(Object.entries(CHANNELS).map(([name, channel]) => [name, channel.hasSubscribers]))
}

function publishLock(event: Partial<LockEvent>): void {
  lockEvents.publish({ kind: 'pool', key: 'postgres:db:5432/shop#ab12cd34', label: undefined, isReentry: false, ...event } as LockEvent)
}

afterEach(() => {
  for (const metrics of running.splice(0)) metrics.stop()
})

describe('collectMetrics', () => {
  it('listens until it is stopped, and leaves nothing behind', async () => {
    const registry = new Registry()
    const metrics = await collect({ registry })
    expect(new Set(Object.values(listeners()))).toEqual(new Set([true]))
    expect(registry.getMetricsAsArray().length).toBeGreaterThan(20)
    metrics.stop()
    expect(new Set(Object.values(listeners()))).toEqual(new Set([false]))
    expect(registry.getMetricsAsArray()).toEqual([])
    expect(() => metrics.stop()).not.toThrow()
  })

  it('ends with the block that it is used in', async () => {
    {
      using metrics = await collectMetrics()
      expect(metrics.contentType).toBe('text/plain; version=0.0.4; charset=utf-8')
    }
    expect(new Set(Object.values(listeners()))).toEqual(new Set([false]))
  })

  it('puts its metrics among those that a registry has, and takes only its own out', async () => {
    const registry = new Registry()
    new Counter({ name: 'shop_orders_total', help: 'Orders', registers: [registry] }).inc(3)
    const metrics = await collect({ registry })
    const { value } = parseExposition(await metrics.text())
    expect([value('shop_orders_total'), value('latchwork_connection_budget')]).toEqual([3, expect.any(Number)])
    metrics.stop()
    expect(await registry.metrics()).toContain('shop_orders_total 3')
    expect(await registry.metrics()).not.toContain('latchwork')
  })

  it('refuses a registry that has such metrics already, and leaves it as it was', async () => {
    const registry = new Registry()
    const first = await collect({ registry })
    const names = registry.getMetricsAsArray().map(({ name }) => name)
    await expect(collectMetrics({ registry })).rejects.toMatchObject({
      code: 'CONFIGURATION',
      option: 'registry',
      message: expect.stringContaining('it has a metric latchwork_pool_acquire_seconds already'),
    })
    expect(registry.getMetricsAsArray().map(({ name }) => name)).toEqual(names)
    first.stop()
    await collect({ registry })
  })

  it('takes nothing that was there out of a registry where one name is taken', async () => {
    const registry = new Registry()
    new Counter({ name: 'latchwork_node_errors_total', help: 'Not ours', registers: [registry] })
    await expect(collectMetrics({ registry })).rejects.toThrow('latchwork_node_errors_total')
    expect(registry.getMetricsAsArray().map(({ name }) => name)).toEqual(['latchwork_node_errors_total'])
    expect(new Set(Object.values(listeners()))).toEqual(new Set([false]))
  })

  it('counts twice in one registry under two prefixes', async () => {
    const registry = new Registry()
    await collect({ registry })
    const metrics = await collect({ registry, prefix: 'again_' })
    publishLock({ type: 'timedOut', waitedMs: 5 })
    const { value } = parseExposition(await metrics.text())
    const labels = { kind: 'pool', pool: 'postgres:db:5432/shop' }
    expect([value('latchwork_lock_timeouts_total', labels), value('again_lock_timeouts_total', labels)]).toEqual([1, 1])
  })

  it('writes the OpenMetrics format in a registry of that format', async () => {
    const registry = new Registry<OpenMetricsContentType>()
    registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE)
    const metrics = await collect({ registry })
    publishLock({ type: 'timedOut', waitedMs: 5 })
    expect(metrics.contentType).toContain('application/openmetrics-text')
    const text = await metrics.text()
    expect(text).toContain('# TYPE latchwork_lock_timeouts counter\n')
    expect(text).toContain('latchwork_lock_timeouts_total{kind="pool",pool="postgres:db:5432/shop"} 1\n')
    metrics.stop()
    expect(registry.getMetricsAsArray()).toEqual([])
  })

  it('has the buckets that it is given', async () => {
    const metrics = await collect({ buckets: [0.25, 4] })
    publishLock({ type: 'acquired', waitedMs: 300 })
    const { samples } = parseExposition(await metrics.text())
    const buckets = samples.filter(({ name }) => name === 'latchwork_lock_wait_seconds_bucket')
    expect(buckets.map(({ labels, value }) => [labels.le, value])).toEqual([
      ['0.25', 0],
      ['4', 1],
      ['+Inf', 1],
    ])
  })

  it.each([
    ['prefixx', { prefixx: 'a' }, 'did you mean prefix?'],
    ['prefix', { prefix: '1st_' }, 'expected letters'],
    ['prefix', { prefix: 'latch work' }, 'expected letters'],
    ['buckets', { buckets: [] }, 'expected a list of seconds'],
    ['buckets', { buckets: [1, 1] }, 'expected a list of seconds'],
    ['buckets', { buckets: [0, 1] }, 'expected a list of seconds'],
    ['buckets', { buckets: [1, Number.POSITIVE_INFINITY] }, 'expected a list of seconds'],
    ['registry', { registry: {} }, 'expected a Registry'],
    ['registry', { registry: null }, 'expected a Registry'],
  ])('refuses %s in %j', async (option, options, message) => {
    await expect(collectMetrics(options as never)).rejects.toMatchObject({ option, message: expect.stringContaining(message) })
    expect(poolEvents.hasSubscribers).toBe(false)
  })

  it('says what to install where prom-client is missing', async () => {
    const missing = Object.assign(new Error("Cannot find package 'prom-client' imported from /app"), { code: 'ERR_MODULE_NOT_FOUND' })
    await expect(loadPromClient(() => Promise.reject(missing))).rejects.toMatchObject({
      code: 'CONFIGURATION',
      message: 'prom-client: the package is not installed; run: npm install prom-client',
      cause: missing,
    })
    const broken = new Error('prom-client broke')
    await expect(loadPromClient(() => Promise.reject(broken))).rejects.toBe(broken)
  })
})

describe('the series', () => {
  it('stand under where a pool leads, without the hash that differs with each process', async () => {
    const metrics = await collect()
    await using one = createDatabase({ url: 'sqlite::memory:', models: { notes: Note }, pool: { share: false } })
    await using other = createDatabase({ url: 'sqlite::memory:', models: { notes: Note }, pool: { share: false } })
    for (const db of [one, other]) await db.ping()
    const { value, samples } = parseExposition(await metrics.text())
    const pools = new Set(samples.flatMap(({ labels }) => labels.pool ?? []))
    pools.delete('')
    expect(pools).toEqual(new Set(['sqlite::memory:']))
    expect(value('latchwork_pool_connections', { pool: 'sqlite::memory:', state: 'idle' })).toBe(2)
    expect(value('latchwork_query_seconds_count', { pool: 'sqlite::memory:', label: 'ping' })).toBe(2)
  })

  it('count locks of the application as one, whatever their keys', async () => {
    const metrics = await collect()
    for (const key of ['invoice:1@shop', 'invoice:2@shop']) {
      publishLock({ kind: 'application', key, type: 'acquired', waitedMs: 0 })
      publishLock({ kind: 'application', key, type: 'released', heldMs: 2 })
    }
    const text = await metrics.text()
    const { value } = parseExposition(text)
    const labels = { kind: 'application', pool: '' }
    expect([value('latchwork_lock_wait_seconds_count', labels), value('latchwork_lock_hold_seconds_count', labels)]).toEqual([2, 2])
    expect(value('latchwork_lock_hold_seconds_sum', labels)).toBeCloseTo(0.004)
    expect(text).not.toContain('invoice')
  })

  it('tell re-entries apart: they wait for nothing and hold nothing more', async () => {
    const metrics = await collect()
    publishLock({ type: 'acquired', isReentry: true, waitedMs: 0 })
    publishLock({ type: 'released', isReentry: true, heldMs: 2 })
    const { value } = parseExposition(await metrics.text())
    const labels = { kind: 'pool', pool: 'postgres:db:5432/shop' }
    expect(value('latchwork_lock_reentries_total', labels)).toBe(1)
    expect(value('latchwork_lock_wait_seconds_count', labels)).toBe(0)
    expect(value('latchwork_lock_hold_seconds_count', labels)).toBe(0)
  })

  it.each(['timedOut', 'aborted', 'deadlock', 'leaked', 'overheld'] as const)('count a lock that %s, from 0 on', async (type) => {
    const names = { timedOut: 'timeouts', aborted: 'aborts', deadlock: 'deadlocks', leaked: 'leaks', overheld: 'overheld' }
    const metrics = await collect()
    const labels = { kind: 'pool', pool: 'postgres:db:5432/shop' }
    publishLock({ type: 'acquired', waitedMs: 1 })
    expect(parseExposition(await metrics.text()).value(`latchwork_lock_${names[type]}_total`, labels)).toBe(0)
    publishLock({ type, waitedMs: 1, heldMs: 1 } as never)
    expect(parseExposition(await metrics.text()).value(`latchwork_lock_${names[type]}_total`, labels)).toBe(1)
  })

  it('have an end: what comes after the hundredth pool and the thousandth sender counts as other', async () => {
    const metrics = await collect()
    for (let n = 1; n <= 103; n++)
      poolEvents.publish({ type: 'acquired', pool: `sqlite:tenant${n}.db#ab12cd34`, label: 'ping', waitedMs: 0 })
    for (let n = 1; n <= 1_002; n++) {
      nodeEvents.publish({ node: `Node${n}`, model: undefined, operation: 'x', effect: 'read', durationMs: 1, error: undefined })
    }
    const { value, samples } = parseExposition(await metrics.text())
    expect(samples.filter(({ name }) => name === 'latchwork_pool_acquire_seconds_count')).toHaveLength(101)
    expect(value('latchwork_pool_acquire_seconds_count', { pool: 'other' })).toBe(3)
    expect(value('latchwork_pool_acquire_seconds_count', { pool: 'sqlite:tenant100.db' })).toBe(1)
    expect(value('latchwork_node_seconds_count', { node: 'other' })).toBe(2)
  })

  it('name an error by its code, and one that is not ours OTHER', async () => {
    const metrics = await collect()
    await using db = createDatabase({ url: 'sqlite::memory:', models: { notes: Note }, pool: { share: false } })
    await db.createTables()
    await db.nodes.notes.create({ title: 'once' })
    await expect(db.nodes.notes.create({ title: 'once' })).rejects.toThrow()
    await expect(db.nodes.notes.create({ title: 1 as never })).rejects.toThrow()
    const error = Object.assign(new Error('theirs'), { code: 'E_4711' })
    nodeEvents.publish({ node: 'Own', model: undefined, operation: 'x', effect: 'external', durationMs: 1, error })
    const { value } = parseExposition(await metrics.text())
    expect(value('latchwork_node_errors_total', { node: 'NoteCreateNode', code: 'UNIQUE_VIOLATION' })).toBe(1)
    expect(value('latchwork_node_errors_total', { node: 'NoteCreateNode', code: 'VALIDATION' })).toBe(1)
    expect(value('latchwork_node_errors_total', { node: 'Own', code: 'OTHER' })).toBe(1)
    expect(value('latchwork_query_errors_total', { pool: 'sqlite::memory:', code: 'UNIQUE_VIOLATION' })).toBe(1)
  })

  it('count on when a pool is opened again, and show no connections of it while it is closed', async () => {
    const metrics = await collect()
    for (const round of [1, 2]) {
      const db = createDatabase({ url: 'sqlite::memory:', models: { notes: Note }, pool: { share: false } })
      await db.ping()
      await db.close()
      const { value } = parseExposition(await metrics.text())
      expect(value('latchwork_pool_acquire_seconds_count', { pool: 'sqlite::memory:' })).toBe(round)
      expect(value('latchwork_query_seconds_count', { pool: 'sqlite::memory:', label: 'ping' })).toBe(round)
    }
    const { value } = parseExposition(await metrics.text())
    expect(value('latchwork_pool_connections_closed_total', { pool: 'sqlite::memory:', reason: 'closed' })).toBe(2)
    expect(value('latchwork_pool_connections', { pool: 'sqlite::memory:', state: 'idle' })).toBeUndefined()
  })
})
