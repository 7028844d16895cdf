import type { Dialect } from './dialect.js'

/** Where a database object has its dialect, for the migrator alone: by `Symbol.for`, so that two copies of the package agree. */
export const DIALECT: unique symbol = Symbol.for('latchwork.dialect.v1')

/** What a migrator takes of a database object: how to connect, and none of its pool. */
export interface MigratableDatabase {
  /** @internal */
  readonly [DIALECT]: Dialect
}
