import { ConfigurationError } from '../lib/errors.js'
import { MigrationUsageError } from './errors.js'
import type { Checkpoint, Checkpoints, HistoryRow, LogEntry } from './history-row.js'
import { CommitLost, inTransaction } from './in-transaction.js'
import { loadModule } from './load-module.js'
import type { DataSource } from './migration.js'
import type { RunContext } from './run-context.js'
import { type AnyKysely, sessionKysely } from './session-kysely.js'
import { StepFailure } from './step-failure.js'

/** What a `data.ts` gets. */
export interface DataContext {
  /** On the connection of the run; a statement outside of {@link batch} is committed by itself. */
  readonly db: AnyKysely
  /** See {@link BatchOptions}. */
  batch(options: BatchOptions, fn: (batch: Batch) => Promise<void>): Promise<void>
  log(message: string): void
  readonly signal: AbortSignal
}

/** Goes through a table by its key, in transactions of `size` rows, each with the checkpoint from which a resumed run goes on. */
export interface BatchOptions {
  readonly table: string
  /** A column, unique and not null. */
  readonly key: string
  /** Rows a transaction. Default 1,000. 1 to 100,000. */
  readonly size?: number
  /** Which rows; default all. Rows that a batch takes out of it are not missed. */
  // biome-ignore lint/suspicious/noExplicitAny: Kysely's builder on a table that no type describes
  readonly where?: (query: any) => any
  /** Tells batches over one table apart. Default `table.key`. */
  readonly name?: string
}

/** Some rows, in a transaction. It may be run again where that was rolled back. */
export interface Batch {
  readonly db: AnyKysely
  /** Of its rows, ascending. */
  readonly keys: readonly unknown[]
  readonly first: unknown
  readonly last: unknown
}

/** A module of a data migration. */
export interface DataModule {
  readonly up?: (context: DataContext) => Promise<void>
  readonly down?: (context: DataContext) => Promise<void>
}

/** What is to be done with one module. */
export interface DataWork {
  readonly id: string
  readonly direction: 'up' | 'down'
  readonly source: DataSource
  readonly checkpoint: Checkpoints
  rowDuring(): HistoryRow
  rowAtEnd(): HistoryRow
  logAtEnd(): LogEntry
}

const NEVER = new AbortController().signal

/** @throws {MigrationUsageError} it does not load */
export async function loadDataModule({ file }: DataSource): Promise<DataModule> {
  try {
    return await loadModule(file)
  } catch (error) {
    const { message } = error as Error
    throw new MigrationUsageError(message.replace(`${file}: cannot be loaded`, 'does not load'), { file })
  }
}

/** Runs a data migration. */
export class DataRun {
  readonly #context: RunContext
  readonly #work: DataWork
  readonly #db: AnyKysely
  #checkpoint: Checkpoints
  /** Something was committed, or may have been. */
  #hasCommitted: boolean
  #isInBatch = false

  constructor(context: RunContext, work: DataWork) {
    this.#context = context
    this.#work = work
    this.#checkpoint = work.checkpoint
    this.#hasCommitted = Object.keys(work.checkpoint).length > 0
    this.#db = sessionKysely(context.dialect, async (statement) => {
      this.#hasCommitted ||= !this.#isInBatch && !/^\s*select\b/i.test(statement.sql)
      return context.run(statement)
    })
  }

  /** @throws {StepFailure} it threw */
  async run(module: DataModule): Promise<void> {
    const { history, dialect, options } = this.#context
    try {
      await history.write({ ...this.#work.rowDuring(), stepsDone: 0, checkpoint: this.#checkpoint })
      for (const sql of dialect.migrations.limitLockWait(options.ddlLockTimeoutMs, '')) await this.#context.run(sql, { isLast: true })
      this.#context.progress({ type: 'step', id: this.#work.id, step: 1, stepsTotal: 1, sqlPreview: null })
      await module[this.#work.direction]!({
        db: this.#db,
        batch: (given, fn) => this.#batch(given, fn),
        log: (message) => this.#context.progress({ type: 'log', id: this.#work.id, message: String(message) }),
        signal: this.#context.signal ?? NEVER,
      })
      this.#context.throwIfAborted()
    } catch (error) {
      const reason = error instanceof CommitLost ? error.cause : error
      throw new StepFailure(reason, { step: 1, stepsDone: 0, leftNothing: !this.#hasCommitted })
    }
    await this.#inTransaction(async () => {
      await history.write({ ...this.#work.rowAtEnd(), stepsDone: 1, checkpoint: this.#checkpoint })
      await history.log(this.#work.logAtEnd())
    }).catch((error: unknown) => {
      throw new StepFailure(error, { step: 1, stepsDone: 0, leftNothing: null })
    })
  }

  async #batch(given: BatchOptions, fn: (batch: Batch) => Promise<void>): Promise<void> {
    const { table, key, size = 1_000, name = `${table}.${key}` } = given
    if (!Number.isInteger(size) || size < 1 || size > 100_000)
      throw new ConfigurationError('batch.size', 'expected a whole number from 1 to 100000')
    if (this.#isInBatch) throw new ConfigurationError('batch', 'cannot be called inside of a batch: its transaction is open')
    let at: Checkpoint = this.#checkpoint[name] ?? { last: null, done: 0, isOver: false }
    for (let attempt = 0; !at.isOver; ) {
      try {
        at = await this.#next(given, size, at, name, fn)
        attempt = 0
        this.#context.progress({ type: 'batch', id: this.#work.id, table, done: at.done })
      } catch (error) {
        if (attempt >= this.#context.options.ddlRetries || !this.#context.isWorthRetrying(error) || !(await this.#context.isUsable()))
          throw error
        await this.#context.pauseBefore({ id: this.#work.id, step: 1 }, attempt++)
      }
    }
  }

  /** The next rows by their key, in a transaction with the checkpoint. */
  async #next(
    { table, key, where }: BatchOptions,
    size: number,
    at: Checkpoint,
    name: string,
    fn: (batch: Batch) => Promise<void>,
  ): Promise<Checkpoint> {
    let next = at
    const checkpoint = () => ({ ...this.#checkpoint, [name]: next })
    await this.#inTransaction(async () => {
      let query = this.#db.selectFrom(table).select(key).orderBy(key).limit(size)
      if (at.last !== null) query = query.where(key, '>', unpacked(at.last))
      const rows = (await (where === undefined ? query : where(query)).execute()) as readonly Record<string, unknown>[]
      const keys = rows.map((row) => row[key])
      if (keys.length > 0) await fn({ db: this.#db, keys, first: keys[0], last: keys.at(-1) })
      next = { last: keys.length === 0 ? at.last : packed(keys.at(-1)), done: at.done + keys.length, isOver: keys.length < size }
      await this.#context.history.checkpoint(this.#work.id, checkpoint())
    })
    this.#checkpoint = checkpoint()
    this.#hasCommitted ||= next.done > at.done
    return next
  }

  async #inTransaction(fn: () => Promise<void>): Promise<void> {
    this.#isInBatch = true
    try {
      await inTransaction(this.#context, fn)
    } catch (error) {
      this.#hasCommitted ||= error instanceof CommitLost
      throw error
    } finally {
      this.#isInBatch = false
    }
  }
}

// JSON has no bigint, and no instant
function packed(key: unknown): unknown {
  if (typeof key === 'bigint') return { bigint: String(key) }
  return key instanceof Date ? { date: key.toISOString() } : key
}

function unpacked(key: unknown): unknown {
  if (typeof key !== 'object' || key === null) return key
  const { bigint, date } = key as { readonly bigint?: string; readonly date?: string }
  return bigint === undefined ? new Date(date!) : BigInt(bigint)
}
