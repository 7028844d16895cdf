import { userInfo } from 'node:os'
import type { ConnectionOptions } from 'node:tls'
import { ConfigurationError } from '../../errors.js'
import type { ServerConnection, TlsOptions } from '../connection-config.js'

/** How to reach one PostgreSQL server, nothing left to a default or to the environment. */
export interface PostgresServer {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: ServerConnection['password']
  readonly database: string
  readonly tls: boolean | TlsOptions
  readonly applicationName: string
}

/** @throws {ConfigurationError} an empty host, user or database; TLS over a Unix socket; no user where the system's has no name */
export function postgresServer(config: ServerConnection): PostgresServer {
  const user = config.user ?? systemUser()
  const { host = '127.0.0.1', port = 5432, password, database = user, tls = false, applicationName = 'latchwork' } = config
  for (const [name, value] of Object.entries({ host, user, database })) {
    // the driver would take one from the environment
    if (value === '') throw new ConfigurationError(`connection.${name}`, 'is empty; leave it out for the default')
  }
  if (host.startsWith('/') && tls !== false) throw new ConfigurationError('connection.tls', 'PostgreSQL has no TLS over a Unix socket')
  return { host, port, user, password, database, tls, applicationName }
}

function systemUser(): string {
  try {
    return userInfo().username
  } catch (error) {
    throw new ConfigurationError('connection.user', 'is needed: the user of this process has no name', { cause: error })
  }
}

/** Where the server is, for people: no user and no secret. */
export function targetOf({ host, port, database }: PostgresServer): string {
  return `postgres:${host.includes(':') ? `[${host}]` : host}:${port}/${database}`
}

/** TLS options as Node takes them, a new object each time: the driver changes what it is given. */
export function tlsOptions(tls: TlsOptions | true): ConnectionOptions {
  if (tls === true) return { rejectUnauthorized: true }
  const { ca, cert, key, rejectUnauthorized = true, servername } = tls
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    rejectUnauthorized,
    // the driver sets `servername` to the host itself: the name to check against has to come in another way
    ...(servername === undefined
      ? {}
      : { servername, checkServerIdentity: (_host, peer) => loadTls().checkServerIdentity(servername, peer) }),
  }
}

/** Node's TLS, for who has use for it. Its `import` would read every root certificate that Node knows, in every process. */
export function loadTls(): typeof import('node:tls') {
  return process.getBuiltinModule('node:tls')
}
