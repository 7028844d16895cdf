import { migrationEvents } from '../lib/events.js'
import type { HistoryRow, LogEntry } from './history-row.js'
import { CommitLost, inTransaction } from './in-transaction.js'
import type { Step } from './migration.js'
import type { RunContext } from './run-context.js'
import { type Segment, segmentsOf } from './segments.js'
import { sqlPreview } from './sql-preview.js'
import { StepFailure } from './step-failure.js'

/** What is to be done with one file of SQL. */
export interface SqlWork {
  readonly id: string
  readonly direction: 'up' | 'down'
  readonly steps: readonly Step[]
  /** Steps that are done already. */
  readonly from: number
  /** The first one may have run: the process ended in it. */
  readonly isInDoubt: boolean
  /** The row while it goes on and at its end, `stepsDone` aside; its end says what the log gets. */
  rowDuring(): HistoryRow
  rowAtEnd(): HistoryRow
  logAtEnd(): LogEntry
}

/** Runs the steps of one file, segment by segment, each with its journal. */
export class SqlRun {
  readonly #context: RunContext
  readonly #work: SqlWork
  readonly #segments: readonly Segment[]
  #stepsDone: number
  #isJournalled = false

  constructor(context: RunContext, work: SqlWork) {
    this.#context = context
    this.#work = work
    this.#segments = segmentsOf(work.steps, work.from, context.dialect)
    this.#stepsDone = work.from
  }

  /** @throws {StepFailure} a step failed; the transaction that it was in is rolled back */
  async run(): Promise<void> {
    for (const [index, segment] of this.#segments.entries()) {
      await this.#runSegment(segment, index === this.#segments.length - 1)
      this.#stepsDone = segment.first + segment.steps.length - 1
    }
    // a file without a statement, or whose last step was done when the process ended
    if (this.#segments.length === 0) await this.#end()
  }

  async #end(): Promise<void> {
    try {
      await this.#inTransaction(() => this.#journal(true))
    } catch (error) {
      throw this.#failure(error, this.#work.steps.length, error instanceof CommitLost ? null : true)
    }
  }

  async #runSegment(segment: Segment, isLast: boolean): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      try {
        return await (segment.isTransactional ? this.#runTogether(segment, isLast) : this.#runAlone(segment, isLast))
      } catch (failure) {
        if (!(failure instanceof StepFailure) || failure.leftNothing !== true) throw failure
        if (attempt >= this.#context.options.ddlRetries || !this.#context.isWorthRetrying(failure.cause)) throw failure
        if (!(await this.#context.isUsable())) throw failure
        await this.#context.pauseBefore({ id: this.#work.id, step: failure.step }, attempt).catch((aborted: unknown) => {
          throw this.#failure(aborted, failure.step, true)
        })
      }
    }
  }

  async #runTogether(segment: Segment, isLast: boolean): Promise<void> {
    const { migrations: parts } = this.#context.dialect
    const rebuilt = segment.steps.flatMap(({ rebuilds }) => rebuilds ?? [])
    const around = rebuilt.length > 0 ? parts.rebuild : undefined
    let step = segment.first
    try {
      for (const sql of around?.before ?? []) await this.#context.run(sql, { isLast: true })
      await this.#inTransaction(async () => {
        for (const sql of parts.limitLockWait(this.#context.options.ddlLockTimeoutMs)) await this.#context.run(sql, { isLast: true })
        for (const each of segment.steps) {
          await this.#runStep(each, step)
          step++
        }
        step--
        await around?.check(this.#context.session.connection, this.#changesRows(segment) ? undefined : rebuilt)
        await this.#journal(isLast, step)
      })
    } catch (error) {
      throw this.#failure(error, step, error instanceof CommitLost ? null : true)
    } finally {
      for (const sql of around?.after ?? []) await this.#context.run(sql, { isLast: true }).catch(() => undefined)
    }
  }

  /** While foreign keys are off, nothing is deleted with what it refers to. */
  #changesRows({ steps }: Segment): boolean {
    return steps.some(
      ({ rebuilds, statements }) => rebuilds === undefined && /^\s*(?:insert|update|delete|replace|with)\b/i.test(statements[0]!),
    )
  }

  /** One step that is committed by itself. What it may leave when it fails is removed, before it and after. */
  async #runAlone({ first: step, steps: [only] }: Segment, isLast: boolean): Promise<void> {
    const { migrations: parts } = this.#context.dialect
    const [sql] = only!.statements as [string]
    try {
      await this.#beforeAlone(sql)
    } catch (error) {
      throw this.#failure(error, step, true)
    }
    try {
      await this.#runStep(only!, step)
      if (await this.#removesLeftover(sql)) throw new Error('it left an index that is of no use, which was removed')
    } catch (error) {
      if (this.#work.isInDoubt && step === this.#work.from + 1 && parts.isDoneAlready(error, sql)) {
        this.#context.warn(`step ${step} of ${this.#work.id} had run when the process before ended: ${parts.describe(error).message}`)
      } else throw this.#failure(error, step, await this.#leavesNothing(sql, error))
    }
    try {
      await this.#inTransaction(() => this.#journal(isLast, step), { isLast: true })
    } catch (error) {
      throw new StepFailure(error, { step, stepsDone: this.#stepsDone, leftNothing: null, isDone: true })
    }
  }

  async #beforeAlone(sql: string): Promise<void> {
    if (!this.#isJournalled) {
      await this.#context.history.write({ ...this.#work.rowDuring(), stepsDone: this.#stepsDone })
      this.#isJournalled = true
    }
    await this.#removesLeftover(sql)
    for (const limit of this.#context.dialect.migrations.limitLockWait(this.#context.options.ddlLockTimeoutMs, sql))
      await this.#context.run(limit, { isLast: true })
  }

  async #removesLeftover(sql: string): Promise<boolean> {
    const leftover = this.#context.dialect.migrations.leftoverOf(sql)
    if (leftover === undefined) return false
    const { rows } = await this.#context.session.connection.run(leftover.find)
    if (rows.length === 0) return false
    await this.#context.run(leftover.remove, { isLast: true })
    return true
  }

  async #leavesNothing(sql: string, error: unknown): Promise<boolean | null> {
    if (!(await this.#context.isUsable())) return null
    const { migrations: parts } = this.#context.dialect
    if (parts.describe(error).needsNoTransaction) return true
    try {
      await this.#removesLeftover(sql)
    } catch {
      // it is still there
      return false
    }
    return parts.isAtomic(sql)
  }

  async #runStep(step: Step, number: number): Promise<void> {
    const { id, direction, steps } = this.#work
    const context = this.#context
    const preview = sqlPreview(step.statements[0]!, context.dialect.sqlTraits)
    context.progress({ type: 'step', id, step: number, stepsTotal: steps.length, sqlPreview: preview })
    const startedAtMs = performance.now()
    if (step.rebuilds === undefined) await context.run(step.statements[0]!, { timeoutMs: step.timeoutMs })
    else await context.dialect.migrations.rebuild!.run(context.limited(step.timeoutMs), step.rebuilds, step.statements)
    if (!migrationEvents.hasSubscribers) return
    const durationMs = performance.now() - startedAtMs
    migrationEvents.publish({ migration: id, direction, durationMs, type: 'step', step: number, stepCount: steps.length })
  }

  /** Writes how far it is; at its end that it is there, and a line in the log. */
  async #journal(isLast: boolean, stepsDone = this.#stepsDone): Promise<void> {
    const { history } = this.#context
    if (isLast) {
      await history.write({ ...this.#work.rowAtEnd(), stepsDone })
      await history.log(this.#work.logAtEnd())
    } else if (this.#isJournalled) await history.progress(this.#work.id, stepsDone)
    else await history.write({ ...this.#work.rowDuring(), stepsDone })
    this.#isJournalled = true
  }

  /** What was journalled in it is not, where it did not come through. */
  async #inTransaction(fn: () => Promise<void>, options: { readonly isLast?: boolean } = {}): Promise<void> {
    const wasJournalled = this.#isJournalled
    try {
      await inTransaction(this.#context, fn, options)
    } catch (error) {
      this.#isJournalled = wasJournalled
      throw error
    }
  }

  #failure(reason: unknown, step: number, leftNothing: boolean | null): StepFailure {
    return reason instanceof StepFailure ? reason : new StepFailure(reason, { step, stepsDone: this.#stepsDone, leftNothing })
  }
}
