import { PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler } from 'kysely'
import type { PoolOptions } from '../../pool/pool-options.js'
import type { Capabilities } from '../capabilities.js'
import type { ServerConnection } from '../connection-config.js'
import type { BeginOptions, Dialect } from '../dialect.js'
import { MAX_PARAMETERS, sessionRefusal } from './connection.js'
import { ddl } from './ddl.js'
import { evicts, toDataError } from './errors.js'
import { expressions } from './expressions.js'
import { planQuestion } from './plan-question.js'
import { openPool } from './pool.js'
import { postgresServer, targetOf } from './server.js'
import { wordsOf } from './server-error.js'
import { openLockSession } from './session-lock.js'
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
    openPool: (name, options, opening) => openPool(name, server, options, opening),
    checkPoolOptions: requireLastingInitSql,
    openLockSession: (options, deadline, signal) => openLockSession(server, options, deadline, signal),
    codec,
    planQuestion,
    begin,
    toDataError,
    wordsOf,
    evicts,
    ddl,
    tableExists: ({ schema, name }) => ({
      sql: 'select 1 from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace where n.nspname = coalesce($1, current_schema()) and c.relname = $2',
      parameters: [schema ?? null, name],
    }),
  }
}

/** @throws {PoolerModeError} nothing that it does would last */
function requireLastingInitSql({ pooler, initSql }: PoolOptions): void {
  if (pooler === 'transaction' && initSql.length > 0) throw sessionRefusal('pool.initSql')
}

const capabilities: Capabilities = Object.freeze({
  insertReturning: true,
  updateReturning: true,
  deleteReturning: true,
  statementErrorKeepsTransaction: false,
  failedCommitKeepsTransaction: false,
  namesForeignKeys: true,
  nullsSortedBy: { asc: 'last', desc: 'first' } as const,
  nullsFirstLast: true,
  defaultKeyword: true,
  bulkInsert: 'arrays',
  upsert: 'onConflict',
  schemas: true,
  transactionalDdl: true,
  dedicatedConnections: true,
  maxParameters: MAX_PARAMETERS,
  maxPatternBytes: Number.POSITIVE_INFINITY,
})

function begin({ isolation, readOnly }: BeginOptions): readonly string[] {
  return [`begin${isolation === undefined ? '' : ` isolation level ${isolation}`}${readOnly === true ? ' read only' : ''}`]
}
