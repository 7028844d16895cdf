import type { MigrationSession } from '../lib/dialect/migration-parts.js'
import { run } from './apply.js'
import { typedError } from './error-words.js'
import type { Job } from './job.js'
import { beginKeeping, keepExpressions } from './keep-expressions.js'
import type { LockedRun } from './locked-run.js'
import { pendingOf } from './plan.js'
import { interrupted, requireWhole } from './refusals.js'

/** Opens another connection, where the one of a run is lost. */
type Reopen = () => Promise<MigrationSession>

/**
 * Runs jobs one after the other, and keeps how the engine writes what they have made.
 *
 * @param rest  what is left to do where the lock was lost on the way, by the rows of then
 * @throws {MigrationFailedError} one failed; those before it stay
 * @throws {MigrationInterruptedError} the signal was aborted
 */
export async function runJobs(locked: LockedRun, jobs: readonly Job[], reopen: Reopen, rest: () => readonly Job[]): Promise<void> {
  const { context, ordered, found } = locked
  for (const each of locked.taken) await context.history.takeOver(each)
  await beginKeeping(context, ordered, locked.rows)
  try {
    await runInOrder(locked, jobs, reopen, rest)
  } catch (error) {
    // where it cannot, the next run does
    if (await context.isUsable()) await keepWritten(locked)
    throw error
  }
  await keepWritten(locked)
  found.pending = pendingOf(ordered, locked.rows).map(({ id }) => id)
}

async function runInOrder(locked: LockedRun, jobs: readonly Job[], reopen: Reopen, rest: () => readonly Job[]): Promise<void> {
  const { context, found } = locked
  const left = [...jobs]
  for (let job = left.shift(); job !== undefined; job = left.shift()) {
    const { migration, direction, steps } = job
    const number = found.applied.length + found.reverted.length + 1
    if (context.signal?.aborted) throw interrupted(found)
    context.progress({ type: 'started', id: migration.id, direction, stepsTotal: steps.length, number, count: number + left.length })
    const { lostLock, ...ran } = await run(context, job, reopen)
    ;(direction === 'up' ? found.applied : found.reverted).push(ran)
    if (direction === 'up') found.pending = found.pending.filter((id) => id !== migration.id)
    if (lostLock) {
      context.warn(`the connection was lost while ${migration.id} was committed, which had come through; going on over another`)
      locked.rows = await context.history.read()
      requireWhole(locked)
      left.splice(0, left.length, ...rest())
    }
    // what is made again is kept again
    if (left[0] !== undefined && left[0].direction !== direction) await keepWritten(locked)
  }
}

async function keepWritten(locked: LockedRun): Promise<void> {
  const { context, ordered } = locked
  locked.rows = await context.history.read()
  try {
    await keepExpressions(context, ordered, locked.rows)
  } catch (error) {
    const { message } = typedError(context.dialect, error) as Error
    context.warn(`how the database writes defaults, checks and indexes could not be kept for drift: ${message}`)
  }
}
