import type { Deadline } from '../deadline.js'
import type { Connection, Statement } from './connection.js'
import type { Examination } from './examination.js'
import type { DatabaseTarget, Recreation } from './recreation.js'

/** How a connection for migrations is opened. */
export interface MigrationOpening {
  /** The state table: its name is part of the lock's. */
  readonly table: string
  /** Where migrations run and their state stands; undefined: the connection's own schema. */
  readonly schema: string | undefined
  /** A reader changes nothing, and makes no SQLite file. */
  readonly access: 'read' | 'write'
  /** Make the database where the server has none of its name. */
  readonly createDatabase: boolean
  readonly allowSessionPooler: boolean
  readonly singleWriter: boolean
  readonly deadline: Deadline
  readonly signal: AbortSignal | undefined
}

/** Who has a lock of migrations; what the engine does not tell is null. */
export interface MigrationLockHolder {
  /** Of its session, or of its process on SQLite. */
  readonly id: string
  readonly application: string | null
  readonly user: string | null
  readonly host: string | null
  /** ISO 8601 in UTC: of the session's beginning. */
  readonly since: string | null
  /** What the session does, such as `active`; never its SQL. */
  readonly activity: string | null
}

/**
 * The one connection of a run of migrations, outside of every pool. It holds the lock and runs every statement, so that no statement
 * of a run goes on when its lock is free. Throws what the driver throws.
 */
export interface MigrationSession {
  readonly connection: Connection
  /** As the server gives it; of SQLite the file. */
  readonly database: string
  /** False: it is yet to be made, and is looked at as an empty one. */
  readonly isMade: boolean
  /** The schema that state tables are written with; undefined where the engine has none. */
  readonly schema: string | undefined
  /** Milliseconds between two tries to get the lock, give or take a fifth. */
  readonly lockPollMs: number
  /** Takes the lock if nobody has it; never waits on the server for whoever has. */
  tryLock(): Promise<boolean>
  unlock(): Promise<void>
  /** Undefined: it is free. */
  holder(): Promise<MigrationLockHolder | undefined>
  /** Ends the session of a holder; false where that cannot be done from here. */
  endHolder(holder: MigrationLockHolder): Promise<boolean>
  /** Undoes what steps may have set for the session, the lock excepted. */
  renew(): Promise<void>
  /** Ends it, whatever runs. Settles within a second or so; never throws. */
  close(): Promise<void>
}

/** What a statement that ran outside of a transaction leaves in the database when it fails. */
export interface Leftover {
  /** Gives a row where it is there. */
  readonly find: Statement
  /** Removes it, outside of a transaction. */
  readonly remove: string
  /** In words, such as `invalid index "users_email_idx"`. */
  readonly what: string
}

/** What the database says of a step that failed: names of things, and no literals of its data. */
export interface StepError {
  /** SQLSTATE, errno or result code. */
  readonly code: string | undefined
  readonly message: string
  /** Where in the statement, in characters from 0. */
  readonly offset: number | undefined
  /** The statement cannot be in a transaction; nothing of it has run. */
  readonly needsNoTransaction: boolean
}

/** A database in memory without rows, in which what migrations leave of a schema can be seen before they run. */
export interface ScratchDatabase extends AsyncDisposable {
  readonly connection: Connection
}

/** A table that is made anew with all its rows, since its engine cannot alter it so. */
export interface TableRebuild {
  /**
   * @param like  has the schema that it is to have; undefined: none
   * @throws {DriverMissingError} the driver's package is not installed
   */
  openScratch(like?: Pick<Connection, 'run'>): Promise<ScratchDatabase>
  /** Before the transaction of a migration that rebuilds tables. */
  readonly before: readonly string[]
  /** After it, however it ended. */
  readonly after: readonly string[]
  /**
   * All statements that rebuild a table as the database is now, in a transaction.
   *
   * @param statements of the step: the new table under a name of its own, and its rows
   */
  statements(connection: Pick<Connection, 'run'>, table: string, statements: readonly string[]): Promise<readonly string[]>
  /**
   * Statements for a script, which cannot look: behind the step and before the old table is dropped, they fail where rows were lost.
   */
  rowCheck(table: string): readonly string[]
  /** At the end of the transaction: they fail where a row of the table, or one that refers to it, has lost the row it refers to. */
  keyCheck(table: string): readonly string[]
  /**
   * Runs them, in a transaction.
   *
   * @throws {QueryError} rows were lost
   */
  run(connection: Pick<Connection, 'run'>, table: string, statements: readonly string[]): Promise<void>
  /**
   * Checks the foreign keys of tables that were rebuilt and of those that refer to them.
   *
   * @param tables undefined: of all tables
   * @throws {QueryError} a row refers to one that is not there
   */
  check(connection: Pick<Connection, 'run'>, tables: readonly string[] | undefined): Promise<void>
}

/** What differs by engine where migrations run. */
export interface MigrationParts {
  /** Whether a statement can be in a transaction and is undone with it; else it is committed by itself. */
  isTransactional(statement: string): boolean
  /** Limits how long what follows waits for locks on tables: a transaction that has begun, or one statement outside. */
  limitLockWait(ms: number, statement?: string): readonly string[]
  /** Of a statement that runs outside of a transaction; undefined: nothing that could be removed. */
  leftoverOf(statement: string): Leftover | undefined
  /** A statement as the engine's own client program reads it from a file, with what ends it. */
  inScript(statement: string): string
  describe(error: unknown): StepError
  /** Whether a statement that is committed by itself does all or nothing. */
  isAtomic(statement: string): boolean
  /** Whether an error of a statement that may have run before says that it has: what it makes is there, what it drops is not. */
  isDoneAlready(error: unknown, statement: string): boolean
  /** Undefined: the engine alters its tables. */
  readonly rebuild?: TableRebuild
  /** Whether the session that has the lock can be ended from another one. */
  readonly endsHolders: boolean
  /** The package that drives the engine, and the smallest version of it that is supported. */
  readonly driver: { readonly name: string; readonly smallest: string }
  /** Whether server, user and settings are fit for migrations. Changes nothing. */
  examine(connection: Connection): Promise<readonly Examination[]>
  /**
   * Opens the connection of a run.
   *
   * @throws {DriverMissingError} the driver's package is not installed
   * @throws {ConnectionError} no connection before the deadline
   * @throws {PoolerModeError} a pooler stands before the server
   * @throws {UnsupportedError} an in-memory database, or nodes that do not see each other's locks
   * @throws {ConfigurationError} the connection has no database or schema
   * @throws {AbortedError} the signal was aborted first
   */
  open(opening: MigrationOpening): Promise<MigrationSession>
  /** Whether {@link open} threw this since the server has no database of the name. */
  saysNoDatabase(error: unknown): boolean
  /** The database that {@link open} leads to; `schema` as of an opening. */
  target(schema: string | undefined): DatabaseTarget
  /**
   * Drops the database with all that is in it and makes it anew, unless others are connected to it. Throws as {@link open} does.
   *
   * @param terminate  end the sessions of others first, where the engine can
   */
  recreate(opening: MigrationOpening, terminate: boolean): Promise<Recreation>
}

/** The first words of a statement in lower case, without comments and with one space between. */
export function leadingWords(statement: string, count: number): string {
  const bare = statement.slice(0, 2_000).replace(/\/\*(?!M?!)[\s\S]*?\*\/|--[^\n]*|#[^\n]*/g, ' ')
  return bare.trim().toLowerCase().split(/\s+/, count).join(' ')
}
