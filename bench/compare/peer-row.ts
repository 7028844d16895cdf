import type { EngineName } from '../support/engine-traits.js'
import type { Table } from '../support/report.js'
import { type Cost, median, medianOf } from '../support/rounds.js'
import type { AdapterName } from './adapter.js'
import type { WorkloadName } from './workloads.js'

/** From a process's start to the row of its first read: what {@link PeerRow.workload} says of that. */
export const COLD_START = 'cold-start'

/** What one adapter did in one workload: medians over the rounds. One object of the JSON file. */
export interface PeerRow {
  readonly engine: EngineName
  readonly workload: WorkloadName | typeof COLD_START
  /** Concurrent callers. */
  readonly concurrency: number
  readonly adapter: AdapterName
  /** Processor time of the client's process, a call. */
  readonly cpuUs: number
  /** Median of the rounds' ratios to raw; 1 for raw itself. */
  readonly cpuRatio: number
  /** From the first call's start to the last one's end, divided by the calls: with several callers less than a call takes. */
  readonly wallUs: number
  readonly wallRatio: number
  /** Resident memory of the process that has its first row. Of a cold start only. */
  readonly rssMiB?: number
}

/** What was measured, of every row that comes of it. */
export type Measured = Pick<PeerRow, 'engine' | 'workload' | 'concurrency'>

/** One adapter and what it took, round by round. */
export interface AdapterCosts<Each extends Cost = Cost> {
  readonly adapter: AdapterName
  readonly costs: readonly Each[]
}

/** @param raw what the driver alone took in the same rounds */
export function peerRow(measured: Measured, { adapter, costs }: AdapterCosts, raw: readonly Cost[]): PeerRow {
  return {
    ...measured,
    adapter,
    cpuUs: median(costs.map(({ cpuUs }) => cpuUs)),
    cpuRatio: medianOf(costs, raw, (its, raws) => its.cpuUs / raws.cpuUs),
    wallUs: median(costs.map(({ wallUs }) => wallUs)),
    wallRatio: medianOf(costs, raw, (its, raws) => its.wallUs / raws.wallUs),
  }
}

type Ratio = 'cpuRatio' | 'wallRatio'

/** The rows of one engine as tables: what raw takes, and how many times that each adapter takes. */
export function peerTables(engine: EngineName, all: readonly PeerRow[]): readonly Table[] {
  const rows = all.filter((row) => row.engine === engine)
  const worked = rows.filter((row) => row.workload !== COLD_START)
  return [
    ratioTable(`${engine}: client CPU a call ÷ raw`, worked, 'cpuUs', 'cpuRatio'),
    ratioTable(`${engine}: wall time ÷ raw`, worked, 'wallUs', 'wallRatio'),
    coldStartTable(
      engine,
      rows.filter((row) => row.workload === COLD_START),
    ),
  ]
}

function ratioTable(title: string, rows: readonly PeerRow[], time: 'cpuUs' | 'wallUs', ratio: Ratio): Table {
  const others = adaptersOf(rows).filter((adapter) => adapter !== 'raw')
  const ratioOf = (group: readonly PeerRow[], adapter: AdapterName) => group.find((row) => row.adapter === adapter)?.[ratio] ?? '–'
  const lines = groupsOf(rows, ({ workload, concurrency }) => `${workload}, ${concurrency}`).map(([name, group]) => [
    name,
    group.find(({ adapter }) => adapter === 'raw')![time],
    ...others.map((adapter) => ratioOf(group, adapter)),
  ])
  const single = rows.filter(({ workload }) => !BURSTS.has(workload))
  const means = groupsOf(single, ({ concurrency }) => String(concurrency)).flatMap(([concurrency, group]) => {
    const workloads = new Set(group.map(({ workload }) => workload))
    if (workloads.size < LEAST_FOR_MEAN) return []
    const meanOf = (adapter: AdapterName) => {
      const ratios = group.filter((row) => row.adapter === adapter).map((row) => row[ratio])
      return ratios.length === workloads.size ? geometricMean(ratios) : '–'
    }
    return [[`geometric mean of ${workloads.size}, ${concurrency}`, '', ...others.map(meanOf)]]
  })
  return { title, columns: ['workload, callers', 'raw µs', ...others], rows: [...lines, ...means] }
}

/** A mean of fewer workloads says little. */
const LEAST_FOR_MEAN = 3

/** Made of the others, and not in the mean again. */
const BURSTS: ReadonlySet<string> = new Set<WorkloadName>(['workflow'])

function coldStartTable(engine: EngineName, rows: readonly PeerRow[]): Table {
  const lines = rows.map(({ adapter, wallUs, cpuUs, rssMiB = Number.NaN }) => [adapter, wallUs / 1_000, cpuUs / 1_000, rssMiB])
  return {
    title: `${engine}: from the start of a process to its first row`,
    columns: ['adapter', 'wall ms', 'CPU ms', 'resident MiB'],
    rows: lines,
  }
}

function adaptersOf(rows: readonly PeerRow[]): readonly AdapterName[] {
  return [...new Set(rows.map(({ adapter }) => adapter))]
}

function groupsOf(rows: readonly PeerRow[], nameOf: (row: PeerRow) => string): readonly (readonly [string, readonly PeerRow[]])[] {
  const groups = new Map<string, PeerRow[]>()
  for (const row of rows) groups.set(nameOf(row), [...(groups.get(nameOf(row)) ?? []), row])
  return [...groups]
}

/** What, multiplied by itself so often, gives the product of all. */
export function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length)
}
