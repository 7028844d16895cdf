import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'
import { createDatabase } from 'latchwork'
import { Account, accountOf } from './support/accounts.js'
import { withFreshDatabase } from './support/fresh-database.js'
import { openInspector, waitForNoSessions } from './support/inspector.js'
import { openPlainAccounts, type PlainAccounts } from './support/plain-accounts.js'
import type { Limit, Report, Table } from './support/report.js'
import { median } from './support/rounds.js'
import type { EngineName, Settings } from './support/settings.js'

/** One workflow: insert a row, read it by its id, update it, count the rows; each its own call. Throws what went wrong. */
type Workflow = (number: number) => Promise<void>

/** A pool that was not opened before. */
interface ColdPool {
  readonly workflow: Workflow
  close(): Promise<void>
}

interface Run {
  readonly meanMs: number
  readonly p95Ms: number
  /** Processor time of this process. */
  readonly cpuMs: number
  readonly succeeded: number
}

/** Starts many workflows at once on one cold pool: nodes against the plain driver's pool of the same size. */
export async function workflows(settings: Settings): Promise<Report> {
  const { engines = ['postgres'], callers = [100, 300, 1_000], rounds = 7, maxConnections } = settings
  const reports: Report[] = []
  for (const engine of engines) {
    for (const count of callers) {
      reports.push(await withFreshDatabase(engine, (url) => compare(engine, url, { count, rounds, maxConnections })))
    }
  }
  return { tables: reports.flatMap(({ tables }) => tables), limits: reports.flatMap(({ limits }) => limits) }
}

interface Load {
  readonly count: number
  readonly rounds: number
  readonly maxConnections: number
}

/** Workflows of each contender before those that count: the runtime compiles what runs often, and pools open cold in every round. */
const WARM_UP_WORKFLOWS = 3_000

async function compare(engine: EngineName, url: string, { count, rounds, maxConnections }: Load): Promise<Report> {
  await createTables(url)
  const inspector = await openInspector(engine, url)
  const opened: Readonly<Record<string, () => ColdPool>> = {
    driver: () => plainPool(engine, url, maxConnections),
    latchwork: () => nodePool(url, maxConnections),
  }
  const names = Object.keys(opened)
  const runs = new Map<string, Run[]>(names.map((name) => [name, []]))
  try {
    for (let round = -Math.ceil(WARM_UP_WORKFLOWS / count); round < rounds; round++) {
      for (const name of round % 2 === 0 ? names : names.toReversed()) {
        const run = await runAll(opened[name]!(), count)
        await waitForNoSessions(inspector)
        const rows = await inspector.clear()
        if (rows !== run.succeeded) throw new Error(`${rows} rows are there after ${run.succeeded} workflows`)
        if (round >= 0) runs.get(name)!.push(run)
      }
    }
  } finally {
    await inspector.close()
  }
  return reportOf(engine, count, runs.get('driver')!, runs.get('latchwork')!)
}

async function createTables(url: string): Promise<void> {
  await using db = createDatabase({ url, models: { accounts: Account } })
  await db.createTables()
}

function nodePool(url: string, maxConnections: number): ColdPool {
  const db = createDatabase({ url, models: { accounts: Account }, pool: { maxConnections, acquireTimeoutMs: 60_000 } })
  const { accounts } = db.nodes
  const workflow: Workflow = async (number) => {
    const { id } = await accounts.create(accountOf(number))
    const read = await accounts.readOrThrow({ where: { id } })
    const updated = await accounts.update({ where: { id }, set: { age: read.age + 1 } })
    requireOutcome(number, updated.age, await accounts.count())
  }
  return { workflow, close: () => db.close() }
}

function plainPool(engine: EngineName, url: string, maxConnections: number): ColdPool {
  const accounts: PlainAccounts = openPlainAccounts(engine, url, maxConnections)
  const workflow: Workflow = async (number) => {
    const { id } = await accounts.create(accountOf(number))
    const read = await accounts.read(id)
    const updated = await accounts.update(id, read.age + 1)
    requireOutcome(number, updated.age, await accounts.count())
  }
  return { workflow, close: () => accounts.close() }
}

function requireOutcome(number: number, age: number, count: number): void {
  if (age !== accountOf(number).age + 1 || count < 1) throw new Error(`workflow ${number} ended with age ${age} and a count of ${count}`)
}

async function runAll(pool: ColdPool, count: number): Promise<Run> {
  const responsesUs: RecordableHistogram = createHistogram()
  const startedMs = performance.now()
  const cpu = process.cpuUsage()
  const outcomes = await Promise.allSettled(
    Array.from({ length: count }, async (_, index) => {
      await pool.workflow(index + 1)
      responsesUs.record(Math.round((performance.now() - startedMs) * 1_000))
    }),
  )
  const { user, system } = process.cpuUsage(cpu)
  await pool.close()
  const succeeded = outcomes.filter(({ status }) => status === 'fulfilled').length
  return { meanMs: responsesUs.mean / 1_000, p95Ms: responsesUs.percentile(95) / 1_000, cpuMs: (user + system) / 1_000, succeeded }
}

function reportOf(engine: EngineName, count: number, theirs: readonly Run[], ours: readonly Run[]): Report {
  const row = (name: string, runs: readonly Run[]): Table['rows'][number] => [
    name,
    median(runs.map(({ meanMs }) => meanMs)),
    median(runs.map(({ p95Ms }) => p95Ms)),
    median(runs.map(({ cpuMs }) => cpuMs)),
    `${successPercent(runs, count)} %`,
  ]
  const ratio = median(ours.map(({ meanMs }, round) => meanMs / theirs[round]!.meanMs))
  const columns = ['contender', 'mean ms', 'p95 ms', 'client CPU ms', 'success']
  const tables = [{ title: `${count} workflows at once on ${engine}`, columns, rows: [row('driver', theirs), row('latchwork', ours)] }]
  const limits: Limit[] = [
    { name: `success of ${count} on ${engine}`, measured: successPercent(ours, count), atLeast: 100, unit: '%' },
    { name: `mean response of ${count} on ${engine}, ÷ driver`, measured: ratio, atMost: 1, unit: '' },
  ]
  return { tables, limits }
}

function successPercent(runs: readonly Run[], count: number): number {
  return (runs.reduce((sum, { succeeded }) => sum + succeeded, 0) / (runs.length * count)) * 100
}
