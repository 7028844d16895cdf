import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Engine } from '../lib/dialect/dialect.js'
import type { Schema } from '../lib/model/schema.js'
import type { HistoryProblem } from './documents.js'
import { MigrationHistoryError, MigrationUsageError } from './errors.js'
import type { DescribedMigration } from './migration.js'
import { readDescribed, readMigrations } from './migration-files.js'
import { fileProblems, headsOf } from './plan.js'

/** Where the next migration begins. */
export interface LastMigration {
  /** Ids of all that are there. */
  readonly ids: readonly string[]
  /** The one that the next follows; empty: it is the first. */
  readonly parents: readonly string[]
  /** The schema after it; undefined: none was written down. */
  readonly snapshot: Schema | undefined
}

/**
 * Reads what the next migration is compared with.
 *
 * @param engines  every migration has to have the SQL of each
 * @throws {MigrationHistoryError} there are two heads, as two branches leave them, or the file HEAD says another one
 * @throws {MigrationUsageError} a file is not what it should be
 */
export async function lastMigration(folder: string, engines: readonly Engine[]): Promise<LastMigration> {
  if (!existsSync(folder)) return { ids: [], parents: [], snapshot: undefined }
  const [first] = await Promise.all(engines.map((engine) => readMigrations(folder, engine)))
  const { migrations, head } = first!
  const problems = fileProblems(migrations, head)
  if (problems.length > 0) throw new MigrationHistoryError(problems, [nextOf(problems)])
  const parents = headsOf(migrations)
  return { ids: migrations.map(({ id }) => id), parents, snapshot: await snapshotBehind(parents[0], migrations) }
}

function nextOf(problems: readonly HistoryProblem[]): string {
  return problems.some(({ kind }) => kind === 'heads') ? 'latchwork migrate merge' : 'latchwork migrate verify --offline'
}

/** The schema after the last migration, whatever engines it is for; undefined: there is none, or none was written down. */
export async function latestSnapshot(folder: string): Promise<Schema | undefined> {
  if (!existsSync(folder)) return undefined
  const migrations = await readDescribed(folder)
  return snapshotBehind(headsOf(migrations).at(-1), migrations)
}

/** That of the migration, or, where it was written by hand without one, of the nearest before it. */
export async function snapshotBehind(id: string | undefined, migrations: readonly DescribedMigration[]): Promise<Schema | undefined> {
  const byId = new Map(migrations.map((migration) => [migration.id, migration]))
  for (let at = byId.get(id ?? ''); at !== undefined; at = byId.get(at.parents[0] ?? '')) {
    const snapshot = await readSnapshot(at.folder)
    if (snapshot !== undefined) return snapshot
  }
  return undefined
}

/**
 * The schema after the migration in this folder; undefined: it has none.
 *
 * @throws {MigrationUsageError} the file is not what it should be
 */
export async function readSnapshot(folder: string): Promise<Schema | undefined> {
  const file = join(folder, 'snapshot.json')
  return existsSync(file) ? parseSnapshot(file, await readFile(file, 'utf8')) : undefined
}

function parseSnapshot(file: string, text: string): Schema {
  const problem = (message: string) => new MigrationUsageError(message, { file })
  let schema: Partial<Schema> | null
  try {
    schema = JSON.parse(text)
  } catch {
    throw problem('is not JSON; take it from version control again')
  }
  if (schema?.version !== 1 || !Array.isArray(schema.tables)) throw problem('is of another version of latchwork, or no snapshot')
  return schema as Schema
}
