import type { HistoryRow } from './history-row.js'
import type { Migration } from './migration.js'
import type { Findings } from './report.js'
import type { RunContext } from './run-context.js'
import type { TakenOver } from './squashed.js'

/** What a command that holds the lock works with. */
export interface LockedRun {
  readonly context: RunContext
  readonly found: Findings
  /** All of the folder. */
  readonly ordered: readonly Migration[]
  /** Read under the lock, and again when something was run. */
  rows: readonly HistoryRow[]
  /** Squashed migrations that the database has, and does not say so. */
  readonly taken: readonly TakenOver[]
}
