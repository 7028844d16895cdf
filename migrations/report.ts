import type { Engine } from '../lib/dialect/dialect.js'
import type { MigrationDialect } from '../lib/dialect/migration-dialect.js'
import { LatchworkError } from '../lib/errors.js'
import {
  DOCUMENT_SCHEMA,
  type FailedMigration,
  type MigrationCommand,
  type MigrationDocument,
  type PlannedMigration,
  type RanMigration,
  type RunDocument,
} from './documents.js'
import { exitCodeOf, MigrationDriftError, MigrationError, MigrationFailedError, MigrationInterruptedError } from './errors.js'
import { nextCommands } from './next-commands.js'

/** What a run comes to, while it comes to it. */
export interface Findings {
  database: string | null
  waitedMs: number | null
  warnings: readonly string[]
  readonly applied: RanMigration[]
  readonly reverted: RanMigration[]
  readonly repeated: RanMigration[]
  pending: readonly string[]
  planned: readonly PlannedMigration[] | null
  /** What the document of a command has that no other has. */
  own: object
}

export function findings(): Findings {
  return { database: null, waitedMs: null, warnings: [], applied: [], reverted: [], repeated: [], pending: [], planned: null, own: {} }
}

/** The common part of a document that says that all went well. */
export function documentHead<C extends MigrationCommand>(
  command: C,
  dialect: Engine,
  found: Findings,
): MigrationDocument & { readonly command: C } {
  return {
    schema: DOCUMENT_SCHEMA,
    command,
    dialect,
    database: found.database,
    ok: true,
    exitCode: 0,
    error: null,
    lock: found.waitedMs === null ? null : { waitedMs: found.waitedMs },
    next: [],
    warnings: found.warnings,
  }
}

export function runDocument(command: RunDocument['command'], dialect: Engine, found: Findings): RunDocument {
  const { applied, reverted, pending, repeated, planned } = found
  return { ...documentHead(command, dialect, found), applied, reverted, failed: null, pending, repeated, planned }
}

const RUNS: readonly MigrationCommand[] = ['up', 'down', 'redo', 'resume', 'mark'] satisfies RunDocument['command'][]

const documents = new WeakMap<object, MigrationDocument>()

/** The document of what a migrator's method threw: the `--json` of its command. Undefined of any other error. */
export function documentOf(error: unknown): MigrationDocument | undefined {
  return typeof error === 'object' && error !== null ? documents.get(error) : undefined
}

/** Gives the error with the document of the run that it ended. */
export function withDocument(error: unknown, command: MigrationCommand, dialect: MigrationDialect, found: Findings): unknown {
  if (!(error instanceof Error)) return error
  const head = documentHead(command, dialect.engine, found)
  const failure: FailedMigration | undefined =
    error instanceof MigrationFailedError || error instanceof MigrationInterruptedError ? error.failed : undefined
  const document: MigrationDocument = {
    ...head,
    ok: false,
    exitCode: exitCodeOf(error),
    // the words of an error that is not ours may hold anything
    error:
      error instanceof LatchworkError
        ? { code: error.code, message: RUNS.includes(command) ? withState(error, found) : error.message }
        : { code: 'UNEXPECTED', message: `${error.name}: see the log` },
    next: nextCommands(error, dialect),
    ...(RUNS.includes(command)
      ? {
          applied: found.applied,
          reverted: found.reverted,
          failed: failure ?? null,
          pending: found.pending,
          repeated: found.repeated,
          planned: found.planned,
        }
      : found.own),
    ...(error instanceof MigrationDriftError ? { ...error.report, baselined: [], pending: found.pending } : {}),
  }
  documents.set(error, document)
  if (error instanceof MigrationError) error.document = document
  return error
}

/** What happened, and what the database looks like now: an error of the floors below knows nothing of runs. */
function withState(error: LatchworkError, { applied, reverted, repeated }: Findings): string {
  if (error instanceof MigrationError) return error.message
  const count = applied.length + reverted.length + repeated.length
  return `${error.message}; ${count === 0 ? 'nothing was run' : `${count} migrations of this run are done and stay`}`
}
