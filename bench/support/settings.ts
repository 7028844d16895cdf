import { parseArgs } from 'node:util'

export type EngineName = 'postgres' | 'mysql' | 'sqlite'

/** What a benchmark may be asked for; each has its own defaults. */
export interface Settings {
  readonly engines: readonly EngineName[] | undefined
  /** Rows in the table, or rows to write. */
  readonly rows: number | undefined
  /** Calls a contender and round. */
  readonly calls: number | undefined
  readonly rounds: number | undefined
  /** Numbers of concurrent callers. */
  readonly callers: readonly number[] | undefined
  readonly maxConnections: number
  /** Where the random keys start: the same seed gives the same keys. */
  readonly seed: number
  /** File that gets the report as JSON. */
  readonly json: string | undefined
}

export const USAGE = `npm run bench -- <benchmark> [options]

benchmarks
  by-key-read   client time of a read by key, against the plain driver
  operations    the same for create, update, upsert, list of 50 and count
  bulk-create   rows a second into an empty table
  memory        resident memory while a million rows stream in
  workflows     many four-call workflows at once on one pool

options
  --engine <name>           postgres, mysql or sqlite; may be repeated
  --rows <n>                rows in the table, or rows to write
  --calls <n>               calls a contender and round
  --rounds <n>              rounds; every figure is the median over them
  --callers <n>             concurrent callers; may be repeated
  --max-connections <n>     size of each contender's pool (10)
  --seed <n>                seed of the random keys
  --json <file>             write the report as JSON too

Servers: POSTGRES_URL (postgres://postgres@127.0.0.1:5432/postgres) and MYSQL_URL (mysql://root@127.0.0.1:3306).
Each run makes databases of its own and drops them.`

const ENGINES: readonly string[] = ['postgres', 'mysql', 'sqlite'] satisfies EngineName[]

/** The benchmark's name and settings from the command line; undefined: it asks for help. */
export function parseSettings(argv: readonly string[]): { readonly benchmark: string; readonly settings: Settings } | undefined {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      engine: { type: 'string', multiple: true },
      rows: { type: 'string' },
      calls: { type: 'string' },
      rounds: { type: 'string' },
      callers: { type: 'string', multiple: true },
      'max-connections': { type: 'string', default: '10' },
      seed: { type: 'string', default: String(Date.now() % 1_000_000) },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  const [benchmark, ...others] = positionals
  if (values.help || benchmark === undefined || others.length > 0) return undefined
  const settings: Settings = {
    engines: values.engine?.map(engineOf),
    rows: optionalCount('rows', values.rows),
    calls: optionalCount('calls', values.calls),
    rounds: optionalCount('rounds', values.rounds),
    callers: values.callers?.map((text) => count('callers', text)),
    maxConnections: count('max-connections', values['max-connections']),
    seed: count('seed', values.seed),
    json: values.json,
  }
  return { benchmark, settings }
}

function engineOf(name: string): EngineName {
  if (!ENGINES.includes(name)) throw new Error(`--engine: expected one of ${ENGINES.join(', ')}, got ${name}`)
  return name as EngineName
}

function optionalCount(option: string, text: string | undefined): number | undefined {
  return text === undefined ? undefined : count(option, text)
}

function count(option: string, text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 1) throw new Error(`--${option}: expected a whole number from 1, got ${text}`)
  return value
}
