import pg from 'pg'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { type FreshDatabase, forEachEngine } from '../../../support/engines.js'
import { connectorFor, withConnection } from './session.js'

/** What the driver would read where our own options say nothing of it. */
const VARIABLES: Readonly<Record<string, string>> = {
  PGHOST: 'nowhere.test',
  PGPORT: '1',
  PGUSER: 'nobody',
  PGDATABASE: 'nothing',
  PGPASSWORD: 'wrong',
  PGSSLMODE: 'require',
  PGAPPNAME: 'of the environment',
  PGOPTIONS: '-c statement_timeout=1234 -c search_path=pg_temp',
  PGREPLICATION: 'database',
  PGSSLNEGOTIATION: 'direct',
  PGCLIENT_ENCODING: 'LATIN1',
  PGBINARY: 'true',
  PGCONNECT_TIMEOUT: '1',
}

/** What a program may set for clients of its own. */
const DEFAULTS: Readonly<Record<string, unknown>> = {
  options: '-c statement_timeout=1234',
  statement_timeout: 1234,
  lock_timeout: 1234,
  idle_in_transaction_session_timeout: 1234,
  query_timeout: 1,
  application_name: 'of the defaults',
  fallback_application_name: 'of the defaults',
  replication: 'database',
  sslnegotiation: 'direct',
  binary: true,
}

const LOOK = `select current_setting('statement_timeout'), current_setting('lock_timeout'), current_setting('idle_in_transaction_session_timeout'),
  current_setting('search_path'), current_setting('application_name'), current_setting('client_encoding'), current_setting('timezone'),
  (select backend_type from pg_stat_activity where pid = pg_backend_pid()), 258::int, pg_sleep(0.05)`

const FOUND = (application: string) => [['0', '0', '0', '"$user", public', application, 'UTF8', 'UTC', 'client backend', '258', '']]

forEachEngine(
  (engine) => {
    let database: FreshDatabase

    beforeAll(async () => {
      database = await engine.freshDatabase()
    })
    afterAll(() => database?.drop())

    const defaults = pg.defaults as unknown as Record<string, unknown>
    const ours = { ...defaults }
    afterEach(() => {
      vi.unstubAllEnvs()
      for (const name of Object.keys(DEFAULTS)) {
        if (name in ours) defaults[name] = ours[name]
        else delete defaults[name]
      }
    })

    async function look(applicationName: string, pooler: 'session' | 'transaction'): Promise<void> {
      await withConnection(await connectorFor(database.url, { applicationName }, [], pooler), async (connection) => {
        // with a value, for what the driver makes of a statement that it prepares
        const { rows } = await connection.run({ sql: `${LOOK} where $1 = 1`, parameters: [1] })
        expect(rows).toEqual(FOUND(applicationName))
      })
    }

    for (const pooler of ['session', 'transaction'] as const) {
      describe(`a session in ${pooler} mode is what its options say`, () => {
        it.each(Object.entries(VARIABLES))('whatever %s is in the environment', async (name, value) => {
          vi.stubEnv(name, value)
          await look('shop', pooler)
          await look('', pooler)
        })

        it.each(Object.entries(DEFAULTS))("whatever the driver's default for %s", async (name, value) => {
          defaults[name] = value
          await look('shop', pooler)
          await look('', pooler)
        })
      })
    }
  },
  { engines: ['postgres'] },
)
