import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** A migration that is not on disk yet: its id, and the texts of its files by name. */
export interface MigrationDraft {
  readonly id: string
  readonly files: Readonly<Record<string, string>>
}

/**
 * Writes a migration's folder, whole or not at all, and then `HEAD`.
 *
 * @param folder  of all migrations; made when it is not there
 */
export async function writeMigration(folder: string, { id, files }: MigrationDraft): Promise<void> {
  await mkdir(folder, { recursive: true })
  // a folder that begins with a dot is no migration: a crash in the middle leaves none that is half there
  const unfinished = join(folder, `.${id}.tmp`)
  await rm(unfinished, { recursive: true, force: true })
  await mkdir(unfinished)
  for (const [name, text] of Object.entries(files)) await writeFile(join(unfinished, name), text)
  await rename(unfinished, join(folder, id))
  await writeHead(folder, id)
}

/** Says which migration is the last. */
export async function writeHead(folder: string, id: string): Promise<void> {
  await writeFile(join(folder, '.HEAD.tmp'), `${id}\n`)
  await rename(join(folder, '.HEAD.tmp'), join(folder, 'HEAD'))
}
