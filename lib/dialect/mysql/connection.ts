import type { Connection, Statement, StatementResult } from '../dialect.js'
import type { Client } from './client.js'
import type { Driver } from './driver.js'
import { bindParameters } from './parameters.js'
import type { StatementKiller } from './statement-killer.js'

/** A session of the pool. */
export class MysqlConnection implements Connection {
  readonly client: Client
  readonly #types: Driver['TypedParameter']
  readonly #killer: StatementKiller
  #wasCancelled = false
  #lastStatement: string | undefined

  constructor(client: Client, types: Driver['TypedParameter'], killer: StatementKiller) {
    this.client = client
    this.#types = types
    this.#killer = killer
  }

  /** A cancelled one counts as broken: the kill could reach it late and hit the next borrower's statement. */
  get isBroken(): boolean {
    return this.#wasCancelled || this.client.isBroken
  }

  get lastStatement(): string | undefined {
    return this.#lastStatement
  }

  /**
   * Runs a statement. One with bound values always goes out prepared: written into the text, a value would need escapes, and what
   * a backslash means there is up to the session (`NO_BACKSLASH_ESCAPES`).
   */
  run({ sql, parameters, name }: Statement): Promise<StatementResult> | StatementResult {
    // without a name it may be somebody's own text, with values in it
    this.#lastStatement = name === undefined ? undefined : sql
    if (parameters.length === 0 && name === undefined) return this.client.query(sql)
    return this.client.execute(sql, bindParameters(parameters, this.#types))
  }

  async cancel(): Promise<void> {
    const { running } = this.client
    if (running === undefined || this.client.isBroken) return
    await this.#killer.kill(this.client.threadId, () => {
      // once it is broken nobody borrows it any more; what runs there does not notice by itself that the client has gone
      this.#wasCancelled = this.client.isBroken || this.client.running === running
      return this.#wasCancelled
    })
  }
}
