import { deadlineAfter, LATE, settledBy } from '../../deadline.js'
import { ENDS } from '../begin-watch.js'
import type { Beginning, Connection, Reread, RowCursor, Statement, StatementResult } from '../dialect.js'
import { beginAndRun } from './begin-and-run.js'
import { type ChangeAndRead, changeAndRead, compoundOf, compoundResult } from './change-and-read.js'
import type { BoundStatement, Client } from './client.js'
import type { Driver } from './driver.js'
import { bindParameters } from './parameters.js'
import { type CursorSession, PausedCursor } from './paused-cursor.js'
import { NOTHING } from './result.js'
import { NO_TRAITS, type ServerTraits } from './server.js'
import type { StatementKiller } from './statement-killer.js'

/** How long a close waits for a statement to be stopped: longer than a server in reach needs. */
const STOP_PATIENCE_MS = 250

/** For what could not be stopped by then. */
const LAST_KILL_TIMEOUT_MS = 1_000

/** A session of the pool. */
export class MysqlConnection implements Connection {
  readonly client: Client
  readonly #traits: ServerTraits
  readonly #types: Driver['TypedParameter']
  readonly #killer: StatementKiller
  #wasCancelled = false
  #stopping: Promise<void> | undefined
  #lastStatement: string | undefined
  /** Whose rows are being taken. */
  #cursor: PausedCursor | undefined
  /** Of a transaction that begins with the next statement. */
  #beginning: Beginning | undefined

  constructor(client: Client, types: Driver['TypedParameter'], killer: StatementKiller, traits: ServerTraits = NO_TRAITS) {
    this.client = client
    this.#traits = traits
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
  run(statement: Statement): Promise<StatementResult> | StatementResult {
    return this.#beginning === undefined ? this.#run(statement) : this.#runFirst(this.#beginning, statement)
  }

  beginWithNext(beginning: Beginning): void {
    this.#beginning = beginning
  }

  /** It goes out with BEGIN where it is prepared already, and the server takes several. */
  #runFirst(beginning: Beginning, statement: Statement): Promise<StatementResult> | StatementResult {
    const { sql, name, reread } = statement
    const bound = this.#traits.takesSeveral ? this.#inOne(statement) : undefined
    this.#beginning = undefined
    if (ENDS.includes(sql)) return NOTHING
    this.#lastStatement = name === undefined ? undefined : sql
    const read = (answer: StatementResult) => (reread === undefined ? answer : compoundResult(answer))
    const breakOff = () => {
      this.cancel().catch(() => undefined)
      this.client.destroy()
    }
    return beginAndRun(this.client, beginning, { bound, read, run: () => this.#run(statement) }, breakOff)
  }

  /** Undefined where it does not go out prepared, as one statement. */
  #inOne(statement: Statement): BoundStatement | undefined {
    const { sql, parameters, name, reread } = statement
    if (reread !== undefined) return this.#traits.preparesCompounds ? compoundOf(this.#pairOf(statement, reread)) : undefined
    return parameters.length === 0 && name === undefined ? undefined : { sql, parameters: bindParameters(parameters, this.#types) }
  }

  #pairOf({ sql, parameters, isAlone = false }: Statement, read: Reread): ChangeAndRead {
    const bound = (part: Pick<Statement, 'sql' | 'parameters'>) => ({
      sql: part.sql,
      parameters: bindParameters(part.parameters, this.#types),
    })
    return { lock: bound(read.locking), change: bound({ sql, parameters }), read: bound(read), isAlone }
  }

  #run(statement: Statement): Promise<StatementResult> | StatementResult {
    const { sql, parameters, name, reread } = statement
    // without a name it may be somebody's own text, with values in it
    this.#lastStatement = name === undefined ? undefined : sql
    if (this.#cursor !== undefined) return this.#cursor.keepRest().then(() => this.#run(statement))
    if (reread !== undefined) {
      const { preparesCompounds } = this.#traits
      return changeAndRead(this.client, this.#pairOf(statement, reread), {
        preparesCompounds,
        isUnwanted: () => this.#stopping !== undefined,
      })
    }
    if (parameters.length === 0 && name === undefined) return this.client.query(sql)
    return this.client.execute(sql, bindParameters(parameters, this.#types))
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
