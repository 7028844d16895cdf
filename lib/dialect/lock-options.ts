import { ConfigurationError } from '../errors.js'
import { requireKnownNames } from '../nearest-name.js'

/** How to wait for a lock that is taken by hand. */
export interface HoldOptions {
  /** Most milliseconds to wait for it. Default: the pool's `acquireTimeoutMs`. 1 to 86,400,000. */
  readonly timeoutMs?: number | undefined
  readonly signal?: AbortSignal | undefined
  /**
   * Most callers of this process in line for it; one more is refused at once. 0: the lock at once, or not at all. Default 200,000,
   * 0 to 1,000,000.
   */
  readonly maxQueue?: number | undefined
  /** Who asks, for messages, events and figures. Default `db.lock` or `db.hold`. */
  readonly label?: string | undefined
}

/** How to wait for a lock, and how long work may run under it. */
export interface LockOptions extends HoldOptions {
  /**
   * `database`: excludes every process that works on the database, not this one alone. Such a lock is taken on a connection
   * of its own, beside the pool. Default `process`.
   */
  readonly across?: 'process' | 'database' | undefined
  /** Milliseconds after which a lock that is still held is reported and its signal aborted. Default: never. 1 to 86,400,000. */
  readonly maxHoldMs?: number | undefined
}

const LONGEST_KEY = 200
const LONGEST_MS = 86_400_000
const LONGEST_QUEUE = 1_000_000
const HOLD_OPTIONS: readonly string[] = ['timeoutMs', 'signal', 'maxQueue', 'label']
const LOCK_OPTIONS: readonly string[] = [...HOLD_OPTIONS, 'across', 'maxHoldMs']
const REACHES: readonly unknown[] = ['process', 'database']

/** @throws {ConfigurationError} the key or an option is unknown, of the wrong kind or out of bounds */
export function checkLock(key: unknown, options: LockOptions): void {
  checkHoldOf(key, options, LOCK_OPTIONS)
  const { across, maxHoldMs } = options
  if (across !== undefined && !REACHES.includes(across)) throw new ConfigurationError('across', 'expected process or database')
  requireWhole('maxHoldMs', maxHoldMs, 1, LONGEST_MS)
}

/** @throws {ConfigurationError} the key or an option is unknown, of the wrong kind or out of bounds */
export function checkHold(key: unknown, options: HoldOptions): void {
  checkHoldOf(key, options, HOLD_OPTIONS)
}

function checkHoldOf(key: unknown, options: HoldOptions, known: readonly string[]): void {
  if (typeof key !== 'string' || key === '' || key.length > LONGEST_KEY) {
    const got = typeof key === 'string' ? `${key.length} characters` : typeof key
    throw new ConfigurationError('key', `expected a text of 1 to ${LONGEST_KEY} characters, got ${got}`)
  }
  if (typeof options !== 'object' || options === null) throw new ConfigurationError('options', `expected an object, got ${typeof options}`)
  requireKnownNames('', options, known)
  const { timeoutMs, signal, maxQueue, label } = options
  requireWhole('timeoutMs', timeoutMs, 1, LONGEST_MS)
  requireWhole('maxQueue', maxQueue, 0, LONGEST_QUEUE)
  if (signal !== undefined && !(signal instanceof AbortSignal)) throw new ConfigurationError('signal', 'expected an AbortSignal')
  if (label !== undefined && typeof label !== 'string') throw new ConfigurationError('label', `expected a text, got ${typeof label}`)
}

function requireWhole(option: string, value: number | undefined, lowest: number, highest: number): void {
  if (value === undefined || (Number.isInteger(value) && value >= lowest && value <= highest)) return
  const got = typeof value === 'number' ? value : typeof value
  throw new ConfigurationError(option, `expected a whole number from ${lowest} to ${highest}, got ${got}`)
}
