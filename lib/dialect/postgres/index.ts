import { PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler } from 'kysely'
import { Later } from '../../later.js'
import type { PoolOptions } from '../../pool/pool-options.js'
import type { ServerConnection } from '../connection-config.js'
import type { BeginOptions, Dialect } from '../dialect.js'
import { driverErrors } from '../driver-errors.js'
import { capabilities } from './capabilities.js'
import { expressions } from './expressions.js'
import { planQuestion } from './plan-question.js'
import { postgresServer, targetOf } from './server.js'
import { sessionRefusal } from './session-refusal.js'
import { sqlTraits } from './sql-traits.js'
import { codec } from './types.js'

/**
 * PostgreSQL through `pg`. Does no I/O before a pool is opened, and loads the driver only then.
 *
 * Nothing comes from the environment (`PGHOST` and the like) or from a password file.
 *
 * @throws {ConfigurationError} TLS over a Unix socket; no user where the system's has no name
 */
export function postgresDialect(config: ServerConnection): Dialect {
  const server = postgresServer(config)
  return {
    engine: 'postgres',
    capabilities,
    expressions,
    target: targetOf(server),
    identity: { engine: 'postgres', ...server },
    createQueryCompiler: () => new PostgresQueryCompiler(),
    createAdapter: () => new PostgresAdapter(),
    createIntrospector: (db) => new PostgresIntrospector(db),
    openPool: async (name, options, opening) => (await CONNECTIONS.load()).openPool(name, server, options, opening),
    checkPoolOptions: requireLastingInitSql,
    openLockSession: async (options, deadline, signal) => {
      // what it throws, the connections' errors are for
      const [{ openLockSession }] = await Promise.all([LOCK_SESSIONS.load(), CONNECTIONS.load()])
      return openLockSession(server, options, deadline, signal)
    },
    codec,
    sqlTraits,
    planQuestion,
    begin,
    ...driverErrors(CONNECTIONS),
    loadDdl: async () => (await DDL.load()).ddl,
    storedConstraints: async (connection, tables) => (await STORED_CONSTRAINTS.load()).storedConstraints(connection, tables),
    tableExists: ({ schema, name }) => ({
      sql: 'select 1 from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace where n.nspname = coalesce($1, current_schema()) and c.relname = $2',
      parameters: [schema ?? null, name],
    }),
  }
}

/** What works on connections: an application that has none on this engine never loads it. */
const CONNECTIONS = new Later('PostgreSQL connections', () => import('./connections.js'))
const LOCK_SESSIONS = new Later('PostgreSQL lock sessions', () => import('./session-lock.js'))
const DDL = new Later('PostgreSQL DDL', () => import('./ddl.js'))
/** Wanted when an error names what no model does. */
const STORED_CONSTRAINTS = new Later('PostgreSQL constraints', () => import('./stored-constraints.js'))

/** @throws {PoolerModeError} nothing that it does would last */
function requireLastingInitSql({ pooler, initSql }: PoolOptions): void {
  if (pooler === 'transaction' && initSql.length > 0) throw sessionRefusal('pool.initSql')
}

function begin({ isolation, readOnly }: BeginOptions): readonly string[] {
  return [`begin${isolation === undefined ? '' : ` isolation level ${isolation}`}${readOnly === true ? ' read only' : ''}`]
}
