import { once } from 'node:events'
import type { AddressInfo, Server } from 'node:net'
import mysql from 'mysql2'
import { afterEach, describe, expect, it } from 'vitest'
import { deadlineAfter } from '../../../../lib/deadline.js'
import type { ServerConnection } from '../../../../lib/dialect/connection-config.js'
import type { MigrationOpening } from '../../../../lib/dialect/migration-parts.js'
import { mysqlMigrationDialect } from '../../../../lib/dialect/mysql/migration-dialect.js'

/** What a front gives where nothing is said: that of a plain server. */
interface Answers {
  /** The session's number in the handshake; another than CONNECTION_ID(), as behind a proxy. */
  readonly handshake: number
  readonly connectionId: number
  readonly cluster: 'ON' | 'OFF' | undefined
}

const OPENING: Omit<MigrationOpening, 'deadline'> = {
  table: '_latchwork_migrations',
  schema: undefined,
  access: 'write',
  createDatabase: false,
  allowSessionPooler: false,
  singleWriter: false,
  signal: undefined,
}

const servers: Server[] = []

afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

/** A server that speaks the protocol and knows the questions of an opening. */
async function front({ handshake, connectionId, cluster }: Answers): Promise<ServerConnection> {
  // biome-ignore lint/suspicious/noExplicitAny: the server half of mysql2 has no types to speak of
  const server = (mysql as any).createServer((client: any) => {
    client.on('error', () => undefined)
    client.serverHandshake({
      protocolVersion: 10,
      serverVersion: '8.0.40-front',
      connectionId: handshake,
      statusFlags: 2,
      characterSet: 45,
      capabilityFlags: 0xffffff ^ 0x800 ^ 0x20,
      authCallback: (_: unknown, done: (error: null) => void) => {
        done(null)
        client.sequenceId = 0
      },
    })
    // each command and its answer count their packets anew
    const answered = (answer: () => void) => {
      client.sequenceId = 1
      answer()
      client.sequenceId = 0
    }
    client.on('query', (sql: string) => {
      const table = answerTo(sql, connectionId, cluster)
      answered(() => (table === undefined ? client.writeOk() : client.writeTextResult(table.rows, table.columns)))
    })
    // SET, which the server half takes for a statement to prepare
    client.on('stmt_prepare', () => answered(() => client.writeOk()))
    client.on('quit', () => client.end())
  })
  server.listen(0, '127.0.0.1')
  await once(server._server ?? server, 'listening')
  servers.push(server._server ?? server)
  const { port } = (server._server ?? server).address() as AddressInfo
  return { engine: 'mysql', host: '127.0.0.1', port, user: 'any', database: 'shop' }
}

function answerTo(sql: string, connectionId: number, cluster: string | undefined) {
  const of = (values: Readonly<Record<string, unknown>>) => ({
    rows: [values],
    columns: Object.entries(values).map(([name, value]) => ({
      catalog: 'def',
      schema: '',
      table: '',
      orgTable: '',
      name,
      orgName: name,
      characterSet: 45,
      columnLength: 255,
      columnType: typeof value === 'number' ? 8 : 253,
      flags: 0,
      decimals: 0,
    })),
  })
  if (sql.includes('connection_id()')) return of({ place: 'shop', locked: 'shop', id: connectionId })
  if (sql.includes('wsrep_on'))
    return cluster === undefined ? { ...of({ Variable_name: '', Value: '' }), rows: [] } : of({ Variable_name: 'wsrep_on', Value: cluster })
  return undefined
}

async function open(answers: Answers, more: Partial<MigrationOpening> = {}): Promise<unknown> {
  const dialect = mysqlMigrationDialect(await front(answers))
  const opened = await dialect.migrations.open({ ...OPENING, deadline: deadlineAfter(5_000), ...more }).catch((error: unknown) => error)
  if (!(opened instanceof Error)) await (opened as { close(): Promise<void> }).close()
  return opened
}

describe('a session for migrations', () => {
  it('is one on a plain server, and on one that is no node of a cluster', async () => {
    expect(await open({ handshake: 7, connectionId: 7, cluster: undefined })).toMatchObject({ database: 'shop' })
    expect(await open({ handshake: 7, connectionId: 7, cluster: 'OFF' })).toMatchObject({ database: 'shop' })
  })

  it('is refused behind a proxy, whose session has another number, unless somebody says that it may be', async () => {
    const proxied = { handshake: 7, connectionId: 8, cluster: undefined }
    expect(await open(proxied)).toMatchObject({ code: 'POOLER_MODE', message: expect.stringContaining('a proxy stands before the server') })
    expect(await open(proxied, { allowSessionPooler: true })).toMatchObject({ database: 'shop' })
  })

  it('takes a number of more than 32 bits for the one of the handshake, which has no more', async () => {
    expect(await open({ handshake: 5, connectionId: 2 ** 32 + 5, cluster: undefined })).toMatchObject({ database: 'shop' })
  })

  it('is refused on a node of a Galera cluster, unless only that one is written to', async () => {
    const node = { handshake: 7, connectionId: 7, cluster: 'ON' } as const
    expect(await open(node)).toMatchObject({ code: 'UNSUPPORTED', message: expect.stringContaining('Galera') })
    expect(await open(node, { singleWriter: true })).toMatchObject({ database: 'shop' })
  })
})
