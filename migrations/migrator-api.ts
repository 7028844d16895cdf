import type {
  BaselineDocument,
  DoctorDocument,
  DriftDocument,
  LockDocument,
  PullDocument,
  ResetDocument,
  RunDocument,
  ScriptDocument,
  SeedDocument,
  StatusDocument,
  VerifyDocument,
} from './documents.js'

/** Ends a method early: what runs is stopped on the server, and the state says how far it came. */
export interface SignalOption {
  readonly signal?: AbortSignal
}

export interface UpOptions extends SignalOption {
  /** Apply up to this id, and what it needs. Default: all. */
  readonly to?: string
  /** Apply at most so many. */
  readonly steps?: number
  /** Run nothing; say what would run. */
  readonly dryRun?: boolean
}

/** `steps` or `to` is required. */
export interface DownOptions extends SignalOption {
  /** Revert until this id is the last; itself stays. */
  readonly to?: string
  /** Revert so many, the last applied first. */
  readonly steps?: number
  /** Go on where reverting cannot bring data back. */
  readonly allowLossy?: boolean
  readonly dryRun?: boolean
}

export interface RedoOptions extends SignalOption {
  readonly allowLossy?: boolean
}

export interface StatusOptions extends SignalOption {
  /** Exit code 4, and so not ok, where any is pending. */
  readonly pendingFails?: boolean
}

export interface VerifyOptions extends SignalOption {
  /** Look at the files alone. */
  readonly offline?: boolean
}

export interface ResumeOptions extends SignalOption {
  /** The step to go on with, from 1. Default: the first that is not done. */
  readonly fromStep?: number
  /** Undo the steps that are done, where its down file has one step for each, instead of going on. */
  readonly rollback?: boolean
}

export interface MarkOptions extends SignalOption {
  /** Why, for the log. */
  readonly reason: string
}

/** What of a database is compared. */
export interface IgnoreOption {
  /** Tables, and columns, keys and constraints behind a `.`, that are left out: `audit_*`, `users.legacy_*`. `*` is any text, `?` any character. */
  readonly ignore?: readonly string[]
}

export interface DriftOptions extends SignalOption, IgnoreOption {
  /** A table that no snapshot has is drift too. Default false: it is listed. */
  readonly strict?: boolean
}

export interface BaselineOptions extends SignalOption, IgnoreOption {
  /** Go on where the database is not as the snapshot says; why, for the log. */
  readonly forceMismatch?: string
}

export interface SeedOptions extends SignalOption {
  /** What seeds are told, and what they are recorded for. Default `NODE_ENV`, else `development`. */
  readonly env?: string
  /** Run those too that were run for this environment. */
  readonly again?: boolean
  /** Ids of the ones to run. Default: all. */
  readonly only?: readonly string[]
}

export interface ResetOptions extends SignalOption {
  /** The database by its name, of SQLite the file's: who says it means it. */
  readonly yesDelete?: string
  /** As for {@link SeedOptions}; `production` is refused. */
  readonly env?: string
  /** Hosts beside this machine on which a database may be dropped. Default none. */
  readonly hosts?: readonly string[]
  /** End the sessions of others in the database, which keep it from being dropped else. */
  readonly terminate?: boolean
}

export interface PullOptions extends SignalOption {
  /** The folder to write to, from the working directory. Default `src/models`. */
  readonly out?: string
  /** Names of tables, `*` for any letters; `hr.*` for those of a schema beside the connection's own. Default: all of that. */
  readonly tables?: readonly string[]
  /** Write nothing; give the files. */
  readonly dryRun?: boolean
  /**
   * Where files are there. `never`: write nothing at all. `merge`: leave every model that the folder's files export as it is, and add those
   * that are missing. Default `never`.
   */
  readonly overwrite?: 'never' | 'merge'
}

export interface UnlockOptions extends SignalOption {
  /** End the session of the holder. */
  readonly terminate?: boolean
}

export interface ScriptOptions {
  /** Begin after this id. Default: at the first. */
  readonly from?: string
  /** End with this id. Default: the last. */
  readonly to?: string
}

/**
 * Applies migrations. Each method opens one connection of its own, outside of every pool, and closes it.
 *
 * What a method throws has its exit code by `exitCodeOf`; a {@link MigrationError} has its `document`. Every method also throws
 *
 * - {@link ConfigurationError} an option, or a driver that is missing;
 * - {@link ConnectionError} the database cannot be reached within `connectTimeoutMs`;
 * - {@link MigrationUsageError} the files make no sense, or a pooler stands before the server;
 * - {@link MigrationInterruptedError} the signal was aborted.
 */
export interface Migrator {
  /**
   * Applies what is pending, in order. Waits while another process does.
   *
   * @throws {MigrationHistoryError} files and history do not fit; nothing was run
   * @throws {MigrationLockError} the lock was not free within `lockTimeoutMs`; nothing was run
   * @throws {MigrationFailedError} a step failed, now or in an earlier run that nobody resumed
   */
  up(options?: UpOptions): Promise<RunDocument>
  /**
   * Reverts the last ones by their down files.
   *
   * @throws {MigrationDecisionError} one is lossy, and `allowLossy` was not given; nothing was run
   * @throws {MigrationUsageError} one has no down file; nothing was run
   */
  down(options: DownOptions): Promise<RunDocument>
  /** Reverts the last one and applies it again. Throws as both do. */
  redo(options?: RedoOptions): Promise<RunDocument>
  /** What is applied, pending and failed. Takes no lock and changes nothing. */
  status(options?: StatusOptions): Promise<StatusDocument>
  /** Whether files, snapshots and history fit together; exit code 6 where not. Takes no lock and changes nothing. */
  verify(options?: VerifyOptions): Promise<VerifyDocument>
  /** Goes on with a migration that is partly applied. Throws as {@link up} does. */
  resume(id: string, options?: ResumeOptions): Promise<RunDocument>
  /** Says what state a migration is in, where its state is wrong. Runs nothing of it. */
  mark(id: string, state: 'applied' | 'pending' | 'reverted', options: MarkOptions): Promise<RunDocument>
  /** Whether the database is as the snapshot of the last applied one says; exit code 5 where not. Takes no lock and changes nothing. */
  drift(options?: DriftOptions): Promise<DriftDocument>
  /**
   * Adopts a database that has everything up to `id` already: compares it with that one's snapshot, and writes down that it and all that it
   * follows are there. Runs nothing of them.
   *
   * @throws {MigrationDriftError} the database is not as the snapshot says; nothing was written
   * @throws {MigrationHistoryError} something is written down of one of them already
   */
  baseline(id: string, options?: BaselineOptions): Promise<BaselineDocument>
  /** What stands in the way of migrations here: versions, pooler, privileges, clock, settings, state. Exit code 2 where anything does. */
  doctor(options?: SignalOption): Promise<DoctorDocument>
  /** Who has the lock. */
  lock(options?: SignalOption): Promise<LockDocument>
  /**
   * Ends the session that has the lock, with `terminate`.
   *
   * @throws {MigrationLockError} somebody has it, and may not or cannot be ended
   */
  unlock(options?: UnlockOptions): Promise<LockDocument>
  /**
   * Runs the files of the folder of seeds, in the order of their names, each once an environment, in a transaction with its record.
   *
   * @throws {SeedFailedError} one threw; those before it stay
   */
  seed(options?: SeedOptions): Promise<SeedDocument>
  /**
   * Drops the database, makes it anew, and runs {@link up} and, where there is a folder of seeds, {@link seed}.
   *
   * @throws {MigrationDecisionError} its host is neither this machine nor among `hosts`, the environment is production, `yesDelete` does
   * not name it, or others are connected to it; nothing was dropped
   */
  reset(options?: ResetOptions): Promise<ResetDocument>
  /**
   * Writes a model for each table of the database, and says what of it no model can say. Takes no lock and changes nothing in the database.
   *
   * @throws {MigrationDecisionError} a file is there already; nothing was written
   */
  pull(options?: PullOptions): Promise<PullDocument>
  /** What {@link up} would run on a database that has everything up to `from`, as one text. Needs no connection. */
  script(options?: ScriptOptions): Promise<ScriptDocument>
}
