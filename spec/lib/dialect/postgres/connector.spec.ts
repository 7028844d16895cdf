import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { deadlineAfter } from '../../../../lib/deadline.js'
import type { ServerConnection } from '../../../../lib/dialect/connection-config.js'
import type { PostgresConnector } from '../../../../lib/dialect/postgres/connector.js'
import { postgresServer } from '../../../../lib/dialect/postgres/server.js'
import { ConfigurationError, ConnectionError } from '../../../../lib/errors.js'
import { type FreshDatabase, forEachEngine } from '../../../support/engines.js'
import { TIMED } from '../../../support/timed.js'
import { certificate } from './certificate.js'
import { type FrontOptions, type ServerFront, startFront, withFront } from './server-front.js'
import { connectorFor, firstValue, withConnection } from './session.js'

describe('postgresServer', () => {
  it('refuses TLS over a Unix socket, which PostgreSQL does not have', () => {
    expect(() => postgresServer({ engine: 'postgres', host: '/run/postgresql', tls: true })).toThrow(ConfigurationError)
  })

  it.each(['host', 'user', 'database'])('refuses an empty %s, which the driver would look for in the environment', (name) => {
    expect(() => postgresServer({ engine: 'postgres', [name]: '' })).toThrow(ConfigurationError)
  })
})

forEachEngine(
  (engine) => {
    let database: FreshDatabase

    beforeAll(async () => {
      database = await engine.freshDatabase()
    })
    afterAll(() => database?.drop())

    async function failureOf(connector: PostgresConnector, timeoutMs = 5_000): Promise<ConnectionError> {
      const outcome = await connector.open(deadlineAfter(timeoutMs)).catch((error: unknown) => error)
      expect(outcome).toBeInstanceOf(ConnectionError)
      return outcome as ConnectionError
    }

    const behind = (options: FrontOptions, body: (front: ServerFront) => Promise<void>) => withFront(database.url, options, body)

    describe('open', () => {
      it('gives a session in UTC whose texts are in one form, whatever the database is set to', async () => {
        const odd = await engine.freshDatabase()
        const name = new URL(odd.url).pathname.slice(1)
        for (const setting of [
          `timezone = 'Asia/Kathmandu'`,
          `datestyle = 'German'`,
          'extra_float_digits = -5',
          `bytea_output = 'escape'`,
        ]) {
          await engine.admin(odd.url, `alter database ${name} set ${setting}`)
        }
        await withConnection(await connectorFor(odd.url), async (connection) => {
          const sql = `select current_setting('timezone'), date '2024-02-29', timestamptz '2024-02-29 00:00+00', 0.1::float8 + 0.2::float8, bytea 'a'`
          const { rows } = await connection.run({ sql, parameters: [] })
          expect(rows).toStrictEqual([['UTC', '2024-02-29', '2024-02-29 00:00:00+00', '0.30000000000000004', '\\x61']])
        })
        await odd.drop()
      })

      it('goes by the name of the application, latchwork where none is given', async () => {
        const nameOf = async (changed: Partial<ServerConnection>) => {
          let name: unknown
          await withConnection(await connectorFor(database.url, changed), async (connection) => {
            name = await firstValue(connection, 'show application_name')
          })
          return name
        }
        expect([await nameOf({}), await nameOf({ applicationName: 'shop' })]).toEqual(['latchwork', 'shop'])
      })

      it('runs the init SQL in order', async () => {
        const connector = await connectorFor(database.url, {}, ['create temp table first (a int)', 'insert into first values (7)'])
        await withConnection(connector, async (connection) => expect(await firstValue(connection, 'select a from first')).toBe('7'))
      })

      it('closes the session again when init SQL fails, and says which statement without its values', async () => {
        await behind({}, async (front) => {
          const connector = await connectorFor(database.url, { port: front.port }, ['select 1', `select 'secret'::int`])
          const error = await failureOf(connector)
          expect(error.message).toContain('pool.initSql[1]')
          expect(error.message).not.toContain('secret')
          await expect.poll(front.connections).toBe(0)
        })
      })

      it('gives up on init SQL at the deadline', async () => {
        await behind({}, async (front) => {
          const connector = await connectorFor(database.url, { port: front.port }, ['select pg_sleep(10)'])
          expect((await failureOf(connector, 300)).message).toMatch(/no connection within \d+ ms/)
          await expect.poll(front.connections).toBe(0)
        })
      })

      it('gives up at the deadline on a server that never answers', TIMED, async () => {
        await behind({ isSilent: true }, async (front) => {
          const connector = await connectorFor(database.url, { port: front.port })
          const startedAtMs = performance.now()
          expect((await failureOf(connector, 200)).message).toMatch(/no connection within \d+ ms/)
          expect(performance.now() - startedAtMs).toBeLessThan(400)
          await expect.poll(front.connections).toBe(0)
        })
      })

      it('raises ConnectionError where nobody listens', async () => {
        const port = await startFront(database.url, {}).then(async (front) => {
          await front.close()
          return front.port
        })
        expect((await failureOf(await connectorFor(database.url, { port }))).message).toContain('nothing listens there')
        expect((await failureOf(await connectorFor(database.url, { host: '/nowhere' }))).message).toContain('there is no such socket file')
      })

      it('raises ConnectionError for a database that is not there', async () => {
        const error = await failureOf(await connectorFor(database.url, { database: 'not_there' }))
        expect(error.message).toContain('3D000')
        expect(error.cause).toMatchObject({ code: '3D000' })
      })

      it('connects over a Unix socket, and cancels over it', async () => {
        const host = await mkdtemp(join(tmpdir(), 'latchwork-socket-'))
        await behind({ path: join(host, '.s.PGSQL.5432') }, async (front) => {
          await withConnection(await connectorFor(database.url, { host, port: 5432 }), async (connection) => {
            const running = connection.run({ sql: 'select pg_sleep(10)', parameters: [] }).catch((error: unknown) => error)
            await connection.cancel()
            expect(await running).toMatchObject({ code: '57014' })
            expect(front.connections()).toBeGreaterThan(0)
          })
        })
        await rm(host, { recursive: true })
      })
    })

    describe('a password', () => {
      const password = () => new URL(database.url).password || 'correct horse'

      it('is a value, or what an async function gives, asked for each connection', async () => {
        await behind({ password: password() }, async (front) => {
          await withConnection(await connectorFor(database.url, { port: front.port, password: password() }), async (connection) =>
            expect(await firstValue(connection, 'select 1')).toBe('1'),
          )
          let asked = 0
          const giver = async () => {
            asked++
            return password()
          }
          const connector = await connectorFor(database.url, { port: front.port, password: giver })
          await withConnection(connector, async () => {})
          const askedOnce = asked
          await withConnection(connector, async () => {})
          expect([askedOnce > 0, asked]).toEqual([true, askedOnce * 2])
        })
      })

      it('that is wrong is a ConnectionError', async () => {
        await behind({ password: 'right' }, async (front) => {
          const error = await failureOf(await connectorFor(database.url, { port: front.port, password: 'wrong one' }))
          expect(error.message).toContain('28P01')
          expect(error.message).not.toContain('wrong one')
        })
      })

      it('comes from nowhere else: not from the environment', async () => {
        await behind({ password: 'right' }, async (front) => {
          process.env.PGPASSWORD = 'right'
          try {
            const url = Object.assign(new URL(database.url), { password: '', hostname: '127.0.0.1', port: String(front.port) })
            await failureOf(await connectorFor(url.href))
          } finally {
            delete process.env.PGPASSWORD
          }
        })
      })

      it('function that fails is a ConnectionError with its error as cause', async () => {
        await behind({ password: 'right' }, async (front) => {
          const failure = new Error('no token')
          const fails = () => Promise.reject(failure)
          expect((await failureOf(await connectorFor(database.url, { port: front.port, password: fails }))).cause).toBe(failure)
        })
      })

      it('function that never answers costs no more than the deadline', async () => {
        await behind({ password: 'right' }, async (front) => {
          const never = () => new Promise<string>(() => {})
          const error = await failureOf(await connectorFor(database.url, { port: front.port, password: never }), 200)
          expect(error.message).toMatch(/no connection within \d+ ms/)
        })
      })
    })

    describe('TLS', () => {
      const trusted: ServerConnection['tls'] = { ca: certificate, servername: 'certified.test' }

      it('encrypts the session, and the request to cancel too', async () => {
        await behind({ tls: true }, async (front) => {
          await withConnection(await connectorFor(database.url, { port: front.port, tls: trusted }), async (connection) => {
            expect(front.encrypted()).toBe(1)
            const running = connection.run({ sql: 'select pg_sleep(10)', parameters: [] }).catch((error: unknown) => error)
            await connection.cancel()
            expect(await running).toMatchObject({ code: '57014' })
            expect(front.encrypted()).toBe(2)
          })
        })
      })

      it('refuses a certificate of another name, or that nobody known has signed, unless asked not to look', async () => {
        await behind({ tls: true }, async (front) => {
          const { port } = front
          await failureOf(await connectorFor(database.url, { port, tls: { ca: certificate, servername: 'other.test' } }))
          await failureOf(await connectorFor(database.url, { port, host: 'localhost', tls: { ca: certificate } }))
          await failureOf(await connectorFor(database.url, { port, tls: true }))
          await withConnection(await connectorFor(database.url, { port, tls: { rejectUnauthorized: false } }), async () => {})
        })
      })

      it('checks against the given name where the host is a name too', async () => {
        await behind({ tls: true }, async ({ port }) => {
          await withConnection(await connectorFor(database.url, { port, host: 'localhost', tls: trusted }), async () => {})
        })
      })

      it('does not fall back to plain text', async () => {
        await behind({}, async ({ port }) => {
          expect((await failureOf(await connectorFor(database.url, { port, tls: true }))).message).toContain('SSL')
        })
      })
    })

    describe('reset', () => {
      it('takes back whatever SQL can change in a session, but keeps prepared statements', async () => {
        const connector = await connectorFor(database.url, {}, [`set search_path to pg_temp, public`, `set lock_timeout = '7s'`])
        await withConnection(connector, async (connection) => {
          const run = (sql: string) => connection.run({ sql, parameters: [] })
          await connection.run({ name: 'lw_kept', sql: 'select 1', parameters: [] })
          await run(
            `set timezone to 'Asia/Kathmandu'; set search_path to pg_catalog; set lock_timeout = 0; select set_config('app.tenant', '1', false)`,
          )
          await run('create temp table scratch (a int); create temp sequence counter')
          await run('listen news; select pg_advisory_lock(42); select pg_advisory_lock_shared(43)')
          await run('begin; declare open_cursor cursor with hold for select 1; commit')
          await run('set role pg_read_all_data')

          await connector.reset(connection)

          const { rows } = await run(
            `select current_setting('timezone'), current_setting('search_path'), current_setting('lock_timeout'),
              coalesce(nullif(current_setting('app.tenant', true), ''), 'none'), to_regclass('pg_temp.scratch'),
              (select count(*) from pg_listening_channels()), (select count(*) from pg_cursors),
              (select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()), current_user = session_user,
              (select count(*) from pg_prepared_statements where name = 'lw_kept')`,
          )
          expect(rows).toStrictEqual([['UTC', 'pg_temp, public', '7s', 'none', null, '0', '0', '0', 't', '1']])
          expect((await connection.run({ name: 'lw_kept', sql: 'select 1', parameters: [] })).rows).toStrictEqual([['1']])
        })
      })

      it('fails on a connection in a transaction, whole or failed, so that it is not lent again', async () => {
        const connector = await connectorFor(database.url)
        for (const sql of ['begin', 'begin; select 1/0']) {
          await withConnection(connector, async (connection) => {
            await connection.run({ sql, parameters: [] }).catch(() => undefined)
            await expect(connector.reset(connection)).rejects.toThrow()
          })
        }
      })

      it('fails on a connection that is busy', async () => {
        const connector = await connectorFor(database.url)
        await withConnection(connector, async (connection) => {
          const running = connection.run({ sql: 'select pg_sleep(10)', parameters: [] }).catch(() => undefined)
          await expect(connector.reset(connection)).rejects.toThrow()
          await connector.close(connection)
          await running
        })
      })
    })

    describe('validate', () => {
      it('says whether the connection still works, and never throws', async () => {
        const connector = await connectorFor(database.url)
        await withConnection(connector, async (connection) => {
          expect(await connector.validate(connection, 1_000)).toBe(true)
          await connection.run({ sql: 'begin', parameters: [] })
          expect(await connector.validate(connection, 1_000)).toBe(false)
          connection.destroy()
          expect(await connector.validate(connection, 1_000)).toBe(false)
        })
      })
    })
  },
  { engines: ['postgres'] },
)
