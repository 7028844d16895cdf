import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { ConfigurationError } from '../../lib/errors.js'
import { normalised } from '../migration-files.js'

/** What has become of a folder of migrations since a commit. */
export interface ChangedSince {
  /** Ids that have a new or changed file. */
  readonly changed: ReadonlySet<string>
  /** Files of SQL and data modules that the commit has, and that are another now, or gone: from the folder, with `/`. */
  readonly edited: readonly string[]
}

const RUNS = /^[^/]+\/(?:up\.\w+\.sql|data\.m?[jt]s)$/
const run = promisify(execFile)

/**
 * Asks git: since the commit at which this branch has left `ref`, the working tree included.
 *
 * @throws {ConfigurationError} there is no git, no repository or no such commit
 */
export async function changedSince(folder: string, ref: string): Promise<ChangedSince> {
  const git = async (...words: readonly string[]) => {
    try {
      return (await run('git', [...words], { cwd: folder, maxBuffer: 64 * 1024 * 1024 })).stdout
    } catch (error) {
      const said = String((error as { readonly stderr?: unknown }).stderr ?? (error as Error).message)
        .trim()
        .split('\n')[0]
      throw new ConfigurationError('since', `git does not say what was there at "${ref}": ${said}`, { cause: error })
    }
  }
  // it would be an option to git
  if (ref.startsWith('-')) throw new ConfigurationError('since', `expected a commit or branch, got "${ref}"`)
  const base = (await git('merge-base', 'HEAD', ref)).trim()
  const [then, now, untracked] = [
    await git('ls-tree', '-r', '-z', '--name-only', base, '--', '.'),
    await git('diff', '--name-only', '--no-renames', '--relative', '-z', base, '--', '.'),
    await git('ls-files', '--others', '--exclude-standard', '-z', '--', '.'),
  ].map((text) => text.split('\0').filter((name) => name !== ''))
  const had = new Set(then)
  const edited: string[] = []
  for (const name of now!.filter((each) => had.has(each) && RUNS.test(each))) {
    const path = join(folder, name)
    const text = existsSync(path) ? normalised(await readFile(path, 'utf8')) : undefined
    // other line ends are no change
    if (text !== normalised(await git('show', `${base}:./${name}`))) edited.push(name)
  }
  return { changed: new Set([...now!, ...untracked!].map((name) => name.split('/')[0]!)), edited }
}
