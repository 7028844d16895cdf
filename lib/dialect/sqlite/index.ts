import { randomUUID } from 'node:crypto'
import { resolve } from 'node:path'
import { SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from 'kysely'
import { Later } from '../../later.js'
import type { SqliteConnection } from '../connection-config.js'
import type { Dialect } from '../dialect.js'
import { driverErrors } from '../driver-errors.js'
import { requireNoPooler } from '../require-no-pooler.js'
import { capabilities } from './capabilities.js'
import { expressions } from './expressions.js'
import { requireShared } from './named-memory.js'
import { planQuestion } from './plan-question.js'
import { sqlTraits } from './sql-traits.js'
import { codec } from './types.js'

const MEMORY = ':memory:'

/**
 * SQLite through `better-sqlite3`. A relative path is taken from the working directory of this moment.
 *
 * Every call with `:memory:` is a database of its own; `:memory:name` is one database in this thread for all who name it.
 * Transactions are serializable, whatever isolation is asked for.
 */
export function sqliteDialect(config: SqliteConnection): Dialect {
  const isMemory = config.file.startsWith(MEMORY)
  const memoryName = isMemory && config.file !== MEMORY ? config.file.slice(MEMORY.length) : undefined
  const file = fileOf(config)
  return {
    engine: 'sqlite',
    capabilities: { ...capabilities, dedicatedConnections: !isMemory },
    expressions,
    target: `sqlite:${file}`,
    identity: file === MEMORY ? { engine: 'sqlite', file, database: randomUUID() } : { engine: 'sqlite', file },
    createQueryCompiler: () => new SqliteQueryCompiler(),
    createAdapter: () => new PooledSqliteAdapter(),
    createIntrospector: (db) => new SqliteIntrospector(db),
    async openPool(name, options, opening) {
      const { loadDriver, openFilePool, openMemoryPool } = await CONNECTIONS.load()
      const source = { driver: await loadDriver(), file, initSql: options.initSql }
      return isMemory ? openMemoryPool(name, source, options, opening, memoryName) : openFilePool(name, source, options, opening)
    },
    checkPoolOptions: (options) => {
      requireNoPooler(options)
      if (memoryName !== undefined) requireShared(memoryName, options)
    },
    openLockSession: async () => {
      const [{ openLockSession }, { loadDriver }] = await Promise.all([LOCK_SESSIONS.load(), CONNECTIONS.load()])
      return openLockSession(await loadDriver(), file)
    },
    codec,
    sqlTraits,
    planQuestion,
    // every transaction that may write takes the writer's place at once: a reader could not become a writer later
    begin: ({ readOnly }) => [readOnly ? 'begin' : 'begin immediate'],
    ...driverErrors(CONNECTIONS),
    loadDdl: async () => (await DDL.load()).ddl,
    storedConstraints: async (connection, tables) => (await STORED_CONSTRAINTS.load()).storedConstraints(connection, tables),
    tableExists: ({ name }) => ({
      sql: "select 1 from sqlite_schema where type in ('table', 'view') and name = ? collate nocase",
      parameters: [name],
    }),
  }
}

/** The path of a database, or the name of one in memory. */
export function fileOf({ file }: SqliteConnection): string {
  return file.startsWith(MEMORY) ? file : resolve(file)
}

/** What works on connections: an application that has none on this engine never loads it. */
const CONNECTIONS = new Later('SQLite connections', () => import('./connections.js'))
const LOCK_SESSIONS = new Later('SQLite lock sessions', () => import('./session-lock.js'))
const DDL = new Later('SQLite DDL', () => import('./ddl.js'))
/** Wanted when an error names what no model does. */
const STORED_CONSTRAINTS = new Later('SQLite constraints', () => import('./stored-constraints.js'))

/** Kysely from 0.29 on would run one query at a time on SQLite, and wait so for ever: here the pool says who waits. */
class PooledSqliteAdapter extends SqliteAdapter {
  get supportsMultipleConnections(): boolean {
    return true
  }
}
