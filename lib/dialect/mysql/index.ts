import { MysqlAdapter, MysqlIntrospector, MysqlQueryCompiler } from 'kysely'
import { Later } from '../../later.js'
import type { ServerConnection } from '../connection-config.js'
import type { BeginOptions, Dialect } from '../dialect.js'
import { driverErrors } from '../driver-errors.js'
import { requireNoPooler } from '../require-no-pooler.js'
import { addressOf, describeAddress } from './address.js'
import { mysqlExpressions } from './expressions.js'
import { planQuestion } from './plan-question.js'
import { ServersMet, serversOf } from './server.js'
import { sqlTraits } from './sql-traits.js'
import { mysqlCodec } from './types.js'

/** MySQL ≥ 8.0.19 and MariaDB ≥ 10.5.2, through `mysql2` ≥ 3.24. Does no I/O until a pool is opened. */
export function mysqlDialect(config: ServerConnection): Dialect {
  const address = addressOf(config)
  let servers = new ServersMet()
  return Object.freeze<Dialect>({
    engine: 'mysql',
    get capabilities() {
      return servers.capabilities
    },
    meet: (pool) => {
      servers = serversOf(pool) ?? servers
    },
    expressions: mysqlExpressions,
    target: describeAddress(address),
    identity: Object.freeze({ engine: 'mysql', ...address }),
    createQueryCompiler: () => new MysqlQueryCompiler(),
    createAdapter: () => new MysqlAdapter(),
    createIntrospector: (db) => new MysqlIntrospector(db),
    openPool: async (name, options, opening) => (await CONNECTIONS.load()).openPool(address, name, options, opening),
    checkPoolOptions: requireNoPooler,
    openLockSession: async (_options, deadline, signal) => {
      // what it throws, the connections' errors are for
      const [{ openLockSession }] = await Promise.all([LOCK_SESSIONS.load(), CONNECTIONS.load()])
      return openLockSession(address, deadline, signal)
    },
    codec: mysqlCodec,
    sqlTraits,
    planQuestion,
    begin,
    ...driverErrors(CONNECTIONS),
    loadDdl: async () => (await DDL.load()).ddlIn(address.database),
    storedConstraints: async (connection, tables) => (await STORED_CONSTRAINTS.load()).storedConstraints(connection, tables),
    tableExists: ({ schema, name }) => ({
      sql: 'select 1 from information_schema.tables where table_schema = coalesce(?, database()) and table_name = ?',
      parameters: [schema ?? null, name],
    }),
  })
}

/** What works on connections: an application that has none on this engine never loads it. */
const CONNECTIONS = new Later('MySQL connections', () => import('./connections.js'))
const LOCK_SESSIONS = new Later('MySQL lock sessions', () => import('./session-lock.js'))
const DDL = new Later('MySQL DDL', () => import('./ddl.js'))
/** Wanted when an error names what no model does. */
const STORED_CONSTRAINTS = new Later('MySQL constraints', () => import('./stored-constraints.js'))

function begin({ isolation, readOnly }: BeginOptions): readonly string[] {
  const start = readOnly === true ? 'start transaction read only' : 'start transaction'
  // it holds for the next transaction only
  return isolation === undefined ? [start] : [`set transaction isolation level ${isolation}`, start]
}
