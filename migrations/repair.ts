import { MigrationHistoryError, MigrationUsageError } from './errors.js'
import type { HistoryRow } from './history-row.js'
import { hashesOf, type Job, jobOf } from './job.js'
import type { LockedRun } from './locked-run.js'
import type { Migration } from './migration.js'
import type { ResumeOptions } from './migrator-api.js'
import { isDone, isHalfDone, pendingOf } from './plan.js'
import { unknownId } from './refusals.js'
import type { RunContext } from './run-context.js'
import { withSquashed } from './squashed.js'
import { inStateTransaction } from './state-transaction.js'

/**
 * The job that goes on with a migration that is partly applied or reverted, or undoes what is done of it.
 *
 * @throws {MigrationHistoryError} a step that is done is another now
 * @throws {MigrationUsageError} it is not partly applied, has no such step, or its down file does not go with its steps
 */
export function resumingJob(
  { context, ordered, rows }: LockedRun,
  id: string,
  { fromStep, rollback = false }: { readonly [K in 'fromStep' | 'rollback']?: ResumeOptions[K] | undefined },
): Job {
  const row = rows.find((each) => each.id === id)
  if (row === undefined || !isHalfDone(row)) {
    throw new MigrationUsageError(
      `${id} is ${row?.state ?? 'pending'}, not partly applied: there is nothing to resume; nothing was run`,
      {},
      ['latchwork migrate status'],
    )
  }
  const migration = ordered.find(({ id }) => id === row.id)
  if (migration === undefined) throw unknownId(row.id, ordered)
  const direction = row.state === 'reverting' ? 'down' : 'up'
  const job = { ...jobOf(context, migration, direction, row), action: 'resume' as const }
  // an error was written where the step ended; without one the process did
  const isInDoubt = row.errorText === null && fromStep === undefined
  refuseChanged(job, row)
  if (rollback) return rolledBack(context, job, row, isInDoubt)
  if (fromStep !== undefined && job.source.kind === 'data')
    throw new MigrationUsageError(`${row.id} is a data module, which goes on behind its last batch: leave --from-step out; nothing was run`)
  if (fromStep !== undefined && fromStep > job.steps.length + 1)
    throw new MigrationUsageError(`${row.id} has ${job.steps.length} steps; there is none to go on with at ${fromStep}; nothing was run`)
  return { ...job, from: fromStep === undefined ? row.stepsDone : fromStep - 1, isInDoubt }
}

/** @throws {MigrationHistoryError} a step that is done is another now */
function refuseChanged({ migration, steps }: Job, row: HistoryRow): void {
  const hashes = hashesOf(steps)
  const changed = row.stepHashes.slice(0, row.stepsDone).findIndex((hash, index) => hash !== hashes[index])
  if (changed === -1) return
  const message = `step ${changed + 1} of ${migration.id}, which is done, was changed since; put it back: only what is not done may change`
  throw new MigrationHistoryError([{ kind: 'modified', ids: [migration.id], message }])
}

/** The job that undoes the steps that are done, by those of the down file: the last of them for the first of the up file. */
function rolledBack(context: RunContext, job: Job, row: HistoryRow, isInDoubt: boolean): Job {
  const { migration, steps } = job
  if (job.direction === 'down')
    throw new MigrationUsageError(`${row.id} is being reverted already: resume it without rollback; nothing was run`)
  const down = jobOf(context, migration, 'down', row)
  if (down.steps.length !== steps.length) {
    throw new MigrationUsageError(
      `its ${down.steps.length} steps do not go with the ${steps.length} of ${migration.id}: only one step for each can be rolled back in part; nothing was run`,
      { file: down.source.file },
      [`latchwork migrate resume ${row.id}`],
    )
  }
  const undone = Math.min(row.stepsDone + (isInDoubt ? 1 : 0), steps.length)
  return { ...down, action: 'resume', from: steps.length - undone, isInDoubt }
}

/** @throws {MigrationUsageError} there is no such state, or no reason */
export function requireMark(state: string, reason: unknown): void {
  if (typeof reason !== 'string' || reason.trim() === '')
    throw new MigrationUsageError('mark needs a reason, for the log; nothing was changed')
  if (!['applied', 'pending', 'reverted'].includes(state))
    throw new MigrationUsageError(`no state to mark with: ${state}; nothing was changed`)
}

/**
 * Writes down in which state a migration is, and why somebody says so.
 *
 * @throws {MigrationUsageError} there is no such migration, or it would be taken as applied again
 */
export async function mark(locked: LockedRun, id: string, state: 'applied' | 'pending' | 'reverted', reason: string): Promise<void> {
  const { context, ordered, rows, found } = locked
  const migration = ordered.find((each) => each.id === id)
  const row = rows.find((each) => each.id === id)
  if (migration === undefined && (state === 'applied' || row === undefined)) throw unknownId(id, ordered)
  if (state === 'pending' && migration !== undefined) refuseRetaken(migration, rows)
  await inStateTransaction(context.session, context.dialect, async () => {
    if (state === 'pending') await context.history.remove(id)
    else await context.history.write(markedRow(context, migration, row, id, state))
    await context.history.log({
      migration: id,
      action: 'mark',
      outcome: 'marked',
      step: null,
      durationMs: 0,
      reason: `${state}: ${reason}`,
      errorCode: null,
      errorText: null,
    })
  })
  locked.rows = await context.history.read()
  found.pending = pendingOf(ordered, locked.rows).map((each) => each.id)
}

/** @throws {MigrationUsageError} without a row of its own the next run would take it for what it replaces */
function refuseRetaken(migration: Migration, rows: readonly HistoryRow[]): void {
  const { id } = migration
  const others = rows.filter((row) => row.id !== id)
  if (withSquashed([migration], others).taken.length === 0) return
  throw new MigrationUsageError(
    `${id} cannot be pending here: this database has all that it replaces, so the next command would take it as applied again; nothing was changed; mark it reverted, and up runs it`,
    {},
    [`latchwork migrate mark ${id} reverted --reason …`],
  )
}

/** The row of a migration whose state somebody says. Of one that was applied, the instant stays at which it was. */
function markedRow(
  context: RunContext,
  migration: Migration | undefined,
  row: HistoryRow | undefined,
  id: string,
  state: 'applied' | 'reverted',
): HistoryRow {
  const startedAtMs = row !== undefined && isDone(row) ? row.startedAtMs : Date.now()
  if (migration !== undefined) return { ...stateRow(context, migration, state), startedAtMs }
  return { ...EMPTY_ROW, id, checksum: row?.checksum ?? null, state, startedAtMs, finishedAtMs: Date.now() }
}

const EMPTY_ROW = {
  stepsTotal: 0,
  stepsDone: 0,
  stepHashes: [],
  checkpoint: {},
  durationMs: null,
  errorCode: null,
  errorText: null,
} as const

/** The row of a migration that is said to be in a state, and was not run to get there. */
export function stateRow(context: RunContext, migration: Migration, state: 'applied' | 'reverted' | 'baselined'): HistoryRow {
  const { steps } = jobOf(context, migration, 'up', undefined)
  const nowMs = Date.now()
  return {
    ...EMPTY_ROW,
    id: migration.id,
    checksum: migration.up.kind === 'sql' ? migration.up.checksum : null,
    state,
    stepsTotal: steps.length,
    stepsDone: state === 'reverted' ? 0 : steps.length,
    stepHashes: hashesOf(steps),
    startedAtMs: nowMs,
    finishedAtMs: nowMs,
  }
}
