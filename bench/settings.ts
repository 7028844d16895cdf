import { parseArgs } from 'node:util'
import { ADAPTER_NAMES, type AdapterName } from './compare/adapter.js'
import { WORKLOAD_NAMES, type WorkloadName } from './compare/workloads.js'
import { ENGINE_NAMES, type EngineName } from './support/engine-traits.js'

/** What a benchmark may be asked for; each has its own defaults. */
export interface Settings {
  readonly engines: readonly EngineName[] | undefined
  /** Numbers of workflows to start at once. */
  readonly workflows: readonly number[] | undefined
  /** Rows in the table, or rows to write. */
  readonly rows: number | undefined
  /** Calls a contender and round. */
  readonly calls: number | undefined
  readonly rounds: number | undefined
  /** What is compared with raw. */
  readonly only: readonly AdapterName[] | undefined
  readonly workloads: readonly WorkloadName[] | undefined
  /** Numbers of concurrent callers. */
  readonly concurrency: readonly number[] | undefined
  /** How long a contender's share of a round lasts at least. */
  readonly turnMs: number | undefined
  readonly maxConnections: number
  /** Where the random keys start: the same seed gives the same keys. */
  readonly seed: number
  /** File that gets the report as JSON. */
  readonly json: string | undefined
}

export const USAGE = `npm run bench -- [benchmark] [options]
npm run bench:load -- [options]              the same as: npm run bench -- load [options]

benchmarks
  compare       (the default) ten workloads by latchwork and its peers, each     engine only workloads concurrency rows rounds
                against the plain driver; cold start and memory                  turn-ms max-connections seed
  bulk-create   rows a second into an empty table                                engine rows rounds
  memory        resident memory while a million rows stream in                   engine rows
  load          many four-call workflows started at once, on one pool
                and on twenty of which one is slow to open                       engine n rounds max-connections seed
  lock-cost     a free lock, an open pool, an idle connection                    calls rounds
  workflow      a step of a workflow that does nothing, and many workflows of
                four calls against the same calls made directly                  engine n calls rounds max-connections

options
  --engine <name>           postgres, mysql or sqlite
  --only <adapter>          ${ADAPTER_NAMES.slice(0, 6).join(', ')},
                            ${ADAPTER_NAMES.slice(6).join(', ')}; raw always
  --workloads <name>        ${WORKLOAD_NAMES.join(', ')}
  --concurrency <n>         concurrent callers, of every workload; each has its own default
  --n <n>                   workflows started at once (100,200,300,400,1000,5000)
  --rows <n>                rows in the table, or rows to write
  --calls <n>               calls a round
  --rounds <n>              rounds; every figure is the median over them
  --turn-ms <n>             how long a contender works in a round, at least (200)
  --max-connections <n>     size of each contender's pool (10)
  --seed <n>                seed of the random keys, or of the rows that are written
  --json <file>             write the report as JSON too; compare and load write an array of rows

--engine, --only, --workloads, --concurrency and --n take several values: repeated, or separated by commas.

compare: each adapter works in a process of its own, by turns, and is first checked against raw: the same rows, the same types.
CPU is that of its process. Ratios are medians of each round's own ratio to raw. What raw and latchwork need is there; the peers
are installed by: npm ci --prefix bench. workflow is a burst: insert, read and update, all callers at once, one call each.

load: response times count from the common start. In each round every contender runs twice, and its figures are the mean of
the two. With 20 pools (3 connections each; not on SQLite, which is reached without a network) the first one's connections go
through a front that may hold them for a second; mean, p95 and p99 are then those of the other 19, success is that of all.
maxConnections are those the server showed meanwhile; 0 on SQLite, which has no server. mean ÷ raw compares 20 pools with raw
on one cold pool.

Servers: POSTGRES_URL (postgres://postgres@127.0.0.1:5432/postgres) and MYSQL_URL (mysql://root@127.0.0.1:3306).
Each run makes databases of its own and drops them.

Limits say yes, NO or, where a run is too small to tell, not judged: times need 3 rounds, 10,000 calls, 100,000 rows, turns of 100 ms, and
300 workflows where nodes are compared with raw. compare judges latchwork alone: beside raw, and ahead of the best peer that ran. Success and connections are always judged. Exit code 1: a limit says NO.
Exit code 2: an option is not understood, or an adapter is not installed; nothing has run.`

const OPTIONS = {
  engine: { type: 'string', multiple: true },
  only: { type: 'string', multiple: true },
  workloads: { type: 'string', multiple: true },
  concurrency: { type: 'string', multiple: true },
  n: { type: 'string', multiple: true },
  rows: { type: 'string' },
  calls: { type: 'string' },
  rounds: { type: 'string' },
  'turn-ms': { type: 'string' },
  'max-connections': { type: 'string' },
  seed: { type: 'string' },
  json: { type: 'string' },
} as const

type OptionName = keyof typeof OPTIONS

/** What each benchmark listens to, besides `json`. */
const OPTIONS_OF = {
  compare: ['engine', 'only', 'workloads', 'concurrency', 'rows', 'rounds', 'turn-ms', 'max-connections', 'seed'],
  'bulk-create': ['engine', 'rows', 'rounds'],
  memory: ['engine', 'rows'],
  load: ['engine', 'n', 'rounds', 'max-connections', 'seed'],
  'lock-cost': ['calls', 'rounds'],
  workflow: ['engine', 'n', 'calls', 'rounds', 'max-connections'],
} as const satisfies Readonly<Record<string, readonly OptionName[]>>

export type BenchmarkName = keyof typeof OPTIONS_OF

/** The command line cannot be made out. */
export class UsageError extends Error {}

/** Whether the command line asks what there is. */
export function isHelpWanted(argv: readonly string[]): boolean {
  return argv.includes('--help') || argv.includes('-h')
}

/**
 * The benchmark's name and settings from the command line.
 *
 * @throws {UsageError} an unknown benchmark or option, one that the benchmark does not listen to, or a value out of bounds
 */
export function parseSettings(argv: readonly string[]): { readonly benchmark: BenchmarkName; readonly settings: Settings } {
  const { values, positionals } = parsed(argv)
  const [benchmark = 'compare', ...others] = positionals
  if (!isBenchmark(benchmark) || others.length > 0) {
    throw new UsageError(`expected one benchmark of ${Object.keys(OPTIONS_OF).join(', ')}, got ${positionals.join(' ')}`)
  }
  const known: readonly string[] = [...OPTIONS_OF[benchmark], 'json']
  const unheard = Object.keys(values).find((option) => !known.includes(option))
  if (unheard !== undefined) throw new UsageError(`--${unheard}: ${benchmark} does not listen to it, only to ${known.join(', ')}`)
  const settings: Settings = {
    engines: list(values.engine)?.map((name) => oneOf('engine', ENGINE_NAMES, name)),
    workflows: list(values.n)?.map((text) => count('n', text)),
    rows: optionalCount('rows', values.rows),
    calls: optionalCount('calls', values.calls),
    rounds: optionalCount('rounds', values.rounds),
    only: list(values.only)?.map((name) => oneOf('only', ADAPTER_NAMES, name)),
    workloads: list(values.workloads)?.map((name) => oneOf('workloads', WORKLOAD_NAMES, name)),
    concurrency: list(values.concurrency)?.map((text) => count('concurrency', text)),
    turnMs: optionalCount('turn-ms', values['turn-ms']),
    maxConnections: optionalCount('max-connections', values['max-connections']) ?? 10,
    seed: optionalCount('seed', values.seed) ?? 1 + (Date.now() % 1_000_000),
    json: values.json,
  }
  return { benchmark, settings }
}

function parsed(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], allowPositionals: true, options: OPTIONS })
  } catch (error) {
    // its only errors are about the arguments
    throw new UsageError((error as Error).message)
  }
}

function isBenchmark(name: string): name is BenchmarkName {
  return Object.hasOwn(OPTIONS_OF, name)
}

function list(values: readonly string[] | undefined): readonly string[] | undefined {
  return values?.flatMap((value) => value.split(','))
}

function oneOf<Name extends string>(option: string, names: readonly Name[], name: string): Name {
  const found = names.find((each) => each === name)
  if (found === undefined) throw new UsageError(`--${option}: expected one of ${names.join(', ')}, got ${name}`)
  return found
}

function optionalCount(option: string, text: string | undefined): number | undefined {
  return text === undefined ? undefined : count(option, text)
}

function count(option: string, text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 1) throw new UsageError(`--${option}: expected a whole number from 1, got ${text}`)
  return value
}
