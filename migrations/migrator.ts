import { connectionConfig } from '../lib/dialect/connection-config.js'
import { createMigrationDialect } from '../lib/dialect/create-migration-dialect.js'
import { CONNECTION_CONFIG } from '../lib/dialect/migratable.js'
import type { MigrationDialect } from '../lib/dialect/migration-dialect.js'
import { baseline } from './baseline.js'
import { applyingJobs, revertingJobs } from './choose-jobs.js'
import { CommandFrame, type Holding } from './command-frame.js'
import { examineAll } from './doctor.js'
import type {
  BaselineDocument,
  DoctorDocument,
  DriftDocument,
  LockDocument,
  PullDocument,
  ResetDocument,
  RunDocument,
  ScriptDocument,
  SeedDocument,
  StatusDocument,
  VerifyDocument,
} from './documents.js'
import { driftOf } from './drift.js'
import { planned } from './dry-run.js'
import { MigrationUsageError } from './errors.js'
import type { HistoryRow } from './history-row.js'
import { type Job, jobOf } from './job.js'
import { latestSnapshot } from './last-snapshot.js'
import type { LockedRun } from './locked-run.js'
import type { MigrationFolder } from './migration-files.js'
import type {
  BaselineOptions,
  DownOptions,
  DriftOptions,
  MarkOptions,
  Migrator,
  PullOptions,
  RedoOptions,
  ResetOptions,
  ResumeOptions,
  ScriptOptions,
  SeedOptions,
  SignalOption,
  StatusOptions,
  UnlockOptions,
  UpOptions,
  VerifyOptions,
} from './migrator-api.js'
import { type CheckedOptions, type MigratorOptions, migratorOptions } from './migrator-options.js'
import { fileProblems, historyProblems, pendingOf } from './plan.js'
import { type Pulled, pull } from './pull.js'
import { requireCount, requireWhole } from './refusals.js'
import { mark, requireMark, resumingJob } from './repair.js'
import { readRepeatables } from './repeatable-files.js'
import { Repeatables } from './repeatables.js'
import { documentHead, type Findings, findings, runDocument } from './report.js'
import { type ResetFindings, runReset } from './reset.js'
import { runJobs } from './run-jobs.js'
import { END_HOLDER, END_PROCESS, freeLock } from './run-lock.js'
import { scriptOf } from './script.js'
import { readSeeds } from './seed-files.js'
import { runSeeds, type SeedFindings, seedEnv } from './seeds.js'
import { chainProblems } from './snapshot-chain.js'
import { partlySquashed, withSquashed } from './squashed.js'
import { statusOf } from './status.js'

/**
 * A migrator of one database and one folder of migrations. Connects to nothing yet.
 *
 * ```ts
 * await createMigrator({ url: process.env.DATABASE_URL, folder: 'migrations' }).up()
 * ```
 *
 * @throws {ConfigurationError} an option is missing, unknown or out of bounds
 */
export function createMigrator(given: MigratorOptions): Migrator {
  const options = migratorOptions(given)
  const { url, connection, db } = options
  const config = db === undefined ? connectionConfig({ url, connection }) : db[CONNECTION_CONFIG]
  return new FolderMigrator(options, createMigrationDialect(config))
}

class FolderMigrator implements Migrator {
  readonly #frame: CommandFrame
  readonly #options: CheckedOptions
  readonly #dialect: MigrationDialect

  constructor(options: CheckedOptions, dialect: MigrationDialect) {
    this.#frame = new CommandFrame(options, dialect)
    this.#options = options
    this.#dialect = dialect
  }

  up({ to, steps, dryRun = false, signal }: UpOptions = {}): Promise<RunDocument> {
    const most = steps ?? Number.POSITIVE_INFINITY
    const check = () => requireCount('steps', steps)
    return this.#run('up', { signal, isDry: dryRun, check }, async (locked) => {
      const { context, found } = locked
      requireWhole(locked)
      const jobs = applyingJobs(locked, to, most)
      const repeatables = new Repeatables(context, await readRepeatables(this.#options.folder, this.#dialect))
      // what they stand on is there when all migrations are
      const isWhole = jobs.length === found.pending.length
      if (dryRun) found.planned = [...(await planned(context, jobs)), ...(isWhole ? await repeatables.planned() : [])]
      if (dryRun) return
      await this.#runJobs(locked, jobs, () => applyingJobs(locked, to, most - found.applied.length))
      if (isWhole) await repeatables.run(found.repeated)
    })
  }

  down({ to, steps, allowLossy = false, dryRun = false, signal }: DownOptions): Promise<RunDocument> {
    const most = steps ?? Number.POSITIVE_INFINITY
    const check = () => {
      requireCount('steps', steps)
      if ((to === undefined) !== (steps === undefined)) return
      throw new MigrationUsageError('down needs steps or to, and not both; nothing was run')
    }
    return this.#run('down', { signal, isDry: dryRun, check }, async (locked) => {
      requireWhole(locked)
      const jobs = revertingJobs(locked, to, most, allowLossy)
      if (dryRun) locked.found.planned = await planned(locked.context, jobs)
      else await this.#runJobs(locked, jobs, () => revertingJobs(locked, to, most - locked.found.reverted.length, allowLossy))
    })
  }

  redo({ allowLossy = false, signal }: RedoOptions = {}): Promise<RunDocument> {
    return this.#run('redo', { signal }, async (locked) => {
      requireWhole(locked)
      const jobs = revertingJobs(locked, undefined, 1, allowLossy)
      // both are checked before either is run
      const again = jobs.map(({ migration }) => jobOf(locked.context, migration, 'up', undefined))
      await this.#runJobs(locked, [...jobs, ...again], () => again.slice(locked.found.applied.length))
    })
  }

  status({ pendingFails = false, signal }: StatusOptions = {}): Promise<StatusDocument> {
    return this.#frame.looking('status', signal, async ({ context, found, folder }) => {
      const { rows } = withSquashed(folder.migrations, await context.history.read())
      const status = statusOf(folder, rows, await context.history.lastFailures())
      const repeatables = await new Repeatables(context, await readRepeatables(this.#options.folder, this.#dialect)).status()
      const isPending = status.pending.length > 0 || repeatables.some(({ state }) => state === 'pending' || state === 'changed')
      const next = status.failed.map((id) => `latchwork migrate resume ${id}`)
      if (next.length === 0 && isPending) next.push('latchwork migrate up')
      const fails = pendingFails && isPending
      return { ...documentHead('status', this.#dialect.engine, found), ...status, repeatables, next, ok: !fails, exitCode: fails ? 4 : 0 }
    })
  }

  async verify({ offline = false, signal }: VerifyOptions = {}): Promise<VerifyDocument> {
    const verified = async (found: Findings, folder: MigrationFolder, read: readonly HistoryRow[]): Promise<VerifyDocument> => {
      const { migrations, head } = folder
      const { rows } = withSquashed(migrations, read)
      const problems = [
        ...fileProblems(migrations, head),
        ...historyProblems(migrations, rows),
        ...partlySquashed(migrations, rows),
        ...(await chainProblems(migrations)),
      ]
      const isOk = problems.length === 0
      return { ...documentHead('verify', this.#dialect.engine, found), problems, ok: isOk, exitCode: isOk ? 0 : 6 }
    }
    if (!offline)
      return this.#frame.looking('verify', signal, async ({ context, found, folder }) =>
        verified(found, folder, await context.history.read()),
      )
    const found = findings()
    return this.#frame.documented('verify', found, async () => verified(found, await this.#frame.readFolder(), []))
  }

  drift({ ignore = [], strict = false, signal }: DriftOptions = {}): Promise<DriftDocument> {
    return this.#frame.looking('drift', signal, async ({ context, found, folder: { migrations } }) => {
      const { problem, ...drift } = await driftOf(context, migrations, { ignore, strict })
      const head = documentHead('drift', this.#dialect.engine, found)
      if (problem === undefined) return { ...head, ...drift }
      return { ...head, ...drift, ok: false, exitCode: 5, error: { code: 'MIGRATION_DRIFT', message: problem } }
    })
  }

  baseline(id: string, { signal, ...options }: BaselineOptions = {}): Promise<BaselineDocument> {
    return this.#frame.underLock('baseline', { signal }, async ({ context, found, ordered, rows }) => {
      const { baselined, ...report } = await baseline(context, ordered, rows, id, options)
      const pending = pendingOf(ordered, await context.history.read()).map((each) => each.id)
      const next = pending.length === 0 ? [] : ['latchwork migrate up']
      return { ...documentHead('baseline', this.#dialect.engine, found), ...report, baselined, pending, next }
    })
  }

  doctor({ signal }: SignalOption = {}): Promise<DoctorDocument> {
    const found = findings()
    return this.#frame.documented('doctor', found, async () => {
      const checks = await examineAll({
        dialect: this.#dialect,
        options: this.#options,
        signal,
        open: () => this.#frame.open('read', signal),
        reached: (database) => {
          found.database = database
        },
      })
      const failed = checks.filter(({ status }) => status === 'fail')
      const head = documentHead('doctor', this.#dialect.engine, found)
      if (failed.length === 0) return { ...head, checks }
      const unreachable = failed.some(({ name }) => name === 'connection')
      const error = { code: 'MIGRATION_DOCTOR', message: `not fit for migrations: ${failed.map(({ name }) => name).join(', ')}` }
      return { ...head, checks, ok: false, exitCode: unreachable ? 10 : 2, error }
    })
  }

  resume(id: string, { fromStep, rollback = false, signal }: ResumeOptions = {}): Promise<RunDocument> {
    const check = () => requireCount('fromStep', fromStep)
    return this.#run('resume', { signal, check }, async (locked) => {
      await this.#runJobs(locked, [resumingJob(locked, id, { fromStep, rollback })], () => [])
    })
  }

  mark(id: string, state: 'applied' | 'pending' | 'reverted', { reason, signal }: MarkOptions): Promise<RunDocument> {
    return this.#run('mark', { signal, check: () => requireMark(state, reason) }, (locked) => mark(locked, id, state, reason))
  }

  lock({ signal }: SignalOption = {}): Promise<LockDocument> {
    return this.#frame.looking('lock', signal, async ({ context, found }) => {
      const holder = (await context.session.holder()) ?? null
      const { endsHolders } = this.#dialect.migrations
      if (holder !== null && !endsHolders) found.warnings = [END_PROCESS]
      const next = holder !== null && endsHolders ? [END_HOLDER] : []
      return { ...documentHead('lock', this.#dialect.engine, found), holder, terminated: false, next }
    })
  }

  unlock({ terminate = false, signal }: UnlockOptions = {}): Promise<LockDocument> {
    return this.#frame.looking('unlock', signal, async ({ context, found }) => {
      const freed = await freeLock(context.session, terminate, this.#dialect.migrations.endsHolders)
      return { ...documentHead('unlock', this.#dialect.engine, found), ...freed }
    })
  }

  seed(options: SeedOptions = {}): Promise<SeedDocument> {
    const seeds: SeedFindings = { env: '', seeds: [], skipped: [], failed: null }
    const found = { ...findings(), own: seeds }
    return this.#frame.documented('seed', found, async () => {
      seeds.env = seedEnv(options.env)
      const files = await readSeeds(this.#options.seeds)
      await this.#frame.holding(found, { signal: options.signal }, async (context) => {
        await context.history.ensure()
        await runSeeds(context, files, options, seeds)
      })
      return { ...documentHead('seed', this.#dialect.engine, found), ...seeds }
    })
  }

  reset(options: ResetOptions = {}): Promise<ResetDocument> {
    const reset: ResetFindings = { env: '', dropped: false, up: null, seed: null }
    const found = { ...findings(), own: reset }
    return this.#frame.documented('reset', found, async () => {
      const target = this.#dialect.migrations.target(this.#options.schema)
      found.database = target.name
      await runReset(
        {
          dialect: this.#dialect,
          target,
          folder: this.#options.folder,
          seeds: this.#options.seeds,
          recreate: (terminate) => this.#dialect.migrations.recreate(this.#frame.opening('write', options.signal), terminate),
          up: (signal) => this.up(signal),
          seed: (seedOptions) => this.seed(seedOptions),
        },
        options,
        reset,
      )
      return { ...documentHead('reset', this.#dialect.engine, found), ...reset }
    })
  }

  async pull(options: PullOptions = {}): Promise<PullDocument> {
    const pulled: Pulled = { models: [], findings: [] }
    const found = { ...findings(), own: pulled }
    return this.#frame.documented('pull', found, async () => {
      const known = await latestSnapshot(this.#options.folder)
      return this.#frame.connected(found, options.signal, async ({ session: { connection } }) => {
        Object.assign(pulled, await pull((asked) => this.#dialect.introspect(connection, asked), known, options))
        return { ...documentHead('pull', this.#dialect.engine, found), ...pulled }
      })
    })
  }

  script({ from, to }: ScriptOptions = {}): Promise<ScriptDocument> {
    const found = findings()
    return this.#frame.documented('script', found, async () => {
      const folder = await this.#frame.readFolder()
      const repeatables = to === undefined ? await readRepeatables(this.#options.folder, this.#dialect) : []
      const { ids, sql } = await scriptOf(folder, repeatables, { from, to }, this.#dialect, this.#options)
      return { ...documentHead('script', this.#dialect.engine, found), ids, repeatables: repeatables.map(({ id }) => id), sql }
    })
  }

  /** Runs `body` under the lock; the document is that of what it found. */
  #run(command: RunDocument['command'], holding: Holding, body: (run: LockedRun) => Promise<void>): Promise<RunDocument> {
    return this.#frame.underLock(command, holding, async (locked) => {
      await body(locked)
      return runDocument(command, this.#dialect.engine, locked.found)
    })
  }

  #runJobs(locked: LockedRun, jobs: readonly Job[], rest: () => readonly Job[]): Promise<void> {
    return runJobs(locked, jobs, () => this.#frame.open('write', locked.context.signal), rest)
  }
}
