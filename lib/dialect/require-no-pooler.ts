import { ConfigurationError } from '../errors.js'
import type { PoolOptions } from '../pool/pool-options.js'

/**
 * For engines without such poolers.
 *
 * @throws {ConfigurationError} `pooler` says that there is one, or that there is none where that is no question
 */
export function requireNoPooler({ pooler }: PoolOptions): void {
  if (pooler !== 'auto') throw new ConfigurationError('pool.pooler', `is for PostgreSQL; leave it out, got "${pooler}"`)
}
