/** One migration as it is on disk, for one engine. */
export interface Migration extends DescribedMigration {
  readonly up: Source
  /** Undefined: it cannot be reverted. A data module may have one. */
  readonly down: Source | undefined
}

/** What a migration says of itself, whatever engines its SQL is for. */
export interface DescribedMigration {
  readonly id: string
  /** Ids of those that it follows; empty: it is the first. */
  readonly parents: readonly string[]
  /** Reverting it does not bring back all data. */
  readonly isLossyDown: boolean
  /** What `squash` has put it in the place of; empty nearly always. */
  readonly replaces: readonly Replaced[]
  /** Absolute path of its folder. */
  readonly folder: string
}

/** A migration that has gone into another; of one that had taken others in itself, those too. */
export type Replaced = string | { readonly id: string; readonly replaces: readonly Replaced[] }

/** Where a direction of a migration is written. */
export type Source = SqlSource | DataSource

/** A file of SQL for this engine. */
export interface SqlSource {
  readonly kind: 'sql'
  readonly file: string
  /** Without a byte order mark, its lines ended by LF: what the checksum is taken of. */
  readonly text: string
  readonly checksum: string
}

/** A module with `up`, and perhaps `down`. */
export interface DataSource {
  readonly kind: 'data'
  readonly file: string
}

/** One statement of a file, or the two that make a table anew. */
export interface Step {
  /** Of which file, and where its first statement begins, from 1. */
  readonly file: string
  readonly line: number
  /** What is sent, in order; more than one only where `rebuilds` is set. */
  readonly statements: readonly string[]
  /** The table that is made anew with all its rows. */
  readonly rebuilds: string | undefined
  /** It is in one transaction with its neighbours, and undone with it. */
  readonly isTransactional: boolean
  /** Most milliseconds for it; undefined: as the run says. */
  readonly timeoutMs: number | undefined
}

/** An id: the instant in UTC and a slug. */
export const ID_PATTERN = /^\d{8}T\d{6}Z_[a-z0-9_]+$/
