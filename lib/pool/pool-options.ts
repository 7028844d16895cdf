import { ConfigurationError } from '../errors.js'
import { requireKnownNames } from '../nearest-name.js'

/** How a pool behaves. Every option has a default; see {@link POOL_DEFAULTS}. */
export interface PoolOptions {
  /** Connections kept open while idle. Default 0, at most `maxConnections`. */
  readonly minConnections: number
  /** Most connections of the pool. Default 10, 1 to 10,000. */
  readonly maxConnections: number
  /** Most milliseconds until a call has its connection: lock, queue, dial and init together. Default 5,000, 1 to 600,000. */
  readonly acquireTimeoutMs: number
  /** Of `acquireTimeoutMs`, the part to wait for the pool to be opened before a dedicated connection is tried. Default: half of it. */
  readonly lockTimeoutMs: number
  /** Share one pool with every database of the process that has the same configuration. Default true. */
  readonly share: boolean
  /** Most callers in the queue; one more is refused at once. Default 10,000, 0 to 1,000,000. */
  readonly maxQueue: number
  /** Idle milliseconds after which a connection is closed. Default 60,000, 10 to 86,400,000. */
  readonly idleTimeoutMs: number
  /** Age in milliseconds, give or take 10 %, after which a connection is replaced. Default 1,800,000, 100 to 86,400,000. */
  readonly maxLifetimeMs: number
  /** Idle milliseconds after which a connection is checked before it is lent. Default 1,000, 0 to 86,400,000. */
  readonly validateAfterIdleMs: number
  /**
   * Milliseconds after which a connection that is still lent is reported as a leak, with the borrower's stack unless
   * `NODE_ENV` is `production`. Default 30,000, 0 (never) to 86,400,000.
   */
  readonly leakAfterMs: number
  /** Statements that each new connection runs first. Default none. */
  readonly initSql: readonly string[]
  /**
   * What stands between PostgreSQL and the pool. `transaction`: a pooler that gives a connection for one transaction at a time:
   * nothing is kept prepared, and what needs a session of its own is refused. `session`: nothing, or a pooler that gives one
   * connection for a whole session. `auto`: found out with the first connection. Default `auto`.
   */
  readonly pooler: PoolerMode
}

export type PoolerMode = 'auto' | 'session' | 'transaction'

export const POOL_DEFAULTS: Omit<PoolOptions, 'lockTimeoutMs'> = Object.freeze({
  minConnections: 0,
  maxConnections: 10,
  acquireTimeoutMs: 5_000,
  share: true,
  maxQueue: 10_000,
  idleTimeoutMs: 60_000,
  maxLifetimeMs: 1_800_000,
  validateAfterIdleMs: 1_000,
  leakAfterMs: 30_000,
  pooler: 'auto',
  initSql: Object.freeze([]),
})

const BOUNDS: Readonly<Record<string, readonly [lowest: number, highest: number]>> = {
  minConnections: [0, 10_000],
  maxConnections: [1, 10_000],
  acquireTimeoutMs: [1, 600_000],
  lockTimeoutMs: [1, 600_000],
  maxQueue: [0, 1_000_000],
  idleTimeoutMs: [10, 86_400_000],
  maxLifetimeMs: [100, 86_400_000],
  validateAfterIdleMs: [0, 86_400_000],
  leakAfterMs: [0, 86_400_000],
}

const POOLER_MODES: readonly unknown[] = ['auto', 'session', 'transaction'] satisfies PoolerMode[]

const NAMES = [...Object.keys(BOUNDS), 'share', 'initSql', 'pooler']

/**
 * Checks pool options and fills in the defaults.
 *
 * @throws {ConfigurationError} an option is unknown, of the wrong type or out of bounds
 */
export function poolOptions(given: Partial<PoolOptions> = {}): PoolOptions {
  if (typeof given !== 'object' || given === null)
    throw new ConfigurationError('pool', `expected an object, got ${given === null ? 'null' : typeof given}`)
  requireKnownNames('pool', given, NAMES)
  for (const [name, value] of Object.entries(given)) if (value !== undefined) checkOption(name, value)
  const merged = { ...POOL_DEFAULTS, ...withoutUndefined(given) }
  const options: PoolOptions = {
    ...merged,
    lockTimeoutMs: given.lockTimeoutMs ?? Math.ceil(merged.acquireTimeoutMs / 2),
    initSql: Object.freeze([...merged.initSql]),
  }
  requireAtMost(options, 'minConnections', 'maxConnections')
  requireAtMost(options, 'lockTimeoutMs', 'acquireTimeoutMs')
  return Object.freeze(options)
}

function checkOption(name: string, value: unknown): void {
  const option = `pool.${name}`
  if (name === 'share') {
    if (typeof value !== 'boolean') throw new ConfigurationError(option, `expected true or false, got ${typeof value}`)
  } else if (name === 'pooler') {
    if (!POOLER_MODES.includes(value)) throw new ConfigurationError(option, `expected one of ${POOLER_MODES.join(', ')}`)
  } else if (name === 'initSql') {
    const isList = Array.isArray(value) && value.every((sql) => typeof sql === 'string' && sql.trim() !== '')
    if (!isList) throw new ConfigurationError(option, 'expected a list of SQL statements')
  } else checkNumber(option, value, BOUNDS[name]!)
}

function checkNumber(option: string, value: unknown, [lowest, highest]: readonly [number, number]): void {
  if (Number.isInteger(value) && (value as number) >= lowest && (value as number) <= highest) return
  const got = typeof value === 'number' ? String(value) : typeof value
  throw new ConfigurationError(option, `expected a whole number from ${lowest} to ${highest}, got ${got}`)
}

function requireAtMost(options: PoolOptions, name: 'minConnections' | 'lockTimeoutMs', limit: 'maxConnections' | 'acquireTimeoutMs'): void {
  if (options[name] <= options[limit]) return
  throw new ConfigurationError(`pool.${name}`, `${options[name]} is more than ${limit}, ${options[limit]}`)
}

function withoutUndefined<T extends object>(given: T): Partial<T> {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Partial<T>
}
