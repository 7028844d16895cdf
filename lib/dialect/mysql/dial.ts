import { connect, type Socket } from 'node:net'
import type { ConnectionOptions, SslOptions } from 'mysql2'
import { type Deadline, LATE, settledBy } from '../../deadline.js'
import { ConnectionError } from '../../errors.js'
import { type DialAttempt, HedgedDial } from '../hedged-dial.js'
import { type Address, describeAddress } from './address.js'
import { Client } from './client.js'
import type { Driver } from './driver.js'
import { connectionRefusal } from './errors.js'

/**
 * Statements kept prepared on a connection. The server allows 16,382 of all its clients together by default
 * (`max_prepared_stmt_count`): 256 leave room for 63 connections, and the oldest is closed for a new one.
 */
const MAX_PREPARED_STATEMENTS = 256

/** How long a connection may be silent before the system asks whether the other side is still there. */
const KEEP_ALIVE_DELAY_MS = 30_000

/** A connection on its way to a session. */
interface Dial extends DialAttempt {
  readonly client: Client
  readonly connected: Promise<void>
}

/** Opens connections to one address. */
export class Dialler {
  readonly #dials = new HedgedDial<Dial>()
  readonly #driver: Driver
  readonly #address: Address
  readonly #ssl: SslOptions | undefined

  constructor(driver: Driver, address: Address) {
    this.#driver = driver
    this.#address = address
    // one object for all connections: the driver keeps the parsed certificates and the TLS session by it
    this.#ssl = sslOptions(address)
  }

  /** The database that sessions begin in; none where no name was given. */
  get database(): string | undefined {
    return this.#address.database
  }

  /** The driver's parameters of a stated type. */
  get parameterTypes(): Driver['TypedParameter'] {
    return this.#driver.TypedParameter
  }

  /**
   * Opens a connection and hands it to `prepare`; both have until `deadline`.
   *
   * @throws {ConnectionError} no answer in time, a refusal, a failed password function or a failed `prepare`; nothing stays open
   */
  async dial(deadline: Deadline, prepare: (client: Client) => Promise<void>, signal?: AbortSignal): Promise<Client> {
    const password = await this.#step('asking for the password', askPassword(this.#address), deadline, signal)
    const { client, connected, abandon } = await this.#dials.dial(() => this.#begin(password), deadline, signal)
    try {
      await this.#step('connecting', connected, deadline, signal)
      await this.#step('preparing the session', prepare(client), deadline, signal)
      return client
    } catch (error) {
      // what is still waiting on it fails with it
      abandon()
      throw error
    }
  }

  #begin(password: string | undefined): Dial {
    const socket = openSocket(this.#address)
    const client = new Client(this.#driver.createConnection(this.#options(socket, password)), socket)
    const connected = client.connected()
    // whoever goes on with it hears of it
    connected.catch(() => undefined)
    return { client, connected, socket, abandon: () => client.destroy() }
  }

  async #step<T>(what: string, work: Promise<T>, deadline: Deadline, signal: AbortSignal | undefined): Promise<T> {
    const target = describeAddress(this.#address)
    const outcome = await settledBy(work, deadline, signal).catch((error: unknown) => {
      throw connectionRefusal(target, what, error)
    })
    if (outcome === LATE) throw new ConnectionError(`${target}: ${what} took longer than was allowed`)
    return outcome
  }

  #options(socket: Socket, password: string | undefined): ConnectionOptions {
    const { user, database, applicationName } = this.#address
    return {
      stream: socket,
      // with a socket given, this serves TLS alone
      host: certificateName(this.#address),
      user,
      ...(password === undefined ? {} : { password }),
      ...(database === undefined ? {} : { database }),
      ...(this.#ssl === undefined ? {} : { ssl: this.#ssl }),
      // the password goes out as it is, which some tokens need, only to a server that has proved its name
      enableCleartextPlugin: this.#ssl?.verifyIdentity === true,
      connectTimeout: 0,
      connectAttributes: { program_name: applicationName },
      charset: 'utf8mb4_bin',
      // an upsert tells created, updated and unchanged apart by the count of rows changed; a server may not ask for our files
      flags: ['-FOUND_ROWS', '-LOCAL_FILES'],
      maxPreparedStatements: MAX_PREPARED_STATEMENTS,
      rowsAsArray: true,
      // values as near to the wire as they come; the codecs know what a column is declared as
      supportBigNumbers: true,
      dateStrings: true,
      jsonStrings: true,
      timezone: 'Z',
    }
  }
}

async function askPassword({ password }: Address): Promise<string | undefined> {
  return typeof password === 'function' ? await password() : password
}

function certificateName({ host, tls }: Address): string {
  return (typeof tls === 'object' ? tls.servername : undefined) ?? host
}

function openSocket(address: Address): Socket {
  const { host, port } = address
  if (host.startsWith('/')) return connect(host)
  const socket = connect({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_DELAY_MS })
  // an IP address is not sent as the server's name: TLS then takes the name to check from the socket, and without one `localhost`
  return Object.assign(socket, { _host: certificateName(address) })
}

function sslOptions({ tls }: Address): SslOptions | undefined {
  if (tls === undefined || tls === false) return undefined
  const { servername: _servername, rejectUnauthorized = true, ...material } = tls === true ? {} : tls
  return { ...(material as SslOptions), rejectUnauthorized, verifyIdentity: rejectUnauthorized }
}
