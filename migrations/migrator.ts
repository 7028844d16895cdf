import { deadlineAfter } from '../lib/deadline.js'
import { connectionConfig } from '../lib/dialect/connection-config.js'
import { createMigrationDialect } from '../lib/dialect/create-migration-dialect.js'
import { CONNECTION_CONFIG } from '../lib/dialect/migratable.js'
import type { MigrationDialect } from '../lib/dialect/migration-dialect.js'
import type { MigrationOpening, MigrationSession } from '../lib/dialect/migration-parts.js'
import { AbortedError, LatchworkError, QueryError } from '../lib/errors.js'
import { type Job, jobOf, run } from './apply.js'
import { baseline } from './baseline.js'
import { examineAll } from './doctor.js'
import type {
  BaselineDocument,
  DoctorDocument,
  DriftDocument,
  LockDocument,
  MigrationCommand,
  PlannedMigration,
  PullDocument,
  ResetDocument,
  RunDocument,
  ScriptDocument,
  SeedDocument,
  StatusDocument,
  VerifyDocument,
} from './documents.js'
import { driftOf } from './drift.js'
import { dryRunOf } from './dry-run.js'
import { MigrationDecisionError, MigrationLockError, MigrationUsageError } from './errors.js'
import type { HistoryRow } from './history-row.js'
import { beginKeeping, keepExpressions } from './keep-expressions.js'
import { latestSnapshot } from './last-snapshot.js'
import type { Migration } from './migration.js'
import { type MigrationFolder, readMigrations } from './migration-files.js'
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
import { fileProblems, historyProblems, inOrder, isHalfDone, pendingOf, revertOrder, withAncestors } from './plan.js'
import { type Pulled, pull } from './pull.js'
import { interrupted, refuseProblems, requireCount, requireWhole, unknownId } from './refusals.js'
import { markedRow, resumingJob } from './repair.js'
import { readRepeatables } from './repeatable-files.js'
import { Repeatables } from './repeatables.js'
import { documentHead, type Findings, findings, runDocument, withDocument } from './report.js'
import { type ResetFindings, runReset } from './reset.js'
import { RunContext } from './run-context.js'
import { describeHolder, takeLock } from './run-lock.js'
import { scriptOf } from './script.js'
import { readSeeds } from './seed-files.js'
import { runSeeds, type SeedFindings, seedEnv } from './seeds.js'
import { chainProblems } from './snapshot-chain.js'
import { partlySquashed, type TakenOver, withSquashed } from './squashed.js'
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

/** What a method that holds the lock works with. */
interface LockedRun {
  readonly context: RunContext
  readonly found: Findings
  readonly ordered: readonly Migration[]
  rows: readonly HistoryRow[]
  /** Squashed migrations that the database has, and does not say so. */
  readonly taken: readonly TakenOver[]
}

class FolderMigrator implements Migrator {
  readonly #options: CheckedOptions
  readonly #dialect: MigrationDialect

  constructor(options: CheckedOptions, dialect: MigrationDialect) {
    this.#options = options
    this.#dialect = dialect
  }

  up({ to, steps, dryRun = false, signal }: UpOptions = {}): Promise<RunDocument> {
    requireCount('steps', steps)
    const run = async (locked: LockedRun) => {
      requireWhole(locked)
      let left = steps ?? Number.POSITIVE_INFINITY
      const chosen = () => this.#choose(locked, to).slice(0, left)
      const jobs = chosen().map((migration) => jobOf(locked.context, migration, 'up', undefined))
      const { context, found } = locked
      const repeatables = new Repeatables(context, await readRepeatables(this.#options.folder, this.#dialect))
      // what they stand on is there when all migrations are
      const isWhole = jobs.length === found.pending.length
      if (dryRun) return this.#plan(locked, jobs, isWhole ? await repeatables.planned() : [])
      await this.#runAll(locked, jobs, () => {
        left = (steps ?? Number.POSITIVE_INFINITY) - found.applied.length
        return chosen().map((migration) => jobOf(context, migration, 'up', undefined))
      })
      if (isWhole) await repeatables.run(found.repeated)
    }
    return this.#locked('up', signal, run, dryRun)
  }

  down({ to, steps, allowLossy = false, dryRun = false, signal }: DownOptions): Promise<RunDocument> {
    requireCount('steps', steps)
    const run = async (locked: LockedRun) => {
      if ((to === undefined) === (steps === undefined))
        throw new MigrationUsageError('down needs steps or to, and not both; nothing was run')
      requireWhole(locked)
      const jobs = this.#reverting(locked, to, steps ?? Number.POSITIVE_INFINITY, allowLossy)
      if (dryRun) return this.#plan(locked, jobs)
      await this.#runAll(locked, jobs, () =>
        this.#reverting(locked, to, (steps ?? Number.POSITIVE_INFINITY) - locked.found.reverted.length, allowLossy),
      )
    }
    return this.#locked('down', signal, run, dryRun)
  }

  redo({ allowLossy = false, signal }: RedoOptions = {}): Promise<RunDocument> {
    return this.#locked('redo', signal, async (locked) => {
      requireWhole(locked)
      const jobs = this.#reverting(locked, undefined, 1, allowLossy)
      // both are checked before either is run
      const again = jobs.map(({ migration }) => jobOf(locked.context, migration, 'up', undefined))
      await this.#runAll(locked, [...jobs, ...again], () => again.slice(locked.found.applied.length))
    })
  }

  status({ pendingFails = false, signal }: StatusOptions = {}): Promise<StatusDocument> {
    return this.#looking('status', signal, async ({ context, found, folder }) => {
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
      return this.#looking('verify', signal, async ({ context, found, folder }) => verified(found, folder, await context.history.read()))
    const found = findings()
    return this.#documented('verify', found, async () => verified(found, await this.#read(), []))
  }

  drift({ ignore = [], strict = false, signal }: DriftOptions = {}): Promise<DriftDocument> {
    return this.#looking('drift', signal, async ({ context, found, folder: { migrations } }) => {
      const { problem, ...drift } = await driftOf(context, migrations, { ignore, strict })
      const head = documentHead('drift', this.#dialect.engine, found)
      if (problem === undefined) return { ...head, ...drift }
      return { ...head, ...drift, ok: false, exitCode: 5, error: { code: 'MIGRATION_DRIFT', message: problem } }
    })
  }

  baseline(id: string, { signal, ...options }: BaselineOptions = {}): Promise<BaselineDocument> {
    return this.#underLock('baseline', signal, async ({ context, found, ordered, rows }) => {
      const { baselined, ...report } = await baseline(context, ordered, rows, id, options)
      const pending = pendingOf(ordered, await context.history.read()).map((each) => each.id)
      const next = pending.length === 0 ? [] : ['latchwork migrate up']
      return { ...documentHead('baseline', this.#dialect.engine, found), ...report, baselined, pending, next }
    })
  }

  doctor({ signal }: SignalOption = {}): Promise<DoctorDocument> {
    const found = findings()
    return this.#documented('doctor', found, async () => {
      const checks = await examineAll({
        dialect: this.#dialect,
        options: this.#options,
        signal,
        open: () => this.#open('read', signal),
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
    requireCount('fromStep', fromStep)
    return this.#locked('resume', signal, async (locked) => {
      const row = locked.rows.find((each) => each.id === id)
      if (row === undefined || !isHalfDone(row)) {
        throw new MigrationUsageError(
          `${id} is ${row?.state ?? 'pending'}, not partly applied: there is nothing to resume; nothing was run`,
          {},
          ['latchwork migrate status'],
        )
      }
      await this.#runAll(locked, [resumingJob(locked.context, locked.ordered, row, { fromStep, rollback })], () => [])
    })
  }

  mark(id: string, state: 'applied' | 'pending' | 'reverted', { reason, signal }: MarkOptions): Promise<RunDocument> {
    return this.#locked('mark', signal, async (locked) => {
      const { context, ordered, rows, found } = locked
      if (typeof reason !== 'string' || reason.trim() === '')
        throw new MigrationUsageError('mark needs a reason, for the log; nothing was changed')
      if (!['applied', 'pending', 'reverted'].includes(state))
        throw new MigrationUsageError(`no state to mark with: ${state}; nothing was changed`)
      const migration = ordered.find((each) => each.id === id)
      const row = rows.find((each) => each.id === id)
      if (migration === undefined && (state === 'applied' || row === undefined)) throw unknownId(id, ordered)
      if (state === 'pending') await context.history.remove(id)
      else await context.history.write(markedRow(context, migration, row, id, state))
      const entry = {
        migration: id,
        action: 'mark',
        outcome: 'marked',
        step: null,
        durationMs: 0,
        errorCode: null,
        errorText: null,
      } as const
      await context.history.log({ ...entry, reason: `${state}: ${reason}` })
      locked.rows = await context.history.read()
      found.pending = pendingOf(ordered, locked.rows).map((each) => each.id)
    })
  }

  lock({ signal }: SignalOption = {}): Promise<LockDocument> {
    return this.#looking('lock', signal, async ({ context, found }) => {
      const holder = (await context.session.holder()) ?? null
      const next = holder === null ? [] : ['latchwork migrate unlock --terminate']
      return { ...documentHead('lock', this.#dialect.engine, found), holder, terminated: false, next }
    })
  }

  unlock({ terminate = false, signal }: UnlockOptions = {}): Promise<LockDocument> {
    return this.#looking('unlock', signal, async ({ context, found }) => {
      const holder = await context.session.holder()
      const head = documentHead('unlock', this.#dialect.engine, found)
      if (holder === undefined) return { ...head, holder: null, terminated: false }
      const who = describeHolder(holder)
      if (!terminate)
        throw new MigrationLockError(`the lock is held by ${who}; it is free when that ends`, holder, [
          'latchwork migrate unlock --terminate',
        ])
      if (await context.session.endHolder(holder)) return { ...head, holder, terminated: true }
      throw new MigrationLockError(
        `the lock is held by ${who}, which cannot be ended from here: end that process; the lock is free with it`,
        holder,
      )
    })
  }

  seed(options: SeedOptions = {}): Promise<SeedDocument> {
    const seeds: SeedFindings = { env: '', seeds: [], skipped: [], failed: null }
    const found = { ...findings(), own: seeds }
    return this.#documented('seed', found, async () => {
      seeds.env = seedEnv(options.env)
      const files = await readSeeds(this.#options.seeds)
      await this.#holding(found, options.signal, async (context) => {
        await context.history.ensure()
        await runSeeds(context, files, options, seeds)
      })
      return { ...documentHead('seed', this.#dialect.engine, found), ...seeds }
    })
  }

  reset(options: ResetOptions = {}): Promise<ResetDocument> {
    const reset: ResetFindings = { env: '', dropped: false, up: null, seed: null }
    const found = { ...findings(), own: reset }
    return this.#documented('reset', found, async () => {
      const target = this.#dialect.migrations.target(this.#options.schema)
      found.database = target.name
      await runReset(
        {
          dialect: this.#dialect,
          target,
          folder: this.#options.folder,
          seeds: this.#options.seeds,
          recreate: (terminate) => this.#dialect.migrations.recreate(this.#opening('write', options.signal), terminate),
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
    return this.#documented('pull', found, async () => {
      const known = await latestSnapshot(this.#options.folder)
      const context = new RunContext(this.#dialect, this.#options, options.signal, await this.#open('read', options.signal))
      try {
        found.database = context.session.database
        const { connection } = context.session
        Object.assign(pulled, await pull((asked) => this.#dialect.introspect(connection, asked), known, options))
        return { ...documentHead('pull', this.#dialect.engine, found), ...pulled }
      } finally {
        await context.session.close()
      }
    })
  }

  script({ from, to }: ScriptOptions = {}): Promise<ScriptDocument> {
    const found = findings()
    return this.#documented('script', found, async () => {
      const folder = await this.#read()
      refuseProblems(fileProblems(folder.migrations, folder.head))
      const ordered = inOrder(folder.migrations)
      for (const id of [from, to]) if (id !== undefined && !ordered.some((each) => each.id === id)) throw unknownId(id, ordered)
      const applied = from === undefined ? new Set<string>() : withAncestors(ordered, from)
      const wanted = to === undefined ? undefined : withAncestors(ordered, to)
      const chosen = ordered.filter(({ id }) => !applied.has(id) && (wanted === undefined || wanted.has(id)))
      const repeatables = to === undefined ? await readRepeatables(this.#options.folder, this.#dialect) : []
      const earlier = ordered.filter(({ id }) => applied.has(id))
      const sql = await scriptOf(chosen, repeatables, earlier, this.#dialect, this.#options)
      const idsOf = (all: readonly { readonly id: string }[]) => all.map(({ id }) => id)
      return { ...documentHead('script', this.#dialect.engine, found), ids: idsOf(chosen), repeatables: idsOf(repeatables), sql }
    })
  }

  /** Which are pending and wanted. */
  #choose({ ordered, rows }: LockedRun, to: string | undefined): readonly Migration[] {
    const pending = pendingOf(ordered, rows)
    if (to === undefined) return pending
    if (!ordered.some(({ id }) => id === to)) throw unknownId(to, ordered)
    const wanted = withAncestors(ordered, to)
    return pending.filter(({ id }) => wanted.has(id))
  }

  #reverting({ context, ordered, rows }: LockedRun, to: string | undefined, count: number, allowLossy: boolean): readonly Job[] {
    if (to !== undefined && !ordered.some(({ id }) => id === to)) throw unknownId(to, ordered)
    const chosen = revertOrder(ordered, rows, to === undefined ? new Set() : withAncestors(ordered, to)).slice(0, count)
    const lossy = chosen.filter(({ isLossyDown }) => isLossyDown).map(({ id }) => id)
    if (lossy.length > 0 && !allowLossy) {
      throw new MigrationDecisionError(
        `reverting ${lossy.join(', ')} cannot bring back what was there before; nothing was run; say --allow-lossy where that is meant`,
        ['latchwork migrate down … --allow-lossy', 'latchwork migrate down … --dry-run'],
      )
    }
    return chosen.map((migration) =>
      jobOf(
        context,
        migration,
        'down',
        rows.find(({ id }) => id === migration.id),
      ),
    )
  }

  async #plan({ context, found }: LockedRun, jobs: readonly Job[], after: readonly PlannedMigration[] = []): Promise<void> {
    found.planned = [...(await Promise.all(jobs.map((job) => dryRunOf(context, job)))), ...after]
  }

  /** {@link #runInOrder}, and keeps how the engine writes what they have made. */
  async #runAll(locked: LockedRun, jobs: readonly Job[], rest: () => readonly Job[]): Promise<void> {
    const { context, ordered } = locked
    for (const each of locked.taken) await context.history.takeOver(each)
    await beginKeeping(context, ordered, locked.rows)
    try {
      await this.#runInOrder(locked, jobs, rest)
    } catch (error) {
      // where it cannot, the next run does
      if (await context.isUsable()) await this.#keepExpressions(locked)
      throw error
    }
    await this.#keepExpressions(locked)
    locked.found.pending = pendingOf(ordered, locked.rows).map(({ id }) => id)
  }

  async #keepExpressions(locked: LockedRun): Promise<void> {
    const { context, ordered } = locked
    locked.rows = await context.history.read()
    try {
      await keepExpressions(context, ordered, locked.rows)
    } catch (error) {
      const { message } = this.#typed(error) as Error
      context.warn(`how the database writes defaults, checks and indexes could not be kept for drift: ${message}`)
    }
  }

  /** Runs them in order. Where the lock was lost on the way, takes it again, reads again, and goes on with what `rest` gives. */
  async #runInOrder(locked: LockedRun, jobs: readonly Job[], rest: () => readonly Job[]): Promise<void> {
    const { context, found } = locked
    const left = [...jobs]
    for (let job = left.shift(); job !== undefined; job = left.shift()) {
      const { migration, direction, steps } = job
      const done = found.applied.length + found.reverted.length
      if (context.signal?.aborted) throw interrupted(found)
      context.progress({
        type: 'started',
        id: migration.id,
        direction,
        stepsTotal: steps.length,
        number: done + 1,
        count: done + 1 + left.length,
      })
      const { lostLock, ...ran } = await run(context, job, () => this.#open('write', context.signal))
      ;(direction === 'up' ? found.applied : found.reverted).push(ran)
      found.pending = direction === 'up' ? found.pending.filter((id) => id !== migration.id) : found.pending
      if (lostLock) {
        context.warn(`the connection was lost while ${migration.id} was committed, which had come through; going on over another`)
        locked.rows = await context.history.read()
        requireWhole(locked)
        left.splice(0, left.length, ...rest())
      }
      // what is made again is kept again
      if (left[0] !== undefined && left[0].direction !== direction) await this.#keepExpressions(locked)
    }
  }

  /** @param isDry nothing is to be changed, not even the state made */
  #locked(
    command: RunDocument['command'],
    signal: AbortSignal | undefined,
    body: (run: LockedRun) => Promise<void>,
    isDry = false,
  ): Promise<RunDocument> {
    const documented = async (locked: LockedRun) => {
      await body(locked)
      return runDocument(command, this.#dialect.engine, locked.found)
    }
    return this.#underLock(command, signal, documented, isDry)
  }

  /** Runs `body` on a connection that has the lock, the history read under it. */
  #underLock<T>(
    command: RunDocument['command'] | 'baseline',
    signal: AbortSignal | undefined,
    body: (run: LockedRun) => Promise<T>,
    isDry = false,
  ): Promise<T> {
    const found = findings()
    return this.#documented(command, found, async () => {
      const folder = await this.#read()
      return this.#holding(found, signal, async (context) => {
        // a database that is refused is left without them
        if (command !== 'baseline' && !isDry) await context.history.ensure()
        // only now: another process may have finished while we waited
        const { rows, taken } = withSquashed(folder.migrations, await context.history.read())
        const ordered = inOrder(folder.migrations)
        found.pending = pendingOf(ordered, rows).map(({ id }) => id)
        // what is to be put right with these two may be just this
        if (command !== 'mark')
          refuseProblems([
            ...fileProblems(folder.migrations, folder.head),
            ...historyProblems(folder.migrations, rows),
            ...partlySquashed(folder.migrations, rows),
          ])
        return body({ context, found, ordered, rows, taken })
      })
    })
  }

  /** Runs `body` on a connection that has the lock. */
  async #holding<T>(found: Findings, signal: AbortSignal | undefined, body: (context: RunContext) => Promise<T>): Promise<T> {
    const context = new RunContext(this.#dialect, this.#options, signal, await this.#open('write', signal))
    found.warnings = context.warnings
    try {
      found.database = context.session.database
      found.waitedMs = await takeLock(context)
      const result = await body(context)
      // it is free at the latest when the connection is closed
      await context.session.unlock().catch(() => undefined)
      return result
    } finally {
      await context.session.close()
    }
  }

  /** Runs `body` on a connection that changes nothing. */
  #looking<T>(
    command: MigrationCommand,
    signal: AbortSignal | undefined,
    body: (run: { readonly context: RunContext; readonly found: Findings; readonly folder: MigrationFolder }) => Promise<T>,
  ): Promise<T> {
    const found = findings()
    return this.#documented(command, found, async () => {
      const folder = await this.#read()
      const context = new RunContext(this.#dialect, this.#options, signal, await this.#open('read', signal))
      found.warnings = context.warnings
      try {
        found.database = context.session.database
        return await body({ context, found, folder })
      } finally {
        await context.session.close()
      }
    })
  }

  async #documented<T>(command: MigrationCommand, found: Findings, body: () => Promise<T>): Promise<T> {
    try {
      return await body()
    } catch (error) {
      const known = error instanceof AbortedError ? interrupted(found, error) : this.#typed(error)
      throw withDocument(known, command, this.#dialect.engine, found)
    }
  }

  /** Of what the driver threw, an error of ours: its own words may hold values. */
  #typed(error: unknown): unknown {
    if (error instanceof LatchworkError) return error
    if (this.#dialect.evicts(error)) return this.#dialect.toDataError(error, { byName: () => undefined, byColumns: () => undefined })
    const { code, message } = this.#dialect.migrations.describe(error)
    return code === undefined ? error : new QueryError(message, code)
  }

  #read(): Promise<MigrationFolder> {
    return readMigrations(this.#options.folder, this.#dialect.engine)
  }

  #open(access: 'read' | 'write', signal: AbortSignal | undefined): Promise<MigrationSession> {
    return this.#dialect.migrations.open(this.#opening(access, signal))
  }

  #opening(access: 'read' | 'write', signal: AbortSignal | undefined): MigrationOpening {
    const { table, schema, createDatabase, allowSessionPooler, singleWriter, connectTimeoutMs } = this.#options
    const deadline = deadlineAfter(connectTimeoutMs)
    return {
      table,
      schema,
      access,
      createDatabase: createDatabase && access === 'write',
      allowSessionPooler,
      singleWriter,
      deadline,
      signal,
    }
  }
}
