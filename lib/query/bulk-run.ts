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
  readonly write: (rows: readonly Record<string, unknown>[]) => Promise<void>
}

/** Checks and writes rows chunk by chunk, in one transaction unless the options say otherwise. */
export async function runBulk(model: BoundModel, runner: PlanRunner, bulk: BulkRun): Promise<void> {
  const run = () => runChunks(model, bulk)
  await (bulk.options?.transaction === false ? run() : runner.transaction(run, bulk.options))
}

async function runChunks(model: BoundModel, { operation, rows, prepare, write }: BulkRun): Promise<void> {
  for await (const chunk of chunksOf(rows, CHUNK_SIZE)) {
    const issues = new InputIssues(model.definition.name, operation)
    const validated = model.validateRows(chunk.rows, chunk.start)
    issues.take(validated)
    issues.throwIfAny()
    const prepared = validated.values.map((row, index) => prepare(row, chunk.start + index, chunk.rows[index], issues))
    issues.throwIfAny()
    await write(prepared)
    // a synchronous driver never waits: let the rest of the process have its turn
    await nextTurn()
  }
}
