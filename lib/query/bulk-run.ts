import { setImmediate as nextTurn } from 'node:timers/promises'
import type { BoundModel } from './bound-model.js'
import type { ParsedOptions } from './call-input.js'
import { InputIssues } from './input-issues.js'
import { boundBy } from './interruptible.js'
import type { CallLimits, PlanRunner } from './query-plan.js'
import { chunksOf, type RowSource } from './row-chunks.js'
import type { PlacedGroup } from './row-groups.js'

interface BulkRun<G extends PlacedGroup> {
  readonly operation: string
  readonly rows: RowSource
  readonly options: ParsedOptions | undefined
  /** Checks what only this operation asks of a valid row, and completes it; `given` is the row as the caller gave it. */
  readonly prepare: (row: Record<string, unknown>, position: number, given: unknown, issues: InputIssues) => Record<string, unknown>
  /** Puts one chunk of checked rows into the groups that it is written by. */
  readonly group: (rows: Rows) => readonly G[]
  /** Whether writing the group is one statement, which is done or not done as a whole. */
  readonly isOneStatement: (group: G) => boolean
  /** Writes one chunk. */
  readonly write: (groups: readonly G[]) => Promise<void>
}

type Rows = readonly Record<string, unknown>[]

/** Checks and writes rows chunk by chunk, in one transaction unless the options say otherwise. */
export async function runBulk<G extends PlacedGroup>(model: BoundModel, runner: PlanRunner, bulk: BulkRun<G>): Promise<void> {
  const label = model.labelOf(bulk.operation)
  const chunks = new Chunks(checkedChunks(model, bulk), label, bulk.options)
  try {
    // before a connection is taken: most lists are one chunk, and one that is refused shall cost no transaction
    const first = await chunks.next()
    if (first === undefined) return
    if (isWhole(runner, bulk, first)) return await bulk.write(first.groups)
    const run = () => writeChunks(runner, label, bulk, first, chunks)
    await (bulk.options?.transaction === false ? run() : runner.transaction(label, run, bulk.options))
  } finally {
    await chunks.end()
  }
}

/** Whether these are all the rows, and one statement writes them: a transaction would add nothing but its own two. */
function isWhole<G extends PlacedGroup>(
  { isInTransaction }: PlanRunner,
  { isOneStatement }: BulkRun<G>,
  { groups, isLast }: Chunk<G>,
): boolean {
  // inside of one there is a savepoint, so that a failure costs no more than these rows
  return isLast && !isInTransaction && groups.length === 1 && isOneStatement(groups[0]!)
}

async function writeChunks<G extends PlacedGroup>(
  runner: PlanRunner,
  label: string,
  { options, write }: BulkRun<G>,
  first: Chunk<G>,
  others: Chunks<G>,
): Promise<void> {
  for (let chunk: Chunk<G> | undefined = first; chunk !== undefined; chunk = chunk.isLast ? undefined : await others.next()) {
    const { groups } = chunk
    // it may take several statements: without a transaction around them all, it has one of its own
    await runner.together(label, () => write(groups), options)
  }
}

/** Rows that are checked, completed and grouped. */
interface Chunk<G> {
  readonly groups: readonly G[]
  readonly isLast: boolean
}

/** Chunks of a source that may be slow: no longer waited for than the call may take. */
class Chunks<G> {
  readonly #chunks: AsyncGenerator<Chunk<G>, void>
  readonly #label: string
  readonly #limits: CallLimits | undefined
  #isAwaited = false

  constructor(chunks: AsyncGenerator<Chunk<G>, void>, label: string, limits: CallLimits | undefined) {
    this.#chunks = chunks
    this.#label = label
    this.#limits = limits
  }

  /** @throws {AbortedError | QueryTimeoutError} the source has not given enough in time */
  async next(): Promise<Chunk<G> | undefined> {
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

/** The chunks, each checked when it is asked for. */
async function* checkedChunks<G extends PlacedGroup>(
  model: BoundModel,
  { operation, rows, prepare, group }: BulkRun<G>,
): AsyncGenerator<Chunk<G>, void> {
  for await (const chunk of chunksOf(rows)) {
    const issues = new InputIssues(model.definition.name, operation)
    const validated = model.validateRows(chunk.rows, chunk.start)
    issues.take(validated)
    issues.throwIfAny()
    const prepared = validated.values.map((row, index) => prepare(row, chunk.start + index, chunk.rows[index], issues))
    issues.throwIfAny()
    yield { groups: group(prepared), isLast: chunk.isLast }
    // a synchronous driver never waits: let the rest of the process have its turn
    await nextTurn()
  }
}
