import type { AliasedRawBuilder, DatabaseIntrospector, DialectAdapter, Expression, Kysely, QueryCompiler, RawBuilder } from 'kysely'
import type { Deadline } from '../deadline.js'
import type { LatchworkError } from '../errors.js'
import type { BigintMode, ColumnType } from '../model/column-type.js'
import type { SchemaChange } from '../model/schema-change.js'
import type { PoolOpening } from '../pool/borrow-request.js'
import type { Pool } from '../pool/pool.js'
import type { PoolOptions } from '../pool/pool-options.js'
import type { SqlTraits } from '../sql-text.js'
import type { Capabilities } from './capabilities.js'
import type { Connection, Statement, StatementResult } from './connection.js'
import type { DdlStatement } from './ddl-statement.js'
import type { JsonExpressions } from './json-expressions.js'

export type {
  Beginning,
  Connection,
  Reread,
  ResultColumn,
  RowBatch,
  RowCursor,
  Statement,
  StatementResult,
} from './connection.js'

export type Engine = 'postgres' | 'mysql' | 'sqlite'

/** What a driver says of a statement that failed, in words that may hold values. Only for errors that may: see `debugValues`. */
export interface DriverWords {
  readonly message: string
  /** PostgreSQL: more on the error, such as the key that is taken. */
  readonly detail?: string
  /** PostgreSQL: what might help. */
  readonly hint?: string
  /** PostgreSQL: where in the server's work, from inside a function. */
  readonly where?: string
  /** MySQL, MariaDB: the server's own message. */
  readonly sqlMessage?: string
  /** Of a statement with {@link Statement.repeat}: the values of the run that failed. */
  readonly parameters?: readonly unknown[]
}

/** How a field's value goes to the driver and comes back; a missing function means: as it is. Never called with null. */
export interface Codec {
  readonly encode?: (value: unknown) => unknown
  readonly decode?: (value: unknown) => unknown
  /** The value read may pass 2^53: see {@link Statement.exactIntegers}. */
  readonly exactIntegers?: boolean
}

export type IsolationLevel = 'read uncommitted' | 'read committed' | 'repeatable read' | 'serializable'

export interface BeginOptions {
  readonly isolation?: IsolationLevel | undefined
  readonly readOnly?: boolean | undefined
}

/** Whether the rows that a SELECT reads are locked for a change, or only against one. */
export type LockMode = 'update' | 'share'

/** What becomes of a SELECT that finds a row locked: it waits, leaves the row out, or fails with a {@link LockTimeoutError}. */
export type LockWait = 'wait' | 'skip' | 'fail'

/** A bound value on its way into a statement: position in the call's list of parameters. */
export type Bound = Expression<unknown>

/** The parts of a statement that engines write differently. `column` is a column reference. */
export interface Expressions {
  /** One bound value that holds a whole list of encoded values; undefined: bind one value each. */
  encodeList(values: readonly unknown[], type: ColumnType): unknown
  /** `column` is one of a list, which is bound as {@link encodeList} says. */
  inList(column: Expression<unknown>, list: Bound | readonly Bound[], type: ColumnType): RawBuilder<boolean>
  /** SQL LIKE with `\` as escape, case-sensitive unless `ignoreCase`. `encodeLike` turns a pattern into what is bound. */
  like(column: Expression<unknown>, pattern: Bound, ignoreCase: boolean, type?: ColumnType): RawBuilder<boolean>
  encodeLike(pattern: string, ignoreCase: boolean): string
  /** The engine's own regular expressions. Throws {@link UnsupportedError} where it has none. */
  regex(column: Expression<unknown>, pattern: Bound, type?: ColumnType): RawBuilder<boolean>
  /** What stands at a path of a JSON column. */
  readonly json: JsonExpressions
  /** Whether an array column has every element of an encoded array. */
  hasEvery(column: Expression<unknown>, list: Bound, type: ColumnType): RawBuilder<boolean>
  /** Whether it has one. All of them come in one encoded array, or each in one of its own where {@link searchesEach} says so. */
  hasSome(column: Expression<unknown>, lists: readonly Bound[], type: ColumnType): RawBuilder<boolean>
  readonly searchesEach: boolean
  /** What is compared and sorted for an order on this type; the column itself nearly everywhere. */
  ordered(value: Expression<unknown>, type: ColumnType): Expression<unknown>
  /** What differs for values that the engine takes for equal and that are not written alike, such as texts of a collation that knows no case. */
  bytesOf(value: Expression<unknown>): RawBuilder<unknown>
  /** A bound value, cast where the engine would else guess its type. */
  bound(value: Bound, type: ColumnType): Expression<unknown>
  /** `column` plus, minus or times a bound number. Throws {@link UnsupportedError} where it cannot be exact. */
  arithmetic(column: Expression<unknown>, operator: '+' | '-' | '*', operand: Bound, type: ColumnType): Expression<unknown>
  /** A sum, average or extreme of a column. A sum is exact; that of a decimal has its scale. An average is a double. */
  aggregate(name: 'sum' | 'avg' | 'min' | 'max', column: Expression<unknown>, type: ColumnType): RawBuilder<unknown>
  /** Whether a value of this type would not be the same after it was overwritten with the other, null being a value like any other. */
  isDistinct(left: Expression<unknown>, right: Expression<unknown>, type: ColumnType): RawBuilder<boolean>
  /** The end of a SELECT that locks its rows; undefined where the transaction keeps all other writers out (SQLite). */
  rowLock(mode: LockMode, wait: LockWait): RawBuilder<unknown> | undefined
  /** In the RETURNING of an upsert: 1 where the row was inserted. Only where {@link Capabilities.upsert} is `'onConflict'`. */
  readonly rowWasInserted?: RawBuilder<unknown>
  /** How far apart the numbers are that the counter gives to the rows of one INSERT. Only where {@link Capabilities.insertReturning} is not. */
  readonly counterStep?: RawBuilder<unknown>
  /** One bound array a column, with as many entries as there are rows. Only where {@link Capabilities.bulkInsert} is `'arrays'`. */
  arrays?: BulkArrays
}

/** A column of rows that are bound as one array a column. */
export interface BulkColumn {
  readonly type: ColumnType
  readonly array: Bound
  /** Where the types of the column's table live; undefined: in the connection's own schema. */
  readonly schema: string | undefined
}

/** Rows as one array a column: one statement whatever their number. */
export interface BulkArrays {
  /** What is bound for a column's encoded values. */
  encode(values: readonly unknown[], type: ColumnType): unknown
  /** A table `name` of the rows, its columns `c0`, `c1`, … of the given types, in input order. */
  table(name: string, columns: readonly BulkColumn[]): AliasedRawBuilder<Record<string, unknown>, string>
}

/**
 * From a constraint's name or columns to the model's words. Built once a database from the models' schema. `schema` is where the
 * database says that the table stands; of one that no model names, that is the connection's own.
 */
export interface ConstraintCatalogue {
  byName(constraint: string, table?: string, schema?: string): ConstraintOrigin | undefined
  byColumns(table: string, columns: readonly string[], schema?: string): ConstraintOrigin | undefined
}

export interface ConstraintOrigin {
  readonly model: string
  readonly fields: readonly string[]
  readonly constraint: string | undefined
}

/** A key or constraint as the database calls it. One of `columns` and `sql` is set. */
export interface StoredConstraint {
  /** Undefined: the connection's own. */
  readonly schema?: string | undefined
  readonly table: string
  readonly name: string
  readonly columns?: readonly string[]
  /** Of a check, where the catalogue does not tell its columns. */
  readonly sql?: string
}

/** How the engine tells what it would do for a SELECT, INSERT, UPDATE or DELETE. */
export interface PlanQuestion {
  /**
   * The statement that asks for the plan of another one, with the same bound values.
   *
   * @param isRun  the statement is run as well, and what it took is told with the plan
   * @throws {UnsupportedError} the engine does not measure
   */
  ask(sql: string, isRun: boolean): string
  /**
   * The engine's own answer as plain data; as text where it gives none.
   *
   * @throws {UnsupportedError} the engine does not measure this statement
   */
  read(rows: StatementResult['rows']): unknown
}

/**
 * A session beside the pool that holds locks of the database, many at a time, each for one caller of this process. They are
 * free when they are unlocked or the session ends, however that comes about. Callers send it one request at a time. Throws what
 * the driver throws.
 */
export interface LockSession {
  /**
   * Takes a lock if nobody has it; never waits for whoever has. Any text is a name, and another text is another lock. Asking
   * for one that this session has already is the caller's mistake: engines differ in what they answer.
   */
  tryLock(name: string): Promise<boolean>
  /** @throws {ConnectionLostError} the session did not have the lock any more */
  unlock(name: string): Promise<void>
  /** Who has a lock that {@link tryLock} did not get, for messages; undefined where nobody has it or the engine does not tell. */
  holderOf(name: string): Promise<string | undefined>
  /** Settles when the session answers, and so still has its locks. */
  ping(): Promise<void>
  /** Called once, at the latest soon after the session has ended and nobody here had asked for it. */
  onLost(listener: (error: Error) => void): void
  /** Frees what it holds, even while it waits for an answer. Settles within a second; never throws. */
  close(): Promise<void>
}

/**
 * The statements of a list of changes, in order. The only place of the engine that writes DDL.
 *
 * @throws {ModelError} the engine cannot have what a change asks for
 */
export type DdlWriter = (changes: readonly SchemaChange[]) => readonly DdlStatement[]

/** Everything that differs by engine, and nothing else. A new engine is one of these. */
export interface Dialect {
  readonly engine: Engine
  /** What the engine can do; where that depends on the server, what all of them can until {@link meet} was told of one. */
  readonly capabilities: Capabilities
  /** Learns from a pool, which has had a connection, what its server can do. Undefined: nothing depends on the server. */
  readonly meet?: ((pool: Pool<Connection>) => void) | undefined
  readonly expressions: Expressions

  /** Readable target without a secret, such as `postgres:127.0.0.1:5432/shop`. */
  readonly target: string
  /** The whole normalised connection configuration, secrets included: only ever hashed into a pool key. */
  readonly identity: unknown

  /** Refuses pool options that this database cannot have: throws a {@link ConfigurationError}, before any I/O. */
  readonly checkPoolOptions?: ((options: PoolOptions) => void) | undefined

  createQueryCompiler(): QueryCompiler
  createAdapter(): DialectAdapter
  // biome-ignore lint/suspicious/noExplicitAny: Kysely's own signature
  createIntrospector(db: Kysely<any>): DatabaseIntrospector

  /**
   * Loads the driver and opens a pool called `name` with at least one connection in it.
   *
   * @throws {DriverMissingError} the driver's package is not installed
   * @throws {ConnectionError} no connection could be made within `acquireTimeoutMs`
   */
  openPool(name: string, options: PoolOptions, opening: PoolOpening): Promise<Pool<Connection>>

  /**
   * Opens a session for locks that all processes on this database see. The caller has asked the budget for its connection. A dial
   * is broken off when `signal` is aborted.
   *
   * @throws {DriverMissingError} the driver's package is not installed
   * @throws {ConnectionError} no connection could be made before `deadline`
   * @throws {PoolerModeError} a pooler in transaction mode gives no session
   * @throws {UnsupportedError} an in-memory SQLite database: no other process sees it
   * @throws {AbortedError} the signal was aborted first; nothing stays open
   */
  openLockSession(options: PoolOptions, deadline: Deadline, signal?: AbortSignal): Promise<LockSession>

  codec(type: ColumnType, bigintMode: BigintMode): Codec
  /** How it reads SQL text that somebody else wrote. */
  readonly sqlTraits: SqlTraits
  readonly planQuestion: PlanQuestion
  /** Statements that begin a transaction. */
  begin(options: BeginOptions): readonly string[]
  /** The typed error for what the driver threw; errors of ours pass through. Bound values never reach it. */
  toDataError(error: unknown, catalogue: ConstraintCatalogue): LatchworkError
  /** All that the driver says of what it threw, values and all. */
  wordsOf(error: unknown): DriverWords
  /** Whether an error of the driver says that its connection is of no more use. */
  evicts(error: unknown): boolean
  /** A statement that gives a row if a table or view of this name is there. */
  tableExists(table: { readonly schema?: string; readonly name: string }): Statement
  /** The keys and constraints of tables of these names, as the database calls them; those alone whose columns its errors do not say. */
  storedConstraints(connection: Pick<Connection, 'run'>, tables: readonly string[]): Promise<readonly StoredConstraint[]>
  /** Loads what writes DDL: an application that creates no tables has no use for it. */
  loadDdl(): Promise<DdlWriter>
}
