import { MysqlAdapter, MysqlIntrospector, MysqlQueryCompiler } from 'kysely'
import type { Capabilities } from '../capabilities.js'
import type { ServerConnection } from '../connection-config.js'
import type { BeginOptions, Dialect } from '../dialect.js'
import { requireNoPooler } from '../require-no-pooler.js'
import { ddl, withOwnDatabase } from './ddl.js'
import { addressOf, describeAddress } from './dial.js'
import { evicts, toDataError, wordsOf } from './errors.js'
import { mysqlExpressions } from './expressions.js'
import { introspect } from './introspect.js'
import { migrationParts } from './migration-parts.js'
import { planQuestion } from './plan-question.js'
import { sqlTraits } from './sql-traits.js'
import { mysqlCodec } from './types.js'

/**
 * What MySQL and MariaDB have in common. Statements are compiled before any server was asked which of the two it is, so
 * MariaDB's `INSERT … RETURNING` and `DELETE … RETURNING` are left aside: the same statements run on both.
 */
const CAPABILITIES: Capabilities = Object.freeze({
  insertReturning: false,
  updateReturning: false,
  deleteReturning: false,
  statementErrorKeepsTransaction: true,
  failedCommitKeepsTransaction: false,
  namesForeignKeys: true,
  nullsSortedBy: Object.freeze({ asc: 'first', desc: 'last' }),
  nullsFirstLast: false,
  defaultKeyword: false,
  bulkInsert: 'rows',
  upsert: 'onDuplicateKey',
  dedicatedConnections: true,
  schemas: true,
  transactionalDdl: false,
  maxParameters: 65_535,
  maxPatternBytes: Number.POSITIVE_INFINITY,
})

/** MySQL ≥ 8.0.19 and MariaDB ≥ 10.5.2, through `mysql2` ≥ 3.24. Does no I/O until a pool is opened. */
export function mysqlDialect(config: ServerConnection): Dialect {
  const address = addressOf(config)
  return Object.freeze<Dialect>({
    engine: 'mysql',
    capabilities: CAPABILITIES,
    expressions: mysqlExpressions,
    target: describeAddress(address),
    identity: Object.freeze({ engine: 'mysql', ...address }),
    createQueryCompiler: () => new MysqlQueryCompiler(),
    createAdapter: () => new MysqlAdapter(),
    createIntrospector: (db) => new MysqlIntrospector(db),
    openPool: async (name, options, opening) => (await connections()).openPool(address, name, options, opening),
    checkPoolOptions: requireNoPooler,
    openLockSession: async (_options, deadline, signal) => (await connections()).openLockSession(address, deadline, signal),
    codec: mysqlCodec,
    sqlTraits,
    planQuestion,
    begin,
    toDataError,
    wordsOf,
    evicts,
    migrations: migrationParts(address),
    ddl: (changes) => ddl(changes.map((change) => withOwnDatabase(change, address.database))),
    introspect: (connection, options = {}) => introspect(connection, options),
    tableExists: ({ schema, name }) => ({
      sql: 'select 1 from information_schema.tables where table_schema = coalesce(?, database()) and table_name = ?',
      parameters: [schema ?? null, name],
    }),
  })
}

let loaded: Promise<typeof import('./connections.js')> | undefined

/** What works on connections: an application that has none on this engine never loads it. */
function connections() {
  loaded ??= import('./connections.js')
  return loaded
}

function begin({ isolation, readOnly }: BeginOptions): readonly string[] {
  const start = readOnly === true ? 'start transaction read only' : 'start transaction'
  // it holds for the next transaction only
  return isolation === undefined ? [start] : [`set transaction isolation level ${isolation}`, start]
}
