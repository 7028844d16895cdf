import { setImmediate as nextTurn } from 'node:timers/promises'
import type { BoundModel } from './bound-model.js'
import type { ParsedOptions } from './call-input.js'
import { InputIssues } from './input-issues.js'
import type { PlanRunner } from './query-plan.js'
import { chunksOf, type RowSource } from './row-chunks.js'

/** Rows read, checked and sent at a time: enough to make the round trip cheap, few enough to hold. */
const CHUNK_SIZE = 1_000

export interface BulkRun {
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
  const chunks = checkedChunks(model, bulk)
  try {
    // before a connection is taken: most lists are one chunk, and one that is refused shall cost no transaction
    const first = await chunks.next()
    if (first.done === true) return
    const label = model.labelOf(bulk.operation)
    const run = () => writeChunks(runner, label, bulk, first.value, chunks)
    await (bulk.options?.transaction === false ? run() : runner.transaction(label, run, bulk.options))
  } finally {
    await chunks.return()
  }
}

async function writeChunks(
  runner: PlanRunner,
  label: string,
  { options, write }: BulkRun,
  first: Rows,
  others: AsyncGenerator<Rows, void>,
): Promise<void> {
  // a chunk may take several statements: without a transaction around them all, it has one of its own
  await runner.together(label, () => write(first), options)
  for await (const rows of others) await runner.together(label, () => write(rows), options)
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
