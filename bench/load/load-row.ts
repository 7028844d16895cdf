import type { EngineName } from '../support/engine-traits.js'
import type { Table } from '../support/report.js'
import { median } from '../support/rounds.js'
import type { Contender, Mode } from './contenders.js'
import type { Run } from './run.js'

/** What one contender did with `n` workflows started at once: medians over the rounds. One object of the JSON file. */
export interface LoadRow {
  readonly engine: EngineName
  readonly n: number
  readonly mode: Mode
  readonly pool: 'cold' | 'warm'
  readonly pools: 1 | 20
  /** Whether one pool was slow to open. */
  readonly stalled: boolean
  /** From 0 to 1, over all rounds. */
  readonly successRate: number
  /** Response time from the common start, like the two below; with 20 pools, of the 19 that are never stalled. */
  readonly meanMs: number
  readonly p95Ms: number
  readonly p99Ms: number
  /** From the common start to the end of the last workflow. */
  readonly wallMs: number
  /** Most connections that the server showed, in any round; 0 where there is no server. */
  readonly maxConnections: number
  /** Median of the rounds' ratios of mean response to raw with the same `n` and pool; 1 for raw itself. */
  readonly meanRatioToRaw: number
}

/** A contender and what it did, round by round. */
export interface Runs {
  readonly contender: Contender
  readonly each: readonly Run[]
}

/** A row, and how far it can be trusted. */
export interface MeasuredRow {
  readonly row: LoadRow
  /** The ratio to raw, round by round. */
  readonly ratios: readonly number[]
}

/** @param raw what the driver alone did in the same rounds */
export function measuredRow(engine: EngineName, n: number, { contender, each }: Runs, raw: Runs): MeasuredRow {
  const { mode, pool, pools, stalled } = contender
  const ratios = ratiosTo(each, raw.each, ({ meanMs }) => meanMs)
  const row: LoadRow = {
    engine,
    n,
    mode,
    pool,
    pools,
    stalled,
    successRate: total(each, ({ succeeded }) => succeeded) / total(each, ({ started }) => started),
    meanMs: median(each.map(({ meanMs }) => meanMs)),
    p95Ms: median(each.map(({ p95Ms }) => p95Ms)),
    p99Ms: median(each.map(({ p99Ms }) => p99Ms)),
    wallMs: median(each.map(({ wallMs }) => wallMs)),
    maxConnections: Math.max(...each.map(({ mostConnections }) => mostConnections)),
    meanRatioToRaw: median(ratios),
  }
  return { row, ratios }
}

function total(runs: readonly Run[], figure: (run: Run) => number): number {
  return runs.reduce((sum, run) => sum + figure(run), 0)
}

/** How a figure compares within each round. */
export function ratiosTo(each: readonly Run[], others: readonly Run[], figure: (run: Run) => number): readonly number[] {
  return each.map((run, round) => figure(run) / figure(others[round]!))
}

const COLUMNS = [
  'engine',
  'n',
  'mode',
  'pool',
  'pools',
  'success',
  'mean ms',
  'p95 ms',
  'p99 ms',
  'wall ms',
  'connections',
  'mean ÷ raw',
  'lowest – highest',
]

/** The rows as a table to read. */
export function loadTable(measured: readonly MeasuredRow[]): Table {
  const rows = measured.map(({ row, ratios }): Table['rows'][number] => [
    row.engine,
    row.n,
    row.mode,
    row.pool,
    row.stalled ? `${row.pools}, one stalled` : row.pools,
    // never rounded up to 100 %
    `${Math.floor(row.successRate * 10_000) / 100} %`,
    row.meanMs,
    row.p95Ms,
    row.p99Ms,
    row.wallMs,
    row.maxConnections,
    row.meanRatioToRaw,
    `${Math.min(...ratios).toFixed(2)} – ${Math.max(...ratios).toFixed(2)}`,
  ])
  return { title: 'Workflows started at once', columns: COLUMNS, rows }
}
