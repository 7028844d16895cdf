import { type LockLostError, ScopeClosedError } from '../errors.js'
import { byLabel } from '../lock/hold.js'

/** A lock of the database that this process has. */
export interface DatabaseHold {
  readonly name: string
  /**
   * Calls `listener` once, when the session that has the lock ends before the lock was released: another process may have it by
   * then. At once where that has happened. That it did not happen is certain only when {@link release} has settled.
   */
  onLost(listener: (error: LockLostError) => void): void
  /**
   * Frees the lock; settles when the database has said so, or the lock was lost. In bounded time, and never rejected for what
   * the database does.
   *
   * @throws {ScopeClosedError} it was released before
   */
  release(): Promise<void>
}

/** A hold on a session that others use too. */
export class SessionHold implements DatabaseHold {
  readonly name: string
  /** Who has it. */
  readonly label: string | undefined
  readonly #unlock: () => Promise<void>
  readonly #listeners: ((error: LockLostError) => void)[] = []
  #loss: LockLostError | undefined
  #isReleased = false

  constructor(name: string, label: string | undefined, unlock: () => Promise<void>) {
    this.name = name
    this.label = label
    this.#unlock = unlock
  }

  onLost(listener: (error: LockLostError) => void): void {
    if (this.#loss === undefined) this.#listeners.push(listener)
    else listener(this.#loss)
  }

  async release(): Promise<void> {
    if (this.#isReleased) throw new ScopeClosedError(`lock "${this.name}" of the database${byLabel(this.label)} was released before`)
    this.#isReleased = true
    if (this.#loss === undefined) await this.#unlock()
  }

  /** Tells those who listen. */
  lose(error: LockLostError): void {
    this.#loss = error
    for (const listener of this.#listeners) listener(error)
  }
}
