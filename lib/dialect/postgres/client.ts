import type { Socket } from 'node:net'
import type { Client, ClientConfig } from 'pg'
import type { PgDriver } from './driver.js'
import { type PostgresServer, tlsOptions } from './server.js'

/** How long a connection may be silent before the system asks whether the other side is still there. */
const KEEP_ALIVE_DELAY_MS = 10_000

/** What a client has that its types leave out. */
interface Undeclared {
  /** What it asks for when it starts its session. */
  getStartupConf(): Readonly<Record<string, string>>
  binary: boolean
  readonly connectionParameters: { query_timeout: number | false }
}

/**
 * A client of the driver, not connected yet, that is what `server` and `settings` say and nothing else: where they are silent, the driver
 * would look into the environment (`PGOPTIONS` and its like), into files, and into defaults that any code of the process can set.
 *
 * @param password asked for once the server wants one
 * @param settings of the session, sent with the request to start it
 */
export function createClient(
  driver: PgDriver,
  server: PostgresServer,
  password: () => Promise<string>,
  settings: Readonly<Record<string, string>>,
  socket: Socket,
): Client {
  const { host, port, user, database, tls, applicationName } = server
  const options: ClientConfig & { readonly sslnegotiation: 'postgres' } = {
    host,
    port,
    user,
    database,
    password,
    ssl: tls === false ? false : tlsOptions(tls),
    sslnegotiation: 'postgres',
    keepAlive: true,
    keepAliveInitialDelayMillis: KEEP_ALIVE_DELAY_MS,
    // a socket of ours can be broken off at any stage
    stream: () => socket,
    types: { getTypeParser: () => asItIs },
  }
  const client = new driver.Client(options)
  // an option of these that is off would be looked for elsewhere
  const undeclared = client as unknown as Undeclared
  undeclared.getStartupConf = () => ({ user, database, application_name: applicationName, ...settings })
  undeclared.binary = false
  undeclared.connectionParameters.query_timeout = false
  return client
}

// values stay in the text that the server sent: the codecs know what each is declared as
function asItIs(text: string): string {
  return text
}
