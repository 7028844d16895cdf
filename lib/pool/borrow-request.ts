import type { Deadline } from '../deadline.js'
import type { Pool } from './pool.js'
import type { PoolOptions } from './pool-options.js'

/** Who wants which pool, and how it is opened where nobody has opened it yet. */
export interface BorrowRequest<P extends Pool = Pool> {
  /** From {@link poolKey}; whoever asks with the same key gets the same pool. */
  readonly key: string
  /** Readable, without a secret. */
  readonly name: string
  readonly options: PoolOptions
  readonly deadline: Deadline
  readonly signal?: AbortSignal | undefined
  /** Who asks: a node's name. */
  readonly label: string
  /** Opens the pool for the `callers` who wait, on the registry's budget. Runs once for them all, outside every caller's context. */
  open(callers: number): Promise<P>
  /**
   * Opens a pool of one connection, which the registry counts: it takes no budget itself. Undefined where a second
   * connection would be another database.
   */
  openDedicated?: (() => Promise<P>) | undefined
}
