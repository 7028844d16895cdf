import type { LockLostError } from '../errors.js'
import { UnsupportedError } from '../errors.js'
import type { LockRequest } from '../lock/lock-line.js'
import type { PoolOptions } from '../pool/pool-options.js'
import type { Dialect } from './dialect.js'

// THE CONTRACT that lib/dialect/application-locks.ts and lib/database.ts use; the body is being written

/** A lock of the database that is held. */
export interface DatabaseHold {
  /** Called once, if its session ends before it is released; at once where that has happened already. */
  onLost(listener: (error: LockLostError) => void): void
  /** Settles when it is free, or was lost; never throws. */
  release(): Promise<void>
}

/** Locks that all processes on one database see. */
export class DatabaseLocks {
  readonly #dialect: Dialect

  constructor(dialect: Dialect, _options: PoolOptions) {
    this.#dialect = dialect
  }

  async hold(_key: string, _request: LockRequest): Promise<DatabaseHold> {
    throw new UnsupportedError('a lock across processes', this.#dialect.engine, 'being written')
  }

  async close(): Promise<void> {}
}
