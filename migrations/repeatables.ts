import { relative } from 'node:path'
import { AbortedError } from '../lib/errors.js'
import type { FailedMigration, PlannedMigration, RanMigration, RepeatableStatus } from './documents.js'
import { wordsOf } from './error-words.js'
import { MigrationFailedError, MigrationInterruptedError } from './errors.js'
import { CommitLost, inTransaction } from './in-transaction.js'
import type { Repeatable } from './repeatable-files.js'
import type { RunContext } from './run-context.js'
import { type Segment, segmentsOf } from './segments.js'
import { sqlPreview } from './sql-preview.js'
import { StateRows } from './state-rows.js'
import { stateTables } from './state-tables.js'

/** What a database says of its repeatables. */
export class Repeatables {
  readonly #context: RunContext
  readonly #all: readonly Repeatable[]

  constructor(context: RunContext, all: readonly Repeatable[]) {
    this.#context = context
    this.#all = all
  }

  /** In which state each is, those that have gone from the folder at the end. */
  async status(): Promise<readonly RepeatableStatus[]> {
    const rows = new Map((await this.#rows().read()).map((row) => [String(row.id), row]))
    const here = this.#all.map(({ id, source }): RepeatableStatus => {
      const row = rows.get(id)
      rows.delete(id)
      const state = row === undefined ? 'pending' : row.checksum === source.checksum ? 'applied' : 'changed'
      return { id, state, at: instant(row?.at) }
    })
    return [...here, ...[...rows].map(([id, row]): RepeatableStatus => ({ id, state: 'missing', at: instant(row.at) }))]
  }

  /** Those that are new or have changed, in order. */
  async due(): Promise<readonly Repeatable[]> {
    const states = await this.status()
    return this.#all.filter((each) => states.some(({ id, state }) => id === each.id && (state === 'pending' || state === 'changed')))
  }

  /** What would be sent for each that is due. */
  async planned(): Promise<readonly PlannedMigration[]> {
    return (await this.due()).map(({ id, steps }) => ({ id, direction: 'up', statements: this.#statements(steps) }))
  }

  /**
   * Runs those that are due, each with its checksum in one transaction where the engine can undo what it does.
   *
   * @param ran  gets each that is done
   * @throws {MigrationFailedError} one failed, and is due again
   * @throws {MigrationInterruptedError} the signal was aborted
   */
  async run(ran: RanMigration[]): Promise<void> {
    const due = await this.due()
    if (due.length === 0) return
    await this.#rows().ensure()
    for (const [at, each] of due.entries()) {
      const { id, steps } = each
      this.#context.progress({ type: 'started', id, direction: 'up', stepsTotal: steps.length, number: at + 1, count: due.length })
      const startedAtMs = performance.now()
      await new RepeatableRun(this.#context, each, this.#rows()).run()
      const ms = Math.round(performance.now() - startedAtMs)
      this.#context.progress({ type: 'finished', id, direction: 'up', ms })
      ran.push({ id, ms, steps: steps.length })
      await this.#context.session.renew()
    }
  }

  #statements(steps: Repeatable['steps']): readonly string[] {
    const { dialect, options } = this.#context
    const limits = (sql?: string) => dialect.migrations.limitLockWait(options.ddlLockTimeoutMs, sql)
    return segmentsOf(steps, 0, dialect).flatMap((segment) => {
      const sql = segment.steps.map(({ statements: [only] }) => only!)
      return segment.isTransactional ? [...dialect.begin({}), ...limits(), ...sql, 'commit'] : [...limits(sql[0]), ...sql]
    })
  }

  #rows(): StateRows {
    return new StateRows(this.#context, stateTables(this.#context.options.table, this.#context.session.schema).repeatables)
  }
}

function instant(at: unknown): string | null {
  return at instanceof Date ? at.toISOString() : null
}

/** One file. It is recorded when all of it is done: what failed half way runs anew from its beginning. */
class RepeatableRun {
  readonly #context: RunContext
  readonly #repeatable: Repeatable
  readonly #rows: StateRows
  /** Steps that are done and stay. */
  #stepsDone = 0
  /** From 1. */
  #step = 1

  constructor(context: RunContext, repeatable: Repeatable, rows: StateRows) {
    this.#context = context
    this.#repeatable = repeatable
    this.#rows = rows
  }

  async run(): Promise<void> {
    const segments = segmentsOf(this.#repeatable.steps, 0, this.#context.dialect)
    for (const [at, segment] of segments.entries()) await this.#patiently(segment, at === segments.length - 1)
    if (segments.at(-1)?.isTransactional === true) return
    try {
      await inTransaction(this.#context, () => this.#record())
    } catch (error) {
      throw this.#failure(error)
    }
  }

  /** Again, after a pause, where others were in the way and all was undone. */
  async #patiently(segment: Segment, isLast: boolean): Promise<void> {
    const context = this.#context
    for (let attempt = 0; ; attempt++) {
      try {
        return await this.#runSegment(segment, isLast)
      } catch (error) {
        if (attempt >= context.options.ddlRetries || !context.isWorthRetrying(error)) throw this.#failure(error)
        await context.pauseBefore({ id: this.#repeatable.id, step: this.#step }, attempt).catch((aborted: unknown) => {
          throw this.#failure(aborted)
        })
      }
    }
  }

  async #runSegment({ first, steps, isTransactional }: Segment, isLast: boolean): Promise<void> {
    const { dialect, options } = this.#context
    const run = async () => {
      const limits = dialect.migrations.limitLockWait(options.ddlLockTimeoutMs, isTransactional ? undefined : steps[0]!.statements[0])
      for (const sql of limits) await this.#context.run(sql, { isLast: true })
      for (const [at, { statements, timeoutMs }] of steps.entries()) {
        this.#step = first + at
        this.#context.progress({ type: 'step', ...this.#place(), sqlPreview: this.#preview() })
        await this.#context.run(statements[0]!, { timeoutMs })
      }
      if (isTransactional && isLast) await this.#record()
    }
    await (isTransactional ? inTransaction(this.#context, run) : run())
    this.#stepsDone = first + steps.length - 1
  }

  async #record(): Promise<void> {
    const { id, source } = this.#repeatable
    await this.#rows.replace({ id, checksum: source.checksum, at: new Date() })
  }

  #place(): { readonly id: string; readonly step: number; readonly stepsTotal: number } {
    return { id: this.#repeatable.id, step: this.#step, stepsTotal: this.#repeatable.steps.length }
  }

  #preview(): string | null {
    const sql = this.#repeatable.steps[this.#step - 1]?.statements[0]
    return sql === undefined ? null : sqlPreview(sql, this.#context.dialect.sqlTraits)
  }

  #failure(error: unknown): Error {
    const { id, source, steps } = this.#repeatable
    const { code, message, offset } = wordsOf(this.#context, error)
    const step = steps[this.#step - 1]
    const linesBefore = offset === undefined || step === undefined ? 0 : step.statements[0]!.slice(0, offset).split('\n').length - 1
    const failed: FailedMigration = {
      ...this.#place(),
      direction: 'up',
      stepsDone: this.#stepsDone,
      file: relative(process.cwd(), source.file),
      line: step === undefined ? null : step.line + linesBefore,
      sqlPreview: this.#preview(),
      code,
      message,
      databaseUnchanged: error instanceof CommitLost ? null : this.#stepsDone === 0,
    }
    const now = {
      true: 'it left nothing',
      false: `its steps 1 to ${this.#stepsDone} are done and stay`,
      null: 'the connection was lost, so that nobody knows whether that step is done',
    }[`${failed.databaseUnchanged}`]
    const place = `in step ${this.#step} of ${steps.length} (${failed.file}${failed.line === null ? '' : `:${failed.line}`})`
    const rest = `${now}; migrations before it are applied, and it runs again with the next up`
    const next = ['latchwork migrate up']
    if (error instanceof AbortedError) return new MigrationInterruptedError(`${id} was interrupted ${place}: ${rest}`, failed, next)
    return new MigrationFailedError(`${id} failed ${place}: ${message}; ${rest}`, failed, next)
  }
}
