import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { MigrationDialect } from '../lib/dialect/migration-dialect.js'
import { MigrationUsageError } from './errors.js'
import type { SqlSource, Step } from './migration.js'
import { readSql } from './migration-files.js'
import { stepsOf } from './steps.js'

/** SQL of a view or a function, which runs again when it is another. */
export interface Repeatable {
  /** `repeatable/active_users` */
  readonly id: string
  readonly source: SqlSource
  readonly steps: readonly Step[]
}

const FOLDER = 'repeatable'
const MAX_ID_LENGTH = 60

/**
 * The files `repeatable/*.sql` in the folder of migrations, in the order of their names: `name.<engine>.sql` for one engine, which goes
 * before `name.sql` for all. What begins with a dot is an editor's or the system's.
 *
 * @throws {MigrationUsageError} a name is too long, or a file's steps make no sense
 */
export async function readRepeatables(migrations: string, dialect: MigrationDialect): Promise<readonly Repeatable[]> {
  const folder = join(migrations, FOLDER)
  const files = new Map<string, string>()
  for (const file of (await namesIn(folder)).filter((name) => name.endsWith('.sql') && !name.startsWith('.')).sort()) {
    const [, name, engine] = /^(.+?)(?:\.(postgres|mysql|sqlite))?\.sql$/.exec(file)!
    if (engine === dialect.engine || (engine === undefined && !files.has(name!))) files.set(name!, join(folder, file))
  }
  const byName = [...files].sort(([one], [other]) => (one < other ? -1 : 1))
  return Promise.all(byName.map(([name, file]) => readRepeatable(`${FOLDER}/${name}`, file, dialect)))
}

async function namesIn(folder: string): Promise<readonly string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return []
    throw new MigrationUsageError(`cannot be read (${code})`, { file: folder })
  }
}

async function readRepeatable(id: string, file: string, dialect: MigrationDialect): Promise<Repeatable> {
  if (id.length > MAX_ID_LENGTH) throw new MigrationUsageError(`"${id}" is longer than ${MAX_ID_LENGTH} characters`, { file })
  const source = (await readSql(file))!
  const steps = stepsOf(source, dialect)
  const rebuilding = steps.find(({ rebuilds }) => rebuilds !== undefined)
  if (rebuilding !== undefined)
    throw new MigrationUsageError('latchwork:rebuild is for migrations: a table is no repeatable thing', rebuilding)
  return { id, source, steps }
}
