import type { MigrationStatus, StatusDocument } from './documents.js'
import type { HistoryRow, LoggedFailure } from './history-row.js'
import type { Migration } from './migration.js'
import type { MigrationFolder } from './migration-files.js'
import { headsOf, inOrder, isDone, isHalfDone, isModified, lateOf } from './plan.js'

type Status = Pick<StatusDocument, 'migrations' | 'applied' | 'pending' | 'failed' | 'unknown' | 'modified' | 'heads'>

/** What is applied, pending and failed. Pure. */
export function statusOf(
  { migrations }: MigrationFolder,
  rows: readonly HistoryRow[],
  failures: ReadonlyMap<string, LoggedFailure>,
): Status {
  const ordered = inOrder(migrations)
  const byId = new Map(rows.map((row) => [row.id, row]))
  const late = lateOf(ordered, rows)
  const onDisk = new Set(migrations.map(({ id }) => id))
  const lost = rows.filter((row) => !onDisk.has(row.id) && row.state !== 'squashed' && (isDone(row) || isHalfDone(row)))
  const all = [
    ...lost.map((row) => statusOfOne(row.id, undefined, row, false, undefined)),
    ...ordered.map((migration) =>
      statusOfOne(migration.id, migration, byId.get(migration.id), late.has(migration.id), failures.get(migration.id)),
    ),
  ]
  const ids = (matches: (status: MigrationStatus) => boolean) => all.filter(matches).map(({ id }) => id)
  return {
    migrations: all,
    applied: ids(({ state }) => isDone({ state })),
    pending: ids(({ state }) => state === 'pending' || state === 'reverted'),
    failed: ids(({ state }) => isHalfDone({ state })),
    unknown: ids((status) => !status.onDisk),
    modified: ids(({ modified }) => modified),
    heads: headsOf(migrations),
  }
}

function statusOfOne(
  id: string,
  migration: Migration | undefined,
  row: HistoryRow | undefined,
  late: boolean,
  failure: LoggedFailure | undefined,
): MigrationStatus {
  const instant = (ms: number | null | undefined) => (ms === null || ms === undefined ? null : new Date(ms).toISOString())
  return {
    id,
    state: row?.state ?? 'pending',
    onDisk: migration !== undefined,
    modified: migration !== undefined && row !== undefined && isModified(migration, row),
    late,
    stepsDone: row?.stepsDone ?? 0,
    stepsTotal: row?.stepsTotal ?? 0,
    startedAt: instant(row?.startedAtMs),
    finishedAt: instant(row?.finishedAtMs),
    durationMs: row?.durationMs ?? null,
    lastError: failure ?? null,
  }
}
