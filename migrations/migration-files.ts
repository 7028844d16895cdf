import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Engine } from '../lib/dialect/dialect.js'
import { MigrationUsageError } from './errors.js'
import { type DataSource, type DescribedMigration, ID_PATTERN, type Migration, type Replaced, type SqlSource } from './migration.js'

/** The folder as it is on disk. */
export interface MigrationFolder {
  readonly path: string
  /** By id. */
  readonly migrations: readonly Migration[]
  /** What the file `HEAD` says; undefined: there is none. */
  readonly head: string | undefined
}

const MAX_ID_LENGTH = 60
const DATA_FILES = ['data.ts', 'data.mts', 'data.js', 'data.mjs']

/**
 * Reads the folder of migrations, for one engine. Parses no SQL.
 *
 * @throws {MigrationUsageError} there is no such folder, or something in it is not what it should be
 */
export async function readMigrations(folder: string, engine: Engine): Promise<MigrationFolder> {
  const path = resolve(folder)
  const described = await readDescribed(path)
  const migrations = await Promise.all(described.map((each) => withSources(each, engine)))
  return { path, migrations, head: (await readText(join(path, 'HEAD')))?.trim() }
}

/**
 * What the migrations of a folder say of themselves, by id.
 *
 * @throws {MigrationUsageError} there is no such folder, or something in it is not what it should be
 */
export async function readDescribed(folder: string): Promise<readonly DescribedMigration[]> {
  const path = resolve(folder)
  const entries = await readdir(path, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    throw new MigrationUsageError(`there is no folder "${path}" (${error.code}); nothing was run`, {}, ['latchwork init'])
  })
  const names = entries
    .filter((entry) => (entry.isDirectory() || entry.isSymbolicLink()) && !entry.name.startsWith('.'))
    .map(({ name }) => name)
  const described = await Promise.all(names.sort().map((name) => readDescription(join(path, name), name)))
  return described.filter((each) => each !== undefined)
}

/** Undefined: the folder is for something else, such as `repeatable`. */
async function readDescription(folder: string, name: string): Promise<DescribedMigration | undefined> {
  const described = await readText(join(folder, 'migration.json'))
  if (described === undefined) {
    if (!ID_PATTERN.test(name)) return undefined
    throw new MigrationUsageError('is not there: a migration says its id and its parents in it', { file: join(folder, 'migration.json') })
  }
  const { parents, lossyDown, replaces } = parseDescription(described, join(folder, 'migration.json'), name)
  return { id: name, parents, isLossyDown: lossyDown, replaces, folder }
}

async function withSources(described: DescribedMigration, engine: Engine): Promise<Migration> {
  const { folder } = described
  const [up, down, data] = await Promise.all([
    readSql(join(folder, `up.${engine}.sql`)),
    readSql(join(folder, `down.${engine}.sql`)),
    findData(folder),
  ])
  if (up !== undefined && data !== undefined)
    throw new MigrationUsageError(`has both ${data.file.slice(folder.length + 1)} and SQL; a migration is one or the other`, {
      file: folder,
    })
  if (up === undefined && data === undefined) {
    throw new MigrationUsageError(`has no up.${engine}.sql and no data.ts; write one, or generate it with --dialect ${engine}`, {
      file: folder,
    })
  }
  return { ...described, up: up ?? data!, down: data ?? down }
}

function parseDescription(
  text: string,
  file: string,
  name: string,
): { parents: readonly string[]; lossyDown: boolean; replaces: readonly Replaced[] } {
  let described: { readonly [K in 'id' | 'parents' | 'lossyDown' | 'replaces']?: unknown } | null
  try {
    described = JSON.parse(text)
  } catch {
    throw new MigrationUsageError('is not JSON', { file })
  }
  const { id, parents = [], lossyDown = false, replaces = [] } = described ?? {}
  if (id !== name) throw new MigrationUsageError(`its id has to be the folder's name, "${name}"`, { file })
  if (!ID_PATTERN.test(name) || name.length > MAX_ID_LENGTH) {
    throw new MigrationUsageError(`"${name}" is no id: an instant as 20261123T031500Z, _, and a-z, 0-9, _; at most ${MAX_ID_LENGTH}`, {
      file,
    })
  }
  if (!Array.isArray(parents) || !parents.every((parent) => typeof parent === 'string'))
    throw new MigrationUsageError('parents has to be a list of ids', { file })
  if (!areReplaced(replaces)) throw new MigrationUsageError('replaces has to be a list of ids, as squash writes it', { file })
  // a list names what is lost
  return { parents, lossyDown: Array.isArray(lossyDown) ? lossyDown.length > 0 : lossyDown === true, replaces }
}

function areReplaced(list: unknown): list is readonly Replaced[] {
  if (!Array.isArray(list)) return false
  return list.every((each) => typeof each === 'string' || (typeof each?.id === 'string' && areReplaced(each.replaces)))
}

/** A file of SQL without what editors and version control change of it; undefined where there is no such file. */
export async function readSql(file: string): Promise<SqlSource | undefined> {
  const given = await readText(file)
  if (given === undefined) return undefined
  const text = normalised(given)
  return { kind: 'sql', file, text, checksum: sha256(text) }
}

/** A text without a byte order mark, its lines ended by LF. */
export function normalised(text: string): string {
  return text.replace(/^\u{feff}/u, '').replaceAll('\r\n', '\n')
}

async function findData(folder: string): Promise<DataSource | undefined> {
  const names = new Set(await readdir(folder))
  const name = DATA_FILES.find((each) => names.has(each))
  return name === undefined ? undefined : { kind: 'data', file: join(folder, name) }
}

/** As hexadecimal digits. */
export function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex')
}

/** Undefined where there is no such file. */
async function readText(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw new MigrationUsageError(`cannot be read (${code})`, { file })
  }
}
