import type { FieldPacket } from 'mysql2'
import { ConnectionError } from '../../errors.js'
import type { MaybePromise } from '../../maybe-promise.js'
import type { RowBatch, RowCursor, Statement, StatementResult } from '../dialect.js'
import type { Client, RowListener } from './client.js'
import { rowBatch } from './result.js'

/**
 * The server gives a result up when its reader has taken nothing for a minute (`net_write_timeout`); one who does something about each
 * row may rest longer. Put back with all else when the session is reset.
 */
const UNHURRIED = 'set session net_write_timeout = 3600'

/** The session whose rows they are. */
export interface CursorSession {
  readonly client: Client
  run(statement: Statement): MaybePromise<StatementResult>
  /** Told of the cursor whose statement runs from now on; of none when it has ended. */
  hasCursor(cursor: PausedCursor | undefined): void
}

/**
 * The rows of a statement that runs on while they are taken: between two batches the socket is not read, and the server waits. It has its
 * session to itself: for another statement the remaining rows are first taken into memory.
 */
export class PausedCursor implements RowCursor, RowListener {
  readonly #client: Client
  readonly #sql: string
  readonly #parameters: unknown[] | undefined
  readonly #session: CursorSession
  #state: 'new' | 'running' | 'over' = 'new'
  #fields: readonly FieldPacket[] = []
  #rows: unknown[][] = []
  /** How many rows are wanted before the socket is left alone. */
  #wanted = 0
  #isDropping = false
  #failure: Error | undefined
  readonly #waiting: (() => void)[] = []

  constructor(session: CursorSession, sql: string, parameters: unknown[] | undefined) {
    this.#session = session
    this.#client = session.client
    this.#sql = sql
    this.#parameters = parameters
  }

  async fetch(size: number): Promise<RowBatch> {
    if (this.#state === 'new') await this.#start(size)
    else if (this.#rows.length === 0) await this.#read(size)
    if (this.#rows.length === 0 && this.#failure !== undefined) throw this.#failure
    const rows = this.#rows
    this.#rows = []
    return rowBatch(rows, this.#fields, this.#state === 'over' && this.#failure === undefined)
  }

  /** Reads the rows that are left and drops them. */
  async close(): Promise<void> {
    this.#isDropping = true
    this.#rows = []
    if (this.#state === 'running') await this.#read(Number.POSITIVE_INFINITY)
  }

  /** Takes the rows that are left into memory. */
  async keepRest(): Promise<void> {
    if (this.#state === 'running') await this.#read(Number.POSITIVE_INFINITY)
  }

  onColumns(fields: FieldPacket[]): void {
    this.#fields = fields
  }

  onRow(row: unknown[]): void {
    if (this.#isDropping) return
    this.#rows.push(row)
    if (this.#rows.length < this.#wanted) return
    this.#client.pause()
    this.#wakeUp()
  }

  onEnd(error: Error | undefined): void {
    this.#state = 'over'
    this.#failure = error
    this.#session.hasCursor(undefined)
    this.#wakeUp()
  }

  async #start(size: number): Promise<void> {
    await this.#session.run({ sql: UNHURRIED, parameters: [] })
    if (this.#client.isBroken) throw new ConnectionError('the connection broke before the statement was sent')
    this.#state = 'running'
    this.#session.hasCursor(this)
    this.#wanted = size
    const woken = this.#woken()
    this.#client.stream(this.#sql, this.#parameters, this)
    await woken
  }

  async #read(size: number): Promise<void> {
    this.#wanted = size
    if (this.#state === 'over') return
    const woken = this.#woken()
    this.#client.resume()
    await woken
  }

  #woken(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve)
    })
  }

  #wakeUp(): void {
    for (const wake of this.#waiting.splice(0)) wake()
  }
}
