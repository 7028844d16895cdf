import type { PoolKey } from './pool-keyring.js'
import { poolRegistry } from './pool-registry.js'

/**
 * The identity of a pool: two configurations share one exactly when they are equal everywhere. Functions and class
 * instances are equal only to themselves, bytes by content; the order of properties does not matter.
 *
 * @param target readable, without a secret, such as `postgres:127.0.0.1:5432/shop`; the name begins with it
 * @param identity the whole normalised configuration, secrets and pool options included; it is only hashed
 */
export function poolKey(target: string, identity: unknown): PoolKey {
  return poolRegistry().keyring.keyOf(target, identity)
}
