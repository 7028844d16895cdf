import { type EngineName, TRAITS } from '../support/engine-traits.js'
import type { Limit } from '../support/report.js'
import { LEAST_ROUNDS } from '../support/rounds.js'
import { type AdapterName, isVariant } from './adapter.js'
import { COLD_START, geometricMean, type PeerRow } from './peer-row.js'
import { WORKLOADS, type WorkloadName } from './workloads.js'

/** A smaller table is in the caches of client and server whole. */
const LEAST_ROWS = 100_000
/** A turn of less is over before its garbage is collected. */
const LEAST_TURN_MS = 100

/** How much longer than plain Kysely's a process may take to its first row. */
const COLD_START_MS = 15

/** How large a run was. */
export interface CompareSize {
  readonly rows: number
  readonly rounds: number
  readonly turnMs: number
}

/** What is demanded of one workload. */
interface Demand {
  readonly workload: WorkloadName
  readonly callers: readonly number[]
  /** Client CPU ÷ raw. */
  readonly cpuAtMost?: number
  /** Wall time ÷ raw. */
  readonly wallAtMost?: number
  /** Calls a second ÷ raw. */
  readonly throughputAtLeast?: number
}

const ALONE = [1]

const POINTS = (['read', 'insert', 'update', 'upsert', 'count'] as const).map(
  (workload): Demand => ({ workload, callers: ALONE, cpuAtMost: 1.15 }),
)

const ON_SERVERS: readonly Demand[] = [
  ...POINTS,
  { workload: 'transaction', callers: ALONE, cpuAtMost: 1.2 },
  { workload: 'bulk', callers: ALONE, cpuAtMost: 1.1 },
]

const DEMANDS: Readonly<Record<EngineName, readonly Demand[]>> = {
  postgres: [
    ...ON_SERVERS,
    { workload: 'list', callers: ALONE, cpuAtMost: 0.95 },
    { workload: 'include', callers: ALONE, cpuAtMost: 0.95 },
    { workload: 'read', callers: [32, 300], throughputAtLeast: 4 },
    { workload: 'insert', callers: [32], throughputAtLeast: 1 },
    { workload: 'update', callers: [32], throughputAtLeast: 1 },
    { workload: 'workflow', callers: [300, 1_000], wallAtMost: 0.85 },
  ],
  mysql: [
    ...ON_SERVERS,
    { workload: 'list', callers: ALONE, cpuAtMost: 1.2 },
    { workload: 'include', callers: ALONE, cpuAtMost: 1.2 },
    { workload: 'read', callers: [32, 300], throughputAtLeast: 3 },
  ],
  // raw is synchronous
  sqlite: [
    { workload: 'read', callers: ALONE, cpuAtMost: 2 },
    ...(['insert', 'list', 'bulk'] as const).map((workload): Demand => ({ workload, callers: ALONE, cpuAtMost: 1.3 })),
  ],
}

/** Of all workloads by one caller; undefined: nothing is demanded of the mean. */
const MEAN_AT_MOST: Readonly<Record<EngineName, number | undefined>> = { postgres: 1.05, mysql: undefined, sqlite: undefined }

/** Where no server is asked they answer a read at once: no layer that gives promises is ahead of that. */
const SYNCHRONOUS: ReadonlySet<string> = new Set<AdapterName>(['drizzle', 'drizzle-prepared'])

/** What must hold of latchwork, of what was measured on an engine: beside raw, and ahead of every peer. */
export function compareLimits(engine: EngineName, size: CompareSize, all: readonly PeerRow[]): readonly Limit[] {
  const rows = all.filter((row) => row.engine === engine)
  const isJudged = size.rounds >= LEAST_ROUNDS && size.rows >= LEAST_ROWS && size.turnMs >= LEAST_TURN_MS
  const limits = [...besideRaw(engine, rows), ...meanLimits(engine, rows), ...aheadOfPeers(engine, rows), ...coldStartLimits(rows)]
  return limits.map((limit) => ({ ...limit, name: `${engine}: ${limit.name}`, isJudged }))
}

function besideRaw(engine: EngineName, rows: readonly PeerRow[]): readonly Limit[] {
  return DEMANDS[engine].flatMap(({ workload, callers, cpuAtMost, wallAtMost, throughputAtLeast }) =>
    oursOf(rows).flatMap((row): readonly Limit[] => {
      if (row.workload !== workload || !callers.includes(row.concurrency)) return []
      const cell = cellOf(row)
      if (cpuAtMost !== undefined) return [{ name: `${cell}: CPU ÷ raw`, measured: row.cpuRatio, atMost: cpuAtMost, unit: '' }]
      if (wallAtMost !== undefined) return [{ name: `${cell}: wall time ÷ raw`, measured: row.wallRatio, atMost: wallAtMost, unit: '' }]
      return [{ name: `${cell}: throughput ÷ raw`, measured: 1 / row.wallRatio, atLeast: throughputAtLeast!, unit: '' }]
    }),
  )
}

/** Where all of them were measured: a mean of some says nothing of the rest. */
function meanLimits(engine: EngineName, rows: readonly PeerRow[]): readonly Limit[] {
  const atMost = MEAN_AT_MOST[engine]
  const workloads = Object.entries(WORKLOADS).filter(([, { concurrency }]) => (concurrency as readonly number[]).includes(1))
  const ratios = oursOf(rows).flatMap(({ workload, concurrency, cpuRatio }) => {
    return concurrency === 1 && workloads.some(([name]) => name === workload) ? [cpuRatio] : []
  })
  if (atMost === undefined || ratios.length < workloads.length) return []
  return [{ name: `geometric mean of ${ratios.length}, 1: CPU ÷ raw`, measured: geometricMean(ratios), atMost, unit: '' }]
}

/** Beside the best of them in each workload: in CPU, and where several call at once in wall time too. */
function aheadOfPeers(engine: EngineName, rows: readonly PeerRow[]): readonly Limit[] {
  return oursOf(rows).flatMap((ours) => {
    const peers = rows.filter((row) => isPeer(row) && cellOf(row) === cellOf(ours) && (TRAITS[engine].hasServer || !isUnbeatable(row)))
    const measures = ours.concurrency === 1 ? (['cpuRatio'] as const) : (['cpuRatio', 'wallRatio'] as const)
    return peers.length === 0 ? [] : measures.map((ratio) => behindBest(ours, peers, ratio))
  })
}

function behindBest(ours: PeerRow, peers: readonly PeerRow[], ratio: 'cpuRatio' | 'wallRatio'): Limit {
  const best = peers.reduce((left, right) => (right[ratio] < left[ratio] ? right : left))
  const what = ratio === 'cpuRatio' ? 'CPU' : 'wall time'
  return { name: `${cellOf(ours)}: ${what} ÷ the best peer’s, ${best.adapter}`, measured: ours[ratio] / best[ratio], atMost: 1, unit: '' }
}

function coldStartLimits(rows: readonly PeerRow[]): readonly Limit[] {
  const startOf = (name: AdapterName) => rows.find(({ workload, adapter }) => workload === COLD_START && adapter === name)
  const [ours, kysely] = [startOf('latchwork'), startOf('kysely')]
  if (ours === undefined || kysely === undefined) return []
  const measured = (ours.wallUs - kysely.wallUs) / 1_000
  return [{ name: 'cold start, beyond plain Kysely’s', measured, atMost: COLD_START_MS, unit: 'ms' }]
}

function oursOf(rows: readonly PeerRow[]): readonly PeerRow[] {
  return rows.filter(({ adapter, workload }) => adapter === 'latchwork' && workload !== COLD_START)
}

function isPeer({ adapter }: PeerRow): boolean {
  return adapter !== 'raw' && adapter !== 'latchwork' && !isVariant(adapter)
}

function isUnbeatable({ adapter, workload }: PeerRow): boolean {
  return workload === 'read' && SYNCHRONOUS.has(adapter)
}

function cellOf({ workload, concurrency }: PeerRow): string {
  return `${workload}, ${concurrency}`
}
