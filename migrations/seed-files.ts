import { readdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { MigrationUsageError } from './errors.js'

/** A seed as it is on disk. */
export interface SeedFile {
  /** The file's name without its ending: `01_users`. */
  readonly id: string
  /** Absolute. */
  readonly file: string
}

const MODULE = /\.[cm]?[jt]s$/
const MAX_ID_LENGTH = 200

/**
 * The seeds of a folder, in the order of their names. Other files and folders in it are of no concern.
 *
 * @throws {MigrationUsageError} there is no such folder, or two files are one seed, such as `01_users.ts` and `01_users.js`
 */
export async function readSeeds(folder: string): Promise<readonly SeedFile[]> {
  const path = resolve(folder)
  const entries = await readdir(path, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    throw new MigrationUsageError(`there is no folder "${path}" of seeds (${error.code}); nothing was run`)
  })
  const names = entries.filter((entry) => !entry.isDirectory() && MODULE.test(entry.name) && !/\.d\.[cm]?ts$/.test(entry.name))
  const seeds = names.map(({ name }) => ({ id: name.replace(MODULE, ''), file: join(path, name) }))
  const sorted = seeds.sort((one, other) => (one.id < other.id ? -1 : 1))
  for (const [at, { id, file }] of sorted.entries()) {
    if (id.length > MAX_ID_LENGTH) throw new MigrationUsageError(`its name has more than ${MAX_ID_LENGTH} characters`, { file })
    if (sorted[at + 1]?.id === id)
      throw new MigrationUsageError(`is the seed "${id}", and so is ${sorted[at + 1]!.file}; remove one`, { file })
  }
  return sorted
}
