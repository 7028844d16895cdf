import { AsyncLocalStorage } from 'node:async_hooks'
import type { StatementResult } from '../dialect/dialect.js'
import type { BoundModel } from './bound-model.js'
import { type ParsedOptions, parseCount, parseInput, parseOptions } from './call-input.js'
import { allOf, type Condition } from './condition.js'
import { type Place, placeOf } from './cursor.js'
import { loadIncluded } from './include-load.js'
import { InputIssues } from './input-issues.js'
import { requireNotInterrupted } from './interruptible.js'
import { inTotalOrder, type OrderItem, orderKey, parseOrder } from './order.js'
import { limitSlots, type Page, placeCondition } from './page.js'
import { type PlanRunner, planOf } from './query-plan.js'
import { orderedRows } from './read.js'
import { parseDeleted, parseFilter } from './row-filter.js'
import { parseReadSelect } from './select.js'
import { type PlainRow, positionIn, readRow, type Selection } from './selection.js'
import { StatementShape } from './statement-cache.js'

/** Rows of one statement: enough to make the round trip cheap, few enough to hold. */
const CHUNK_SIZE = 500

/**
 * The rows that a filter matches, in order, a chunk at a time: the next one is read when all rows of the last have been taken. No
 * connection is held in between, and so each chunk sees the database as it is then; inside a transaction, as that sees it.
 */
export function streamRows(
  model: BoundModel,
  runner: PlanRunner,
  input: unknown = {},
  options?: unknown,
): AsyncGenerator<PlainRow, void, undefined> {
  // where it was asked for: whoever takes the rows may be in no transaction, or in another
  const inContext = AsyncLocalStorage.snapshot()
  return chunked(
    () => parseStream(model, input, options),
    (stream, after, size) => inContext(() => readChunk(model, runner, stream, after, size)),
  )
}

/** A checked call. */
interface RowStream {
  readonly label: string
  readonly selection: Selection
  readonly condition: Condition
  readonly items: readonly OrderItem[]
  readonly limit: number
  readonly call: ParsedOptions | undefined
  /** Holds the values of the condition. */
  readonly shape: StatementShape
}

interface Chunk {
  readonly rows: readonly PlainRow[]
  /** Of the last row. */
  readonly end: Place | undefined
}

function parseStream(model: BoundModel, input: unknown, options: unknown): RowStream {
  const issues = new InputIssues(model.definition.name, 'stream')
  const given = parseInput(input, ['where', 'orderBy', 'limit', 'include'], issues)
  const call = parseOptions(options, issues, ['select', 'include', 'deleted'])
  const shape = new StatementShape('stream')
  const items = inTotalOrder(model, parseOrder(model, given.orderBy, issues))
  const limit = parseCount(given.limit, ['limit'], issues) ?? Number.POSITIVE_INFINITY
  const selection = parseReadSelect(model, given, call, issues, { joining: shape, also: items.map(({ field }) => field) })
  const condition = parseFilter(model, given.where, shape, issues, parseDeleted(model, call, issues))
  issues.throwIfAny()
  return { label: model.labelOf('stream'), selection, condition, items, limit, call, shape }
}

type ReadChunk = (stream: RowStream, after: Place | undefined, size: number) => Promise<Chunk>

/** A refused input is told to who takes the first row, as a rejection like every other failure. */
async function* chunked(parse: () => RowStream, read: ReadChunk): AsyncGenerator<PlainRow, void, undefined> {
  const stream = parse()
  const { label, call } = stream
  let left = stream.limit
  let after: Place | undefined
  while (left > 0) {
    const size = Math.min(CHUNK_SIZE, left)
    const { rows, end } = await read(stream, after, size)
    for (const row of rows) {
      if (call !== undefined) requireNotInterrupted({ label, ...call })
      yield row
    }
    if (rows.length < size) return
    left -= size
    after = end
  }
}

async function readChunk(model: BoundModel, runner: PlanRunner, stream: RowStream, after: Place | undefined, size: number): Promise<Chunk> {
  const { label, selection, items, call } = stream
  const shape = stream.shape.followedBy(`${selection.key}|${orderKey(items)}|`)
  const page: Page = { items, limit: size, offset: undefined, after, before: undefined }
  const condition = allOf([stream.condition, placeCondition(page, shape)])
  const slots = limitSlots(page, shape)
  const plan = planOf(model, {
    operation: 'stream',
    access: 'read',
    shape,
    exactIntegers: selection.exactIntegers,
    build: () => orderedRows(model, { selection, condition, items, slots }),
    read: ({ rows }): StatementResult['rows'] => rows,
  })
  const found = await runner.run(plan, call)
  const rows = found.map((values) => readRow(selection, values))
  await loadIncluded(runner, { label, selection, limits: call }, rows)
  const last = found.at(-1)
  const positions = items.map(({ field }) => positionIn(selection.root, field))
  return { rows, end: last && placeOf(items, positions, last) }
}
