import type { MigrationSession } from '../lib/dialect/migration-parts.js'
import { AbortedError, LatchworkError } from '../lib/errors.js'
import { migrationEvents } from '../lib/events.js'
import { type ErrorWords, wordsOf } from './error-words.js'
import { MigrationFailedError, MigrationInterruptedError } from './errors.js'
import { failureMessage, failureReport, nextAfter } from './failure-report.js'
import { CommitLost } from './in-transaction.js'
import type { Job } from './job.js'
import type { JobRows } from './job-rows.js'
import { isHalfDone } from './plan.js'
import type { RunContext } from './run-context.js'
import type { StepFailure } from './step-failure.js'

/** Writes how it failed, where that can be written; gives the error that says it. */
export async function failed(
  context: RunContext,
  job: Job,
  failure: StepFailure,
  rows: JobRows,
  reopen: () => Promise<MigrationSession>,
): Promise<MigrationFailedError | MigrationInterruptedError> {
  const reason = failure.cause instanceof CommitLost ? failure.cause.cause : failure.cause
  // a module may say in its own words that it was stopped
  const isInterrupted = context.signal?.aborted === true && (reason instanceof AbortedError || job.source.kind === 'data')
  const said = wordsOf(context, reason)
  const isReached = await reach(context, reopen)
  const leftNothing = failure.isDone ? false : await whatWasLeft(context, job, failure, rows, isReached)
  // of one that was in part before, what that part is nobody looks at here
  const wasInPart = job.before !== undefined && isHalfDone(job.before)
  const isUnchanged = leftNothing === null ? null : leftNothing && failure.stepsDone === 0 && !wasInPart
  const report = failureReport(context, job, failure, said, isUnchanged)
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
  const next = nextAfter(report)
  const message = failureMessage(report, isInterrupted, next)
  // of a driver's own error the words may hold values
  const options = { cause: reason instanceof LatchworkError ? reason : undefined }
  return isInterrupted
    ? new MigrationInterruptedError(message, report, next, options)
    : new MigrationFailedError(message, report, next, options)
}

/** Whether the step left nothing; the server rolls back what a lost session had open. Null: nobody knows. */
async function whatWasLeft(
  context: RunContext,
  job: Job,
  failure: StepFailure,
  rows: JobRows,
  isReached: boolean,
): Promise<boolean | null> {
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

async function wasRolledBack(context: RunContext, job: Job, { stepsDone }: StepFailure, rows: JobRows): Promise<boolean | null> {
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
  rows: JobRows,
  said: ErrorWords,
  isUnchanged: boolean | null,
  isInterrupted: boolean,
): Promise<void> {
  const { history } = context
  const { migration, direction, before } = job
  const entry = rows.log(isInterrupted ? 'interrupted' : 'failed', failure.step, said)
  try {
    const { startedAtMs, stepHashes } = rows.during()
    const row = await history.readOne(migration.id)
    if (row !== undefined && row.startedAtMs !== startedAtMs && row.startedAtMs !== before?.startedAtMs) {
      const isOfBefore = direction === 'up' && row.state === 'reverted'
      if (!isOfBefore) context.warn(`another process has gone on with ${migration.id} since the connection was lost: it is ${row.state}`)
    } else if (isUnchanged === true) {
      // as if nothing had been tried: the log alone says it
      if (before !== undefined) await history.write(before)
      else await history.remove(migration.id)
    } else if (failure.leftNothing !== null) {
      await history.write({
        ...(row ?? rows.during()),
        state: direction === 'up' ? 'failed' : 'reverting',
        stepHashes,
        stepsDone: failure.stepsDone,
        errorCode: said.code,
        errorText: said.message,
      })
    }
    await history.log(entry)
  } catch (error) {
    context.warn(`what happened could not be written down: ${wordsOf(context, error).message}`)
  }
}
