import type { Deadline } from '../deadline.js'
import type { ConnectionBudget } from './connection-budget.js'
import type { Pool } from './pool.js'
import type { PoolOptions } from './pool-options.js'

/** For whom a pool is opened, and within what. */
export interface PoolOpening {
  /** Asked for room before each connection; without one, only `maxConnections` limits the pool. */
  readonly budget?: ConnectionBudget | undefined
  /** How many wait for it: connections for them are begun together, and the first to be made is waited for. Default 1. */
  readonly callers?: number | undefined
  /** Breaks the opening off: nobody waits for it any more. */
  readonly signal?: AbortSignal | undefined
}

/** Who wants which pool, and how it is opened where nobody has opened it yet. */
export interface BorrowRequest<P extends Pool = Pool> {
  /** From {@link poolKey}; whoever asks with the same key gets the same pool. */
  readonly key: string
  /** Readable, without a secret. */
  readonly name: string
  readonly options: PoolOptions
  readonly deadline: Deadline
  readonly signal?: AbortSignal | undefined
  /** Aborted when the database object that asks is closed: an opening that nobody else waits for is broken off then. */
  readonly closing?: AbortSignal | undefined
  /** Who asks: a node's name. */
  readonly label: string
  /** Opens the pool for all who wait. Runs once for them, outside every caller's context. */
  open(opening: Required<PoolOpening>): Promise<P>
  /**
   * Opens a pool of one connection, which the registry counts: it takes no budget itself. Undefined where a second
   * connection would be another database.
   */
  openDedicated?: ((signal: AbortSignal) => Promise<P>) | undefined
}
