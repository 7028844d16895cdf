import type { Wire } from './answered-query.js'
import { PreparedQuery } from './prepared-query.js'

/**
 * The first run of a transaction, and its BEGIN before it in the same packet. The server passes over all that follows a refusal until
 * "Sync", of which there is one, at the end: nothing runs outside of the transaction.
 */
export class BeginningQuery extends PreparedQuery {
  readonly #begin: string
  readonly #onBegun: () => void
  #hasBegun = false

  constructor(begin: string, onBegun: () => void, ...run: ConstructorParameters<typeof PreparedQuery>) {
    super(...run)
    this.#begin = begin
    this.#onBegun = onBegun
  }

  /** The driver notes it as parsed whenever the server says that something was: of BEGIN, nothing is to be noted. */
  override get name(): string {
    return this.#hasBegun ? super.name : ''
  }

  override submit(connection: unknown): void {
    const wire = connection as Wire
    wire.stream.cork()
    wire.parse({ name: '', text: this.#begin })
    wire.bind({ statement: '', values: [] })
    wire.execute({ portal: '', rows: 0 })
    // the server would keep its answer until that of the statement is there
    wire.flush()
    super.submit(connection)
    wire.stream.uncork()
  }

  override handleCommandComplete(message: { readonly text: string }): void {
    if (this.#hasBegun) super.handleCommandComplete(message)
    else {
      this.#hasBegun = true
      this.#onBegun()
    }
  }
}
