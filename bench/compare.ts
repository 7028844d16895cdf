import { existsSync } from 'node:fs'
import { ADAPTER_NAMES, ADAPTERS, type AdapterName, runsOn } from './compare/adapter.js'
import { checkContender, checkRaw } from './compare/check.js'
import { compareLimits } from './compare/compare-limits.js'
import { type FirstRow, type Running, type Start, startContender } from './compare/contender.js'
import { fill } from './compare/fill.js'
import { type AdapterCosts, COLD_START, type Measured, type PeerRow, peerRow, peerTables } from './compare/peer-row.js'
import { WORKLOAD_NAMES, WORKLOADS, type WorkloadName } from './compare/workloads.js'
import { type Settings, UsageError } from './settings.js'
import { TRAITS } from './support/engine-traits.js'
import { withFreshDatabase } from './support/fresh-database.js'
import type { Place } from './support/place.js'
import type { Report } from './support/report.js'
import { inRounds, median } from './support/rounds.js'

/** Contenders at work at once: with pools of ten they leave room on a server that takes 100 connections. */
const CONTENDERS_AT_ONCE = 7

/** Numbers of users that one worker may write, its checks included. */
const NUMBERS_A_WORKER = 10_000_000

/**
 * With turns of 200 ms, 5 s a workload: a service runs for hours, and what V8 compiles meanwhile is not what a call costs. On the slower of
 * the machines that this was measured on an include cost twice as much in its second second as from its fifth on, by any adapter.
 */
const WARM_UP_ROUNDS = 25

/** Pages of 50 begin at random: of fewer users there would be too few to choose from. */
const LEAST_ROWS = 1_000

interface Comparison {
  readonly place: Place
  readonly rows: number
  readonly rounds: number
  readonly turnMs: number
  readonly cells: readonly Cell[]
  /** How the worker of an adapter begins; each time with numbers of its own. */
  startOf(adapter: AdapterName): Start
}

/** A workload and how many callers it has. */
interface Cell {
  readonly workload: WorkloadName
  readonly concurrency: number
}

/** Ten workloads by latchwork and its peers, each in a process of its own, against the plain driver. */
export async function compare(settings: Settings): Promise<Report> {
  const { engines = ['postgres'], only = ADAPTER_NAMES, rows = 100_000 } = settings
  if (rows < LEAST_ROWS) throw new UsageError(`--rows: compare takes ${LEAST_ROWS} or more, got ${rows}`)
  const adapters: readonly AdapterName[] = ['raw', ...only.filter((adapter) => adapter !== 'raw')]
  requireInstalled(adapters)
  const measured: PeerRow[] = []
  for (const engine of engines) {
    const able = adapters.filter((adapter) => runsOn(adapter, engine))
    for (const adapter of adapters) if (!able.includes(adapter)) say(`${adapter} does not run on ${engine}`)
    await withFreshDatabase(engine, async (url) => {
      say(`${engine}: writes ${rows} users and as many posts`)
      await fill(engine, url, rows)
      const comparison = comparisonOf({ engine, url, maxConnections: settings.maxConnections }, rows, settings)
      measured.push(...(await coldStarts(comparison, able)))
      for (const [index, group] of inGroups(able).entries()) {
        const compared = await compareGroup(comparison, group)
        measured.push(...compared.filter(({ adapter }) => index === 0 || adapter !== 'raw'))
      }
    })
  }
  return {
    tables: engines.flatMap((engine) => peerTables(engine, measured)),
    limits: engines.flatMap((engine) => compareLimits(engine, { ...sizeOf(settings), rows }, measured)),
    json: measured,
  }
}

function requireInstalled(adapters: readonly AdapterName[]): void {
  // a peer that is not installed is not built
  const missing = adapters.filter((name) => !existsSync(new URL(`compare/${ADAPTERS[name].module}`, import.meta.url)))
  if (missing.length === 0) return
  throw new UsageError(`not installed: ${missing.join(', ')}; run npm ci --prefix bench, or choose others with --only`)
}

function comparisonOf(place: Place, rows: number, { workloads = WORKLOAD_NAMES, concurrency, ...settings }: Settings): Comparison {
  const { rounds, turnMs } = sizeOf(settings)
  const cells = workloads.flatMap((workload) => {
    const usual: readonly number[] = WORKLOADS[workload].concurrency
    const counts = concurrency ?? (TRAITS[place.engine].hasServer ? usual : usual.slice(0, 1))
    return counts.map((count): Cell => ({ workload, concurrency: count }))
  })
  let started = 0
  const startOf = (adapter: AdapterName): Start => {
    const number = started++
    return { adapter, place, rows, seed: settings.seed + number, firstNumber: rows + 1 + number * NUMBERS_A_WORKER }
  }
  return { place, rows, rounds, turnMs, cells, startOf }
}

function sizeOf({ rounds = 5, turnMs = 200 }: Pick<Settings, 'rounds' | 'turnMs'>): Pick<Comparison, 'rounds' | 'turnMs'> {
  return { rounds, turnMs }
}

/** Raw is in every group: all compare with what it did in the same rounds. Its figures are those of the first. */
function inGroups(adapters: readonly AdapterName[]): readonly (readonly AdapterName[])[] {
  const others = adapters.filter((adapter) => adapter !== 'raw')
  const size = CONTENDERS_AT_ONCE - 1
  const count = Math.max(1, Math.ceil(others.length / size))
  return Array.from({ length: count }, (_, index) => ['raw', ...others.slice(index * size, (index + 1) * size)])
}

/** Starts every adapter in a new process, round by round. */
async function coldStarts({ place, rounds, startOf }: Comparison, adapters: readonly AdapterName[]): Promise<readonly PeerRow[]> {
  const each = adapters.map((adapter) => ({ adapter, start: startOf(adapter), costs: [] as FirstRow[] }))
  // the first round is the file system's: it reads the modules
  for (let round = -1; round < rounds; round++) {
    say(`${place.engine}: cold start, round ${round + 1} of ${rounds}`)
    for (const { start, costs } of each) {
      const running = await startContender(start)
      await running.stop()
      if (round >= 0) costs.push(running.firstRow)
    }
  }
  const measured: Measured = { engine: place.engine, workload: COLD_START, concurrency: 1 }
  return each.map(({ adapter, costs }) => ({
    ...peerRow(measured, { adapter, costs }, each[0]!.costs),
    rssMiB: median(costs.map(({ rssMiB }) => rssMiB)),
  }))
}

async function compareGroup(comparison: Comparison, adapters: readonly AdapterName[]): Promise<readonly PeerRow[]> {
  const contenders: Running[] = []
  try {
    for (const adapter of adapters) contenders.push(await startContender(comparison.startOf(adapter)))
    await checkAll(comparison, contenders)
    const rows: PeerRow[] = []
    for (const cell of comparison.cells) rows.push(...(await compareCell(comparison, contenders, cell)))
    return rows
  } finally {
    for (const contender of contenders) await contender.stop()
  }
}

async function checkAll({ rows, startOf }: Comparison, contenders: readonly Running[]): Promise<void> {
  const raw = contenders[0]!
  await checkRaw(raw)
  for (const contender of contenders) {
    const { firstNumber } = startOf(contender.name)
    await checkContender(contender, raw, { rows, firstNumber })
  }
}

async function compareCell(comparison: Comparison, contenders: readonly Running[], cell: Cell): Promise<readonly PeerRow[]> {
  const { place, rounds, turnMs } = comparison
  const { workload, concurrency } = cell
  say(`${place.engine}: ${workload}, callers: ${concurrency}, ${contenders.map(({ name }) => name).join(' ')}`)
  const afterTurn = () => carryOver(place)
  const turns = contenders.map(({ name, turn }) => ({ name, turn: () => turn(workload, concurrency, turnMs), afterTurn }))
  const costs = await inRounds(turns, { rounds, warmUpRounds: WARM_UP_ROUNDS })
  const each = contenders.map(({ name }, index): AdapterCosts => ({ adapter: name, costs: costs[index]! }))
  return each.map((its) => peerRow({ engine: place.engine, ...cell }, its, costs[0]!))
}

/** Puts what a contender wrote where it belongs: of an embedded engine, the log that it left would be work for whoever comes next. */
async function carryOver({ engine, url }: Place): Promise<void> {
  if (TRAITS[engine].hasServer) return
  const { openSqliteFile } = await import('./adapters/raw-sqlite.js')
  const database = openSqliteFile(url)
  database.pragma('wal_checkpoint(truncate)')
  database.close()
}

/** What goes on, to whom waits for it; the report alone goes to standard output. */
function say(line: string): void {
  console.error(line)
}
