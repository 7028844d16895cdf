import { ScopeClosedError } from '../errors.js'
import type { Pool } from './pool.js'

/** How to give a lease back. */
export interface ReleaseOptions {
  /** Close the pool now if this was its last lease, instead of keeping it for `idleTimeoutMs`. Default false. */
  readonly closeIfLast?: boolean
  /** Most milliseconds to wait for the calls that still run, where the pool is closed. Default 5,000. */
  readonly timeoutMs?: number
}

/**
 * The right to use a pool until it is released.
 * `shared`: a pool for many calls; keep the lease. `dedicated`: a pool of one connection for one call, opened because the
 * shared one could not be had in time; it is closed with its lease.
 */
export class Lease<P extends Pool = Pool> implements AsyncDisposable {
  readonly kind: 'shared' | 'dedicated'
  readonly pool: P
  #giveBack: ((options: ReleaseOptions) => Promise<void>) | undefined

  constructor(kind: 'shared' | 'dedicated', pool: P, giveBack: (options: ReleaseOptions) => Promise<void>) {
    this.kind = kind
    this.pool = pool
    this.#giveBack = giveBack
  }

  /**
   * Gives the pool back. Settles when that is done: at once, or after the pool was closed.
   *
   * @throws {ScopeClosedError} it was released before; thrown at once
   */
  release(options: ReleaseOptions = {}): Promise<void> {
    const giveBack = this.#giveBack
    if (giveBack === undefined) throw new ScopeClosedError(`the lease on pool "${this.pool.name}" was released before`)
    this.#giveBack = undefined
    return giveBack(options)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.release()
  }
}
