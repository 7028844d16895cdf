import type { Engine } from '../../lib/dialect/dialect.js'
import { schemaBehind } from '../applied-schema.js'
import { MigrationHistoryError } from '../errors.js'
import { mergeMigration } from '../generate.js'
import { readMigrations } from '../migration-files.js'
import { fileProblems, headsOf } from '../plan.js'
import { writeMigration } from '../write-migration.js'
import { type CommandDocument, done } from './command-document.js'
import { chosenEngines } from './engines.js'
import type { Call } from './perform.js'
import { openProject } from './project.js'

/** Of `merge`. */
export interface MergeDocument extends CommandDocument {
  readonly command: 'merge'
  /** What was written; null: nothing. */
  readonly id: string | null
  /** The heads that it joins; one: there was nothing to join. */
  readonly heads: readonly string[]
  /** What more than one branch changed, by the database's names. */
  readonly conflicts: readonly string[]
}

/**
 * Writes a migration that follows all heads and runs nothing, where the branches have changed different things.
 *
 * @throws {MigrationHistoryError} the files contradict each other in another way than by their heads
 */
export async function merge({ options, args }: Call<{ readonly dialect?: readonly Engine[] }>): Promise<MergeDocument> {
  const project = await openProject(options)
  const engines = await chosenEngines(project, options)
  const [folder] = await Promise.all(engines.map((engine) => readMigrations(project.migrations, engine)))
  const { migrations, head } = folder!
  const problems = fileProblems(migrations, head).filter(({ kind }) => kind !== 'heads' && kind !== 'head-file')
  if (problems.length > 0) throw new MigrationHistoryError(problems, ['latchwork migrate verify --offline'])
  const heads = headsOf(migrations)
  if (heads.length < 2) return { ...done('merge'), id: null, heads, conflicts: [] }

  const { schema, conflicts } = await schemaBehind(migrations, heads)
  if (conflicts.length > 0) return conflicting(heads, conflicts)
  const ids = migrations.map(({ id }) => id)
  const draft = mergeMigration({ name: args[0] ?? 'merge', now: new Date(), ids, parents: heads, engines }, schema)
  await writeMigration(project.migrations, draft)
  return { ...done('merge'), id: draft.id, heads, conflicts, next: ['latchwork migrate generate --check', 'latchwork migrate up'] }
}

function conflicting(heads: readonly string[], conflicts: readonly string[]): MergeDocument {
  const message = `${heads.join(' and ')} both change ${conflicts.join(', ')}; nothing was written: delete the folder of the one that is applied nowhere, let HEAD say the other, and generate it again`
  return {
    ...done('merge'),
    ok: false,
    exitCode: 3,
    error: { code: 'MIGRATION_DECISION', message },
    id: null,
    heads,
    conflicts,
  }
}
