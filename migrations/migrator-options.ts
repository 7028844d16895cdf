import type { ConnectionConfig } from '../lib/dialect/connection-config.js'
import type { MigratableDatabase } from '../lib/dialect/migratable.js'
import { ConfigurationError } from '../lib/errors.js'
import { requireKnownNames } from '../lib/nearest-name.js'
import type { LockHolder } from './documents.js'

/** Where the database and the files are, and how long things may take. */
export interface MigratorOptions {
  /** Where the database is; see `createDatabase`. This, `connection` or `db`. */
  readonly url?: string
  readonly connection?: ConnectionConfig
  /** A database object, for its connection configuration alone: a run has a connection of its own and none of its pool. */
  readonly db?: MigratableDatabase
  /** The folder of migrations, from the working directory. Default `migrations`. */
  readonly folder?: string
  /** The folder of seeds, from the working directory. Default `seeds`. */
  readonly seeds?: string
  /** The state table; the others are named after it. Default `_latchwork_migrations`. Letters, digits and `_`, at most 40. */
  readonly table?: string
  /** The database's schema in which migrations run and their state stands. Default: the connection's own. */
  readonly schema?: string
  /** Most milliseconds to wait while another process migrates. Default 600,000. 0 to 86,400,000. */
  readonly lockTimeoutMs?: number
  /**
   * Most milliseconds that a statement waits for a lock on a table, and so for which others queue behind it. Default 5,000. 1 to
   * 3,600,000; MySQL and MariaDB count in whole seconds, rounded up.
   */
  readonly ddlLockTimeoutMs?: number
  /** How often a statement that got no lock in time is tried again, after a pause that grows. Default 5. 0 to 100. */
  readonly ddlRetries?: number
  /** Most milliseconds for one statement; a `-- latchwork:timeout` in the file goes before it. Default 0: none. */
  readonly statementTimeoutMs?: number
  /** Most milliseconds until there is a connection. Default 5,000. 1 to 600,000. */
  readonly connectTimeoutMs?: number
  /** Make the database where the server has none of its name. Default false; a SQLite file is always made. A dry run makes neither. */
  readonly createDatabase?: boolean
  /** Go on behind a pooler that is known to give one session to each client. Default false: a pooler is refused. */
  readonly allowSessionPooler?: boolean
  /** Go on where nodes of a Galera cluster do not see each other's locks, since only one is written to. Default false. */
  readonly singleWriter?: boolean
  /** Who does it, for the log. Default: the system's user. */
  readonly actor?: string
  /** Told what happens while it happens, for a progress display. What it throws becomes an uncaught exception. Default: nothing. */
  readonly onProgress?: (progress: MigrationProgress) => void
}

/** What happens during a run. */
export type MigrationProgress =
  | { readonly type: 'waiting'; readonly holder: LockHolder | undefined }
  | { readonly type: 'locked'; readonly waitedMs: number }
  | {
      readonly type: 'started'
      readonly id: string
      readonly direction: 'up' | 'down'
      readonly stepsTotal: number
      readonly number: number
      readonly count: number
    }
  | { readonly type: 'step'; readonly id: string; readonly step: number; readonly stepsTotal: number; readonly sqlPreview: string | null }
  | { readonly type: 'retry'; readonly id: string; readonly step: number; readonly attempt: number; readonly delayMs: number }
  /** Of a `data.ts`: `done` rows so far. */
  | { readonly type: 'batch'; readonly id: string; readonly table: string; readonly done: number }
  | { readonly type: 'log'; readonly id: string; readonly message: string }
  | { readonly type: 'finished'; readonly id: string; readonly direction: 'up' | 'down'; readonly ms: number }
  | { readonly type: 'warning'; readonly message: string }

/** Milliseconds and counts, each with its default. */
export const MIGRATOR_DEFAULTS = Object.freeze({
  lockTimeoutMs: 600_000,
  ddlLockTimeoutMs: 5_000,
  ddlRetries: 5,
  statementTimeoutMs: 0,
  connectTimeoutMs: 5_000,
})

const BOUNDS: Readonly<Record<keyof typeof MIGRATOR_DEFAULTS, readonly [lowest: number, highest: number]>> = {
  lockTimeoutMs: [0, 86_400_000],
  ddlLockTimeoutMs: [1, 3_600_000],
  ddlRetries: [0, 100],
  statementTimeoutMs: [0, 604_800_000],
  connectTimeoutMs: [1, 600_000],
}

const NAMES = [
  'url',
  'connection',
  'db',
  'folder',
  'seeds',
  'table',
  'schema',
  ...Object.keys(BOUNDS),
  'createDatabase',
  'allowSessionPooler',
  'singleWriter',
  'actor',
  'onProgress',
]

/** Options with their defaults. */
export type CheckedOptions = Readonly<
  Required<Omit<MigratorOptions, 'url' | 'connection' | 'db' | 'schema' | 'actor'>> &
    Pick<MigratorOptions, 'url' | 'connection' | 'db' | 'schema' | 'actor'>
>

/** @throws {ConfigurationError} an option is unknown, of the wrong type or out of bounds */
export function migratorOptions(given: MigratorOptions): CheckedOptions {
  if (typeof given !== 'object' || given === null) throw new ConfigurationError('options', `expected an object, got ${typeof given}`)
  requireKnownNames('', given, NAMES)
  const sources = [given.url, given.connection, given.db].filter((source) => source !== undefined)
  if (sources.length !== 1) throw new ConfigurationError('url', 'give one of url, connection and db')
  for (const name of Object.keys(BOUNDS) as (keyof typeof BOUNDS)[]) requireNumber(name, given[name])
  for (const name of ['createDatabase', 'allowSessionPooler', 'singleWriter'] as const) requireType(name, given[name], 'boolean')
  for (const name of ['folder', 'seeds', 'schema', 'actor', 'table'] as const) requireType(name, given[name], 'string')
  requireType('onProgress', given.onProgress, 'function')
  const table = given.table ?? '_latchwork_migrations'
  if (!/^\w{1,40}$/.test(table)) throw new ConfigurationError('table', 'expected 1 to 40 letters, digits and _')
  return Object.freeze({
    folder: 'migrations',
    seeds: 'seeds',
    createDatabase: false,
    allowSessionPooler: false,
    singleWriter: false,
    onProgress: () => undefined,
    ...MIGRATOR_DEFAULTS,
    ...(Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as MigratorOptions),
    table,
  })
}

function requireNumber(name: keyof typeof BOUNDS, value: number | undefined): void {
  const [lowest, highest] = BOUNDS[name]
  if (value === undefined || (Number.isInteger(value) && value >= lowest && value <= highest)) return
  const got = typeof value === 'number' ? String(value) : typeof value
  throw new ConfigurationError(name, `expected a whole number from ${lowest} to ${highest}, got ${got}`)
}

function requireType(name: string, value: unknown, type: 'boolean' | 'string' | 'function'): void {
  if (value === undefined || (typeof value === type && value !== '')) return
  throw new ConfigurationError(name, `expected ${type === 'string' ? 'a text' : `a ${type}`}, got ${value === '' ? 'none' : typeof value}`)
}
