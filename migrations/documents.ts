import type { Engine } from '../lib/dialect/dialect.js'
import type { ExitCode } from './exit-code.js'

/** The version of every document. It changes when a reader of the last one would misread the next. */
export const DOCUMENT_SCHEMA = 'latchwork.migrate/1'

export type MigrationCommand =
  | 'up'
  | 'down'
  | 'redo'
  | 'status'
  | 'verify'
  | 'resume'
  | 'mark'
  | 'lock'
  | 'unlock'
  | 'script'
  | 'drift'
  | 'baseline'
  | 'doctor'
  | 'seed'
  | 'reset'
  | 'pull'

/** What every method of a migrator gives: plain data, the `--json` of its command. */
export interface MigrationDocument {
  readonly schema: typeof DOCUMENT_SCHEMA
  readonly command: MigrationCommand
  readonly dialect: Engine
  /** The database's name, of SQLite its file; null where it was not reached. */
  readonly database: string | null
  readonly ok: boolean
  readonly exitCode: ExitCode
  /** Why it is not ok; without values and secrets. */
  readonly error: { readonly code: string; readonly message: string } | null
  /** Null: the command needs no lock, or did not come to it. */
  readonly lock: { readonly waitedMs: number } | null
  /** What to run next, most likely first. */
  readonly next: readonly string[]
  readonly warnings: readonly string[]
}

/** A migration that was applied or reverted in this run. */
export interface RanMigration {
  readonly id: string
  readonly ms: number
  readonly steps: number
}

/** Where a migration stopped. */
export interface FailedMigration {
  readonly id: string
  readonly direction: 'up' | 'down'
  /** The step that failed, from 1. */
  readonly step: number
  readonly stepsTotal: number
  /** Steps of it that are done and stay. */
  readonly stepsDone: number
  /** Path of its file, from the working directory. */
  readonly file: string
  /** Of the step in it, or of the place that the database names, from 1; null where that is not known. */
  readonly line: number | null
  /** The step's SQL on one line, at most 200 characters, literals as `?`; null for `data.ts`. */
  readonly sqlPreview: string | null
  /** SQLSTATE, errno or result code; null where the database gave none. */
  readonly code: string | null
  readonly message: string
  /** Whether the database is as it was before this migration; null: its answer was lost, and nobody can say. */
  readonly databaseUnchanged: boolean | null
}

/** What a dry run would do to one migration. */
export interface PlannedMigration {
  readonly id: string
  readonly direction: 'up' | 'down'
  /** In the order they would run, transaction control included. */
  readonly statements: readonly string[]
}

/** Of `up`, `down`, `redo`, `resume` and `mark`. */
export interface RunDocument extends MigrationDocument {
  readonly command: 'up' | 'down' | 'redo' | 'resume' | 'mark'
  readonly applied: readonly RanMigration[]
  readonly reverted: readonly RanMigration[]
  readonly failed: FailedMigration | null
  /** Not applied at the end, in the order in which they would be. */
  readonly pending: readonly string[]
  /** Repeatables that `up` has run, in order. */
  readonly repeated: readonly RanMigration[]
  /** What a dry run would have run; null: it was none. */
  readonly planned: readonly PlannedMigration[] | null
}

/** What the state table says of a migration; `pending` where it has no row. */
export type MigrationState = 'pending' | 'applying' | 'applied' | 'failed' | 'reverting' | 'reverted' | 'baselined' | 'squashed'

export interface MigrationStatus {
  readonly id: string
  readonly state: MigrationState
  /** In the folder. */
  readonly onDisk: boolean
  /** Applied from a file with another checksum than today's. */
  readonly modified: boolean
  /** Pending, and one that came after it in the order is applied: by a merge. */
  readonly late: boolean
  readonly stepsDone: number
  readonly stepsTotal: number
  /** ISO 8601 in UTC. */
  readonly startedAt: string | null
  readonly finishedAt: string | null
  readonly durationMs: number | null
  /** Of the last attempt that failed and was not followed by one that did not. */
  readonly lastError: { readonly code: string | null; readonly message: string; readonly at: string } | null
}

/** `pending`: it has not run yet; `changed`: it has run as another; `missing`: it has run, and is no longer in the folder. */
export interface RepeatableStatus {
  readonly id: string
  readonly state: 'pending' | 'applied' | 'changed' | 'missing'
  /** When it ran last, ISO 8601 in UTC. */
  readonly at: string | null
}

/** Of `status`. */
export interface StatusDocument extends MigrationDocument {
  readonly command: 'status'
  /** In order; those without a file first. */
  readonly migrations: readonly MigrationStatus[]
  /** In order; those without a file last. */
  readonly repeatables: readonly RepeatableStatus[]
  /** Ids, in order. */
  readonly applied: readonly string[]
  readonly pending: readonly string[]
  /** Partly applied: `up` refuses to go on before `resume` or `mark`. */
  readonly failed: readonly string[]
  /** Applied, and no longer in the folder. */
  readonly unknown: readonly string[]
  readonly modified: readonly string[]
  /** The last ids; more than one where branches were merged without `merge`. */
  readonly heads: readonly string[]
}

/** One thing in which files and history do not fit together. */
export interface HistoryProblem {
  readonly kind:
    | 'modified'
    | 'missing'
    | 'heads'
    | 'unknown-parent'
    | 'cycle'
    | 'head-file'
    | 'skipped'
    | 'snapshot'
    | 'recorded'
    | 'partly-squashed'
  readonly ids: readonly string[]
  readonly message: string
}

/** Of `verify`. */
export interface VerifyDocument extends MigrationDocument {
  readonly command: 'verify'
  readonly problems: readonly HistoryProblem[]
}

/** One thing in which a database is not as a schema says. Names are the database's. */
export interface SchemaDifference {
  /** `missing`: the schema alone has it; `unexpected`: the database alone; `different`: both, and not alike. */
  readonly kind: 'missing' | 'unexpected' | 'different'
  /** `users`, `hr.users` */
  readonly table: string
  readonly what: 'table' | 'column' | 'primary key' | 'unique' | 'index' | 'foreign key' | 'check' | 'comment' | 'object'
  /** Of the column, key, index or constraint; null: the table itself, or something of it that has no name. */
  readonly name: string | null
  /** In words such as `varchar(40) null`; null: nothing. */
  readonly expected: string | null
  readonly actual: string | null
}

/** A default, check or index whose SQL nobody can tell from the one that was asked for. */
export interface NotCompared {
  readonly table: string
  readonly what: 'column' | 'index' | 'check'
  readonly name: string
  /** What the schema says. */
  readonly expected: string
  /** As the engine gives it back. */
  readonly actual: string
}

/** How a database compares with the snapshot of its last migration. */
export interface DriftReport {
  /** By table. Tables that no snapshot has are among them with `strict` alone. */
  readonly differences: readonly SchemaDifference[]
  /** Of these nobody can say: the SQL is the model's own, and how the engine writes it was not kept when it was made. */
  readonly notCompared: readonly NotCompared[]
  /** Tables that no snapshot has. */
  readonly unmanaged: readonly string[]
}

/** Of `drift`. */
export interface DriftDocument extends MigrationDocument, DriftReport {
  readonly command: 'drift'
  /** The last ids that are applied, whose snapshot it was compared with; empty: nothing is applied. */
  readonly against: readonly string[]
}

/** Of `baseline`. */
export interface BaselineDocument extends MigrationDocument, DriftReport {
  readonly command: 'baseline'
  /** Ids that this call wrote down as there; none of their SQL was run. */
  readonly baselined: readonly string[]
  /** Not applied at the end, in the order in which they would be. */
  readonly pending: readonly string[]
}

/** One thing that `doctor` looked at. */
export interface DoctorCheck {
  /** Such as `server version`. */
  readonly name: string
  /** `warn`: it works, and not as well as it could; `fail`: migrations will not work, or not safely. */
  readonly status: 'ok' | 'warn' | 'fail'
  /** What was found. */
  readonly found: string
  /** What to do; null: nothing. */
  readonly advice: string | null
}

/** Of `doctor`. */
export interface DoctorDocument extends MigrationDocument {
  readonly command: 'doctor'
  readonly checks: readonly DoctorCheck[]
}

/** Who has the lock. What the engine does not tell is null. */
export interface LockHolder {
  /** Of its session, or of its process on SQLite. */
  readonly id: string
  readonly application: string | null
  readonly user: string | null
  readonly host: string | null
  /** ISO 8601 in UTC: of the session's beginning, on SQLite of the lock's. */
  readonly since: string | null
  /** What it does, such as `active`; no SQL, which may hold values. */
  readonly activity: string | null
}

/** Of `lock` and `unlock`. */
export interface LockDocument extends MigrationDocument {
  readonly command: 'lock' | 'unlock'
  /** Null: it is free. */
  readonly holder: LockHolder | null
  /** Whether the holder's session was ended by this call. */
  readonly terminated: boolean
}

/** Of `script`. */
export interface ScriptDocument extends MigrationDocument {
  readonly command: 'script'
  readonly ids: readonly string[]
  /** Those of the repeatables behind them; none where `to` is said. */
  readonly repeatables: readonly string[]
  /** Statements with `;` behind each, state rows included. */
  readonly sql: string
}

/** A seed that was run. */
export interface RanSeed {
  readonly id: string
  readonly ms: number
}

/** Where the seeds stopped. */
export interface FailedSeed {
  readonly id: string
  /** Path of its file, from the working directory. */
  readonly file: string
  /** SQLSTATE, errno or result code; null where the database gave none. */
  readonly code: string | null
  readonly message: string
  /** Whether the database is as it was before this seed; null: nobody can say. */
  readonly databaseUnchanged: boolean | null
}

/** Of `seed`. */
export interface SeedDocument extends MigrationDocument {
  readonly command: 'seed'
  readonly env: string
  /** Those that were run, in order. */
  readonly seeds: readonly RanSeed[]
  /** Ids of those that had been run for this environment. */
  readonly skipped: readonly string[]
  readonly failed: FailedSeed | null
}

/** Of `reset`. */
export interface ResetDocument extends MigrationDocument {
  readonly command: 'reset'
  readonly env: string
  /** Whether the database was there and is now another. */
  readonly dropped: boolean
  /** Null: it did not come to it. */
  readonly up: RunDocument | null
  /** Null: it did not come to it, or there is no folder of seeds. */
  readonly seed: SeedDocument | null
}

/** A table with its model. */
export interface PulledModel {
  /** `users`, `hr.users` */
  readonly table: string
  /** The class. */
  readonly model: string
  /** From the working directory. */
  readonly file: string
  /** `kept`: it was there; `planned`: a dry run. */
  readonly state: 'written' | 'kept' | 'planned'
  /** What a dry run would have written; null: it was none. */
  readonly text: string | null
}

/** Of `pull`. */
export interface PullDocument extends MigrationDocument {
  readonly command: 'pull'
  readonly models: readonly PulledModel[]
  /** What is in the database and in no model, or otherwise; `object` null: the table itself. */
  readonly findings: readonly { readonly table: string; readonly object: string | null; readonly problem: string }[]
}
