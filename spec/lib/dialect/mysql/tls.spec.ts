import { execFileSync } from 'node:child_process'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { connectionConfig, type ServerConnection } from '../../../../lib/dialect/connection-config.js'
import { mysqlDialect } from '../../../../lib/dialect/mysql/index.js'
import { ConnectionError } from '../../../../lib/errors.js'
import { poolOptions } from '../../../../lib/pool/pool-options.js'
import { mariadbBinaries } from '../../../support/mariadb-program.js'
import { startThrowawayServer, type ThrowawayServer } from '../../../support/throwaway-server.js'
import { acquire, rejection, Session } from './sessions.js'

/** The names of the server's certificate; the address it listens on is none of them. */
const NAMES = 'subjectAltName=DNS:db.test,DNS:localhost,IP:127.0.0.2'

/** A certificate authority and a certificate of the server, made by the openssl program. */
function writeCertificates(folder: string): string {
  const openssl = (...parameters: string[]) => execFileSync('openssl', parameters, { cwd: folder, stdio: 'pipe' })
  const key = ['-newkey', 'rsa:2048', '-nodes']
  openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-days', '2', '-subj', '/CN=spec authority')
  openssl('req', ...key, '-keyout', 'server.key', '-out', 'server.csr', '-subj', '/CN=server')
  writeFileSync(join(folder, 'names'), NAMES)
  openssl(
    'x509',
    '-req',
    '-in',
    'server.csr',
    '-CA',
    'ca.pem',
    '-CAkey',
    'ca.key',
    '-CAcreateserial',
    '-out',
    'server.pem',
    '-days',
    '2',
    '-extfile',
    'names',
  )
  // the server runs as another user than the one who writes this
  chmodSync(join(folder, 'server.key'), 0o644)
  return readFileSync(join(folder, 'ca.pem'), 'utf8')
}

const binaries = mariadbBinaries()

describe.skipIf(binaries === undefined)('TLS to a server with a certificate', () => {
  let server: ThrowawayServer | undefined
  let ca: string

  beforeAll(async () => {
    server = await startThrowawayServer({
      ...binaries!,
      prepare: async (folder) => {
        ca = writeCertificates(folder)
        await binaries!.prepare?.(folder)
      },
      run: (folder, port) => {
        const file = (name: string) => join(folder, name)
        return [
          ...binaries!.run(folder, port),
          `--ssl-ca=${file('ca.pem')}`,
          `--ssl-cert=${file('server.pem')}`,
          `--ssl-key=${file('server.key')}`,
        ]
      },
    })
  })

  afterAll(() => server?.remove())

  async function cipher(parts: Partial<ServerConnection>): Promise<unknown> {
    const config = { ...(connectionConfig({ url: server!.url }) as ServerConnection), ...parts }
    const pool = await mysqlDialect(config).openPool('spec', poolOptions(), {})
    try {
      const session = new Session(pool, await acquire(pool))
      const running = session.run('select sleep(10), ?', 1).catch(() => undefined)
      await session.connection.cancel()
      await running
      const other = new Session(pool, await acquire(pool))
      return (await other.rows("show status like 'Ssl_cipher'"))[0]?.[1]
    } finally {
      await pool.close(0)
    }
  }

  it('encrypts every connection, those that cancel too', async () => {
    expect(await cipher({})).toBe('')
    expect(await cipher({ host: 'localhost', tls: { ca } })).not.toBe('')
    expect(await cipher({ tls: { rejectUnauthorized: false } })).not.toBe('')
  })

  it('takes a certificate that bears the name it was told to expect, a DNS name or an address', async () => {
    expect(await cipher({ tls: { ca, servername: 'db.test' } })).not.toBe('')
    expect(await cipher({ tls: { ca, servername: '127.0.0.2' } })).not.toBe('')
  })

  it('refuses another name, the address it dialled where the certificate lacks it, and an unknown authority', async () => {
    for (const tls of [{ ca, servername: 'other.test' }, { ca }, true]) {
      const error = await rejection(cipher({ tls }))
      expect(error).toBeInstanceOf(ConnectionError)
      expect(error.message).toContain('TLS could not be agreed on, or the certificate does not check out')
    }
  })
})
