import type { PlannedMigration } from './documents.js'
import type { Job } from './job.js'
import type { RunContext } from './run-context.js'
import { segmentsOf } from './segments.js'

/** The statements of each migration as they would be sent to the database that it is now, those that keep the state left out. */
export function planned(context: RunContext, jobs: readonly Job[]): Promise<readonly PlannedMigration[]> {
  return Promise.all(
    jobs.map(async (job) => {
      const { migration, direction, source } = job
      const statements = source.kind === 'data' ? [`-- ${direction}() of ${source.file}`] : await sqlOf(context, job)
      return { id: migration.id, direction, statements }
    }),
  )
}

async function sqlOf(context: RunContext, { steps, from }: Job): Promise<string[]> {
  const { dialect, options, session } = context
  const { limitLockWait, rebuild } = dialect.migrations
  const statements: string[] = []
  for (const segment of segmentsOf(steps, from, dialect)) {
    const sent: string[] = []
    for (const step of segment.steps) {
      if (step.rebuilds === undefined) sent.push(...step.statements)
      else sent.push(...(await rebuild!.statements(session.connection, step.rebuilds, step.statements)))
    }
    const around = segment.steps.some(({ rebuilds }) => rebuilds !== undefined) ? rebuild : undefined
    if (segment.isTransactional) {
      const head = [...dialect.begin({}), ...limitLockWait(options.ddlLockTimeoutMs)]
      statements.push(...(around?.before ?? []), ...head, ...sent, 'commit', ...(around?.after ?? []))
    } else statements.push(...limitLockWait(options.ddlLockTimeoutMs, sent[0]), ...sent)
  }
  return statements
}
