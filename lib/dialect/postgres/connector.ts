import { Socket } from 'node:net'
import { type Deadline, LATE, remainingMs, settledBy } from '../../deadline.js'
import { ConnectionError, QueryError } from '../../errors.js'
import type { Connector } from '../../pool/pool.js'
import { networkReason } from '../network-reason.js'
import { ColumnOrigins } from './column-origins.js'
import { PostgresConnection } from './connection.js'
import type { PgDriver } from './driver.js'
import { type PostgresServer, targetOf, tlsOptions } from './server.js'
import { copyOf, isServerError, refusalOf } from './server-error.js'

/** How long a connection may be silent before the system asks whether the other side is still there. */
const KEEP_ALIVE_DELAY_MS = 10_000

/**
 * Settings of every session, sent with the request to start it: so they are its defaults, which RESET ALL goes back to, and cost
 * no statement. Texts of instants and days are then in one form everywhere, doubles come with all their digits, bytes in hex.
 */
const SESSION_SETTINGS = '-c TimeZone=UTC -c DateStyle=ISO -c extra_float_digits=3 -c bytea_output=hex'

/** Those of them that PgBouncer takes; the others are then the server's own, by default the same. */
const POOLER_SETTINGS = '-c TimeZone=UTC -c DateStyle=ISO'

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
].join('; ')

/** Opens sessions with one server, and puts them right again. */
export class PostgresConnector implements Connector<PostgresConnection> {
  readonly #origins = new ColumnOrigins()
  readonly #driver: PgDriver
  readonly #server: PostgresServer
  readonly #initSql: readonly string[]
  #settings = SESSION_SETTINGS

  constructor(driver: PgDriver, server: PostgresServer, initSql: readonly string[]) {
    this.#driver = driver
    this.#server = server
    this.#initSql = initSql
  }

  /** @throws {ConnectionError} no session, or init SQL that failed, before `deadline`; nothing stays open */
  async open(deadline: Deadline): Promise<PostgresConnection> {
    try {
      return await this.#open(deadline)
    } catch (error) {
      if (this.#settings === POOLER_SETTINGS || !isPoolerRefusal(error)) throw error
      this.#settings = POOLER_SETTINGS
      return this.#open(deadline)
    }
  }

  async #open(deadline: Deadline): Promise<PostgresConnection> {
    const connection = this.#session()
    const budgetMs = remainingMs(deadline)
    try {
      const outcome = await settledBy(this.#start(connection), deadline)
      if (outcome === LATE) throw new ConnectionError(`${targetOf(this.#server)}: no connection within ${Math.round(budgetMs)} ms`)
      return connection
    } catch (error) {
      connection.destroy()
      throw error
    }
  }

  #session(): PostgresConnection {
    const { host, port, user, database, tls, applicationName } = this.#server
    const socket = new Socket()
    const client = new this.#driver.Client({
      host,
      port,
      user,
      database,
      // a function even where there is none: the driver would look for one in the environment and in files
      password: () => this.#password(),
      ssl: tls === false ? false : tlsOptions(tls),
      application_name: applicationName,
      options: this.#settings,
      keepAlive: true,
      keepAliveInitialDelayMillis: KEEP_ALIVE_DELAY_MS,
      // a socket of ours can be broken off at any stage
      stream: () => socket,
      types: { getTypeParser: () => asItIs },
    })
    return new PostgresConnection(client, socket, this.#server, this.#origins, this.#driver)
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

  async #start(connection: PostgresConnection): Promise<void> {
    try {
      await connection.client.connect()
    } catch (error) {
      throw refusedDial(this.#server, error)
    }
    await this.#initialise(connection)
  }

  async #initialise(connection: PostgresConnection): Promise<void> {
    for (const [index, sql] of this.#initSql.entries()) {
      try {
        await connection.run({ sql, parameters: [] })
      } catch (error) {
        throw failedInit(this.#server, index, error)
      }
    }
  }

  async validate(connection: PostgresConnection): Promise<boolean> {
    try {
      await connection.run({ sql: 'select 1', parameters: [] })
      return connection.isIdle
    } catch {
      // whatever it was, the answer is that the connection does not work
      return false
    }
  }

  /** @throws {QueryError} it came back in the middle of a transaction or statement; what the server or init SQL threw, else */
  async reset(connection: PostgresConnection): Promise<void> {
    if (!connection.isIdle) throw new QueryError('a connection came back in the middle of its work', undefined)
    await connection.run({ sql: RESET, parameters: [] })
    await this.#initialise(connection)
  }

  close(connection: PostgresConnection): Promise<void> {
    return connection.close()
  }
}

// values stay in the text that the server sent: the codecs know what each is declared as
function asItIs(text: string): string {
  return text
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
