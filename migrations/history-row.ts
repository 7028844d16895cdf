import type { MigrationState } from './documents.js'
import type { Applied } from './plan.js'

/** A row of the state table. Instants are UTC whatever the zone of process and server. */
export interface HistoryRow extends Applied {
  readonly state: Exclude<MigrationState, 'pending'>
  readonly stepsTotal: number
  readonly stepsDone: number
  /** Of the steps of the file, in order: what is done must not have changed when the rest goes on. */
  readonly stepHashes: readonly string[]
  /** How far the batches of a data module are, by their names. */
  readonly checkpoint: Checkpoints
  readonly startedAtMs: number
  readonly durationMs: number | null
  readonly errorCode: string | null
  readonly errorText: string | null
}

export type Checkpoints = Readonly<Record<string, Checkpoint>>

/** How far the batches over one table are. */
export interface Checkpoint {
  /** The last key that is done, as JSON can hold it. */
  readonly last: unknown
  readonly done: number
  readonly isOver: boolean
}

/** A row of the log. */
export interface LogEntry {
  readonly migration: string
  readonly action: 'up' | 'down' | 'resume' | 'mark' | 'baseline' | 'squash'
  readonly outcome: 'applied' | 'reverted' | 'failed' | 'interrupted' | 'marked' | 'baselined'
  readonly step: number | null
  readonly durationMs: number
  readonly reason: string | null
  readonly errorCode: string | null
  readonly errorText: string | null
}

/** A failed attempt, as `status` shows it. */
export interface LoggedFailure {
  readonly code: string | null
  readonly message: string
  /** ISO 8601 in UTC. */
  readonly at: string
}
