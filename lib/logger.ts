import { type PoolEvent, poolEvents, type QueryEvent, queryEvents } from './events.js'

/** What a log is written to: pino's shape, which most loggers have. Fields first, then words. */
export interface Logger {
  debug(fields: object, message: string): void
  warn(fields: object, message: string): void
}

/**
 * Writes what happens on one pool to a logger: statements and connections as `debug`, failures, time-outs and fallbacks
 * as `warn`. Statements are logged without their bound values.
 *
 * @returns ends the logging
 */
export function logEvents(logger: Logger, pool: string): () => void {
  const onQuery = (event: QueryEvent) => event.pool === pool && logQuery(logger, event)
  const onPool = (event: PoolEvent) => event.pool === pool && logPool(logger, event)
  queryEvents.subscribe(onQuery)
  poolEvents.subscribe(onPool)
  return () => {
    queryEvents.unsubscribe(onQuery)
    poolEvents.unsubscribe(onPool)
  }
}

function logQuery(logger: Logger, { error, ...fields }: QueryEvent): void {
  if (error === undefined) logger.debug(fields, `${fields.label}: ${fields.rowCount} rows in ${fields.durationMs.toFixed(1)} ms`)
  else logger.warn({ ...fields, error }, `${fields.label} failed after ${fields.durationMs.toFixed(1)} ms: ${error.message}`)
}

const WARNINGS: ReadonlySet<PoolEvent['type']> = new Set(['connectFailed', 'timedOut', 'fallback'])

/** Lending is not logged: every statement says as much. */
const SILENT: ReadonlySet<PoolEvent['type']> = new Set(['acquired', 'released'])

function logPool(logger: Logger, event: PoolEvent): void {
  if (SILENT.has(event.type)) return
  const message = `pool ${event.pool}: ${event.type}`
  if (WARNINGS.has(event.type)) logger.warn(event, message)
  else logger.debug(event, message)
}
