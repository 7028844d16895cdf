import { type Inspector, waitForNoSessions } from '../support/inspector.js'
import { mostConnectionsDuring } from './connection-count.js'
import type { Contender, OpenPools } from './contenders.js'
import { ageAfter, runWorkflow } from './workflow.js'

/** Which workflows to start, all at once. */
export interface Batch {
  readonly firstNumber: number
  readonly count: number
}

/** What one contender did once, or in one round: see {@link averaged}. */
export interface Run {
  readonly started: number
  /** Workflows that ended well and whose row was found as they had to leave it. */
  readonly succeeded: number
  readonly meanMs: number
  readonly p95Ms: number
  readonly p99Ms: number
  /** Until the last workflow had ended, well or not. */
  readonly wallMs: number
  readonly mostConnections: number
}

const LEGACY_SWITCH = 'LATCHWORK_LEGACY_POOL_LOCKING'

/**
 * Starts the workflows on a contender's pools, new ones, and looks at what they leave behind. With several pools the response
 * times are those of all but the first.
 *
 * @throws a session or a lock was left, or a row that was reported as written is not there
 */
export async function runOnce(contender: Contender, batch: Batch, inspector: Inspector): Promise<Run> {
  if (contender.mode === 'nodes-legacy-lock') process.env[LEGACY_SWITCH] = 'true'
  const responsesMs = new Float64Array(batch.count).fill(Number.NaN)
  let wallMs = 0
  let mostConnections: number
  const pools = await contender.open()
  try {
    if (contender.pool === 'warm') await warm(pools, contender, inspector)
    mostConnections = await mostConnectionsDuring(inspector, contender.maxConnections, async () => {
      wallMs = await startAll(pools, batch, responsesMs)
    })
  } finally {
    await pools.close()
    delete process.env[LEGACY_SWITCH]
  }
  await waitForNoSessions(inspector)
  const succeeded = await countSucceeded(batch, responsesMs, inspector)
  const counted = contender.pools === 1 ? responsesMs : responsesMs.filter((_, index) => index % contender.pools !== 0)
  return { started: batch.count, succeeded, ...responseTimes(counted), wallMs, mostConnections }
}

/** Several runs as one: counts together, times in the mean, the most of the connections. */
export function averaged(runs: readonly Run[]): Run {
  const sum = (figure: (run: Run) => number) => runs.reduce((total, run) => total + figure(run), 0)
  const mean = (figure: (run: Run) => number) => sum(figure) / runs.length
  return {
    started: sum(({ started }) => started),
    succeeded: sum(({ succeeded }) => succeeded),
    meanMs: mean(({ meanMs }) => meanMs),
    p95Ms: mean(({ p95Ms }) => p95Ms),
    p99Ms: mean(({ p99Ms }) => p99Ms),
    wallMs: mean(({ wallMs }) => wallMs),
    mostConnections: Math.max(...runs.map(({ mostConnections }) => mostConnections)),
  }
}

async function warm(pools: OpenPools, { maxConnections }: Contender, inspector: Inspector): Promise<void> {
  await Promise.all(pools.each.map((pool) => pool.warm()))
  if (inspector.seesSessions && (await inspector.sessions()).length !== maxConnections) {
    throw new Error(`a pool that was warmed has not its ${maxConnections} connections`)
  }
}

/** Starts every workflow and waits for all; notes how long each took that ended well. Gives how long that took. */
async function startAll({ each }: OpenPools, { firstNumber, count }: Batch, responsesMs: Float64Array): Promise<number> {
  const startedMs = performance.now()
  const outcomes = await Promise.allSettled(
    Array.from({ length: count }, async (_, index) => {
      await runWorkflow(each[index % each.length]!, firstNumber + index)
      responsesMs[index] = performance.now() - startedMs
    }),
  )
  const wallMs = performance.now() - startedMs
  reportFailures(outcomes)
  return wallMs
}

function reportFailures(outcomes: readonly PromiseSettledResult<void>[]): void {
  const counts = new Map<string, number>()
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected') counts.set(String(outcome.reason), (counts.get(String(outcome.reason)) ?? 0) + 1)
  }
  for (const [reason, count] of counts) console.error(`${count} workflows failed: ${reason}`)
}

/** Compares what the workflows said with what is in the table, and empties it. */
async function countSucceeded({ firstNumber, count }: Batch, responsesMs: Float64Array, inspector: Inspector): Promise<number> {
  const ages = await inspector.agesByEmail()
  if ((await inspector.clear()) !== ages.size) throw new Error('the accounts changed after every session had ended')
  let succeeded = 0
  for (let index = 0; index < count; index++) {
    const number = firstNumber + index
    const isDone = !Number.isNaN(responsesMs[index])
    const age = ages.get(`account-${number}@example.com`)
    if (isDone && age !== ageAfter(number)) throw new Error(`workflow ${number} ended well and left age ${age}`)
    if (isDone) succeeded++
  }
  if (ages.size > count) throw new Error(`${ages.size} accounts are there after ${count} workflows`)
  return succeeded
}

function responseTimes(responsesMs: Float64Array): Pick<Run, 'meanMs' | 'p95Ms' | 'p99Ms'> {
  const sorted = responsesMs.filter((each) => !Number.isNaN(each)).sort()
  const meanMs = sorted.reduce((sum, each) => sum + each, 0) / sorted.length
  // nearest rank: the least time that so many of them did not exceed
  const percentile = (percent: number) => sorted[Math.ceil((sorted.length * percent) / 100) - 1] ?? Number.NaN
  return { meanMs, p95Ms: percentile(95), p99Ms: percentile(99) }
}
