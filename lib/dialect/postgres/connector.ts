import { Socket } from 'node:net'
import { type Deadline, deadlineAfter, LATE, remainingMs, settledBy } from '../../deadline.js'
import { ConnectionError, ConnectionLostError, QueryError } from '../../errors.js'
import type { Connector } from '../../pool/pool.js'
import type { PoolerMode } from '../../pool/pool-options.js'
import { type DialAttempt, HedgedDial } from '../hedged-dial.js'
import { networkReason } from '../network-reason.js'
import { createClient } from './client.js'
import { PostgresConnection } from './connection.js'
import type { PgDriver } from './driver.js'
import { Pooler } from './pooler.js'
import { type PostgresServer, targetOf } from './server.js'
import { copyOf, isServerError, refusalOf } from './server-error.js'
import { sessionRefusal } from './session-refusal.js'

/**
 * Settings of every session, sent with the request to start it: so they are its defaults, which RESET ALL goes back to, and cost
 * no statement. Texts of instants and days are then in one form everywhere, doubles come with all their digits, bytes in hex.
 */
const SESSION_SETTINGS = { options: '-c TimeZone=UTC -c DateStyle=ISO -c extra_float_digits=3 -c bytea_output=hex' }

/**
 * Those of them that every PgBouncer takes, as parameters of their own: it gives them to each session that it lends. The others are
 * then the server's own, by default the same.
 */
const POOLER_SETTINGS = { TimeZone: 'UTC', DateStyle: 'ISO' }

/** A pooler has set its clients' settings by statement, which RESET ALL takes back. */
const POOLER_SETTINGS_ANEW = Object.entries(POOLER_SETTINGS).map(([name, value]) => `set ${name} = '${value}'`)

/**
 * What DISCARD ALL does, but for DEALLOCATE ALL and DISCARD PLANS: statements that are prepared stay so. One request.
 * Source: PostgreSQL 15 manual, "DISCARD".
 */
const RESET = [
  'set session authorization default',
  'reset role',
  'reset all',
  'close all',
  'unlisten *',
  'select pg_advisory_unlock_all()',
  'discard temp',
  'discard sequences',
]

/** A connection on its way to a session. */
interface Dial extends DialAttempt {
  readonly connection: PostgresConnection
  readonly connected: Promise<unknown>
}

/** Opens sessions with one server, and puts them right again. */
export class PostgresConnector implements Connector<PostgresConnection> {
  readonly #dials = new HedgedDial<Dial>()
  readonly #driver: PgDriver
  readonly #server: PostgresServer
  readonly #initSql: readonly string[]
  readonly #pooler: Pooler
  /** A pooler takes only some settings, in a form of their own. */
  #isForPooler: boolean

  constructor(driver: PgDriver, server: PostgresServer, initSql: readonly string[], pooler: PoolerMode = 'auto') {
    this.#driver = driver
    this.#server = server
    this.#initSql = initSql
    this.#pooler = new Pooler(pooler)
    this.#isForPooler = pooler === 'transaction'
  }

  /**
   * @throws {ConnectionError} no session, or init SQL that failed, before `deadline`; nothing stays open
   * @throws {PoolerModeError} init SQL, and a pooler in transaction mode was found
   */
  async open(deadline: Deadline, signal?: AbortSignal): Promise<PostgresConnection> {
    const wasForPooler = this.#isForPooler
    try {
      return await this.#open(deadline, signal)
    } catch (error) {
      if (wasForPooler || !isPoolerRefusal(error)) throw error
      this.#isForPooler = true
      this.#pooler.wasMet()
      return this.#open(deadline, signal)
    }
  }

  async #open(deadline: Deadline, signal: AbortSignal | undefined): Promise<PostgresConnection> {
    const budgetMs = remainingMs(deadline)
    const dial = await this.#dials.dial(() => this.#dial(), deadline, signal)
    try {
      const outcome = await settledBy(this.#start(dial), deadline, signal)
      if (outcome === LATE) throw new ConnectionError(`${targetOf(this.#server)}: no connection within ${Math.round(budgetMs)} ms`)
      return dial.connection
    } catch (error) {
      dial.abandon()
      throw error
    }
  }

  #dial(): Dial {
    const connection = this.#session()
    const connected = connection.client.connect()
    // whoever goes on with it hears of it
    connected.catch(() => undefined)
    return { connection, connected, socket: connection.socket, abandon: () => connection.destroy() }
  }

  #session(): PostgresConnection {
    const socket = new Socket()
    const settings = this.#isForPooler ? POOLER_SETTINGS : SESSION_SETTINGS
    const client = createClient(this.#driver, this.#server, () => this.#password(), settings, socket)
    return new PostgresConnection(client, socket, this.#server, this.#driver, this.#pooler)
  }

  async #password(): Promise<string> {
    const { password = '' } = this.#server
    if (typeof password === 'string') return password
    try {
      return await password()
    } catch (error) {
      throw new ConnectionError(`${targetOf(this.#server)}: the password function failed`, { cause: error })
    }
  }

  async #start({ connection, connected }: Dial): Promise<void> {
    try {
      await connected
    } catch (error) {
      throw refusedDial(this.#server, error)
    }
    // one asks for all: those that are dialled with it need no answer yet
    if (this.#pooler.isToBeAsked) await this.#findPooler(connection)
    await this.#initialise(connection)
  }

  async #findPooler(connection: PostgresConnection): Promise<void> {
    try {
      await connection.findPooler()
    } catch (error) {
      throw refusedDial(this.#server, error instanceof ConnectionLostError ? error.cause : error)
    }
  }

  async #initialise(connection: PostgresConnection): Promise<void> {
    if (this.#initSql.length === 0) return
    await this.#findPooler(connection)
    if (this.#pooler.mode === 'transaction') throw sessionRefusal('pool.initSql')
    for (const [index, sql] of this.#initSql.entries()) {
      try {
        await connection.run({ sql, parameters: [] })
      } catch (error) {
        throw failedInit(this.#server, index, error)
      }
    }
  }

  async validate(connection: PostgresConnection, timeoutMs: number): Promise<boolean> {
    try {
      if ((await settledBy(connection.run({ sql: 'select 1', parameters: [] }), deadlineAfter(timeoutMs))) === LATE) connection.destroy()
      return connection.isIdle
    } catch {
      // whatever it was, the answer is that the connection does not work
      return false
    }
  }

  /**
   * Nothing to do behind a pooler in transaction mode: no session is this connection's, and none was changed.
   *
   * @throws {QueryError} it came back in the middle of a transaction or statement; what the server or init SQL threw, else
   */
  async reset(connection: PostgresConnection): Promise<void> {
    if (!connection.isIdle) throw new QueryError('a connection came back in the middle of its work', undefined)
    await connection.findPooler()
    if (this.#pooler.mode === 'transaction') return
    await connection.run({ sql: [...RESET, ...(this.#isForPooler ? POOLER_SETTINGS_ANEW : [])].join('; '), parameters: [] })
    await this.#initialise(connection)
  }

  close(connection: PostgresConnection): Promise<void> {
    return connection.close()
  }
}

function refusedDial(server: PostgresServer, error: unknown): ConnectionError {
  if (error instanceof ConnectionError) return error
  if (!isServerError(error)) {
    const { code, message } = error as NodeJS.ErrnoException
    return new ConnectionError(`${targetOf(server)}: ${networkReason(code) ?? code ?? message}`, { cause: error })
  }
  // before a session there are no values that its words could hold
  return new ConnectionError(`${targetOf(server)}: ${error.message} (SQLSTATE ${error.code})`, { cause: copyOf(error) })
}

function failedInit(server: PostgresServer, index: number, error: unknown): ConnectionError {
  const reason = isServerError(error) ? refusalOf(error) : (error as Error).message
  const cause = isServerError(error) ? copyOf(error) : error
  return new ConnectionError(`${targetOf(server)}: pool.initSql[${index}] failed: ${reason}`, { cause })
}

// its own words, never translated; a server that does not know a setting says "unrecognized configuration parameter"
function isPoolerRefusal(error: unknown): boolean {
  return error instanceof ConnectionError && error.message.includes('unsupported startup parameter')
}
