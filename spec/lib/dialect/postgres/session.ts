import { deadlineAfter } from '../../../../lib/deadline.js'
import { connectionConfig, type ServerConnection } from '../../../../lib/dialect/connection-config.js'
import { plainSql } from '../../../../lib/dialect/ddl-statement.js'
import type { PostgresConnection } from '../../../../lib/dialect/postgres/connection.js'
import { PostgresConnector } from '../../../../lib/dialect/postgres/connector.js'
import { ddl } from '../../../../lib/dialect/postgres/ddl.js'
import { loadDriver } from '../../../../lib/dialect/postgres/driver.js'
import { postgresServer } from '../../../../lib/dialect/postgres/server.js'
import type { ColumnType } from '../../../../lib/model/column-type.js'
import type { TableSchema } from '../../../../lib/model/schema.js'
import type { PoolerMode } from '../../../../lib/pool/pool-options.js'

/** A connector for the database of `url`, with some of its options changed. */
export async function connectorFor(
  url: string,
  changed: Partial<ServerConnection> = {},
  initSql: readonly string[] = [],
  pooler?: PoolerMode,
): Promise<PostgresConnector> {
  const given = connectionConfig({ url }) as ServerConnection
  return new PostgresConnector(await loadDriver(), postgresServer({ ...given, ...changed }), initSql, pooler)
}

/** A connection to the database of `url`. */
export async function openSession(url: string, pooler?: PoolerMode): Promise<PostgresConnection> {
  return (await connectorFor(url, {}, [], pooler)).open(deadlineAfter(5_000))
}

/** Runs `body` with a connection, closed afterwards. */
export async function withConnection(connector: PostgresConnector, body: (connection: PostgresConnection) => Promise<void>): Promise<void> {
  const connection = await connector.open(deadlineAfter(5_000))
  try {
    await body(connection)
  } finally {
    await connector.close(connection)
  }
}

/** The first value of the first row. */
export async function firstValue(connection: PostgresConnection, sql: string, ...parameters: unknown[]): Promise<unknown> {
  return (await connection.run({ sql, parameters })).rows[0]?.[0]
}

/** Makes a table of that name with a counter `position` and a column `value`. */
export async function createTableOf(connection: PostgresConnection, name: string, type: ColumnType): Promise<void> {
  const table: TableSchema = {
    name,
    columns: [
      { name: 'position', type: { kind: 'integer' }, nullable: false, default: { kind: 'increment' } },
      { name: 'value', type, nullable: true },
    ],
    primaryKey: { name: `${name}_pkey`, columns: ['position'] },
    uniques: [],
    indexes: [],
    foreignKeys: [],
    checks: [],
  }
  await connection.run({ sql: `drop table if exists "${name}"`, parameters: [] })
  for (const sql of plainSql(ddl([{ kind: 'createTable', table }]))) await connection.run({ sql, parameters: [] })
}
