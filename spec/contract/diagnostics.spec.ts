import { setTimeout as sleep } from 'node:timers/promises'
import { type Database, type Logger, sql } from 'latchwork'
import { collectMetrics, type Metrics } from 'latchwork/metrics'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { queryEvents } from '../../lib/events.js'
import { type Exposition, parseExposition } from '../lib/metrics/exposition.js'
import { forEachEngine, type SpecEngine } from '../support/engines.js'
import { models } from './members.js'
import { endSessions, rejectionOf, useDatabase } from './use-database.js'

const CANARY = 'a canary value'

class WarningLog implements Logger {
  readonly warnings: { readonly message: string; readonly fields: object }[] = []
  debug(): void {}
  warn(fields: object, message: string): void {
    this.warnings.push({ message, fields })
  }
}

forEachEngine((engine) => {
  describe('the metrics', () => {
    const house = useDatabase(engine, models)
    let metrics: Metrics

    beforeEach(async () => {
      metrics = await collectMetrics()
    })

    afterEach(() => {
      metrics.stop()
      return house.clear()
    })

    /** A transaction that has the connection which writes. */
    function inTransaction(db: Database<typeof models>) {
      return (work: () => Promise<void>) => db.transaction(() => db.nodes.tickets.create({}).then(work))
    }

    async function read(): Promise<Exposition> {
      return parseExposition(await metrics.text())
    }

    it('count calls that follow each other on a cold pool exactly, and no fault', async () => {
      const { nodes } = house.another({ pool: { share: false } })
      // an engine that cannot give back what it wrote is asked once more
      let statements = 0
      const count = () => void statements++
      queryEvents.subscribe(count)
      for (let n = 0; n < 5; n++) await nodes.members.create({ email: `${n}@example.com` })
      queryEvents.unsubscribe(count)
      const { sum, value, types } = await read()
      expect({
        connected: sum('latchwork_pool_connect_seconds_count'),
        acquired: sum('latchwork_pool_acquire_seconds_count'),
        used: sum('latchwork_pool_usage_seconds_count'),
        statements: sum('latchwork_query_seconds_count', { label: 'MemberCreateNode' }),
        calls: value('latchwork_node_seconds_count', { node: 'MemberCreateNode' }),
        locks: sum('latchwork_lock_wait_seconds_count', { kind: 'pool' }),
        holds: sum('latchwork_lock_hold_seconds_count', { kind: 'pool' }),
      }).toEqual({ connected: 1, acquired: 5, used: 5, statements, calls: 5, locks: 1, holds: 1 })
      expect([5, 10]).toContain(statements)
      const faults = Object.keys(types).filter((name) =>
        /_(timeouts|errors|refused|deadlocks|fallbacks|leaks|aborts|overheld)_total$/.test(name),
      )
      expect(faults.length).toBeGreaterThan(10)
      expect(faults.filter((name) => sum(name) > 0)).toEqual([])
    })

    it('count exactly where many callers come at once to a cold pool', async () => {
      const { nodes } = house.another({ pool: { share: false, maxConnections: 4 } })
      await Promise.all(Array.from({ length: 100 }, () => nodes.tickets.create({})))
      const { sum, value } = await read()
      expect(sum('latchwork_pool_acquire_seconds_count')).toBe(100)
      expect(sum('latchwork_pool_usage_seconds_count')).toBe(100)
      expect(value('latchwork_node_seconds_count', { node: 'TicketCreateNode' })).toBe(100)
      expect(sum('latchwork_pool_connect_seconds_count')).toBeLessThanOrEqual(4)
      expect([sum('latchwork_pool_waiting'), sum('latchwork_pool_connections', { state: 'leased' })]).toEqual([0, 0])
    })

    it('show a connection as leased while a transaction has it, and as idle after', async () => {
      const before = await read()
      const { db } = house
      const during = await db.transaction(async () => {
        await db.nodes.members.count()
        return read()
      })
      const after = await read()
      const leased = [before, during, after].map(({ sum }) => sum('latchwork_pool_connections', { state: 'leased' }))
      expect(leased).toEqual([0, 1, 0])
      expect(during.sum('latchwork_connection_budget_taken')).toBeGreaterThan(0)
      expect(during.sum('latchwork_pool_max_connections')).toBeGreaterThanOrEqual(10)
    })

    it('count a caller whose wait for a connection ran out', async () => {
      const db = house.another({ pool: { share: false, maxConnections: 1, acquireTimeoutMs: 1_500, lockTimeoutMs: 1_500 } })
      await db.nodes.tickets.create({})
      const late = await during(inTransaction(db), () => rejectionOf(db.nodes.tickets.create({})))
      expect(late.code).toBe('POOL_TIMEOUT')
      const statement = expect.stringMatching(/^(insert into|select) .*["`]tickets["`]/)
      expect(late.holders).toEqual([{ label: 'transaction', heldMs: expect.any(Number), statement }])
      expect(late.message).toMatch(/transaction for \d+ ms, last with (insert|select) /)
      const { sum, value } = await read()
      expect(sum('latchwork_pool_timeouts_total')).toBe(1)
      expect(value('latchwork_node_errors_total', { node: 'TicketCreateNode', code: 'POOL_TIMEOUT' })).toBe(1)
      // it never ran
      expect(sum('latchwork_query_errors_total')).toBe(0)
    })

    it('count those whom a full queue refused', async () => {
      const db = house.another({ pool: { share: false, maxConnections: 1, maxQueue: 0 } })
      await db.nodes.tickets.create({})
      const refused = await during(inTransaction(db), () => rejectionOf(db.nodes.tickets.create({})))
      expect(refused.code).toBe('POOL_QUEUE_FULL')
      expect((await read()).sum('latchwork_pool_refused_total')).toBe(1)
    })

    it('count a connection that reached the end of its life, by that reason', async () => {
      const db = house.another({ pool: { share: false, maxLifetimeMs: 100 } })
      await db.nodes.tickets.create({})
      await vi.waitFor(
        async () => expect((await read()).sum('latchwork_pool_connections_closed_total', { reason: 'lifetime' })).toBe(1),
        5_000,
      )
    })

    it('count locks of the application, those who waited in vain among them, under one label', async () => {
      const { db } = house
      const labels = { kind: 'application', pool: '' }
      const [late, meanwhile] = await during(
        (work) => db.lock('invoice:42', work),
        async () => [await rejectionOf(db.lock('invoice:42', () => 'never', { timeoutMs: 50 })), await read()] as const,
      )
      expect(late.code).toBe('LOCK_TIMEOUT')
      expect(meanwhile.value('latchwork_lock_held', labels)).toBe(1)
      await db.lock('invoice:43', () => db.lock('invoice:43', () => sleep(20)))
      const { value } = await read()
      expect({
        acquired: value('latchwork_lock_wait_seconds_count', labels),
        released: value('latchwork_lock_hold_seconds_count', labels),
        timeouts: value('latchwork_lock_timeouts_total', labels),
        reentries: value('latchwork_lock_reentries_total', labels),
        held: value('latchwork_lock_held', labels),
        waiting: value('latchwork_lock_waiting', labels),
      }).toEqual({ acquired: 2, released: 2, timeouts: 1, reentries: 1, held: 0, waiting: 0 })
      expect(value('latchwork_lock_hold_seconds_sum', labels)).toBeGreaterThan(0.05)
      expect(await metrics.text()).not.toContain('invoice')
    })

    it('hold neither values nor statements nor passwords', async () => {
      const { nodes, db } = house
      await nodes.members.create({ email: CANARY })
      await rejectionOf(nodes.members.create({ email: CANARY }))
      await sql`select ${CANARY} as canary`.execute(db.kysely)
      const text = await metrics.text()
      expect(text).not.toMatch(/canary|select|insert/i)
      const { password } = new URL(house.url)
      if (password !== '') expect(text).not.toContain(password)
    })
  })

  describe('slowQueryMs', () => {
    const log = new WarningLog()
    const house = useDatabase(engine, models, { logger: log, slowQueryMs: 40 })

    it('makes a warning of a statement that took longer, and counts it, without its values', async () => {
      using metrics = await collectMetrics()
      await house.nodes.members.create({ email: 'fast@example.com' })
      log.warnings.length = 0
      await slowStatement(engine).execute(house.db.kysely)
      expect(log.warnings.map(({ message }) => message)).toEqual([
        expect.stringMatching(/^db\.kysely was slow: 1 rows in \d+\.\d ms, over slowQueryMs 40$/),
      ])
      const fields = log.warnings[0]!.fields as { readonly durationMs: number }
      expect(fields).toMatchObject({
        label: 'db.kysely',
        rowCount: 1,
        inTransaction: false,
        slowQueryMs: 40,
        sql: expect.stringContaining('as canary'),
      })
      expect(fields.durationMs).toBeGreaterThan(40)
      expect(JSON.stringify(log.warnings)).not.toContain(CANARY)
      expect(parseExposition(await metrics.text()).sum('latchwork_slow_queries_total', { label: 'db.kysely' })).toBe(1)
    })
  })
})

forEachEngine(
  (engine) => {
    describe('the metrics of a server', () => {
      const house = useDatabase(engine, models)

      it('count a connection that the server ended as closed, and the call as failed', async () => {
        using metrics = await collectMetrics()
        const db = house.another({ pool: { share: false, validateAfterIdleMs: 60_000 } })
        const failed = rejectionOf(
          db.transaction(async () => {
            await db.nodes.tickets.create({})
            await endSessions(engine, house.url)
            await db.nodes.tickets.create({})
          }),
        )
        const { code } = await failed
        expect(['CONNECTION', 'CONNECTION_LOST']).toContain(code)
        const { sum, value } = parseExposition(await metrics.text())
        expect(sum('latchwork_pool_connections_closed_total', { reason: 'broken' })).toBeGreaterThanOrEqual(1)
        expect(value('latchwork_node_errors_total', { node: 'TicketCreateNode', code: String(code) })).toBe(1)
      })

      it('count a pool that does not open in time as a fallback, with the time-out of its lock', async () => {
        using metrics = await collectMetrics()
        const initSql = [engine.name === 'postgres' ? 'select pg_sleep(0.6)' : 'do sleep(0.6)']
        const { nodes } = house.another({ pool: { share: false, lockTimeoutMs: 100, initSql } })
        await nodes.tickets.create({})
        const { sum } = parseExposition(await metrics.text())
        expect(sum('latchwork_pool_fallbacks_total')).toBe(1)
        expect(sum('latchwork_lock_timeouts_total', { kind: 'pool' })).toBe(1)
      })
    })
  },
  { engines: ['postgres', 'mysql'] },
)

/** Runs `call` outside of what `hold` opens, while that is open. */
async function during<T>(hold: (work: () => Promise<void>) => Promise<unknown>, call: () => Promise<T>): Promise<T> {
  const [isBegun, begin] = gate()
  const [isOver, end] = gate()
  const held = hold(() => {
    begin()
    return isOver
  })
  await isBegun
  const result = await call()
  end()
  await held
  return result
}

function gate(): [promise: Promise<void>, open: () => void] {
  let open!: () => void
  const promise = new Promise<void>((resolve) => {
    open = resolve
  })
  return [promise, open]
}

function slowStatement({ name }: SpecEngine) {
  if (name === 'postgres') return sql`select pg_sleep(0.1), ${CANARY}::text as canary`
  if (name === 'mysql') return sql`select sleep(0.1), ${CANARY} as canary`
  return sql`with recursive n(i) as (select 1 union all select i + 1 from n where i < 3000000) select max(i), ${CANARY} as canary from n`
}
