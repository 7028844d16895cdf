import type { ConnectionConfig } from './connection-config.js'

/** Where a database object says how it connects, for the migrator alone: by `Symbol.for`, so that two copies of the package agree. */
export const CONNECTION_CONFIG: unique symbol = Symbol.for('latchwork.connection-config.v1')

/** What a migrator takes of a database object: how to connect, and none of its pool. */
export interface MigratableDatabase {
  /** @internal */
  readonly [CONNECTION_CONFIG]: ConnectionConfig
}
