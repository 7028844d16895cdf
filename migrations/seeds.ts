import { relative } from 'node:path'
import { AbortedError, ConfigurationError } from '../lib/errors.js'
import { nearestName } from '../lib/nearest-name.js'
import type { FailedSeed, RanSeed, SeedDocument } from './documents.js'
import { wordsOf } from './error-words.js'
import { MigrationInterruptedError, MigrationUsageError, SeedFailedError } from './errors.js'
import { inTransaction } from './in-transaction.js'
import { loadModule } from './load-module.js'
import type { SeedOptions } from './migrator-api.js'
import type { RunContext } from './run-context.js'
import type { SeedFile } from './seed-files.js'
import { type AnyKysely, sessionKysely } from './session-kysely.js'
import { StateRows } from './state-rows.js'
import { stateTables } from './state-tables.js'

/** What a seed gets. */
export interface SeedContext {
  /** On the connection of the run, in the seed's transaction. */
  readonly db: AnyKysely
  log(message: string): void
  /** What `--env` says, else `NODE_ENV`, else `development`. */
  readonly env: string
}

/** What a file of seeds exports as its default. */
export type Seed = (context: SeedContext) => Promise<void> | void

/** What becomes of the seeds, while it does. */
export type SeedFindings = { -readonly [K in 'env' | 'seeds' | 'skipped' | 'failed']: SeedDocument[K] }

/** The environment that seeds are for, checked. */
export function seedEnv(given: string | undefined): string {
  const env = given ?? (process.env.NODE_ENV || 'development')
  if (typeof env === 'string' && /^[\w.-]{1,60}$/.test(env)) return env
  throw new ConfigurationError('env', 'expected 1 to 60 letters, digits, _, . and -')
}

/**
 * Runs those that are not recorded for the environment, in order, each in a transaction with its record.
 *
 * @throws {SeedFailedError} one threw
 * @throws {MigrationUsageError} `only` names none, or a file exports no function; nothing was run
 * @throws {MigrationInterruptedError} the signal was aborted
 */
export async function runSeeds(context: RunContext, files: readonly SeedFile[], options: SeedOptions, found: SeedFindings): Promise<void> {
  const { again = false } = options
  const wanted = chosen(files, options.only)
  const records = new StateRows(context, stateTables(context.options.table, context.session.schema).seeds)
  const done = new Set((await records.read()).filter(({ env }) => env === found.env).map(({ id }) => id))
  const isSkipped = ({ id }: SeedFile) => !again && done.has(id)
  const ran: RanSeed[] = []
  found.seeds = ran
  found.skipped = wanted.filter(isSkipped).map(({ id }) => id)
  const left = wanted.filter((file) => !isSkipped(file))
  // all before any is run: what cannot be loaded leaves nothing half done
  const seeds = await Promise.all(left.map(async (file) => ({ ...file, seed: await loadSeed(file) })))
  for (const [at, each] of seeds.entries()) {
    context.progress({ type: 'started', id: each.id, direction: 'up', stepsTotal: 1, number: at + 1, count: seeds.length })
    const run = new SeedRun(context, records, each, found)
    ran.push(await run.run())
  }
}

function chosen(files: readonly SeedFile[], only: readonly string[] | undefined): readonly SeedFile[] {
  if (only === undefined) return files
  const ids = files.map(({ id }) => id)
  const unknown = only.find((id) => !ids.includes(id))
  if (unknown === undefined) return files.filter(({ id }) => only.includes(id))
  const near = nearestName(unknown, ids)
  const advice = near === undefined ? `there ${ids.length === 0 ? 'is none' : `are ${ids.join(', ')}`}` : `did you mean "${near}"?`
  throw new MigrationUsageError(`there is no seed "${unknown}"; ${advice}; nothing was run`)
}

async function loadSeed({ file }: SeedFile): Promise<Seed> {
  const module = await loadModule(file).catch((error: Error) => {
    throw new MigrationUsageError(error.message.replace(`${file}: cannot be loaded`, 'does not load'), { file })
  })
  // CommonJS that was compiled from ESM has it one level down
  const given = module.default as Seed | { readonly default?: Seed } | undefined
  const seed = typeof given === 'function' ? given : given?.default
  if (typeof seed === 'function') return seed
  throw new MigrationUsageError('exports no function as its default: export default async ({ db, log, env }) => { … }; nothing was run', {
    file,
  })
}

/** One seed, in a transaction with its record where the engine can undo what it does. */
class SeedRun {
  readonly #context: RunContext
  readonly #records: StateRows
  readonly #file: SeedFile & { readonly seed: Seed }
  readonly #found: SeedFindings
  readonly #db: AnyKysely
  /** A statement was committed by itself, as MySQL does with DDL. */
  #hasCommitted = false
  #isOver = false

  constructor(context: RunContext, records: StateRows, file: SeedFile & { readonly seed: Seed }, found: SeedFindings) {
    this.#context = context
    this.#records = records
    this.#file = file
    this.#found = found
    this.#db = sessionKysely(
      context.dialect,
      (statement) => {
        this.#hasCommitted ||= !context.dialect.migrations.isTransactional(statement.sql)
        return context.run(statement)
      },
      'each seed runs in one already',
    )
  }

  async run(): Promise<RanSeed> {
    const { id, seed } = this.#file
    const { env } = this.#found
    const startedAtMs = performance.now()
    try {
      await inTransaction(this.#context, async () => {
        const log = (message: string) => this.#context.progress({ type: 'log', id, message: String(message) })
        await seed({ db: this.#db, log, env })
        await this.#records.replace({ id, env, at: new Date() })
        this.#isOver = true
      })
    } catch (error) {
      throw await this.#failure(error)
    }
    const ms = Math.round(performance.now() - startedAtMs)
    this.#context.progress({ type: 'finished', id, direction: 'up', ms })
    // what a seed has set for the session is not for the next
    await this.#context.session.renew()
    return { id, ms }
  }

  async #failure(error: unknown): Promise<Error> {
    const { id, file } = this.#file
    const isUnchanged = await this.#isUnchanged()
    const { code, message } = wordsOf(this.#context, error)
    const failed: FailedSeed = { id, file: relative(process.cwd(), file), code, message, databaseUnchanged: isUnchanged }
    this.#found.failed = failed
    const now = {
      true: 'it and its record are rolled back',
      false: 'statements of it that this engine commits by themselves stay, and it is not recorded',
      null: 'the connection was lost at its end, so that nobody knows whether it is done',
    }[`${isUnchanged}`]
    const before = this.#found.seeds.length === 0 ? 'no seed before it was run' : `${this.#found.seeds.length} before it are done and stay`
    const next = ['latchwork db seed']
    if (error instanceof AbortedError || this.#context.signal?.aborted === true)
      return new MigrationInterruptedError(`interrupted in the seed ${id}: ${now}; ${before}`, undefined, next)
    return new SeedFailedError(`the seed ${id} failed (${failed.file}): ${message}; ${now}; ${before}`, failed, next, {
      cause: error instanceof Error && !('code' in error) ? error : undefined,
    })
  }

  async #isUnchanged(): Promise<boolean | null> {
    if (this.#hasCommitted) return false
    // what was not to be committed yet the server rolls back as the session ends
    return this.#isOver && !(await this.#context.isUsable()) ? null : true
  }
}
