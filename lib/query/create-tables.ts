import { plainSql } from '../dialect/ddl-statement.js'
import type { Dialect } from '../dialect/dialect.js'
import { ConfigurationError } from '../errors.js'
import type { Schema, TableSchema } from '../model/schema.js'
import { diffSchemas } from '../model/schema-diff.js'
import type { PlanRunner } from './query-plan.js'

/**
 * Creates every table of the schema, with its keys, indexes and constraints; all or none where the engine can undo DDL.
 *
 * @throws {ConfigurationError} one of the tables is there already, or the state of migrations, which look after the database then: nothing
 *   was created
 */
export async function createTables(dialect: Dialect, runner: PlanRunner, schema: Schema): Promise<void> {
  const ddl = await dialect.loadDdl()
  const statements = plainSql(ddl(diffSchemas(undefined, schema).changes))
  const create = async () => {
    await requireAbsent(dialect, runner, STATE_TABLE)
    for (const table of schema.tables) await requireAbsent(dialect, runner, table)
    for (const sql of statements) {
      await runner.run({ label: 'createTables', access: 'write', statement: { sql, parameters: [] }, read: () => undefined })
    }
  }
  await (dialect.capabilities.transactionalDdl ? runner.transaction('createTables', create) : create())
}

/** Where migrations keep their state, unless their configuration says another name. */
const STATE_TABLE = { name: '_latchwork_migrations' }

async function requireAbsent(dialect: Dialect, runner: PlanRunner, table: Pick<TableSchema, 'name' | 'schema'>): Promise<void> {
  const statement = dialect.tableExists(table)
  const exists = await runner.run({ label: 'createTables', access: 'write', statement, read: (result) => result.rows.length > 0 })
  if (!exists) return
  const next =
    table === STATE_TABLE
      ? 'migrations look after this database: latchwork migrate up'
      : 'createTables is for empty databases: adopt this one by latchwork migrate baseline'
  throw new ConfigurationError('models', `the table "${table.name}" is there already; ${next}; nothing was created`)
}
