import { Later } from '../later.js'
import type { PoolOptions } from '../pool/pool-options.js'
import type { DatabaseLocks } from './database-locks.js'
import type { Dialect } from './dialect.js'

const LOCKS = new Later('locks across processes', () => import('./database-locks.js'))

/** The {@link DatabaseLocks} of a database object, which are loaded for the first lock. */
export class LaterLocks implements Pick<DatabaseLocks, 'hold' | 'close'> {
  readonly #dialect: Dialect
  readonly #options: PoolOptions
  #locks: DatabaseLocks | undefined
  #isClosed = false

  constructor(dialect: Dialect, options: PoolOptions) {
    this.#dialect = dialect
    this.#options = options
  }

  async hold(...lock: Parameters<DatabaseLocks['hold']>): ReturnType<DatabaseLocks['hold']> {
    const locks = this.#locks ?? this.#made(await LOCKS.load())
    return locks.hold(...lock)
  }

  close(): Promise<void> {
    this.#isClosed = true
    return this.#locks?.close() ?? Promise.resolve()
  }

  #made(part: typeof import('./database-locks.js')): DatabaseLocks {
    if (this.#locks !== undefined) return this.#locks
    this.#locks = new part.DatabaseLocks(this.#dialect, this.#options)
    // then it refuses whoever comes
    if (this.#isClosed) void this.#locks.close()
    return this.#locks
  }
}
