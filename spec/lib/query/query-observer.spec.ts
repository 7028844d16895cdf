import { afterEach, describe, expect, it } from 'vitest'
import { connectionConfig } from '../../../lib/dialect/connection-config.js'
import { ConnectionSource } from '../../../lib/dialect/connection-source.js'
import { constraintCatalogue } from '../../../lib/dialect/constraint-catalogue.js'
import { createDialect } from '../../../lib/dialect/create-dialect.js'
import { LearnedConstraints } from '../../../lib/dialect/learned-constraints.js'
import { type QueryEvent, queryEvents, type SlowQueryEvent, slowQueryEvents } from '../../../lib/events.js'
import { schemaOf } from '../../../lib/model/schema.js'
import { poolOptions } from '../../../lib/pool/pool-options.js'
import { QueryObserver } from '../../../lib/query/query-observer.js'
import type { QueryPlan } from '../../../lib/query/query-plan.js'
import { QueryRunner } from '../../../lib/query/query-runner.js'

const cleanUps: (() => unknown)[] = []

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0)) await cleanUp()
})

/** A runner on an in-memory database that has answered once: from now on its driver answers at once. */
async function warmRunner(slowQueryMs?: number): Promise<QueryRunner> {
  const dialect = createDialect(connectionConfig({ url: 'sqlite::memory:' }))
  const source = new ConnectionSource(dialect, poolOptions({ share: false }))
  cleanUps.push(() => source.close(1_000))
  const runner = new QueryRunner(dialect, source, new LearnedConstraints(constraintCatalogue([], schemaOf([])), schemaOf([])), {
    slowQueryMs,
  })
  await runner.run(plan('select 1'))
  return runner
}

function plan(sql: string): QueryPlan<readonly unknown[]> {
  return { label: 'Spec', access: 'read', statement: { sql, parameters: [] }, read: ({ rows }) => rows }
}

function heardQueries(): QueryEvent[] {
  const heard: QueryEvent[] = []
  const listener = (event: QueryEvent) => void heard.push(event)
  queryEvents.subscribe(listener)
  cleanUps.push(() => queryEvents.unsubscribe(listener))
  return heard
}

function heardSlowQueries(): SlowQueryEvent[] {
  const heard: SlowQueryEvent[] = []
  const listener = (event: SlowQueryEvent) => void heard.push(event)
  slowQueryEvents.subscribe(listener)
  cleanUps.push(() => slowQueryEvents.unsubscribe(listener))
  return heard
}

describe('a statement that is listened to', () => {
  it('gives its result at once where the driver does', async () => {
    const runner = await warmRunner()
    const heard = heardQueries()
    expect(runner.run(plan('select 7 as n union all select 8'))).toEqual([[7], [8]])
    expect(heard).toMatchObject([{ label: 'Spec', sql: 'select 7 as n union all select 8', rowCount: 2, error: undefined }])
  })

  it('throws at once where the driver does', async () => {
    const runner = await warmRunner()
    const heard = heardQueries()
    expect(() => runner.run(plan('select * from nowhere'))).toThrow('nowhere')
    expect(heard).toMatchObject([{ rowCount: 0, error: { code: 'QUERY' } }])
  })
})

describe('slowQueryMs', () => {
  const TEN_MS = 'with recursive n(i) as (select 1 union all select i + 1 from n where i < 200000) select max(i) as n from n'

  it('tells of a statement that took longer, with the limit, and of no other', async () => {
    const runner = await warmRunner(1)
    const heard = heardSlowQueries()
    runner.run(plan(TEN_MS))
    expect(heard).toMatchObject([{ label: 'Spec', sql: TEN_MS, rowCount: 1, slowQueryMs: 1, inTransaction: false, error: undefined }])
    expect(heard[0]!.durationMs).toBeGreaterThan(1)
    const patient = await warmRunner(60_000)
    patient.run(plan(TEN_MS))
    expect(heard).toHaveLength(1)
  })

  it('is told of in a transaction too, and where the statement fails', async () => {
    const runner = await warmRunner(1)
    const heard = heardSlowQueries()
    const failing = TEN_MS.replace('max(i)', "json('{' || max(i))")
    await expect(runner.transaction('Spec', async () => runner.run(plan(failing)))).rejects.toMatchObject({ code: 'QUERY' })
    expect(heard).toMatchObject([{ inTransaction: true, rowCount: 0, error: { code: 'QUERY' } }])
  })

  it('costs nothing where nobody would hear of it', () => {
    const observer = new QueryObserver('pool', 1, () => new Error())
    expect(observer.isHeard).toBe(false)
    heardSlowQueries()
    expect(observer.isHeard).toBe(true)
    expect(new QueryObserver('pool', undefined, () => new Error()).isHeard).toBe(false)
  })
})
