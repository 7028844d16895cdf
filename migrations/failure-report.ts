import { relative } from 'node:path'
import type { FailedMigration } from './documents.js'
import type { ErrorWords } from './error-words.js'
import type { Job } from './job.js'
import type { RunContext } from './run-context.js'
import { sqlPreview } from './sql-preview.js'
import type { StepFailure } from './step-failure.js'

/** Where a migration stopped, and what it left. */
export function failureReport(
  context: RunContext,
  { migration, direction, steps, source }: Job,
  { step, stepsDone }: StepFailure,
  said: ErrorWords,
  databaseUnchanged: boolean | null,
): FailedMigration {
  const at = steps[step - 1]
  const sql = source.kind === 'sql' ? at?.statements[0] : undefined
  const linesBefore = said.offset === undefined || sql === undefined ? 0 : sql.slice(0, said.offset).split('\n').length - 1
  return {
    id: migration.id,
    direction,
    step,
    stepsTotal: steps.length,
    stepsDone,
    file: relative(process.cwd(), source.file),
    line: at === undefined ? null : at.line + linesBefore,
    sqlPreview: sql === undefined ? null : sqlPreview(sql, context.dialect.sqlTraits),
    code: said.code,
    message: said.message,
    databaseUnchanged,
  }
}

/** What to run next, most likely first. */
export function nextAfter({ id, direction, databaseUnchanged }: FailedMigration): readonly string[] {
  if (databaseUnchanged === true) return [direction === 'up' ? 'latchwork migrate up' : `latchwork migrate down --steps 1`]
  return [`latchwork migrate resume ${id}`, `latchwork migrate resume ${id} --rollback`, 'latchwork migrate status']
}

/** What happened, what the database looks like now, and the next command. */
export function failureMessage(report: FailedMigration, isInterrupted: boolean, next: readonly string[]): string {
  const { id, step, stepsTotal, stepsDone, file, line, message, databaseUnchanged, direction } = report
  const where = stepsDone === stepsTotal ? 'as its end was written down' : `in step ${step} of ${stepsTotal}`
  const what = `${id} ${isInterrupted ? 'was interrupted' : 'failed'} ${where}${direction === 'down' ? ' of reverting it' : ''}`
  const now = {
    true: 'the database is as it was before it',
    false: stepsDone === 0 ? 'that step may have changed the database in part' : `steps 1 to ${stepsDone} are done and stay`,
    null: 'the connection was lost, so that nobody knows whether that step is done',
  }[`${databaseUnchanged}`]
  return `${what} (${file}${line === null ? '' : `:${line}`}): ${message}; ${now}; next: ${next[0]}`
}
