import { type Command, Option } from 'commander'
import type { Engine } from '../../lib/dialect/dialect.js'
import { createMigrator } from '../migrator.js'
import type { Migrator } from '../migrator-api.js'
import type { MigratorOptions } from '../migrator-options.js'
import { NOWHERE } from '../nowhere.js'
import { countOrNone, duration } from './option-values.js'
import type { Call } from './perform.js'
import { ProgressDisplay } from './progress.js'
import { openProject, type Project, requireUrl } from './project.js'

/** Flags of commands that connect. */
export interface ConnectionFlags {
  readonly connectTimeout?: number
  readonly allowSessionPooler?: boolean
}

/** Flags of commands that run migrations. */
export interface RunFlags extends ConnectionFlags {
  readonly lockTimeout?: number
  readonly ddlLockTimeout?: number
  readonly ddlRetries?: number
  readonly statementTimeout?: number
  readonly singleWriter?: boolean
  readonly createDatabase?: boolean
}

export function addConnectionFlags(command: Command): Command {
  return command
    .addOption(new Option('--connect-timeout <time>', 'give up connecting after this (default: 5s)').argParser(duration))
    .option('--allow-session-pooler', 'go on behind a pooler that gives each client a session of its own')
}

export function addRunFlags(command: Command): Command {
  return addConnectionFlags(command)
    .addOption(new Option('--lock-timeout <time>', 'wait so long while another process migrates (default: 10m)').argParser(duration))
    .addOption(new Option('--ddl-lock-timeout <time>', 'let a statement wait so long for a table (default: 5s)').argParser(duration))
    .addOption(new Option('--ddl-retries <n>', 'try such a statement again so often (default: 5)').argParser(countOrNone))
    .addOption(new Option('--statement-timeout <time>', 'end a statement after this; 0: never (default: 0)').argParser(duration))
    .option('--single-writer', 'go on on a Galera cluster of which only one node is written to')
}

/** Does `work` with a migrator of the project's database and folder, and shows its progress. */
export async function withMigrator<D>(call: Call<RunFlags>, work: (migrator: Migrator, project: Project) => Promise<D>): Promise<D> {
  const project = await openProject(call.options)
  const url = await requireUrl(project, call.options)
  call.terminal.hidePassword(url)
  const progress = new ProgressDisplay(call.terminal)
  try {
    return await work(createMigrator({ url, ...migratorOptions(project, call.options), onProgress: progress.onProgress }), project)
  } finally {
    progress.stop()
  }
}

/** A migrator that never connects: what it gives depends on the engine alone. */
export async function offlineMigrator(project: Project, engine: Engine, options: Call['options']): Promise<Migrator> {
  return createMigrator({ connection: NOWHERE[engine], ...migratorOptions(project, options) })
}

function migratorOptions({ config, migrations, seeds }: Project, options: Call<RunFlags>['options']): MigratorOptions {
  const given = {
    table: config.migrations?.table,
    schema: options.schema ?? config.migrations?.schema,
    lockTimeoutMs: options.lockTimeout,
    ddlLockTimeoutMs: options.ddlLockTimeout,
    ddlRetries: options.ddlRetries,
    statementTimeoutMs: options.statementTimeout,
    connectTimeoutMs: options.connectTimeout,
    allowSessionPooler: options.allowSessionPooler,
    singleWriter: options.singleWriter,
    createDatabase: options.createDatabase,
  }
  const known = Object.entries(given).filter(([, value]) => value !== undefined)
  return { folder: migrations, seeds, ...(Object.fromEntries(known) as MigratorOptions) }
}
