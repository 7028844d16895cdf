import type { MigrationDialect } from '../lib/dialect/migration-dialect.js'
import { leadingWords } from '../lib/dialect/migration-parts.js'
import { MigrationUsageError } from './errors.js'
import type { Migration, Step } from './migration.js'
import { stepsOf } from './steps.js'

/** All statements of each step that rebuilds a table, as they are on a database to which nothing but these migrations was done. */
export type ScriptedRebuilds = ReadonlyMap<Step, readonly string[]>

/**
 * Finds out what stands on the tables that are rebuilt, by running the schema changes of all migrations on an empty database in memory.
 *
 * @throws {MigrationUsageError} the folder does not make such a table, as of a database that was adopted
 */
export async function scriptedRebuilds(
  earlier: readonly Migration[],
  scripted: readonly { readonly migration: Migration; readonly steps: readonly Step[] }[],
  dialect: MigrationDialect,
): Promise<ScriptedRebuilds> {
  const found = new Map<Step, readonly string[]>()
  const { rebuild } = dialect.migrations
  if (rebuild === undefined || !scripted.some(({ steps }) => steps.some(({ rebuilds }) => rebuilds !== undefined))) return found
  await using scratch = await rebuild.openScratch()
  const { connection } = scratch
  const run = async (sql: string) => connection.run({ sql, parameters: [] })
  for (const sql of rebuild.before) await run(sql)
  const before = earlier.flatMap(({ up }) => (up.kind === 'sql' ? stepsOf(up, dialect) : []))
  for (const step of [...before, ...scripted.flatMap(({ steps }) => steps)]) {
    try {
      if (step.rebuilds === undefined) {
        if (changesSchema(step)) await run(step.statements[0]!)
        continue
      }
      const statements = await rebuild.statements(connection, step.rebuilds, [...step.statements, ...rebuild.rowCheck(step.rebuilds)])
      for (const sql of statements) await run(sql)
      found.set(step, statements)
    } catch (error) {
      const { message } = dialect.migrations.describe(error)
      throw new MigrationUsageError(`what it does depends on more than the folder (${message}); use up --dry-run on the database`, step, [
        'latchwork migrate up --dry-run',
      ])
    }
  }
  return found
}

/** Rows decide nothing here. */
function changesSchema({ statements }: Step): boolean {
  return /^(?:create|alter|drop)\b/.test(leadingWords(statements[0]!, 1))
}
