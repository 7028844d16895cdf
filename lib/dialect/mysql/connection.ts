import { deadlineAfter, LATE, settledBy } from '../../deadline.js'
import { ENDS } from '../begin-watch.js'
import type { Beginning, Connection, RowCursor, Statement, StatementResult } from '../dialect.js'
import { beginAndRun } from './begin-and-run.js'
import { changeAndRead } from './change-and-read.js'
import type { Client } from './client.js'
import type { Driver } from './driver.js'
import { bindParameters } from './parameters.js'
import { type CursorSession, PausedCursor } from './paused-cursor.js'
import { NOTHING } from './result.js'
import type { StatementKiller } from './statement-killer.js'

/** How long a close waits for a statement to be stopped: longer than a server in reach needs. */
const STOP_PATIENCE_MS = 250

/** For what could not be stopped by then. */
const LAST_KILL_TIMEOUT_MS = 1_000

/** A session of the pool. */
export class MysqlConnection implements Connection {
  readonly client: Client
  /**
   * Whether the server takes a statement before it has answered the one before: MariaDB does, whose own connectors send so; nothing is
   * known of all that speaks for MySQL.
   */
  readonly takesSeveral: boolean
  readonly #types: Driver['TypedParameter']
  readonly #killer: StatementKiller
  #wasCancelled = false
  #stopping: Promise<void> | undefined
  #lastStatement: string | undefined
  /** Whose rows are being taken. */
  #cursor: PausedCursor | undefined
  /** Of a transaction that begins with the next statement. */
  #beginning: Beginning | undefined

  constructor(client: Client, types: Driver['TypedParameter'], killer: StatementKiller, takesSeveral = false) {
    this.client = client
    this.takesSeveral = takesSeveral
    this.#types = types
    this.#killer = killer
  }

  /** A cancelled one counts as broken: the kill could reach it late and hit the next borrower's statement. */
  get isBroken(): boolean {
    return this.#wasCancelled || this.client.isBroken
  }

  /** Whether what runs was to be stopped: nobody waits for it any more. */
  isUnwanted(): boolean {
    return this.#stopping !== undefined
  }

  get lastStatement(): string | undefined {
    return this.#lastStatement
  }

  /**
   * Runs a statement. One with bound values always goes out prepared: written into the text, a value would need escapes, and what
   * a backslash means there is up to the session (`NO_BACKSLASH_ESCAPES`).
   */
  run(statement: Statement): Promise<StatementResult> | StatementResult {
    return this.#beginning === undefined ? this.#run(statement) : this.#runFirst(this.#beginning, statement)
  }

  beginWithNext(beginning: Beginning): void {
    this.#beginning = beginning
  }

  /** It goes out with BEGIN where it is prepared already, and the server takes several. */
  #runFirst(beginning: Beginning, statement: Statement): Promise<StatementResult> | StatementResult {
    const { sql, parameters, name, reread } = statement
    const goesTogether = this.takesSeveral && reread === undefined && (name !== undefined || parameters.length > 0)
    const bound = goesTogether ? { sql, parameters: bindParameters(parameters, this.#types) } : undefined
    this.#beginning = undefined
    if (ENDS.includes(sql)) return NOTHING
    this.#lastStatement = name === undefined ? undefined : sql
    const breakOff = () => {
      this.cancel().catch(() => undefined)
      this.client.destroy()
    }
    return beginAndRun(this.client, beginning, { bound, run: () => this.#run(statement) }, breakOff)
  }

  #run(statement: Statement): Promise<StatementResult> | StatementResult {
    const { sql, parameters, name, reread, isAlone = false } = statement
    // without a name it may be somebody's own text, with values in it
    this.#lastStatement = name === undefined ? undefined : sql
    if (this.#cursor !== undefined) return this.#cursor.keepRest().then(() => this.#run(statement))
    if (parameters.length === 0 && name === undefined) return this.client.query(sql)
    const bound = bindParameters(parameters, this.#types)
    if (reread === undefined) return this.client.execute(sql, bound)
    const read = { sql: reread.sql, parameters: bindParameters(reread.parameters, this.#types) }
    return changeAndRead(this.client, { change: { sql, parameters: bound }, read, isAlone }, this)
  }

  openCursor({ sql, parameters }: Statement): RowCursor {
    this.#lastStatement = undefined
    const bound = parameters.length === 0 ? undefined : bindParameters(parameters, this.#types)
    const session: CursorSession = {
      client: this.client,
      run: (statement) => this.run(statement),
      hasCursor: (cursor) => {
        this.#cursor = cursor
      },
    }
    return new PausedCursor(session, sql, bound)
  }

  cancel(): Promise<void> {
    return this.#stop('query')
  }

  /**
   * Takes leave of the server, which ends what runs. Settles when the server has closed the session, which counts there until then;
   * but does not wait for one that takes longer to stop than any does that is in reach.
   */
  async close(): Promise<void> {
    const stopped = (this.#stopping ?? this.#stop('connection', STOP_PATIENCE_MS)).then(() =>
      this.#wasCancelled ? this.client.answered() : undefined,
    )
    const isOver = (await settledBy(stopped, deadlineAfter(STOP_PATIENCE_MS)).catch(() => undefined)) !== LATE
    // a KILL QUERY between PREPARE and EXECUTE does nothing; the session's own end cannot be missed, but does not tell when it has come
    if (!isOver && this.#wasCancelled)
      void this.#killer.kill('connection', this.client.threadId, () => true, LAST_KILL_TIMEOUT_MS).catch(() => undefined)
    // where nobody could be asked to stop it, it is busy still, and is broken off
    await this.client.end()
  }

  async #stop(what: 'query' | 'connection', timeoutMs?: number): Promise<void> {
    const { running } = this.client
    if (running === undefined || this.client.isBroken) return
    this.#stopping = this.#killer.kill(
      what,
      this.client.threadId,
      () => {
        // once it is broken nobody borrows it any more; what runs there does not notice by itself that the client has gone
        this.#wasCancelled = this.client.isBroken || this.client.running === running
        return this.#wasCancelled
      },
      timeoutMs,
    )
    await this.#stopping
  }
}
