import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { ConfigurationError } from '../../lib/errors.js'
import { checkedConfig, type MigrationConfig } from '../config.js'
import { loadModule } from '../load-module.js'
import type { GlobalOptions } from './global-options.js'

/** What a command works on. */
export interface Project {
  /** Absolute: of the configuration file, or the working directory. Paths and globs of the configuration count from it. */
  readonly folder: string
  readonly config: MigrationConfig
  /** Absolute: the folder of migrations. */
  readonly migrations: string
  /** Absolute: the folder of seeds. */
  readonly seeds: string
}

/** In the order in which they are looked for. */
export const CONFIG_FILES = ['ts', 'mts', 'mjs', 'js', 'json'].map((ending) => `latchwork.config.${ending}`)

/**
 * Reads the configuration, if there is one.
 *
 * @throws {ConfigurationError} it cannot be loaded, is wrong, is there twice, or `--config` names none
 */
export async function openProject(options: GlobalOptions): Promise<Project> {
  const file = options.config === undefined ? soleConfig(process.cwd()) : resolve(options.config)
  const folder = file === undefined ? process.cwd() : dirname(file)
  const config = file === undefined ? {} : await readConfig(file)
  return {
    folder,
    config,
    migrations: resolve(folder, config.migrations?.dir ?? 'migrations'),
    seeds: resolve(folder, config.seeds?.dir ?? 'seeds'),
  }
}

/**
 * Where the database is: `--url`, `LATCHWORK_MIGRATE_URL`, `LATCHWORK_DATABASE_URL`, the configuration's `url`, whichever is there first.
 *
 * @returns undefined where none says it
 */
export async function urlOf({ config }: Project, options: GlobalOptions): Promise<string | undefined> {
  const said = options.url ?? (process.env.LATCHWORK_MIGRATE_URL || process.env.LATCHWORK_DATABASE_URL)
  if (said) return said
  const url: unknown = typeof config.url === 'function' ? await config.url() : config.url
  if (url === undefined || (typeof url === 'string' && url !== '')) return url
  throw new ConfigurationError(
    'url',
    `expected the configuration's function to give a text, got ${url === '' ? 'an empty one' : typeof url}`,
  )
}

/** {@link urlOf}, for a command that needs a database. */
export async function requireUrl(project: Project, options: GlobalOptions): Promise<string> {
  const url = await urlOf(project, options)
  if (url !== undefined) return url
  throw new ConfigurationError(
    'url',
    'say where the database is: by --url, LATCHWORK_MIGRATE_URL, LATCHWORK_DATABASE_URL, or url in latchwork.config.ts',
  )
}

function soleConfig(folder: string): string | undefined {
  const [first, second] = CONFIG_FILES.map((name) => join(folder, name)).filter((path) => existsSync(path))
  if (second === undefined) return first
  throw new ConfigurationError('config', `${basename(first!)} and ${basename(second)} are both there; remove one, or say which by --config`)
}

async function readConfig(file: string): Promise<MigrationConfig> {
  if (!existsSync(file)) throw new ConfigurationError('config', `there is no file ${file}`)
  try {
    return checkedConfig(file.endsWith('.json') ? await readJson(file) : defaultOf(file, await loadModule(file)))
  } catch (error) {
    // the option at fault, and where it stands
    if (!(error instanceof ConfigurationError) || error.option === file) throw error
    throw new ConfigurationError(file, error.message, { cause: error })
  }
}

async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'))
  } catch (error) {
    throw new ConfigurationError(file, `is not JSON: ${(error as Error).message}`, { cause: error })
  }
}

/** CommonJS that was compiled from ESM has it one level down. */
function defaultOf(file: string, module: Readonly<Record<string, unknown>>): unknown {
  const given = module.default as { readonly __esModule?: boolean; readonly default?: unknown } | undefined
  const config = given?.__esModule === true ? given.default : given
  if (config === undefined) throw new ConfigurationError(file, 'has no default export; write: export default defineConfig({ … })')
  return config
}
