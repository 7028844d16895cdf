import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, readdir } from 'node:fs/promises'
import { delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'

/** PgBouncer, ready to run. */
export interface PgbouncerProgram {
  readonly path: string
  /** Where its shared libraries are, if not where the system looks. */
  readonly libraries?: string
}

/** PgBouncer of this machine, or a sentence that says why there is none. */
export function installedPgbouncer(): PgbouncerProgram | string {
  // servers are in /usr/sbin, which is not in everyone's PATH
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']
  const path = folders.map((folder) => join(folder, 'pgbouncer')).find((candidate) => existsSync(candidate))
  return path === undefined ? 'no pgbouncer on this machine (Debian: apt-get install pgbouncer)' : { path }
}

/** Whether {@link unpackPgbouncer} may be tried: a Debian or a system made from it, in CI. */
export const MAY_UNPACK_PGBOUNCER = existsSync('/etc/debian_version') && Boolean(process.env.CI)

/**
 * Unpacks the distribution's package, and what it needs and the system lacks, into `folder`. Nothing is installed: its install
 * script would start a service and enable it. Needs no privilege.
 */
export async function unpackPgbouncer(folder: string): Promise<PgbouncerProgram> {
  const archives = join(folder, 'archives')
  const lists = join(folder, 'lists')
  const root = join(folder, 'root')
  for (const path of [archives, lists]) await mkdir(join(path, 'partial'), { recursive: true })
  const settings = [`Dir::Cache::archives=${archives}`, `Dir::State::lists=${lists}`, 'Debug::NoLocking=true', 'APT::Sandbox::User=']
  const options = settings.flatMap((setting) => ['-o', setting])
  const run = promisify(execFile)
  await run('apt-get', [...options, 'update'])
  await run('apt-get', [...options, 'install', '-y', '--no-install-recommends', '--download-only', 'pgbouncer'])
  for (const name of await readdir(archives)) {
    if (name.endsWith('.deb')) await run('dpkg-deb', ['--extract', join(archives, name), root])
  }
  const libraries = await foldersOfLibraries(join(root, 'usr/lib'))
  const path = join(root, 'usr/sbin/pgbouncer')
  return libraries === '' ? { path } : { path, libraries }
}

async function foldersOfLibraries(folder: string): Promise<string> {
  if (!existsSync(folder)) return ''
  const names = await readdir(folder, { recursive: true })
  const folders = names.filter((name) => /\.so(?:\.\d+)*$/.test(name)).map((name) => dirname(join(folder, name)))
  return [...new Set(folders)].join(':')
}
