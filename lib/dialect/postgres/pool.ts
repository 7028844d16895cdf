import { deadlineAfter } from '../../deadline.js'
import type { PoolOpening } from '../../pool/borrow-request.js'
import { ConnectionPool } from '../../pool/connection-pool.js'
import type { Pool } from '../../pool/pool.js'
import type { PoolOptions } from '../../pool/pool-options.js'
import { warmed } from '../../pool/warmed.js'
import type { Connection } from '../dialect.js'
import { PostgresConnector } from './connector.js'
import { loadDriver } from './driver.js'
import type { PostgresServer } from './server.js'

/**
 * Loads the driver and opens a pool with at least one connection in it.
 *
 * @throws {DriverMissingError} `pg` is not installed
 * @throws {PoolerModeError} `initSql`, and a pooler in transaction mode was found: it would not last
 * @throws {ConnectionError} no connection could be made within `acquireTimeoutMs`
 */
export async function openPool(
  name: string,
  server: PostgresServer,
  options: PoolOptions,
  { budget, callers = 1, signal }: PoolOpening,
): Promise<Pool<Connection>> {
  const connector = new PostgresConnector(await loadDriver(), server, options.initSql, options.pooler)
  const pool = new ConnectionPool(name, connector, options, budget)
  const deadline = deadlineAfter(options.acquireTimeoutMs)
  return warmed(pool, () => pool.warm(1, deadline, Math.max(callers, options.minConnections)), signal)
}
