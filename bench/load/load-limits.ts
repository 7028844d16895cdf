import type { EngineName } from '../support/engine-traits.js'
import { TRAITS } from '../support/engine-traits.js'
import type { Limit } from '../support/report.js'
import { LEAST_ROUNDS, median } from '../support/rounds.js'
import { type LoadRow, type Runs, ratiosTo } from './load-row.js'

/** One pool that is slow to open changes nothing for the others, give or take what a machine that does other things adds. */
const UNCHANGED = { atLeast: 0.8, atMost: 1.2 }
/** With one lock for all pools it holds up every other: how much the stall has to show, or the comparison shows nothing. */
const LEAST_TIMES_LEGACY = 3
/** More workflows than this take so long by themselves that a stall of a second is less than that. */
const MOST_FOR_LEGACY = 400

/** Fewer workflows than this are over so soon that what they are compared with is noise. */
const LEAST_FOR_RATIO = 300

/** How large a run was. */
interface LoadSize {
  /** Workflows started at once. */
  readonly n: number
  readonly rounds: number
}

/** What must hold of `n` workflows on an engine. */
export function loadLimits(engine: EngineName, size: LoadSize, runs: readonly Runs[], rows: readonly LoadRow[]): readonly Limit[] {
  const { n } = size
  const nodes = rows.filter(({ mode }) => mode !== 'raw')
  const successRate = Math.min(...nodes.map((row) => row.successRate))
  const limits: Limit[] = [{ name: `${n} on ${engine}: success of nodes`, measured: successRate * 100, atLeast: 100, unit: '%' }]
  const { hasServer, mostTimesRaw } = TRAITS[engine]
  if (hasServer) limits.push(...connectionLimits(engine, n, runs))
  if (mostTimesRaw !== undefined) limits.push(...ratioLimits(engine, size, nodes, mostTimesRaw))
  return [...limits, ...stallLimits(engine, size, runs)]
}

function connectionLimits(engine: EngineName, n: number, runs: readonly Runs[]): readonly Limit[] {
  return [1, 20].flatMap((pools) => {
    const fitting = runs.filter(({ contender }) => contender.pools === pools && contender.mode !== 'raw')
    if (fitting.length === 0) return []
    const measured = Math.max(...fitting.flatMap(({ each }) => each.map(({ mostConnections }) => mostConnections)))
    // a pool whose server is silent tries once more beside its first attempt, which the server may see for a moment
    const attempts = fitting.some(({ contender }) => contender.stalled) ? 1 : 0
    const atMost = fitting[0]!.contender.maxConnections + attempts
    return [{ name: `${n} on ${engine}: connections, pools: ${pools}`, measured, atMost, unit: '' }]
  })
}

function ratioLimits(engine: EngineName, { n, rounds }: LoadSize, nodes: readonly LoadRow[], atMost: number): readonly Limit[] {
  const isJudged = n >= LEAST_FOR_RATIO && rounds >= LEAST_ROUNDS
  return nodes
    .filter(({ pools }) => pools === 1)
    .map(({ pool, meanRatioToRaw }) => {
      return { name: `${n} on ${engine}: mean ÷ raw, ${pool}`, measured: meanRatioToRaw, atMost, unit: '', isJudged }
    })
}

function stallLimits(engine: EngineName, { n, rounds }: LoadSize, runs: readonly Runs[]): readonly Limit[] {
  const isJudged = rounds >= LEAST_ROUNDS
  const name = (mode: string) => `${n} on ${engine}: p95 of 19 pools while one stalls ÷ while none does, ${mode}`
  const limits: Limit[] = []
  const nodes = stallRatio(runs, 'nodes')
  if (nodes !== undefined) limits.push({ name: name('a lock a pool'), measured: nodes, ...UNCHANGED, unit: '', isJudged })
  const legacy = stallRatio(runs, 'nodes-legacy-lock')
  if (legacy !== undefined && n <= MOST_FOR_LEGACY) {
    limits.push({ name: name('one lock for all'), measured: legacy, atLeast: LEAST_TIMES_LEGACY, unit: '', isJudged })
  }
  return limits
}

function stallRatio(runs: readonly Runs[], mode: string): number | undefined {
  const find = (stalled: boolean) =>
    runs.find(({ contender }) => contender.pools === 20 && contender.mode === mode && contender.stalled === stalled)
  const [stalled, free] = [find(true), find(false)]
  return stalled && free && median(ratiosTo(stalled.each, free.each, ({ p95Ms }) => p95Ms))
}
