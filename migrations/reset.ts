import { existsSync } from 'node:fs'
import { basename } from 'node:path'
import type { MigrationDialect } from '../lib/dialect/migration-dialect.js'
import type { DatabaseTarget, Recreation } from '../lib/dialect/recreation.js'
import type { ResetDocument, RunDocument, SeedDocument } from './documents.js'
import { MigrationDecisionError } from './errors.js'
import { readMigrations } from './migration-files.js'
import type { ResetOptions, SeedOptions, SignalOption } from './migrator-api.js'
import { fileProblems } from './plan.js'
import { refuseProblems } from './refusals.js'
import { documentOf } from './report.js'
import { readSeeds } from './seed-files.js'
import { seedEnv } from './seeds.js'
import { stepsOf } from './steps.js'

/** What a reset works with. */
export interface ResetTools {
  readonly dialect: MigrationDialect
  readonly target: DatabaseTarget
  /** Of migrations. */
  readonly folder: string
  readonly seeds: string
  recreate(terminate: boolean): Promise<Recreation>
  up(options: SignalOption): Promise<RunDocument>
  seed(options: SeedOptions): Promise<SeedDocument>
}

/** What becomes of it, while it does. */
export type ResetFindings = { -readonly [K in 'env' | 'dropped' | 'up' | 'seed']: ResetDocument[K] }

/** Drops the database, makes it anew, applies all migrations and runs the seeds, where there are any. Throws as `Migrator.reset` does. */
export async function runReset(tools: ResetTools, options: ResetOptions, found: ResetFindings): Promise<void> {
  const { dialect, target, folder, seeds } = tools
  found.env = seedEnv(options.env)
  refuseReset(target, found.env, options)
  // files that make no sense are found before anything is dropped
  const { migrations, head } = await readMigrations(folder, dialect.engine)
  refuseProblems(fileProblems(migrations, head))
  for (const { up } of migrations) if (up.kind === 'sql') stepsOf(up, dialect)
  const hasSeeds = existsSync(seeds)
  if (hasSeeds) await readSeeds(seeds)
  const { wasThere, sessions } = await tools.recreate(options.terminate ?? false)
  if (sessions.length > 0) throw inUse(target, sessions)
  found.dropped = wasThere
  const signal = options.signal === undefined ? {} : { signal: options.signal }
  found.up = await tools.up(signal).catch((error: unknown) => {
    found.up = (documentOf(error) as RunDocument | undefined) ?? null
    throw error
  })
  if (!hasSeeds) return
  found.seed = await tools.seed({ env: found.env, ...signal }).catch((error: unknown) => {
    found.seed = (documentOf(error) as SeedDocument | undefined) ?? null
    throw error
  })
}

/**
 * Refuses a reset unless the database is on this machine, or on a host that was named for it, the environment is not production, and the
 * database was called by its name.
 *
 * @throws {MigrationDecisionError} one of these is not so; nothing was dropped
 */
function refuseReset(target: DatabaseTarget, env: string, { hosts = [], yesDelete }: ResetOptions): void {
  const { name, host } = target
  const refusal = (why: string, next: readonly string[] = []) =>
    new MigrationDecisionError(`a reset drops "${name}" with all that is in it: ${why}; nothing was dropped`, next)
  if (/^prod(uction)?$/i.test(env)) throw refusal(`the environment is ${env}, in which none is done`)
  if (host !== undefined && !isLoopback(host) && !hosts.some((each) => each.toLowerCase() === host.toLowerCase()))
    throw refusal(`${host} is not this machine; name it in reset.hosts of the configuration where that is meant`)
  // a file is called by its own name too
  const said = host === undefined ? basename(name) : name
  if (yesDelete === name || yesDelete === said) return
  const command = `latchwork db reset --yes-delete ${/^[\w.-]+$/.test(said) ? said : `'${said}'`}`
  throw refusal(yesDelete === undefined ? 'say its name' : `it is not called "${yesDelete}"`, [command])
}

/** Names and addresses of the machine itself; a path is a socket on it. */
function isLoopback(host: string): boolean {
  return host.startsWith('/') || /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/i.test(host)
}

/** The error for a database that others are connected to. */
function inUse({ name, host }: DatabaseTarget, sessions: readonly string[]): MigrationDecisionError {
  const others = `"${name}" is in use by ${sessions.join(', ')}; nothing was dropped`
  // the processes that have a file open are not ours to end
  if (host === undefined) return new MigrationDecisionError(`${others}; end what has it open`)
  return new MigrationDecisionError(`${others}; end them, or say --terminate`, ['latchwork db reset --yes-delete … --terminate'])
}
