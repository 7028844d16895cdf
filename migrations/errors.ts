import {
  AbortedError,
  ConfigurationError,
  ConnectionError,
  ConnectionLostError,
  DriverMissingError,
  LatchworkError,
  LockTimeoutError,
  ModelError,
  PoolerModeError,
  UnsupportedError,
} from '../lib/errors.js'
import type { DriftReport, FailedMigration, FailedSeed, HistoryProblem, LockHolder, MigrationDocument } from './documents.js'
import type { ExitCode } from './exit-code.js'

/**
 * What migrations throw, beside the errors of a connection. All extend {@link MigrationError}.
 *
 * | code                  | class                     | exit code | the database                                  |
 * |-----------------------|---------------------------|-----------|-----------------------------------------------|
 * | MIGRATION_USAGE       | MigrationUsageError       | 2         | untouched                                     |
 * | MIGRATION_DECISION    | MigrationDecisionError    | 3         | untouched                                     |
 * | MIGRATION_DRIFT       | MigrationDriftError       | 5         | untouched                                     |
 * | MIGRATION_HISTORY     | MigrationHistoryError     | 6         | untouched                                     |
 * | MIGRATION_LOCK        | MigrationLockError        | 7         | untouched                                     |
 * | MIGRATION_FAILED      | MigrationFailedError      | 8 or 9    | as before the migration, or partly applied    |
 * | SEED_FAILED           | SeedFailedError           | 8 or 9    | as before the seed, or partly changed         |
 * | MIGRATION_INTERRUPTED | MigrationInterruptedError | 130       | as the state says                             |
 */
export abstract class MigrationError extends LatchworkError {
  abstract readonly exitCode: ExitCode
  /** The next commands, most likely first. */
  readonly next: readonly string[]
  /** What the method would have given: the `--json` of the command. Set by the migrator. */
  document: MigrationDocument | undefined

  constructor(message: string, next: readonly string[] = [], options?: ErrorOptions) {
    super(message, options)
    this.next = next
    // long, and said in the message
    Object.defineProperty(this, 'document', { value: undefined, writable: true, enumerable: false, configurable: true })
  }
}

/** The files, or what was asked for, make no sense. Nothing was run. */
export class MigrationUsageError extends MigrationError {
  readonly code = 'MIGRATION_USAGE'
  readonly exitCode = 2
  /** Path of the file at fault. */
  readonly file: string | undefined
  /** Line in it, from 1. */
  readonly line: number | undefined

  constructor(message: string, place: { readonly file?: string; readonly line?: number } = {}, next?: readonly string[]) {
    super(place.file === undefined ? message : `${place.file}${place.line === undefined ? '' : `:${place.line}`}: ${message}`, next)
    this.file = place.file
    this.line = place.line
  }
}

/** What was asked for loses data, or may be meant in two ways, and needs a word. Nothing was run. */
export class MigrationDecisionError extends MigrationError {
  readonly code = 'MIGRATION_DECISION'
  readonly exitCode = 3
}

/** The database is not as the snapshot says. Nothing was run and nothing was written. */
export class MigrationDriftError extends MigrationError {
  readonly code = 'MIGRATION_DRIFT'
  readonly exitCode = 5

  constructor(
    message: string,
    readonly report: DriftReport,
    next?: readonly string[],
  ) {
    super(message, next)
  }
}

/** The files on disk and what the database says was applied do not fit together. Nothing was run. */
export class MigrationHistoryError extends MigrationError {
  readonly code = 'MIGRATION_HISTORY'
  readonly exitCode = 6

  constructor(
    /** All that does not fit. */
    readonly problems: readonly HistoryProblem[],
    next?: readonly string[],
  ) {
    super(`${problems.map(({ message }) => message).join('; ')}; nothing was run`, next)
  }
}

/** Another process had the lock for longer than `lockTimeoutMs`. Nothing was run. */
export class MigrationLockError extends MigrationError {
  readonly code = 'MIGRATION_LOCK'
  readonly exitCode = 7
  override readonly retryable = true

  constructor(
    message: string,
    readonly holder: LockHolder | undefined,
    next?: readonly string[],
  ) {
    super(message, next)
  }
}

/** A step failed. `failed` says which one, and whether anything of its migration stayed. */
export class MigrationFailedError extends MigrationError {
  readonly code = 'MIGRATION_FAILED'
  readonly exitCode: 8 | 9
  readonly failed: FailedMigration

  constructor(message: string, failed: FailedMigration, next: readonly string[], options?: ErrorOptions) {
    super(message, next, options)
    this.failed = failed
    this.exitCode = failed.databaseUnchanged === true ? 8 : 9
  }
}

/** A seed threw. `failed` says which one, and whether anything of it stayed. */
export class SeedFailedError extends MigrationError {
  readonly code = 'SEED_FAILED'
  readonly exitCode: 8 | 9
  readonly failed: FailedSeed

  constructor(message: string, failed: FailedSeed, next: readonly string[], options?: ErrorOptions) {
    super(message, next, options)
    this.failed = failed
    this.exitCode = failed.databaseUnchanged === true ? 8 : 9
  }
}

/** The signal was aborted. What had been applied stays; the state in the database says how far it came. */
export class MigrationInterruptedError extends MigrationError {
  readonly code = 'MIGRATION_INTERRUPTED'
  readonly exitCode = 130
  /** The migration that was under way; undefined: none was. */
  readonly failed: FailedMigration | undefined

  constructor(message: string, failed: FailedMigration | undefined, next: readonly string[], options?: ErrorOptions) {
    super(message, next, options)
    this.failed = failed
  }
}

/** Errors of the floors below, first match. */
const BY_CLASS: readonly (readonly [errorClass: abstract new (...values: never[]) => Error, exitCode: ExitCode])[] = [
  [ConfigurationError, 2],
  [DriverMissingError, 2],
  [ModelError, 2],
  [PoolerModeError, 2],
  [UnsupportedError, 2],
  [LockTimeoutError, 7],
  [ConnectionError, 10],
  [ConnectionLostError, 10],
  [AbortedError, 130],
]

/** The exit code of whatever a migrator threw. */
export function exitCodeOf(error: unknown): ExitCode {
  if (error instanceof MigrationError) return error.exitCode
  return BY_CLASS.find(([errorClass]) => error instanceof errorClass)?.[1] ?? 1
}
