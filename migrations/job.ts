import { MigrationUsageError } from './errors.js'
import type { HistoryRow, LogEntry } from './history-row.js'
import type { Migration, Source, Step } from './migration.js'
import { sha256 } from './migration-files.js'
import type { RunContext } from './run-context.js'
import { stepsOf } from './steps.js'

/** One migration in one direction, its files read and checked. */
export interface Job {
  readonly migration: Migration
  readonly direction: 'up' | 'down'
  readonly source: Source
  /** Of SQL; one that stands for the whole of a data module. */
  readonly steps: readonly Step[]
  /** The row before it; undefined: it is pending. */
  readonly before: HistoryRow | undefined
  /** Steps that are done. */
  readonly from: number
  readonly isInDoubt: boolean
  readonly action: LogEntry['action']
}

/** Checks the files of a migration in one direction. @throws {MigrationUsageError} they make no sense, or there are none */
export function jobOf(context: RunContext, migration: Migration, direction: 'up' | 'down', before: HistoryRow | undefined): Job {
  const source = direction === 'up' ? migration.up : migration.down
  if (source === undefined) {
    throw new MigrationUsageError(
      `has no down.${context.dialect.engine}.sql, so that ${migration.id} cannot be reverted; nothing was run`,
      {
        file: migration.folder,
      },
    )
  }
  const steps = source.kind === 'sql' ? stepsOf(source, context.dialect) : [wholeOf(source.file)]
  return { migration, direction, source, steps, before, from: 0, isInDoubt: false, action: direction }
}

function wholeOf(file: string): Step {
  return { file, line: 1, statements: [''], rebuilds: undefined, isTransactional: false, timeoutMs: undefined }
}

/** Of each step, so that those that are done can be told from those that were changed. */
export function hashesOf(steps: readonly Step[]): readonly string[] {
  return steps.map(({ statements }) => sha256(statements.join(';')).slice(0, 16))
}
