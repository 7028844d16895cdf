import { setImmediate as nextTurn } from 'node:timers/promises'
import type { BoundModel } from './bound-model.js'
import type { ParsedOptions } from './call-input.js'
import { InputIssues } from './input-issues.js'
import { boundBy } from './interruptible.js'
import type { CallLimits, PlanRunner } from './query-plan.js'
import { chunksOf, type RowSource } from './row-chunks.js'

/** Rows read, checked and sent at a time: enough to make the round trip cheap, few enough to hold. */
const CHUNK_SIZE = 1_000

interface BulkRun {
  readonly operation: string
  readonly rows: RowSource
  readonly options: ParsedOptions | undefined
  /** Checks what only this operation asks of a valid row, and completes it; `given` is the row as the caller gave it. */
  readonly prepare: (row: Record<string, unknown>, position: number, given: unknown, issues: InputIssues) => Record<string, unknown>
  /** Writes one chunk of checked rows. */
  readonly write: (rows: Rows) => Promise<void>
}

type Rows = readonly Record<string, unknown>[]

/** Checks and writes rows chunk by chunk, in one transaction unless the options say otherwise. */
export async function runBulk(model: BoundModel, runner: PlanRunner, bulk: BulkRun): Promise<void> {
  const label = model.labelOf(bulk.operation)
  const chunks = new Chunks(checkedChunks(model, bulk), label, bulk.options)
  try {
    // before a connection is taken: most lists are one chunk, and one that is refused shall cost no transaction
    const first = await chunks.next()
    if (first === undefined) return
    const run = () => writeChunks(runner, label, bulk, first, chunks)
    await (bulk.options?.transaction === false ? run() : runner.transaction(label, run, bulk.options))
  } finally {
    await chunks.end()
  }
}

async function writeChunks(runner: PlanRunner, label: string, { options, write }: BulkRun, first: Rows, others: Chunks): Promise<void> {
  for (let rows: Rows | undefined = first; rows !== undefined; rows = await others.next()) {
    const chunk = rows
    // it may take several statements: without a transaction around them all, it has one of its own
    await runner.together(label, () => write(chunk), options)
  }
}

/** Chunks of a source that may be slow: no longer waited for than the call may take. */
class Chunks {
  readonly #chunks: AsyncGenerator<Rows, void>
  readonly #label: string
  readonly #limits: CallLimits | undefined
  #isAwaited = false

  constructor(chunks: AsyncGenerator<Rows, void>, label: string, limits: CallLimits | undefined) {
    this.#chunks = chunks
    this.#label = label
    this.#limits = limits
  }

  /** @throws {AbortedError | QueryTimeoutError} the source has not given enough in time */
  async next(): Promise<Rows | undefined> {
    this.#isAwaited = true
    const { done, value } = await boundBy(this.#limits, this.#label, () => this.#chunks.next())
    this.#isAwaited = false
    return done === true ? undefined : value
  }

  /** Has the source clean up, and waits for that; not where it is silent, which then learns of it when it speaks. */
  async end(): Promise<void> {
    const ended = this.#chunks.return()
    // who waited for it has been told what there is to tell
    if (this.#isAwaited) ended.catch(() => undefined)
    else await ended
  }
}

/** The rows of each chunk, checked and completed when it is asked for. */
async function* checkedChunks(model: BoundModel, { operation, rows, prepare }: BulkRun): AsyncGenerator<Rows, void> {
  for await (const chunk of chunksOf(rows, CHUNK_SIZE)) {
    const issues = new InputIssues(model.definition.name, operation)
    const validated = model.validateRows(chunk.rows, chunk.start)
    issues.take(validated)
    issues.throwIfAny()
    const prepared = validated.values.map((row, index) => prepare(row, chunk.start + index, chunk.rows[index], issues))
    issues.throwIfAny()
    yield prepared
    // a synchronous driver never waits: let the rest of the process have its turn
    await nextTurn()
  }
}
