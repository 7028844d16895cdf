import type { SecureContextOptions } from 'node:tls'
import { ConfigurationError } from '../errors.js'
import { requireKnownNames } from '../nearest-name.js'
import type { Engine } from './dialect.js'

/** TLS for a server: `true` checks the certificate against the system's roots and the host's name. */
export interface TlsOptions extends Pick<SecureContextOptions, 'ca' | 'cert' | 'key'> {
  /** Refuse a certificate that does not check out. Default true. */
  readonly rejectUnauthorized?: boolean
  /** The name the certificate must bear. Default: the host. */
  readonly servername?: string
}

/** How to reach a server engine. Given in parts, or made from a URL by {@link connectionConfig}. */
export interface ServerConnection {
  readonly engine: 'postgres' | 'mysql'
  /** Default `127.0.0.1`. A path that starts with `/` is a Unix socket's folder (PostgreSQL) or file (MySQL). */
  readonly host?: string
  /** Default 5432 (PostgreSQL), 3306 (MySQL). */
  readonly port?: number
  /** Default: the name of the system's user. */
  readonly user?: string
  /** A value, or a function asked for each new connection: for tokens that expire. */
  readonly password?: string | (() => string | Promise<string>)
  /** Default: the user's name (PostgreSQL), none (MySQL). */
  readonly database?: string
  /** Default false. */
  readonly tls?: boolean | TlsOptions
  /** What the server shows beside the session. Default `latchwork`. */
  readonly applicationName?: string
}

/** How to reach an embedded SQLite database. */
export interface SqliteConnection {
  readonly engine: 'sqlite'
  /**
   * Path of the file, made when it is not there; or `:memory:`, a database of its own; or `:memory:name`, one database for all
   * in this thread who name it, as long as one who has used it is open. A name is 1 to 100 letters, digits, `_`, `.` and `-`.
   */
  readonly file: string
}

export type ConnectionConfig = ServerConnection | SqliteConnection

const SCHEMES: Readonly<Record<string, Engine>> = {
  'postgres:': 'postgres',
  'postgresql:': 'postgres',
  'mysql:': 'mysql',
  'mariadb:': 'mysql',
  'sqlite:': 'sqlite',
}

const MEMORY = ':memory:'

const SERVER_OPTIONS = ['engine', 'host', 'port', 'user', 'password', 'database', 'tls', 'applicationName']

/**
 * One checked configuration from `url` or `connection`. Does no I/O.
 *
 * URLs: `postgres://user:password@host:5432/database?sslmode=require&application_name=shop`, the same with `mysql://` or
 * `mariadb://`, `sqlite:shop.db`, `sqlite:/var/lib/shop.db`, `sqlite::memory:`, `sqlite::memory:name`. `sslmode` is `disable`,
 * `require` (encrypted, certificate not checked) or `verify-full`.
 *
 * @throws {ConfigurationError} both or neither is given, an unknown scheme, option or URL parameter; the message never holds the password
 */
export function connectionConfig(given: {
  readonly url?: string | undefined
  readonly connection?: ConnectionConfig | undefined
}): ConnectionConfig {
  if ((given.url === undefined) === (given.connection === undefined)) {
    throw new ConfigurationError('url', 'give either url or connection')
  }
  return Object.freeze(given.url !== undefined ? fromUrl(given.url) : checked(given.connection!))
}

function fromUrl(text: string): ConnectionConfig {
  if (typeof text !== 'string') throw new ConfigurationError('url', `expected a string, got ${typeof text}`)
  const scheme = /^[a-z]+:/i.exec(text)?.[0].toLowerCase()
  const engine = scheme !== undefined && Object.hasOwn(SCHEMES, scheme) ? SCHEMES[scheme] : undefined
  if (scheme === undefined || engine === undefined) {
    throw new ConfigurationError(
      'url',
      `unknown scheme ${scheme === undefined ? '(none)' : `"${scheme}"`}; known are ${Object.keys(SCHEMES).join(' ')}`,
    )
  }
  if (engine === 'sqlite') return checked({ engine, file: sqliteFile(text.slice(scheme.length)) })
  return checked(serverFromUrl(engine, text))
}

function sqliteFile(path: string): string {
  const file = path.startsWith('//') ? path.slice(2) : path
  if (file.includes('?')) throw new ConfigurationError('url', 'a sqlite URL takes no parameters')
  return decode(file)
}

function serverFromUrl(engine: 'postgres' | 'mysql', text: string): ServerConnection {
  // what comes behind a / ? or # of a password would be taken for the database's name, and shown
  if (/^\w+:\/\/[^/?#]*[/?#].*@/s.test(text))
    throw new ConfigurationError(
      'url',
      'has an @ behind the host: write @ as %40, and in user name and password / as %2F, ? as %3F, # as %23',
    )
  let url: URL
  try {
    url = new URL(text)
  } catch {
    throw new ConfigurationError('url', `cannot be parsed; expected ${engine}://user:password@host:port/database`)
  }
  const database = decode(url.pathname.slice(1))
  return {
    engine,
    ...(url.hostname === '' ? {} : { host: decode(url.hostname).replace(/^\[|\]$/g, '') }),
    ...(url.port === '' ? {} : { port: Number(url.port) }),
    ...(url.username === '' ? {} : { user: decode(url.username) }),
    ...(url.password === '' ? {} : { password: decode(url.password) }),
    ...(database === '' ? {} : { database }),
    ...urlParameters(url.searchParams),
  }
}

const SSL_MODES: Readonly<Record<string, boolean | TlsOptions>> = {
  disable: false,
  require: { rejectUnauthorized: false },
  'verify-full': true,
}

function urlParameters(parameters: URLSearchParams): Pick<ServerConnection, 'tls' | 'applicationName' | 'host'> {
  const options: { tls?: boolean | TlsOptions; applicationName?: string; host?: string } = {}
  for (const [name, value] of parameters) {
    if (name === 'application_name') options.applicationName = value
    // a Unix socket's path does not fit where a URL has its host
    else if (name === 'host') options.host = value
    else if (name === 'sslmode' && Object.hasOwn(SSL_MODES, value)) options.tls = SSL_MODES[value]!
    else if (name === 'sslmode') throw new ConfigurationError('url', `unknown sslmode; known are ${Object.keys(SSL_MODES).join(', ')}`)
    else throw new ConfigurationError('url', `unknown parameter "${name}"; known are sslmode, application_name, host`)
  }
  return options
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part)
  } catch {
    throw new ConfigurationError('url', 'has a % that is not followed by two hex digits')
  }
}

function checked(config: ConnectionConfig): ConnectionConfig {
  if (typeof config !== 'object' || config === null) throw new ConfigurationError('connection', `expected an object, got ${typeof config}`)
  const known = config.engine === 'sqlite' ? ['engine', 'file'] : SERVER_OPTIONS
  requireKnownNames('connection', config, known)
  return config.engine === 'sqlite' ? checkedSqlite(config) : checkedServer(config)
}

function checkedSqlite(config: SqliteConnection): SqliteConnection {
  if (typeof config.file !== 'string' || config.file === '') throw new ConfigurationError('connection.file', 'expected a path or :memory:')
  if (config.file.startsWith(MEMORY) && !/^[\w.-]{0,100}$/.test(config.file.slice(MEMORY.length))) {
    throw new ConfigurationError('connection.file', 'the name behind :memory: takes 1 to 100 letters, digits, _, . and -')
  }
  return config
}

function checkedServer(config: ServerConnection): ServerConnection {
  if (config.engine !== 'postgres' && config.engine !== 'mysql') {
    throw new ConfigurationError('connection.engine', 'expected postgres, mysql or sqlite')
  }
  for (const name of ['host', 'user', 'database', 'applicationName'] as const) {
    const value: unknown = config[name]
    if (value !== undefined && typeof value !== 'string')
      throw new ConfigurationError(`connection.${name}`, `expected a string, got ${typeof value}`)
  }
  const { port, password, tls } = config
  if (port !== undefined && !(Number.isInteger(port) && port >= 1 && port <= 65_535)) {
    throw new ConfigurationError('connection.port', 'expected a whole number from 1 to 65535')
  }
  if (password !== undefined && typeof password !== 'string' && typeof password !== 'function') {
    throw new ConfigurationError('connection.password', `expected a string or a function, got ${typeof password}`)
  }
  if (tls !== undefined && typeof tls !== 'boolean' && (typeof tls !== 'object' || tls === null)) {
    throw new ConfigurationError('connection.tls', `expected true, false or TLS options, got ${typeof tls}`)
  }
  return config
}
