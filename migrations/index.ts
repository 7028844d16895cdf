export { defineConfig, type MigrationConfig } from './config.js'
export type { Batch, BatchOptions, DataContext } from './data-run.js'
export type {
  BaselineDocument,
  DoctorCheck,
  DoctorDocument,
  DriftDocument,
  DriftReport,
  FailedMigration,
  FailedSeed,
  HistoryProblem,
  LockDocument,
  LockHolder,
  MigrationCommand,
  MigrationDocument,
  MigrationState,
  MigrationStatus,
  NotCompared,
  PlannedMigration,
  PullDocument,
  PulledModel,
  RanMigration,
  RanSeed,
  RepeatableStatus,
  ResetDocument,
  RunDocument,
  SchemaDifference,
  ScriptDocument,
  SeedDocument,
  StatusDocument,
  VerifyDocument,
} from './documents.js'
export * from './errors.js'
export { EXIT_CODES, type ExitCode } from './exit-code.js'
export type { LintOptions } from './lint/lint.js'
export type { LintDocument, LintFinding } from './lint/lint-document.js'
export type { LintLevel, LintRuleId } from './lint/rule.js'
export { lintMigrations } from './lint-migrations.js'
export { createMigrator } from './migrator.js'
export type {
  BaselineOptions,
  DownOptions,
  DriftOptions,
  IgnoreOption,
  MarkOptions,
  Migrator,
  PullOptions,
  RedoOptions,
  ResetOptions,
  ResumeOptions,
  ScriptOptions,
  SeedOptions,
  SignalOption,
  StatusOptions,
  UnlockOptions,
  UpOptions,
  VerifyOptions,
} from './migrator-api.js'
export type { MigrationProgress, MigratorOptions } from './migrator-options.js'
export { documentOf } from './report.js'
export type { Seed, SeedContext } from './seeds.js'
export { type SquashDocument, type SquashOptions, squashMigrations } from './squash.js'
