import { relative } from 'node:path'
import type { HistoryProblem } from './documents.js'
import { MigrationFailedError, MigrationHistoryError, MigrationInterruptedError, MigrationUsageError } from './errors.js'
import type { HistoryRow } from './history-row.js'
import type { Migration } from './migration.js'
import { isHalfDone } from './plan.js'
import type { Findings } from './report.js'

/** @throws {MigrationUsageError} not a whole number from 1 */
export function requireCount(option: string, count: number | undefined): void {
  if (count === undefined || (Number.isInteger(count) && count >= 1)) return
  throw new MigrationUsageError(`${option}: expected a whole number from 1, got ${count}; nothing was run`)
}

/** @throws {MigrationHistoryError} there is one */
export function refuseProblems(problems: readonly HistoryProblem[]): void {
  if (problems.length === 0) return
  const next = problems.some(({ kind }) => kind === 'heads') ? ['latchwork migrate merge'] : ['latchwork migrate verify']
  throw new MigrationHistoryError(problems, next)
}

/** @throws {MigrationFailedError} one is partly applied, by a run that failed or was killed */
export function requireWhole({ rows, ordered }: { readonly rows: readonly HistoryRow[]; readonly ordered: readonly Migration[] }): void {
  const row = rows.find(isHalfDone)
  if (row === undefined) return
  const { id, stepsDone, stepsTotal, errorText, errorCode } = row
  const direction = row.state === 'reverting' ? 'down' : 'up'
  const why = errorText === null ? 'the process that ran it ended in' : 'it failed in'
  const next = [
    `latchwork migrate resume ${id}`,
    `latchwork migrate resume ${id} --rollback`,
    `latchwork migrate mark ${id} applied --reason …`,
  ]
  throw new MigrationFailedError(
    `${id} is partly ${direction === 'up' ? 'applied' : 'reverted'}: ${why} step ${stepsDone + 1} of ${stepsTotal}${errorText === null ? '' : ` (${errorText})`}; ${stepsDone} steps are done and stay; nothing was run now; next: ${next[0]}`,
    {
      id,
      direction,
      step: stepsDone + 1,
      stepsTotal,
      stepsDone,
      file: relative(process.cwd(), ordered.find((each) => each.id === id)?.folder ?? id),
      line: null,
      sqlPreview: null,
      code: errorCode,
      message: errorText ?? 'the process ended',
      databaseUnchanged: false,
    },
    next,
  )
}

/** The error for an id that is of no migration in the folder. */
export function unknownId(id: string, ordered: readonly Migration[]): MigrationUsageError {
  const last = ordered.at(-1)?.id
  return new MigrationUsageError(
    `there is no migration "${id}"${last === undefined ? '' : `; the last one is ${last}`}; nothing was run`,
    {},
    ['latchwork migrate status'],
  )
}

/** The error for a run that was stopped between two migrations. */
export function interrupted({ applied, reverted }: Findings, cause?: unknown): MigrationInterruptedError {
  const count = applied.length + reverted.length
  return new MigrationInterruptedError(
    `interrupted; ${count === 0 ? 'nothing was run' : `${count} migrations of this run are done and stay`}, and none is in part; next: latchwork migrate status`,
    undefined,
    ['latchwork migrate status'],
    { cause },
  )
}
