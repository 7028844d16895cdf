import { types } from 'node:util'
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Driver,
  DummyDriver,
  Kysely,
  type Dialect as KyselyDialect,
  type QueryResult,
} from 'kysely'
import type { Dialect, Statement, StatementResult } from '../lib/dialect/dialect.js'
import { UnsupportedError } from '../lib/errors.js'

/** Runs one statement on the connection of a run. */
export type RunStatement = (statement: Statement) => Promise<StatementResult>

/** Kysely on tables that no model describes: values go and come as the engine's plain driver has them. */
// biome-ignore lint/suspicious/noExplicitAny: a migration sees the database of its day, for which there are no types
export type AnyKysely = Kysely<any>

/** A Kysely that compiles statements and never runs them. */
export function compilerFor(dialect: Dialect): AnyKysely {
  return new Kysely({ dialect: partsOf(dialect, () => new DummyDriver()) })
}

/**
 * Kysely on the one connection of a run.
 *
 * @param instead  of a transaction of its own, in words
 */
export function sessionKysely(dialect: Dialect, run: RunStatement, instead = 'batch() runs one for each batch'): AnyKysely {
  return new Kysely({ dialect: partsOf(dialect, () => new SessionDriver(dialect, run, instead)) })
}

function partsOf(dialect: Dialect, createDriver: () => Driver): KyselyDialect {
  return {
    createDriver,
    createQueryCompiler: () => dialect.createQueryCompiler(),
    createAdapter: () => dialect.createAdapter(),
    createIntrospector: (db) => dialect.createIntrospector(db),
  }
}

class SessionDriver implements Driver {
  readonly #dialect: Dialect
  readonly #connection: SessionConnection
  readonly #instead: string

  constructor(dialect: Dialect, run: RunStatement, instead: string) {
    this.#dialect = dialect
    this.#instead = instead
    this.#connection = new SessionConnection(dialect, run)
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    return this.#connection
  }

  async releaseConnection(): Promise<void> {}

  /** A transaction is the run's: what is written down of it is in it. */
  async beginTransaction(): Promise<never> {
    throw new UnsupportedError('a transaction of its own in a migration', this.#dialect.engine, this.#instead)
  }

  async commitTransaction(): Promise<void> {}

  async rollbackTransaction(): Promise<void> {}

  async destroy(): Promise<void> {}
}

class SessionConnection implements DatabaseConnection {
  readonly #run: RunStatement
  readonly #encode: (value: unknown) => unknown

  constructor(dialect: Dialect, run: RunStatement) {
    this.#run = run
    this.#encode = plainBinding(dialect)
  }

  async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
    const result = await this.#run({ sql, parameters: parameters.map(this.#encode) })
    const columns = await result.columns()
    const rows = result.rows.map((values) =>
      Object.fromEntries(
        columns.map(({ name, decode }, at) => [name, values[at] === null || decode === undefined ? values[at] : decode(values[at])]),
      ),
    )
    return { rows: rows as R[], numAffectedRows: BigInt(result.affectedRows) }
  }

  // biome-ignore lint/correctness/useYield: it gives nothing but the refusal
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('stream() is not there on the connection of a run')
  }
}

/** Values that not every driver takes, as a field of their type would be bound. */
function plainBinding(dialect: Dialect): (value: unknown) => unknown {
  const encodeDate = dialect.codec({ kind: 'timestamp', precision: 3 }, 'bigint').encode
  const encodeBoolean = dialect.codec({ kind: 'boolean' }, 'bigint').encode
  return (value) => {
    if (typeof value === 'boolean') return encodeBoolean === undefined ? value : encodeBoolean(value)
    if (types.isDate(value) && !Number.isNaN(value.getTime())) return encodeDate === undefined ? value : encodeDate(value)
    return value
  }
}
