import { debuglog, inspect } from 'node:util'
import {
  type LockEvent,
  lockEvents,
  type PoolEvent,
  poolEvents,
  type QueryEvent,
  queryEvents,
  type SlowQueryEvent,
  slowQueryEvents,
  type TransactionEvent,
  transactionEvents,
} from './events.js'

/** What a log is written to: pino's shape, which most loggers have. Fields first, then words. */
export interface Logger {
  debug(fields: object, message: string): void
  warn(fields: object, message: string): void
}

/** Where the process remembers that it prints already: for every copy of the package that is loaded. */
const DEBUG_SLOT: unique symbol = Symbol.for('latchwork.debug-log.v1')

/**
 * Writes what happens on one pool, and on the locks of its database, to a logger: statements, connections and locks as `debug`,
 * failures, time-outs, fallbacks, leaks, deadlocks, slow statements and idle transactions as `warn`. Statements are logged without their bound values.
 *
 * @param pool its name; undefined: every pool and lock of the process
 * @returns ends the logging
 */
export function logEvents(logger: Logger, pool: string | undefined): () => void {
  const onQuery = (event: QueryEvent) => isOf(pool, event) && logQuery(logger, event)
  const onSlowQuery = (event: SlowQueryEvent) => isOf(pool, event) && logSlowQuery(logger, event)
  const onTransaction = (event: TransactionEvent) => isOf(pool, event) && logTransaction(logger, event)
  const onPool = (event: PoolEvent) => isOf(pool, event) && logPool(logger, event)
  const onLock = (event: LockEvent) => isLockOf(pool, event) && logLock(logger, event)
  queryEvents.subscribe(onQuery)
  slowQueryEvents.subscribe(onSlowQuery)
  transactionEvents.subscribe(onTransaction)
  poolEvents.subscribe(onPool)
  lockEvents.subscribe(onLock)
  return () => {
    queryEvents.unsubscribe(onQuery)
    slowQueryEvents.unsubscribe(onSlowQuery)
    transactionEvents.unsubscribe(onTransaction)
    poolEvents.unsubscribe(onPool)
    lockEvents.unsubscribe(onLock)
  }
}

/** With `NODE_DEBUG=latchwork`, prints from now on what happens in this process to standard error: once, whoever asks. */
export function logDebug(): void {
  const print = debuglog('latchwork')
  if (!print.enabled || DEBUG_SLOT in globalThis) return
  Object.defineProperty(globalThis, DEBUG_SLOT, { value: true })
  const write = (fields: object, message: string) => print('%s %s', message, onOneLine(fields))
  logEvents({ debug: write, warn: write }, undefined)
}

function isOf(pool: string | undefined, event: { readonly pool: string }): boolean {
  return pool === undefined || event.pool === pool
}

/** The lock of the pool itself, or a lock of the application on the pool's database. */
function isLockOf(pool: string | undefined, { kind, key }: LockEvent): boolean {
  if (pool === undefined) return true
  if (kind === 'pool') return key === pool
  const database = `@${pool.slice(0, pool.lastIndexOf('#'))}`
  const at = key.lastIndexOf(database)
  // behind the database may stand how far the lock reaches, in brackets
  return at !== -1 && /^( \(|$)/.test(key.slice(at + database.length))
}

function logQuery(logger: Logger, { error, ...fields }: QueryEvent): void {
  if (error === undefined) logger.debug(fields, `${fields.label}: ${fields.rowCount} rows in ${inMs(fields.durationMs)}`)
  else logger.warn({ ...fields, error }, `${fields.label} failed after ${inMs(fields.durationMs)}: ${error.message}`)
}

function logSlowQuery(logger: Logger, event: SlowQueryEvent): void {
  const { label, durationMs, slowQueryMs, rowCount } = event
  logger.warn(event, `${label} was slow: ${rowCount} rows in ${inMs(durationMs)}, over slowQueryMs ${slowQueryMs}`)
}

function logTransaction(logger: Logger, event: TransactionEvent): void {
  logger.warn(event, wordsOf(event))
}

function wordsOf(event: TransactionEvent): string {
  if (event.type === 'idle')
    return `a transaction had nothing to do for ${inMs(event.idleMs)} before ${event.label}: do what it waited for outside of it`
  const { label, code, attempts, delayMs } = event
  return `${label} ended in ${code} when it was run the ${attempts}. time, and is run again in ${inMs(delayMs)}`
}

const POOL_WARNINGS: ReadonlySet<PoolEvent['type']> = new Set(['connectFailed', 'timedOut', 'refused', 'deadlock', 'fallback', 'leaked'])

/** Lending is not logged: every statement says as much. */
const SILENT: ReadonlySet<PoolEvent['type']> = new Set(['acquired', 'released'])

function logPool(logger: Logger, event: PoolEvent): void {
  if (SILENT.has(event.type)) return
  const level = POOL_WARNINGS.has(event.type) ? 'warn' : 'debug'
  logger[level](event, `pool ${event.pool}: ${event.type}${'label' in event ? ` for ${event.label}` : ''}`)
}

const LOCK_WARNINGS: ReadonlySet<LockEvent['type']> = new Set(['timedOut', 'deadlock', 'leaked', 'overheld'])

function logLock(logger: Logger, event: LockEvent): void {
  const { type, key, label } = event
  const level = LOCK_WARNINGS.has(type) ? 'warn' : 'debug'
  const ms = 'heldMs' in event ? event.heldMs : event.waitedMs
  logger[level](event, `lock "${key}": ${type}${label === undefined ? '' : ` for ${label}`} after ${inMs(ms)}`)
}

function inMs(ms: number): string {
  return `${ms.toFixed(1)} ms`
}

/** The fields without what the words say already. */
function onOneLine(fields: { readonly error?: unknown; readonly stack?: unknown }): string {
  const { error: _, stack: __, ...rest } = fields
  return inspect(rest, { breakLength: Number.POSITIVE_INFINITY, compact: true })
}
