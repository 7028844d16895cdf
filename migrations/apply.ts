import { relative } from 'node:path'
import type { MigrationSession } from '../lib/dialect/migration-parts.js'
import { AbortedError, LatchworkError } from '../lib/errors.js'
import { migrationEvents } from '../lib/events.js'
import { DataRun, loadDataModule } from './data-run.js'
import type { FailedMigration, RanMigration } from './documents.js'
import { MigrationError, MigrationFailedError, MigrationInterruptedError, MigrationUsageError } from './errors.js'
import type { HistoryRow, LogEntry } from './history-row.js'
import type { Migration, Source, Step } from './migration.js'
import { sha256 } from './migration-files.js'
import { isDone } from './plan.js'
import type { RunContext } from './run-context.js'
import { takeLock } from './run-lock.js'
import { sqlPreview } from './sql-preview.js'
import { SqlRun } from './sql-run.js'
import { CommitLost, StepFailure } from './step-failure.js'
import { stepsOf } from './steps.js'

/** One migration in one direction, its files read and checked. */
export interface Job {
  readonly migration: Migration
  readonly direction: 'up' | 'down'
  readonly source: Source
  /** Of SQL; one that stands for the whole of a data module. */
  readonly steps: readonly Step[]
  /** The row before it; undefined: it is pending. */
  readonly before: HistoryRow | undefined
  /** Steps that are done. */
  readonly from: number
  readonly isInDoubt: boolean
  readonly action: LogEntry['action']
}

/** How one migration ended well. */
export interface JobEnd extends RanMigration {
  /** The connection was lost in its COMMIT, which had come through: the lock is gone. */
  readonly lostLock: boolean
}

/** Checks the files of a migration in one direction. @throws {MigrationUsageError} they make no sense, or there are none */
export function jobOf(context: RunContext, migration: Migration, direction: 'up' | 'down', before: HistoryRow | undefined): Job {
  const source = direction === 'up' ? migration.up : migration.down
  if (source === undefined) {
    throw new MigrationUsageError(
      `has no down.${context.dialect.engine}.sql, so that ${migration.id} cannot be reverted; nothing was run`,
      {
        file: migration.folder,
      },
    )
  }
  const steps = source.kind === 'sql' ? stepsOf(source, context.dialect) : [wholeOf(source.file)]
  return { migration, direction, source, steps, before, from: 0, isInDoubt: false, action: direction }
}

function wholeOf(file: string): Step {
  return { file, line: 1, statements: [''], rebuilds: undefined, isTransactional: false, timeoutMs: undefined }
}

/**
 * Runs a migration, and writes what became of it.
 *
 * @param reopen opens another connection, where this one is lost
 * @throws {MigrationFailedError} a step failed
 * @throws {MigrationInterruptedError} the signal was aborted
 */
export async function run(context: RunContext, job: Job, reopen: () => Promise<MigrationSession>): Promise<JobEnd> {
  const { id } = job.migration
  const startedAtMs = Date.now()
  const clock = performance.now()
  const rows = rowsOf(job, startedAtMs, () => Math.round(performance.now() - clock))
  let lostLock = false
  try {
    await start(context, job, rows)
  } catch (error) {
    if (!(error instanceof StepFailure)) throw error
    lostLock = await cameThrough(context, rows.expected(), error, reopen)
    if (!lostLock) throw await failed(context, job, error, rows, reopen)
  }
  const ms = performance.now() - clock
  context.progress({ type: 'finished', id, direction: job.direction, ms: Math.round(ms) })
  if (migrationEvents.hasSubscribers) migrationEvents.publish({ migration: id, direction: job.direction, durationMs: ms, type: 'applied' })
  // what a step has set for the session is not for the next migration
  if (!lostLock) await context.session.renew()
  return { id, ms: Math.round(ms), steps: job.steps.length, lostLock }
}

async function start(context: RunContext, job: Job, rows: Rows): Promise<void> {
  const { migration, direction, source, steps } = job
  const work = {
    id: migration.id,
    direction,
    rowDuring: rows.during,
    rowAtEnd: rows.atEnd,
    logAtEnd: () => rows.log(ended(direction), null, null),
  }
  if (source.kind === 'sql') return new SqlRun(context, { ...work, steps, from: job.from, isInDoubt: job.isInDoubt }).run()
  const module = await loadDataModule(source)
  if (typeof module[direction] !== 'function') {
    throw new MigrationUsageError(`exports no function "${direction}"; nothing was run`, { file: source.file })
  }
  return new DataRun(context, {
    ...work,
    source,
    checkpoint: job.before?.state === 'failed' || job.isInDoubt ? job.before!.checkpoint : {},
  }).run(module)
}

function ended(direction: 'up' | 'down'): 'applied' | 'reverted' {
  return direction === 'up' ? 'applied' : 'reverted'
}

/** The rows of one attempt. */
interface Rows {
  during(): HistoryRow
  atEnd(): HistoryRow
  /** Since it began. */
  durationMs(): number
  /** The row that it would have left at its end. */
  expected(): HistoryRow
  log(outcome: LogEntry['outcome'], step: number | null, error: { readonly code: string | null; readonly message: string } | null): LogEntry
}

function rowsOf({ migration, direction, source, steps, before, action }: Job, startedAtMs: number, durationMs: () => number): Rows {
  const during: HistoryRow = {
    id: migration.id,
    checksum: migration.up.kind === 'sql' ? migration.up.checksum : null,
    state: direction === 'up' ? 'applying' : 'reverting',
    stepsTotal: steps.length,
    stepsDone: 0,
    stepHashes: source.kind === 'sql' ? hashesOf(steps) : [],
    checkpoint: {},
    startedAtMs,
    finishedAtMs: null,
    durationMs: null,
    errorCode: null,
    errorText: null,
    // what was applied is what can be reverted
    ...(direction === 'down' && before !== undefined ? { checksum: before.checksum } : {}),
  }
  const atEnd = (): HistoryRow => ({
    ...during,
    state: ended(direction),
    stepsDone: steps.length,
    finishedAtMs: Date.now(),
    durationMs: durationMs(),
  })
  return {
    during: () => during,
    atEnd,
    durationMs,
    expected: atEnd,
    log: (outcome, step, error) => ({
      migration: migration.id,
      action,
      outcome,
      step,
      durationMs: durationMs(),
      reason: null,
      errorCode: error?.code ?? null,
      errorText: error?.message ?? null,
    }),
  }
}

/** Of each step, so that those that are done can be told from those that were changed. */
export function hashesOf(steps: readonly Step[]): readonly string[] {
  return steps.map(({ statements }) => sha256(statements.join(';')).slice(0, 16))
}

/** Whether a COMMIT whose answer was lost had come through at the end of the migration. */
async function cameThrough(
  context: RunContext,
  expected: HistoryRow,
  failure: StepFailure,
  reopen: () => Promise<MigrationSession>,
): Promise<boolean> {
  if (!(failure.cause instanceof CommitLost)) return false
  try {
    await context.reopen(reopen)
    // free once the session before has ended, which may still be at its COMMIT
    await takeLock(context)
    const row = await context.history.readOne(expected.id)
    return row?.state === expected.state && row.startedAtMs === expected.startedAtMs
  } catch {
    // out of reach: nobody knows
    return false
  }
}

/** Writes how it failed, where that can be written; gives the error that says it. */
async function failed(
  context: RunContext,
  job: Job,
  failure: StepFailure,
  rows: Rows,
  reopen: () => Promise<MigrationSession>,
): Promise<MigrationFailedError | MigrationInterruptedError> {
  const reason = failure.cause instanceof CommitLost ? failure.cause.cause : failure.cause
  // a module may say in its own words that it was stopped
  const isInterrupted = context.signal?.aborted === true && (reason instanceof AbortedError || job.source.kind === 'data')
  const said = wordsOf(context, reason)
  const isReached = await reach(context, reopen)
  const leftNothing = failure.isDone ? false : await whatWasLeft(context, job, failure, rows, isReached)
  // of one that is in doubt the first step may have run before
  const isUnchanged = leftNothing === null ? null : leftNothing && failure.stepsDone === 0 && !job.isInDoubt
  const report = reportOf(context, job, failure, said, isUnchanged)
  if (isReached) await writeFailure(context, job, failure, rows, said, isUnchanged, isInterrupted)
  else context.warn('the database could not be reached to write down what happened')
  if (migrationEvents.hasSubscribers) {
    const error = reason instanceof Error ? reason : new Error(said.message)
    migrationEvents.publish({
      migration: report.id,
      direction: job.direction,
      durationMs: rows.durationMs(),
      type: 'failed',
      step: failure.step,
      error,
    })
  }
  const next = nextOf(report)
  const message = messageOf(report, isInterrupted, next)
  // of a driver's own error the words may hold values
  const options = { cause: reason instanceof LatchworkError ? reason : undefined }
  return isInterrupted
    ? new MigrationInterruptedError(message, report, next, options)
    : new MigrationFailedError(message, report, next, options)
}

/** Whether the step left nothing; the server rolls back what a lost session had open. Null: nobody knows. */
async function whatWasLeft(context: RunContext, job: Job, failure: StepFailure, rows: Rows, isReached: boolean): Promise<boolean | null> {
  if (!(failure.cause instanceof CommitLost)) return failure.leftNothing
  return isReached ? wasRolledBack(context, job, failure, rows) : null
}

async function reach(context: RunContext, reopen: () => Promise<MigrationSession>): Promise<boolean> {
  if (await context.isUsable()) return true
  try {
    await context.reopen(reopen)
    return true
  } catch {
    // said in a warning
    return false
  }
}

async function wasRolledBack(context: RunContext, job: Job, { stepsDone }: StepFailure, rows: Rows): Promise<boolean | null> {
  try {
    const row = await context.history.readOne(job.migration.id)
    if (row === undefined || row.startedAtMs !== rows.during().startedAtMs) return true
    return row.stepsDone === stepsDone
  } catch {
    return null
  }
}

async function writeFailure(
  context: RunContext,
  job: Job,
  failure: StepFailure,
  rows: Rows,
  said: { readonly code: string | null; readonly message: string },
  isUnchanged: boolean | null,
  isInterrupted: boolean,
): Promise<void> {
  const { history } = context
  const { migration, direction, before } = job
  try {
    if (isUnchanged === true) {
      // as if nothing had been tried: the log alone says it
      if (direction === 'up') await history.remove(migration.id)
      else await history.write({ ...before!, state: isDone(before!) ? before!.state : 'applied', errorCode: null, errorText: null })
    } else if (failure.leftNothing !== null) {
      const stepHashes = rows.during().stepHashes
      const kept = (await history.readOne(migration.id)) ?? rows.during()
      await history.write({
        ...kept,
        state: direction === 'up' ? 'failed' : 'reverting',
        stepHashes,
        stepsDone: failure.stepsDone,
        errorCode: said.code,
        errorText: said.message,
      })
    }
    await history.log(rows.log(isInterrupted ? 'interrupted' : 'failed', failure.step, said))
  } catch (error) {
    context.warn(`what happened could not be written down: ${wordsOf(context, error).message}`)
  }
}

/** What an error says, without values, and where in the statement. */
export function wordsOf(
  context: RunContext,
  reason: unknown,
): { readonly code: string | null; readonly message: string; readonly offset: number | undefined } {
  if (reason instanceof LatchworkError || reason instanceof MigrationError) {
    const { code } = context.dialect.migrations.describe(reason)
    return { code: code ?? null, message: reason.message, offset: undefined }
  }
  // what a module throws itself says what is wrong better than we can
  if (reason instanceof Error && !('code' in reason && typeof reason.code === 'string')) {
    return { code: null, message: reason.message, offset: undefined }
  }
  const { code, message, offset, needsNoTransaction } = context.dialect.migrations.describe(reason)
  const hint = needsNoTransaction ? '; put a line "-- latchwork:tx none" into the step' : ''
  return { code: code ?? null, message: `${message}${hint}`, offset }
}

function reportOf(
  context: RunContext,
  { migration, direction, steps, source }: Job,
  { step, stepsDone }: StepFailure,
  said: { readonly code: string | null; readonly message: string; readonly offset: number | undefined },
  databaseUnchanged: boolean | null,
): FailedMigration {
  const at = steps[step - 1]
  const sql = source.kind === 'sql' ? at?.statements[0] : undefined
  const linesBefore = said.offset === undefined || sql === undefined ? 0 : sql.slice(0, said.offset).split('\n').length - 1
  return {
    id: migration.id,
    direction,
    step,
    stepsTotal: steps.length,
    stepsDone,
    file: relative(process.cwd(), source.file),
    line: at === undefined ? null : at.line + linesBefore,
    sqlPreview: sql === undefined ? null : sqlPreview(sql, context.dialect.sqlTraits),
    code: said.code,
    message: said.message,
    databaseUnchanged,
  }
}

function nextOf({ id, direction, databaseUnchanged }: FailedMigration): readonly string[] {
  if (databaseUnchanged === true) return [direction === 'up' ? 'latchwork migrate up' : `latchwork migrate down --steps 1`]
  return [`latchwork migrate resume ${id}`, `latchwork migrate resume ${id} --rollback`, 'latchwork migrate status']
}

function messageOf(report: FailedMigration, isInterrupted: boolean, next: readonly string[]): string {
  const { id, step, stepsTotal, stepsDone, file, line, message, databaseUnchanged, direction } = report
  const what = `${id} ${isInterrupted ? 'was interrupted' : 'failed'} in step ${step} of ${stepsTotal}${direction === 'down' ? ' of reverting it' : ''}`
  const now = {
    true: 'the database is as it was before it',
    false: stepsDone === 0 ? 'that step may have changed the database in part' : `steps 1 to ${stepsDone} are done and stay`,
    null: 'the connection was lost, so that nobody knows whether that step is done',
  }[`${databaseUnchanged}`]
  return `${what} (${file}${line === null ? '' : `:${line}`}): ${message}; ${now}; next: ${next[0]}`
}
