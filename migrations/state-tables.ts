import { plainSql } from '../lib/dialect/ddl-statement.js'
import type { Dialect } from '../lib/dialect/dialect.js'
import type { MigrationDialect } from '../lib/dialect/migration-dialect.js'
import type { ColumnType } from '../lib/model/column-type.js'
import type { ColumnSchema, TableSchema } from '../lib/model/schema.js'

/** The version of the state tables; `_latchwork_meta` says which one a database has. */
export const STATE_VERSION = 1

/** The tables in which a database keeps what was applied to it. */
export interface StateTables {
  readonly migrations: TableSchema
  /** A row an attempt; nothing is ever changed or deleted. */
  readonly log: TableSchema
  /** How the engine writes defaults, checks and expressions of ours, for the search for drift. */
  readonly expressions: TableSchema
  readonly seeds: TableSchema
  /** What a repeatable was when it ran. */
  readonly repeatables: TableSchema
  /** Made last: where it is, all are. */
  readonly meta: TableSchema
}

const TEXT: ColumnType = { kind: 'text' }
const INTEGER: ColumnType = { kind: 'integer' }
const BIGINT: ColumnType = { kind: 'bigint' }
const INSTANT: ColumnType = { kind: 'timestamp', precision: 3 }
const varchar = (length: number): ColumnType => ({ kind: 'varchar', length })
const column = (name: string, type: ColumnType): ColumnSchema => ({ name, type, nullable: false })
const optional = (name: string, type: ColumnType): ColumnSchema => ({ name, type, nullable: true })

const WHO: readonly ColumnSchema[] = [column('tool_version', varchar(40)), column('actor', varchar(200)), column('host', varchar(200))]
const ERROR: readonly ColumnSchema[] = [optional('error_code', varchar(40)), optional('error_text', TEXT)]

/** @param name of the first of them; the others are named after it */
export function stateTables(name: string, schema: string | undefined): StateTables {
  const stem = name.replace(/_?migrations$/, '') || name
  const table = (own: string, columns: readonly ColumnSchema[], key: readonly string[]): TableSchema => ({
    name: own,
    ...(schema === undefined ? {} : { schema }),
    columns,
    primaryKey: { name: `${own}_pkey`, columns: key },
    uniques: [],
    indexes: [],
    foreignKeys: [],
    checks: [],
  })
  return {
    migrations: table(
      name,
      [
        column('id', varchar(60)),
        optional('checksum', varchar(64)),
        column('state', varchar(20)),
        column('steps_total', INTEGER),
        column('steps_done', INTEGER),
        optional('step_hashes', TEXT),
        optional('checkpoint', TEXT),
        column('started_at', INSTANT),
        optional('finished_at', INSTANT),
        optional('duration_ms', BIGINT),
        ...WHO,
        ...ERROR,
      ],
      ['id'],
    ),
    log: table(
      `${stem}_migration_log`,
      [
        { ...column('id', BIGINT), default: { kind: 'increment' } },
        column('migration', varchar(60)),
        column('action', varchar(20)),
        column('outcome', varchar(20)),
        optional('step', INTEGER),
        column('at', INSTANT),
        column('duration_ms', BIGINT),
        optional('reason', TEXT),
        ...WHO,
        ...ERROR,
      ],
      ['id'],
    ),
    expressions: table(
      `${stem}_expressions`,
      [column('object', varchar(200)), column('logical_hash', varchar(64)), column('as_stored', TEXT)],
      ['object'],
    ),
    seeds: table(`${stem}_seeds`, [column('id', varchar(200)), column('env', varchar(60)), column('at', INSTANT)], ['id', 'env']),
    repeatables: table(`${stem}_repeatables`, [column('id', varchar(60)), column('checksum', varchar(64)), column('at', INSTANT)], ['id']),
    meta: table(`${stem}_meta`, [column('version', INTEGER)], ['version']),
  }
}

/** The statements that make the tables, in order. */
export function createStatements(
  tables: StateTables,
  dialect: MigrationDialect,
): readonly { readonly table: TableSchema; readonly sql: string }[] {
  const all = [tables.migrations, tables.log, tables.expressions, tables.seeds, tables.repeatables, tables.meta]
  return all.flatMap((table) => plainSql(dialect.ddl([{ kind: 'createTable', table }])).map((sql) => ({ table, sql })))
}

/** Encodes and decodes the values of a state table by column. */
export class RowCodec {
  readonly #codecs: ReadonlyMap<string, ReturnType<Dialect['codec']>>

  constructor(table: TableSchema, dialect: Dialect) {
    this.#codecs = new Map(table.columns.map(({ name, type }) => [name, dialect.codec(type, 'number')]))
  }

  encode(row: Readonly<Record<string, unknown>>): Record<string, unknown> {
    return this.#each(row, 'encode')
  }

  /** @param values in the order of the columns */
  decode(columns: readonly string[], values: readonly unknown[]): Record<string, unknown> {
    return this.#each(Object.fromEntries(columns.map((name, at) => [name, values[at]])), 'decode')
  }

  #each(row: Readonly<Record<string, unknown>>, way: 'encode' | 'decode'): Record<string, unknown> {
    return Object.fromEntries(
      Object.entries(row).map(([name, value]) => {
        const code = this.#codecs.get(name)?.[way]
        return [name, value === null || value === undefined || code === undefined ? (value ?? null) : code(value)]
      }),
    )
  }
}
