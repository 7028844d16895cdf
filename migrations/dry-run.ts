import type { PlannedMigration } from './documents.js'
import { MigrationUsageError } from './errors.js'
import { type ForeseenRebuilds, foreseenRebuilds } from './foreseen-rebuilds.js'
import type { Job } from './job.js'
import type { Step } from './migration.js'
import type { RunContext } from './run-context.js'
import { segmentsOf } from './segments.js'

/**
 * The statements of each migration as they would be sent, those that keep the state left out.
 *
 * @throws {MigrationUsageError} the tables that one rebuilds would not be there
 */
export async function planned(context: RunContext, jobs: readonly Job[]): Promise<readonly PlannedMigration[]> {
  const { dialect, session } = context
  const steps = jobs.flatMap((job) => (job.source.kind === 'sql' ? job.steps : []))
  const refusal = (reason: string, step: Step) => new MigrationUsageError(`it would fail: ${reason}; nothing was run`, step)
  const rebuilds = await foreseenRebuilds(steps, dialect, { like: session.connection, checksRows: false, refusal })
  return jobs.map((job) => {
    const { migration, direction, source } = job
    const statements = source.kind === 'data' ? [`-- ${direction}() of ${source.file}`] : sqlOf(context, job, rebuilds)
    return { id: migration.id, direction, statements }
  })
}

function sqlOf({ dialect, options }: RunContext, { steps, from }: Job, rebuilds: ForeseenRebuilds): readonly string[] {
  const { limitLockWait, rebuild } = dialect.migrations
  return segmentsOf(steps, from, dialect).flatMap((segment) => {
    const sent = segment.steps.flatMap((step) => rebuilds.get(step) ?? step.statements)
    if (!segment.isTransactional) return [...limitLockWait(options.ddlLockTimeoutMs, sent[0]), ...sent]
    const around = segment.steps.some((step) => rebuilds.has(step)) ? rebuild : undefined
    const head = [...dialect.begin({}), ...limitLockWait(options.ddlLockTimeoutMs)]
    return [...(around?.before ?? []), ...head, ...sent, 'commit', ...(around?.after ?? [])]
  })
}
