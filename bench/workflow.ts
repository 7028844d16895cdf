import { createDatabase, type Database, defineNode } from 'latchwork'
import { LocalRuntime, WorkflowBuilder } from 'latchwork/workflow'
import type { Settings } from './settings.js'
import { Account } from './support/account.js'
import { accountOf, type NewAccount } from './support/accounts.js'
import { ENGINE_NAMES, type EngineName } from './support/engine-traits.js'
import { withFreshDatabase } from './support/fresh-database.js'
import type { Limit, Report, Table } from './support/report.js'
import { LEAST_ROUNDS, median } from './support/rounds.js'

/** What the runtime may add to a step, in microseconds. */
const STEP_US = 15
/** How many times the mean response of the same calls a workflow's may be. */
const TIMES_DIRECT = 1.25
/** Fewer at once are over so soon that what they are compared with is noise. */
const LEAST_FOR_RATIO = 300
const LEAST_STEPS = 10_000
const STEPS = 1_000
const WARM_UP_ROUNDS = 10
const ACQUIRE_TIMEOUT_MS = 60_000

type Models = { readonly accounts: typeof Account }

/** What a workflow costs beside the same calls made directly: a step that does nothing, and many workflows of four calls at once. */
export async function workflow(settings: Settings): Promise<Report> {
  const { engines = ENGINE_NAMES, workflows = [300], rounds = 15, calls = 20_000 } = settings
  const steps = await stepReport(calls, rounds)
  const tables: Table[] = [steps.table]
  const limits: Limit[] = [...steps.limits]
  const rows: Row[] = []
  for (const engine of engines) {
    for (const count of workflows)
      rows.push(await withFreshDatabase(engine, (url) => manyAtOnce(engine, url, count, rounds, settings.maxConnections)))
  }
  tables.push(rowTable(rows))
  for (const { engine, count, ratio } of rows) {
    const isJudged = count >= LEAST_FOR_RATIO && rounds >= LEAST_ROUNDS
    limits.push({ name: `${count} on ${engine}: mean ÷ direct calls`, measured: ratio, atMost: TIMES_DIRECT, unit: '', isJudged })
  }
  return { tables, limits }
}

const noop = defineNode({ name: 'Noop', effect: 'read', run: async () => undefined })

/** A thousand steps that do nothing, in a row and side by side, against as many calls of their node. */
async function stepReport(calls: number, rounds: number): Promise<{ readonly table: Table; readonly limits: readonly Limit[] }> {
  const runtime = new LocalRuntime()
  const shapes = { 'in a row': manySteps(true), 'side by side': manySteps(false) }
  const runs = Math.max(1, Math.round(calls / STEPS))
  const added: Record<string, number[]> = { 'in a row': [], 'side by side': [] }
  for (let round = -WARM_UP_ROUNDS; round < rounds; round++) {
    const direct = await usPerStep(runs, async () => {
      for (let step = 0; step < STEPS; step++) await noop(undefined)
    })
    for (const [shape, built] of Object.entries(shapes)) {
      const run = await usPerStep(runs, () => runtime.execute(built, {}))
      if (round >= 0) added[shape]!.push(run - direct)
    }
  }
  const isJudged = calls >= LEAST_STEPS && rounds >= LEAST_ROUNDS
  const figures = Object.entries(added).map(([shape, each]) => ({ shape, medianUs: median(each), each }))
  return {
    table: {
      title: 'What the runtime adds to a step that does nothing',
      columns: ['steps', 'µs a step', 'lowest – highest'],
      rows: figures.map(({ shape, medianUs, each }) => [
        shape,
        medianUs,
        `${Math.min(...each).toFixed(2)} – ${Math.max(...each).toFixed(2)}`,
      ]),
    },
    limits: figures.map(({ shape, medianUs }) => ({ name: `a step, ${shape}`, measured: medianUs, atMost: STEP_US, unit: 'µs', isJudged })),
  }
}

function manySteps(isRow: boolean) {
  const builder = new WorkflowBuilder('steps')
  for (let step = 0; step < STEPS; step++) builder.addNode(noop, `s${step}`, {}, isRow && step > 0 ? { after: [`s${step - 1}`] } : {})
  return builder.build()
}

async function usPerStep(runs: number, run: () => Promise<unknown>): Promise<number> {
  const startedMs = performance.now()
  for (let made = 0; made < runs; made++) await run()
  return ((performance.now() - startedMs) * 1_000) / (runs * STEPS)
}

interface Row {
  readonly engine: EngineName
  readonly count: number
  readonly directMs: number
  readonly workflowMs: number
  readonly ratio: number
  readonly ratios: readonly number[]
}

/** The four calls of an account, directly and as a workflow, by turns on one warm pool. */
async function manyAtOnce(engine: EngineName, url: string, count: number, rounds: number, maxConnections: number): Promise<Row> {
  const pool = { maxConnections, acquireTimeoutMs: ACQUIRE_TIMEOUT_MS }
  await using db = createDatabase<Models>({ url, models: { accounts: Account }, pool })
  await db.createTables()
  const built = fourSteps(db)
  const runtime = new LocalRuntime(db)
  const contenders = [(account: NewAccount) => direct(db, account), (account: NewAccount) => runtime.execute(built, account)]
  const meansMs: [number[], number[]] = [[], []]
  // new ones each time: MySQL's inserts of keys just deleted meet in deadlocks
  let firstNumber = 0
  for (let round = -WARM_UP_ROUNDS; round < rounds; round++) {
    for (let turn = 0; turn < 2; turn++) {
      const which = (turn + round + WARM_UP_ROUNDS) % 2
      const meanMs = await meanResponseMs(firstNumber, count, contenders[which]!)
      firstNumber += count
      if ((await db.nodes.accounts.bulkDelete({ all: true })).count !== count) throw new Error('not every workflow left its row')
      if (round >= 0) meansMs[which]!.push(meanMs)
    }
  }
  const ratios = meansMs[1].map((ms, round) => ms / meansMs[0][round]!)
  return { engine, count, directMs: median(meansMs[0]), workflowMs: median(meansMs[1]), ratio: median(ratios), ratios }
}

async function direct({ nodes: { accounts } }: Database<Models>, account: NewAccount): Promise<number> {
  const { id } = await accounts.create(account)
  const read = await accounts.readOrThrow({ where: { id } })
  const updated = await accounts.update({ where: { id }, set: { age: read.age + 1 } })
  return updated.age + (await accounts.count())
}

function fourSteps({ nodes: { accounts } }: Database<Models>) {
  return new WorkflowBuilder<NewAccount>('fourSteps')
    .add('created', accounts.create, ({ input }) => input)
    .add('read', accounts.readOrThrow, ({ created }) => ({ where: { id: created.id } }))
    .add('updated', accounts.update, ({ read }) => ({ where: { id: read.id }, set: { age: read.age + 1 } }))
    .add('counted', accounts.count, () => ({}), { after: ['updated'] })
    .build()
}

/** Mean response time from the common start. */
async function meanResponseMs(firstNumber: number, count: number, run: (account: NewAccount) => Promise<unknown>): Promise<number> {
  const startedMs = performance.now()
  let totalMs = 0
  await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      await run(accountOf(firstNumber + index))
      totalMs += performance.now() - startedMs
    }),
  )
  return totalMs / count
}

function rowTable(rows: readonly Row[]): Table {
  return {
    title: 'Workflows of four calls, all started at once on a warm pool',
    columns: ['engine', 'n', 'direct: mean ms', 'workflow: mean ms', 'workflow ÷ direct', 'lowest – highest'],
    rows: rows.map(({ engine, count, directMs, workflowMs, ratio, ratios }) => [
      engine,
      count,
      directMs,
      workflowMs,
      ratio,
      `${Math.min(...ratios).toFixed(2)} – ${Math.max(...ratios).toFixed(2)}`,
    ]),
  }
}
