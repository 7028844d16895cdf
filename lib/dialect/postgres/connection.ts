import type { NetConnectOpts, Socket } from 'node:net'
import type { Client, QueryArrayConfig } from 'pg'
import { type Deadline, deadlineAfter, LATE, settledBy } from '../../deadline.js'
import { ConnectionError, ConnectionLostError, QueryError } from '../../errors.js'
import { ENDS, watchBegin } from '../begin-watch.js'
import type { Beginning, Connection, RowCursor, Statement, StatementResult } from '../dialect.js'
import type { AnsweredQuery, OnAnswer } from './answered-query.js'
import { BeginningQuery } from './beginning-query.js'
import { CANCEL_TIMEOUT_MS, insistOnCancel, requestCancel, type SessionKey, serverName } from './cancel.js'
import { capabilities } from './capabilities.js'
import type { PgDriver } from './driver.js'
import { invalidated, isInvalidatedStatement, mayBeOutdated } from './errors.js'
import type { Pooler } from './pooler.js'
import { PortalCursor, type PortalSession } from './portal-cursor.js'
import { type Preparation, PreparedQuery } from './prepared-query.js'
import { PostgresResult, type ServerResult } from './result.js'
import { type PostgresServer, tlsOptions } from './server.js'
import { copyOf, isServerError, type ServerError } from './server-error.js'
import { sessionRefusal } from './session-refusal.js'
import { sessionNeedOf } from './session-statements.js'
import { TextQuery } from './text-query.js'

/** Most statements kept prepared on a connection; further ones run as if they had no name. */
const MAX_PREPARED = 500

const QUERY_CANCELED = '57014'

/** How long a close waits for a statement to be stopped: longer than a server in reach needs, one request that came too soon included. */
const STOP_PATIENCE_MS = 250

/** How long the server may take to say good-bye. */
const CLOSE_TIMEOUT_MS = 1_000

type Settle = { readonly resolve: (result: StatementResult) => void; readonly reject: (reason: unknown) => void }

/** One session of PostgreSQL, over a socket of its own. */
export class PostgresConnection implements Connection {
  #isBroken = false
  #isBusy = false
  #lastStatement: string | undefined
  // of the last ReadyForQuery: I idle, T in a transaction, E in a failed one
  #transaction: 'I' | 'T' | 'E' = 'I'
  // of a transaction that begins with the next statement
  #beginning: Beginning | undefined
  /** What calls fail with since a BEGIN was not answered. */
  #unanswered: Error | undefined
  #onAnswer: (() => void) | undefined
  #cancelling: Promise<void> | undefined
  readonly #prepared = new Map<string, Preparation>()
  // out of reach of whoever prints a connection: it holds the password
  readonly #server: PostgresServer

  constructor(
    readonly client: Client,
    readonly socket: Socket,
    server: PostgresServer,
    readonly driver: PgDriver,
    readonly pooler: Pooler,
  ) {
    this.#server = server
    // for its whole life: without a listener, a session that the server ends would end the process
    client.on('error', () => {
      this.#isBroken = true
    })
    client.on('end', () => {
      this.#isBroken = true
    })
    // pg's own getTransactionStatus() is not in every release that is supported
    client.connection.on('readyForQuery', ({ status }: { status: 'I' | 'T' | 'E' }) => {
      this.#transaction = status
    })
  }

  get isBroken(): boolean {
    return this.#isBroken
  }

  get lastStatement(): string | undefined {
    return this.#lastStatement
  }

  /** For how long a pooler gives a session: see {@link PoolOptions.pooler}. Undefined while a connection of the same pool finds out. */
  get poolerMode(): 'session' | 'transaction' | undefined {
    return this.pooler.mode
  }

  /** Nothing runs and no transaction is open. */
  get isIdle(): boolean {
    return !this.#isBusy && this.#transaction === 'I' && this.#beginning === undefined
  }

  /**
   * @throws {ConnectionError} the connection had failed before: nothing was sent
   * @throws {PoolerModeError} it needs a session of its own, which a pooler does not give: nothing was sent
   * @throws {ConnectionLostError} it failed while the statement ran
   * @throws what {@link Beginning.unanswered} gives, where that went out with it
   * @throws what the driver threw, else
   */
  run(statement: Statement): Promise<StatementResult> {
    if (this.#isBroken) return Promise.reject(new ConnectionError('the connection broke before the statement was sent'))
    if (statement.parameters.length > capabilities.maxParameters) return Promise.reject(tooManyParameters(statement.parameters.length))
    const need = this.pooler.mode === 'session' || statement.name !== undefined ? undefined : sessionNeedOf(statement.sql)
    return need === undefined ? this.#runNext(statement) : this.#runInSession(statement, need)
  }

  beginWithNext(beginning: Beginning): void {
    this.#beginning = beginning
  }

  #runNext(statement: Statement): Promise<StatementResult> {
    if (this.#beginning === undefined || isPrepared(statement)) return this.#run(statement)
    return ENDS.includes(statement.sql) ? this.#endUnbegun() : this.#runAfterBegin(statement)
  }

  /** Ends a transaction of which nothing was sent. */
  async #endUnbegun(): Promise<StatementResult> {
    this.#beginning = undefined
    return new PostgresResult(this, { rows: [], command: '', rowCount: 0, fields: [] })
  }

  /** For a text that may hold several statements, and for values that only the driver knows to send. */
  async #runAfterBegin(statement: Statement): Promise<StatementResult> {
    await this.#beginNow()
    if (this.#isBroken) throw new ConnectionError('the connection broke before the statement was sent')
    return this.#run(statement)
  }

  /** Begins by itself what was to begin with the next statement. */
  async #beginNow(): Promise<void> {
    const beginning = this.#beginning
    if (beginning === undefined) return
    this.#beginning = undefined
    const begun = this.#watchBegin(beginning)
    try {
      await this.#run({ sql: beginning.sql, parameters: [] })
    } finally {
      begun()
    }
  }

  #watchBegin(beginning: Beginning): () => void {
    return watchBegin(beginning, (error) => {
      this.#unanswered = error
      this.cancel().catch(() => undefined)
      this.destroy()
    })
  }

  /**
   * Finds out whether a pooler is at the other end: whoever gave us the key to this session is not the server itself where the server
   * calls the session by another name. A no-op where that is known.
   */
  findPooler(): Promise<void> {
    return this.pooler.find(async () => {
      const { rows } = await this.#run({ sql: 'select pg_catalog.pg_backend_pid()', parameters: [] })
      return Number(rows[0]![0]) === this.sessionKey?.processId
    })
  }

  openCursor(statement: Statement): RowCursor {
    const on: PortalSession = {
      session: this,
      send: (make) => this.#sendOwn(statement, make),
      transaction: () => (this.#beginning === undefined ? this.#transaction : 'T'),
    }
    return new PortalCursor(on, statement)
  }

  async #sendOwn({ sql, parameters }: Statement, make: (onAnswer: OnAnswer) => AnsweredQuery): Promise<ServerResult> {
    if (parameters.length > capabilities.maxParameters) throw tooManyParameters(parameters.length)
    const need = this.pooler.mode === 'session' ? undefined : sessionNeedOf(sql)
    if (need !== undefined) await this.findPooler()
    if (need !== undefined && this.pooler.mode === 'transaction') throw sessionRefusal(need)
    await this.#beginNow()
    if (this.#isBroken) throw new ConnectionError('the connection broke before the statement was sent')
    return new Promise((resolve, reject) => {
      const query = make((error, result) => {
        this.#isBusy = false
        this.#onAnswer?.()
        if (error === null) resolve(result!)
        else reject(this.#reason(error))
      })
      this.#isBusy = true
      this.#lastStatement = undefined
      this.client.query(query)
    })
  }

  #run(statement: Statement): Promise<StatementResult> {
    return new Promise((resolve, reject) => this.#send(statement, { resolve, reject }))
  }

  async #runInSession(statement: Statement, need: string): Promise<StatementResult> {
    await this.findPooler()
    if (this.pooler.mode === 'transaction') throw sessionRefusal(need)
    if (this.#isBroken) throw new ConnectionError('the connection broke before the statement was sent')
    return this.#runNext(statement)
  }

  #send(statement: Statement, settle: Settle, isSecondRun = false): void {
    const { sql, parameters } = statement
    // the other protocol takes several statements in one text
    const preparation = statement.isSingle === true ? unkept() : this.#preparationOf(statement.name)
    const hasRun = preparation?.fields !== undefined
    const beginning = preparation === undefined ? undefined : this.#beginning
    const canRunAgain = !isSecondRun && this.#transaction === 'I' && beginning === undefined
    let isAnswered = false
    const onAnswer: OnAnswer = (error, result) => {
      // of a value that it cannot send the driver tells at once, and again when the server is ready: another statement may run by then
      if (isAnswered) return
      isAnswered = true
      this.#isBusy = false
      this.#onAnswer?.()
      begun?.()
      if (error === null) settle.resolve(new PostgresResult(this, result!))
      else if (isKept(preparation) && (isInvalidatedStatement(error) || (hasRun && mayBeOutdated(error))))
        this.#prepareAnew(statement, canRunAgain, error, settle)
      else settle.reject(this.#reason(error))
    }
    let begun: (() => void) | undefined
    let query: AnsweredQuery | undefined
    if (preparation === undefined) query = plainQuery(statement, onAnswer)
    else if (beginning === undefined) query = new PreparedQuery(preparation, sql, parameters, onAnswer)
    else {
      query = new BeginningQuery(beginning.sql, () => begun?.(), preparation, sql, parameters, onAnswer)
      this.#beginning = undefined
      begun = this.#watchBegin(beginning)
    }
    this.#isBusy = true
    // without a name it may be somebody's own text, with values in it
    this.#lastStatement = statement.name === undefined ? undefined : sql
    if (query !== undefined) this.client.query(query)
    else this.client.query({ text: sql, values: parameters as unknown[], rowMode: 'array' } satisfies QueryArrayConfig, onAnswer)
  }

  #preparationOf(name: string | undefined): Preparation | undefined {
    if (name === undefined) return undefined
    // the next transaction may be on another session, which knows no names of this one
    if (this.pooler.mode !== 'session') return unkept()
    return this.#prepared.get(name) ?? (this.#prepared.size < MAX_PREPARED ? this.#prepare(name, name) : unkept())
  }

  #prepare(name: string, serverName: string, replaces?: string): Preparation {
    const preparation: Preparation = { name: serverName, fields: undefined, replaces }
    this.#prepared.set(name, preparation)
    return preparation
  }

  /** Prepares the statement under another name; outside a transaction runs it once more, for nothing of it has run. */
  #prepareAnew(statement: Statement, canRunAgain: boolean, error: Error, settle: Settle): void {
    const name = statement.name!
    const last = this.#prepared.get(name)!.name
    this.#prepare(name, `${name}_${Number(last.slice(name.length + 1)) + 1}`, last)
    // whoever wants it cancelled wants no second run of it
    if (canRunAgain && this.#cancelling === undefined) this.#send(statement, settle, true)
    else settle.reject(isInvalidatedStatement(error) ? error : invalidated({ cause: copyOf(error as ServerError) }))
  }

  #reason(error: Error): unknown {
    if (this.#unanswered !== undefined) return this.#unanswered
    if (!this.#isBroken) return error
    if (!isServerError(error)) return new ConnectionLostError('the connection broke while a statement ran', { cause: error })
    if (error.code !== QUERY_CANCELED) return error
    return new ConnectionLostError('the connection was closed while a statement ran, which the server stopped', { cause: copyOf(error) })
  }

  /** A no-op when nothing runs or the session is gone: there is nothing left to stop. */
  cancel(): Promise<void> {
    return this.#stop(CANCEL_TIMEOUT_MS)
  }

  async #stop(timeoutMs: number): Promise<void> {
    if (!this.#isBusy || this.#isBroken || this.#cancelling !== undefined) return
    const answered = new Promise<void>((resolve) => {
      this.#onAnswer = resolve
    })
    const deadline = deadlineAfter(timeoutMs)
    const request = this.#cancelRequest(deadline)
    const sent = request()
    const clear = () => {
      this.#cancelling = undefined
    }
    this.#cancelling = sent.then(() => insistOnCancel(request, answered, deadline)).then(clear, clear)
    try {
      await sent
    } catch (error) {
      if (!this.#isBroken) throw new ConnectionError('the request to cancel a statement could not be sent', { cause: error })
    }
  }

  /** What the other side calls this session; a pooler has keys of its own. */
  get sessionKey(): SessionKey | undefined {
    // pg declares neither of the two
    const { processID, secretKey } = this.client as unknown as { processID: number | null; secretKey: number | null }
    return processID === null || secretKey === null ? undefined : { processId: processID, secretKey }
  }

  #cancelRequest(deadline: Deadline): () => Promise<void> {
    const { tls, host } = this.#server
    const key = this.sessionKey
    if (key === undefined) throw new ConnectionError('the server gave no key to cancel statements with')
    const address = this.#address()
    return () => requestCancel(address, tls === false ? undefined : { ...serverName(host), host, ...tlsOptions(tls) }, key, deadline)
  }

  // the very server that has the session: a name may lead to several
  #address(): NetConnectOpts {
    const { host, port } = this.#server
    if (host.startsWith('/')) return { path: `${host}/.s.PGSQL.${port}` }
    return { host: this.socket.remoteAddress ?? host, port }
  }

  /** Breaks off at once; what runs fails. */
  destroy(): void {
    this.#isBroken = true
    this.socket.destroy()
  }

  /**
   * Takes leave of the server, after what runs was cancelled. Settles when the server has closed the session, which counts there until
   * then; but does not wait for one that takes longer to stop than any does that is in reach.
   */
  async close(): Promise<void> {
    if (this.#isBroken) return this.destroy()
    // where it cannot be asked for, the session stays busy
    void this.#stop(STOP_PATIENCE_MS).catch(() => undefined)
    this.#isBroken = true
    const cancelling = this.#cancelling ?? Promise.resolve()
    if ((await settledBy(cancelling, deadlineAfter(STOP_PATIENCE_MS))) === LATE) {
      void cancelling.then(() => this.destroy())
      return
    }
    if (this.#isBusy) return this.destroy()
    const timer = setTimeout(() => this.destroy(), CLOSE_TIMEOUT_MS)
    await this.client.end()
    clearTimeout(timer)
  }
}

/** Goes out as messages of our own, and so with others in one packet. */
function isPrepared({ name, isSingle }: Statement): boolean {
  return name !== undefined || isSingle === true
}

/** A statement that is parsed for one run: the server keeps it until the next one without a name. */
function unkept(): Preparation {
  return { name: '', fields: undefined }
}

function isKept(preparation: Preparation | undefined): boolean {
  return preparation !== undefined && preparation.name !== ''
}

/** Values of a user's own statement may be of any kind that the driver knows: undefined leaves them to it. */
function plainQuery({ sql, parameters }: Statement, onAnswer: OnAnswer): TextQuery | undefined {
  return parameters.length === 0 ? new TextQuery(sql, onAnswer) : undefined
}

function tooManyParameters(count: number): QueryError {
  return new QueryError(`a statement takes at most ${capabilities.maxParameters} bound values, this one has ${count}`, undefined)
}
