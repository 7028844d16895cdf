import type { Socket } from 'node:net'
import type { Connection as DriverConnection, FieldPacket, QueryError, QueryResult } from 'mysql2'
import { ConnectionError } from '../../errors.js'
import type { StatementResult } from '../dialect.js'
import { isPrepared, readBinaryRows, sendInOneGo } from './driver-command.js'
import { errnoOf, isFatal, isInvalidatedStatement, LOCK_WAIT_TIMEOUT } from './errors.js'
import { type DriverRows, statementResult } from './result.js'

/** How long the server may take to close a connection that said goodbye. */
const END_TIMEOUT_MS = 500

/** Hears of the rows of a statement as they come. */
export interface RowListener {
  onColumns(fields: FieldPacket[]): void
  onRow(row: unknown[]): void
  /** Once, at the end. */
  onEnd(error: Error | undefined): void
}

type Settle = (error: QueryError | null, rows: QueryResult, fields: FieldPacket[]) => void

/** A statement to be prepared, its values as the driver takes them. */
export interface BoundStatement {
  readonly sql: string
  readonly parameters: unknown[]
}

/** One conversation with the server: the driver's connection and the socket under it. */
export class Client {
  readonly #driver: DriverConnection
  readonly #socket: Socket
  #isBroken = false
  #sent = 0
  #unanswered = 0
  #onAnswer: (() => void) | undefined
  #rollsBackOnTimeout: boolean | undefined

  constructor(driver: DriverConnection, socket: Socket) {
    this.#driver = driver
    this.#socket = socket
    const markBroken = () => {
      this.#isBroken = true
    }
    // an error event without a listener would end the process when the server goes away
    driver.on('error', markBroken)
    socket.once('end', markBroken)
    socket.once('close', markBroken)
  }

  get isBroken(): boolean {
    return this.#isBroken
  }

  /** Calls `listener` once, when the connection has ended, whoever ended it. */
  onEnd(listener: () => void): void {
    this.#socket.once('close', listener)
  }

  /** The number by which the server knows this session. */
  get threadId(): number {
    return this.#driver.threadId
  }

  /** The ordinal of the statement that is running, of several the last one's; undefined while there is none. */
  get running(): number | undefined {
    return this.#unanswered > 0 ? this.#sent : undefined
  }

  /** Settles when no statement runs, or the connection is gone. */
  answered(): Promise<void> {
    if (this.#unanswered === 0 || this.#isBroken) return Promise.resolve()
    return new Promise((resolve) => {
      this.#onAnswer = resolve
      this.#socket.once('close', resolve)
    })
  }

  /** Settles when the server has accepted the user. */
  connected(): Promise<void> {
    return new Promise((resolve, reject) => this.#driver.connect((error) => (error ? reject(error) : resolve())))
  }

  /** Runs a statement as text. */
  query(sql: string): Promise<StatementResult> {
    return this.#send(sql, (settle) => this.#driver.query(sql, settle))
  }

  /**
   * Runs a prepared statement; it stays prepared until 256 others were used after it. One that the server wants prepared anew is, and
   * runs once more: nothing of it has run.
   */
  execute(sql: string, parameters: unknown[]): Promise<StatementResult> {
    return this.#send(sql, (settle) =>
      this.#execute({ sql, parameters }, (error, rows, fields) => {
        if (!isInvalidatedStatement(error)) return settle(error, rows, fields)
        this.#driver.unprepare(sql)
        this.#execute({ sql, parameters }, settle)
      }),
    )
  }

  /**
   * Runs `texts`, then `statements`, all sent before the first is answered: each is run whatever became of those before it. One that the
   * server wants prepared anew fails, and is no longer kept prepared.
   *
   * @returns the answer of each; undefined, and nothing is run, where one of them is not prepared yet
   */
  sendInOneGo(texts: readonly string[], statements: readonly BoundStatement[]): Promise<StatementResult>[] | undefined {
    if (this.#isBroken || !statements.every(({ sql }) => isPrepared(this.#driver, sql))) return undefined
    const answers: Promise<StatementResult>[] = []
    const isSent = sendInOneGo(this.#driver, [
      ...texts.map((sql) => () => void answers.push(this.query(sql))),
      ...statements.map((statement) => () => void answers.push(this.#executeOnce(statement))),
    ])
    return isSent ? answers : undefined
  }

  #executeOnce(statement: BoundStatement): Promise<StatementResult> {
    return this.#send(statement.sql, (settle) =>
      this.#execute(statement, (error, rows, fields) => {
        if (isInvalidatedStatement(error)) this.#driver.unprepare(statement.sql)
        settle(error, rows, fields)
      }),
    )
  }

  #execute({ sql, parameters }: BoundStatement, settle: Settle): void {
    readBinaryRows(this.#driver.execute(sql, parameters as never[], settle))
  }

  /**
   * Runs a statement and tells of its rows one by one; prepared where `parameters` are given. No other may be sent before its end.
   */
  stream(sql: string, parameters: unknown[] | undefined, listener: RowListener): void {
    this.#sent++
    this.#unanswered++
    let hasBegun = false
    let isOver = false
    const end = (error: QueryError | undefined) => {
      if (isOver) return
      isOver = true
      this.#socket.off('close', lost)
      if (isFatal(error)) this.#isBroken = true
      this.#unanswered--
      this.#onAnswer?.()
      listener.onEnd(error)
    }
    // of a connection that is lost the driver tells only those that gave it a callback
    const lost = () =>
      end(Object.assign(new Error('the connection was lost'), { code: 'PROTOCOL_CONNECTION_LOST', fatal: true }) as QueryError)
    const start = () => {
      let failure: QueryError | undefined
      const command = parameters === undefined ? this.#driver.query({ sql }) : this.#driver.execute(sql, parameters as never[])
      command.on('fields', (fields: FieldPacket[] | undefined) => {
        hasBegun = true
        if (fields !== undefined) listener.onColumns(fields)
      })
      command.on('result', (row: unknown) => {
        if (Array.isArray(row)) listener.onRow(row)
      })
      command.on('error', (error: QueryError) => {
        failure = error
      })
      command.on('end', () => {
        if (failure === undefined || hasBegun || !isInvalidatedStatement(failure)) return end(failure)
        this.#driver.unprepare(sql)
        start()
      })
    }
    this.#socket.once('close', lost)
    start()
  }

  /** No more rows are taken from the socket until {@link resume}. */
  pause(): void {
    this.#driver.pause()
  }

  resume(): void {
    this.#driver.resume()
  }

  ping(): Promise<void> {
    return new Promise((resolve, reject) => this.#driver.ping((error) => (error ? reject(error) : resolve())))
  }

  /** Puts the session back to the server's defaults. The driver forgets its prepared statements with it. */
  reset(): Promise<void> {
    return new Promise((resolve, reject) => this.#driver.reset((error) => (error ? reject(error) : resolve())))
  }

  /** Says goodbye and waits, not for long, until the server has closed the connection. */
  end(): Promise<void> {
    if (this.#isBroken || this.#unanswered > 0) {
      this.destroy()
      return Promise.resolve()
    }
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.destroy(), END_TIMEOUT_MS)
      this.#socket.once('close', () => {
        clearTimeout(timer)
        resolve()
      })
      this.#driver.end()
    })
  }

  /** Lets the process end while the connection is open. */
  unref(): void {
    this.#socket.unref()
  }

  /** Closes the socket now; what runs on it is rejected. */
  destroy(): void {
    this.#isBroken = true
    this.#socket.destroy()
  }

  #send(sql: string, start: (settle: Settle) => void): Promise<StatementResult> {
    if (this.#isBroken) return Promise.reject(new ConnectionError('the connection is closed; nothing was sent'))
    return new Promise((resolve, reject) => {
      this.#sent++
      this.#unanswered++
      const settle = (report: () => void) => {
        this.#unanswered--
        if (this.#unanswered === 0) this.#onAnswer?.()
        report()
      }
      const fail = (error: QueryError) => {
        if (isFatal(error)) this.#isBroken = true
        settle(() => reject(error))
      }
      start((error, rows, fields) => {
        if (error === null) settle(() => resolve(statementResult(sql, rows as DriverRows, fields)))
        else if (errnoOf(error) === LOCK_WAIT_TIMEOUT) void this.#withItsReach(error).then(fail)
        else fail(error)
      })
    })
  }

  /** A lock wait that ran out, with whether it has cost the whole transaction: the server has a setting for that, which it does not send along. */
  async #withItsReach(error: QueryError): Promise<QueryError> {
    this.#rollsBackOnTimeout ??= await this.#asksRollbackOnTimeout()
    return Object.assign(error, { endsTransaction: this.#rollsBackOnTimeout })
  }

  #asksRollbackOnTimeout(): Promise<boolean> {
    return new Promise((resolve) => {
      this.#driver.query({ sql: 'select @@innodb_rollback_on_timeout' }, (error: QueryError | null, rows: unknown) => {
        if (isFatal(error)) this.#isBroken = true
        // where it is not known, nothing of the transaction may be kept
        resolve(error !== null || Number((rows as unknown[][])[0]?.[0]) !== 0)
      })
    })
  }
}
