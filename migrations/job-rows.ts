import type { HistoryRow, LogEntry } from './history-row.js'
import { hashesOf, type Job } from './job.js'

/** The rows of one attempt. */
export interface JobRows {
  during(): HistoryRow
  atEnd(): HistoryRow
  /** Since it began. */
  durationMs(): number
  /** The row that it would have left at its end. */
  expected(): HistoryRow
  log(outcome: LogEntry['outcome'], step: number | null, error: { readonly code: string | null; readonly message: string } | null): LogEntry
}

/** @param durationMs  since it began */
export function rowsOf(
  { migration, direction, source, steps, before, action }: Job,
  startedAtMs: number,
  durationMs: () => number,
): JobRows {
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

export function ended(direction: 'up' | 'down'): 'applied' | 'reverted' {
  return direction === 'up' ? 'applied' : 'reverted'
}
