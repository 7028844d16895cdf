import { deadlineAfter } from '../../../lib/deadline.js'
import { connectionConfig } from '../../../lib/dialect/connection-config.js'
import { createMigrationDialect } from '../../../lib/dialect/create-migration-dialect.js'
import type { DdlStatement } from '../../../lib/dialect/ddl-statement.js'
import type { Connection } from '../../../lib/dialect/dialect.js'
import type { MigrationDialect } from '../../../lib/dialect/migration-dialect.js'
import type { Schema } from '../../../lib/model/schema.js'
import type { SchemaChange } from '../../../lib/model/schema-change.js'
import type { Pool } from '../../../lib/pool/pool.js'
import { poolOptions } from '../../../lib/pool/pool-options.js'
import type { FreshDatabase, SpecEngine } from '../../support/engines.js'

/** An empty database whose schema changes step by step, each statement on its own. */
export class MigratedDatabase {
  private constructor(
    readonly fresh: FreshDatabase,
    readonly dialect: MigrationDialect,
    readonly pool: Pool<Connection>,
    readonly connection: Connection,
  ) {}

  static async open(engine: SpecEngine): Promise<MigratedDatabase> {
    const fresh = await engine.freshDatabase()
    const dialect = createMigrationDialect(connectionConfig({ url: fresh.url }))
    const pool = await dialect.openPool('spec', poolOptions({ maxConnections: 1 }), {})
    const connection = await pool.acquire({ label: 'spec', access: 'write', deadline: deadlineAfter(5_000) })
    return new MigratedDatabase(fresh, dialect, pool, connection)
  }

  async run(sql: string): Promise<readonly (readonly unknown[])[]> {
    try {
      return (await this.connection.run({ sql, parameters: [] })).rows
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${sql}`, { cause: error })
    }
  }

  async change(changes: readonly SchemaChange[]): Promise<void> {
    for (const statement of this.dialect.ddl(changes)) await this.#step(statement)
  }

  introspect(known: Schema) {
    return this.dialect.introspect(this.connection, { known })
  }

  async close(): Promise<void> {
    this.pool.release(this.connection, 'clean')
    await this.pool.close(1000)
    await this.fresh.drop()
  }

  /** A rebuild is done as its runner would, for tables that nothing but indexes and foreign keys stands on. */
  async #step({ sql, rebuild }: DdlStatement): Promise<void> {
    if (rebuild === undefined) {
      await this.run(sql)
      return
    }
    const indexes = await this.run(`select sql from sqlite_schema where type = 'index' and tbl_name = '${rebuild}' and sql is not null`)
    const [create, insert] = sql.split(';\n')
    await this.run('pragma foreign_keys = off')
    const fresh = `"__latchwork_new_${rebuild}"`
    for (const each of [create!, insert!, `drop table "${rebuild}"`, `alter table ${fresh} rename to "${rebuild}"`]) await this.run(each)
    for (const [index] of indexes) await this.run(String(index))
    await this.run('pragma foreign_keys = on')
    const broken = await this.run('pragma foreign_key_check')
    if (broken.length > 0) throw new Error(`${broken.length} rows refer to nothing`)
  }
}
