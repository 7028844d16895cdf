import { createDatabase } from 'latchwork'
import { type Contender, manyPoolsContenders, onePoolContenders } from './load/contenders.js'
import { loadLimits } from './load/load-limits.js'
import { type LoadRow, loadTable, type MeasuredRow, measuredRow, type Runs } from './load/load-row.js'
import { averaged, type Run, runOnce } from './load/run.js'
import type { Settings } from './settings.js'
import { Account } from './support/account.js'
import { withFreshDatabase } from './support/fresh-database.js'
import { type Inspector, openInspector } from './support/inspector.js'
import type { Place } from './support/place.js'
import { randomKeys } from './support/random-keys.js'
import type { Limit, Report } from './support/report.js'

/** Workflows of raw and of nodes before those that count: the runtime compiles what runs often. */
const WARM_UP_WORKFLOWS = 3_000
const WARM_UP_AT_ONCE = 300

interface Load {
  readonly place: Place
  readonly inspector: Inspector
  readonly rounds: number
  /** A workflow's number says what it writes; random, so that runs do not write the same. */
  readonly firstNumber: number
}

/** Starts many four-call workflows at once: nodes against the plain driver's pool of the same size, and on many pools with one that stalls. */
export async function load(settings: Settings): Promise<Report> {
  const { engines = ['postgres'], workflows = [100, 200, 300, 400, 1_000, 5_000], rounds = 5, maxConnections, seed } = settings
  const measured: MeasuredRow[] = []
  const limits: Limit[] = []
  const firstNumber = randomKeys(seed, 1_000_000)()
  for (const engine of engines) {
    await withFreshDatabase(engine, async (url) => {
      await createTables(url)
      const inspector = await openInspector(engine, url)
      try {
        const of: Load = { place: { engine, url, maxConnections }, inspector, rounds, firstNumber }
        await warmUp(of)
        for (const n of workflows) {
          const runs = await compare(of, n)
          const each = measuredRows(of, n, runs)
          measured.push(...each)
          limits.push(...loadLimits(engine, { n, rounds }, runs, rowsOf(each)))
        }
      } finally {
        await inspector.close()
      }
    })
  }
  return { tables: [loadTable(measured)], limits, json: rowsOf(measured) }
}

async function createTables(url: string): Promise<void> {
  await using db = createDatabase({ url, models: { accounts: Account } })
  await db.createTables()
}

async function warmUp({ place, inspector, firstNumber }: Load): Promise<void> {
  const cold = onePoolContenders(place).filter(({ pool }) => pool === 'cold')
  for (let done = 0; done < WARM_UP_WORKFLOWS; done += WARM_UP_AT_ONCE) {
    for (const contender of cold) await runOnce(contender, { firstNumber, count: WARM_UP_AT_ONCE }, inspector)
  }
}

/**
 * In each round the contenders take turns, there and back again: whether the machine is becoming slower or faster meanwhile,
 * it hits all of them alike.
 */
async function compare({ place, inspector, rounds, firstNumber }: Load, n: number): Promise<readonly Runs[]> {
  const contenders = [...onePoolContenders(place), ...manyPoolsContenders(place)]
  const runs = new Map<Contender, Run[]>(contenders.map((contender) => [contender, []]))
  for (let round = 0; round < rounds; round++) {
    for (const contender of [...contenders, ...contenders.toReversed()]) {
      runs.get(contender)!.push(await runOnce(contender, { firstNumber, count: n }, inspector))
    }
  }
  return Array.from(runs, ([contender, each]) => ({ contender, each: byRound(each) }))
}

function byRound(runs: readonly Run[]): readonly Run[] {
  return Array.from({ length: runs.length / 2 }, (_, round) => averaged(runs.slice(2 * round, 2 * round + 2)))
}

function measuredRows({ place }: Load, n: number, runs: readonly Runs[]): readonly MeasuredRow[] {
  return runs.map((each) => {
    const raw = runs.find(({ contender }) => contender.mode === 'raw' && contender.pool === each.contender.pool)!
    return measuredRow(place.engine, n, each, raw)
  })
}

function rowsOf(measured: readonly MeasuredRow[]): readonly LoadRow[] {
  return measured.map(({ row }) => row)
}
