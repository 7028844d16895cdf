import type { PoolerMode } from '../../pool/pool-options.js'

/** What stands between the connections of one pool and their server: found out by one of them, known to all. */
export class Pooler {
  #mode: 'session' | 'transaction' | undefined
  #asking = 0

  constructor(given: PoolerMode) {
    this.#mode = given === 'auto' ? undefined : given
  }

  /** Undefined until it is found out: what is right in either mode has to do until then. */
  get mode(): 'session' | 'transaction' | undefined {
    return this.#mode
  }

  /** Nobody knows it yet, and no connection is asking. */
  get isToBeAsked(): boolean {
    return this.#mode === undefined && this.#asking === 0
  }

  /**
   * Finds it out, where it is not known.
   *
   * @param isDirect whether the server itself is at the other end of a connection
   * @throws what asking throws
   */
  async find(isDirect: () => Promise<boolean>): Promise<void> {
    if (this.#mode !== undefined) return
    this.#asking++
    try {
      // it may be a pooler that keeps a session for each client: only who has set it up knows
      this.#mode = (await isDirect()) ? 'session' : 'transaction'
    } finally {
      this.#asking--
    }
  }

  /** A pooler gave itself away. */
  wasMet(): void {
    this.#mode ??= 'transaction'
  }
}
