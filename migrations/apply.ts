import type { MigrationSession } from '../lib/dialect/migration-parts.js'
import { migrationEvents } from '../lib/events.js'
import { DataRun, loadDataModule } from './data-run.js'
import type { RanMigration } from './documents.js'
import { MigrationUsageError } from './errors.js'
import type { HistoryRow } from './history-row.js'
import { CommitLost } from './in-transaction.js'
import type { Job } from './job.js'
import { failed } from './job-failure.js'
import { ended, type JobRows, rowsOf } from './job-rows.js'
import { isHalfDone } from './plan.js'
import type { RunContext } from './run-context.js'
import { takeLock } from './run-lock.js'
import { SqlRun } from './sql-run.js'
import { StepFailure } from './step-failure.js'

/** How one migration ended well. */
export interface JobEnd extends RanMigration {
  /** The connection was lost in its COMMIT, which had come through: the lock is gone. */
  readonly lostLock: boolean
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

async function start(context: RunContext, job: Job, rows: JobRows): Promise<void> {
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
  return new DataRun(context, { ...work, source, checkpoint: goesOn(job) ? job.before!.checkpoint : {} }).run(module)
}

/** Where the way there was broken off, the way back begins at its own beginning. */
function goesOn({ before, direction }: Job): boolean {
  return before !== undefined && isHalfDone(before) && (before.state === 'reverting') === (direction === 'down')
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
