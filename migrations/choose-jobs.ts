import { MigrationDecisionError } from './errors.js'
import { type Job, jobOf } from './job.js'
import type { LockedRun } from './locked-run.js'
import { pendingOf, revertOrder, withAncestors } from './plan.js'
import { unknownId } from './refusals.js'

/**
 * The jobs that apply what is pending, in order.
 *
 * @param to     up to this id, and what it needs; undefined: all
 * @param count  at most so many
 * @throws {MigrationUsageError} there is no such id, or files make no sense
 */
export function applyingJobs({ context, ordered, rows }: LockedRun, to: string | undefined, count: number): readonly Job[] {
  if (to !== undefined && !ordered.some(({ id }) => id === to)) throw unknownId(to, ordered)
  const wanted = to === undefined ? undefined : withAncestors(ordered, to)
  const pending = pendingOf(ordered, rows).filter(({ id }) => wanted === undefined || wanted.has(id))
  return pending.slice(0, count).map((migration) => jobOf(context, migration, 'up', undefined))
}

/**
 * The jobs that revert what was applied last, in order.
 *
 * @param to     until this id is the last
 * @param count  at most so many
 * @throws {MigrationUsageError} there is no such id, one has no down file, or files make no sense
 * @throws {MigrationDecisionError} one is lossy, and that is not allowed
 */
export function revertingJobs(
  { context, ordered, rows }: LockedRun,
  to: string | undefined,
  count: number,
  allowLossy: boolean,
): readonly Job[] {
  if (to !== undefined && !ordered.some(({ id }) => id === to)) throw unknownId(to, ordered)
  const chosen = revertOrder(ordered, rows, to === undefined ? new Set() : withAncestors(ordered, to)).slice(0, count)
  const lossy = chosen.filter(({ isLossyDown }) => isLossyDown).map(({ id }) => id)
  if (lossy.length > 0 && !allowLossy) {
    throw new MigrationDecisionError(
      `reverting ${lossy.join(', ')} cannot bring back what was there before; nothing was run; say --allow-lossy where that is meant`,
      ['latchwork migrate down … --allow-lossy', 'latchwork migrate down … --dry-run'],
    )
  }
  const before = new Map(rows.map((row) => [row.id, row]))
  return chosen.map((migration) => jobOf(context, migration, 'down', before.get(migration.id)))
}
