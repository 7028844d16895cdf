import type { Connection } from '../lib/dialect/dialect.js'
import type { MigrationDialect } from '../lib/dialect/migration-dialect.js'
import { leadingWords } from '../lib/dialect/migration-parts.js'
import type { Step } from './migration.js'

/** All statements of each step that rebuilds a table, as they will be when it is its turn. */
export type ForeseenRebuilds = ReadonlyMap<Step, readonly string[]>

/** What steps are foreseen on. */
export interface Foresight {
  /** Has the schema before them; undefined: they begin with nothing. */
  readonly like?: Pick<Connection, 'run'>
  /** With statements that fail where rows were lost: for a script, which cannot look. */
  readonly checksRows: boolean
  /** The error for a step that cannot be foreseen. */
  refusal(reason: string, step: Step): Error
}

/** Finds out what will stand on the tables that are rebuilt, by running the schema changes of all steps in memory, on tables without rows. */
export async function foreseenRebuilds(
  steps: readonly Step[],
  dialect: MigrationDialect,
  { like, checksRows, refusal }: Foresight,
): Promise<ForeseenRebuilds> {
  const found = new Map<Step, readonly string[]>()
  const { rebuild } = dialect.migrations
  if (rebuild === undefined || !steps.some(({ rebuilds }) => rebuilds !== undefined)) return found
  await using scratch = await rebuild.openScratch(like)
  const { connection } = scratch
  const run = async (sql: string) => connection.run({ sql, parameters: [] })
  for (const sql of rebuild.before) await run(sql)
  for (const step of steps) {
    try {
      if (step.rebuilds === undefined) {
        if (changesSchema(step)) await run(step.statements[0]!)
        continue
      }
      const checks = checksRows ? rebuild.rowCheck(step.rebuilds) : []
      const statements = await rebuild.statements(connection, step.rebuilds, [...step.statements, ...checks])
      for (const sql of statements) await run(sql)
      found.set(step, statements)
    } catch (error) {
      throw refusal(dialect.migrations.describe(error).message, step)
    }
  }
  return found
}

/** Rows decide nothing here. */
function changesSchema({ statements }: Step): boolean {
  return /^(?:create|alter|drop)\b/.test(leadingWords(statements[0]!, 1))
}
