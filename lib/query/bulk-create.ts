import type { StatementResult } from '../dialect/dialect.js'
import { auditedCreate } from './audit.js'
import type { BoundModel } from './bound-model.js'
import { runBulk } from './bulk-run.js'
import { type ParsedOptions, parseFlag, parseInput, parseOptions } from './call-input.js'
import { insertRow, newRow, readCreated } from './create.js'
import { InputIssues } from './input-issues.js'
import { type Insert, type InsertTail, insertRows, isOneInsert } from './insert-rows.js'
import type { PlanRunner } from './query-plan.js'
import { parseRows } from './row-chunks.js'
import { groupNeighbours, groupRows, type PlacedGroup } from './row-groups.js'
import { parseSelect } from './select.js'
import { type PlainRow, readFirst, readRows, type Selection } from './selection.js'

export interface BulkCreateResult {
  /** Rows made. */
  readonly count: number
  /** With `returning: true`: the rows made, in the order of the input. */
  readonly rows?: readonly PlainRow[]
}

interface BulkCreate {
  readonly skipsConflicts: boolean
  /** What to give back of each row; undefined: nothing. */
  readonly selection: Selection | undefined
  readonly limits: ParsedOptions | undefined
}

/** Inserts rows: many a statement, in one transaction; `onConflict: 'skip'` leaves rows out whose unique key is taken. */
export async function createMany(model: BoundModel, runner: PlanRunner, input: unknown, options?: unknown): Promise<BulkCreateResult> {
  const issues = new InputIssues(model.definition.name, 'bulkCreate')
  const given = parseInput(input, ['rows', 'onConflict', 'returning'], issues)
  const call = parseOptions(options, issues, ['select', 'transaction'])
  const rows = parseRows(given.rows, issues)
  if (given.onConflict !== undefined && given.onConflict !== 'skip') issues.add(['onConflict'], "expected 'skip', or nothing")
  const selection = parseSelect(model, call, issues)
  const isReturning = parseFlag(given.returning, 'returning', issues)
  issues.throwIfAny()
  const isRead = isReturning || model.audit !== undefined
  const bulk: BulkCreate = { skipsConflicts: given.onConflict === 'skip', selection: isRead ? selection : undefined, limits: call }
  let count = 0
  const made: PlainRow[] = []
  await runBulk(model, runner, {
    operation: 'bulkCreate',
    rows,
    options: call,
    prepare: (row) => newRow(model, row),
    // of two rows with one key the first is made and the second skipped: neither may overtake the other
    group: (chunk) => (bulk.skipsConflicts ? groupNeighbours(model, chunk) : groupRows(model, chunk)),
    isOneStatement: (group) => model.audit === undefined && isInsertedTogether(model, bulk, group) && isOneInsert(model, group),
    write: async (groups) => {
      const written = await writeAudited(model, runner, bulk, groups)
      count += written.count
      if (isReturning) for (const row of written.rows) made.push(row)
    },
  })
  return isReturning ? { count, rows: made } : { count }
}

interface Written {
  readonly count: number
  readonly rows: readonly PlainRow[]
}

function writeAudited(model: BoundModel, runner: PlanRunner, bulk: BulkCreate, groups: readonly PlacedGroup[]): Promise<Written> {
  const write = () => writeGroups(model, runner, bulk, groups)
  if (model.audit === undefined) return write()
  return auditedCreate(model, runner, { label: model.labelOf('bulkCreate'), limits: bulk.limits }, async () => {
    const value = await write()
    return { value, rows: value.rows }
  })
}

async function writeGroups(model: BoundModel, runner: PlanRunner, bulk: BulkCreate, groups: readonly PlacedGroup[]): Promise<Written> {
  const placed: { readonly position: number; readonly row: PlainRow }[] = []
  let count = 0
  for (const group of groups) {
    const written = await writeGroup(model, runner, bulk, group)
    count += written.count
    // where some were skipped nobody can say which position a row had, only that it comes before the next group
    for (const [index, row] of written.rows.entries()) placed.push({ row, position: group.positions[index]! })
  }
  return { count, rows: placed.sort((left, right) => left.position - right.position).map(({ row }) => row) }
}

async function writeGroup(model: BoundModel, runner: PlanRunner, bulk: BulkCreate, group: PlacedGroup): Promise<Written> {
  const { selection, limits } = bulk
  if (!isInsertedTogether(model, bulk, group)) return writeOneByOne(model, runner, bulk, group)
  const results = await insertRows(model, runner, group, tailOf(model, bulk), limits)
  return { count: sum(results), rows: selection === undefined ? [] : results.flatMap((result) => readRows(selection, result)) }
}

function isInsertedTogether(model: BoundModel, bulk: BulkCreate, { fields }: PlacedGroup): boolean {
  return fields.length > 0 && (bulk.selection === undefined || returnsMade(model, bulk))
}

async function writeOneByOne(model: BoundModel, runner: PlanRunner, bulk: BulkCreate, { rows }: PlacedGroup): Promise<Written> {
  const { selection, limits } = bulk
  const tail = tailOf(model, bulk)
  const made: PlainRow[] = []
  let count = 0
  for (const row of rows) {
    const result = await insertRow(model, runner, row, tail, limits)
    count += result.affectedRows
    if (selection === undefined || result.affectedRows === 0) continue
    made.push(readFirst(selection, result) ?? (await readCreated(model, runner, row, result, selection, limits)))
  }
  return { count, rows: made }
}

function tailOf(model: BoundModel, { skipsConflicts, selection }: BulkCreate): InsertTail {
  const skip = skipsConflicts ? skipConflicts(model) : undefined
  const returning = returnsMade(model, { skipsConflicts }) ? selection : undefined
  return {
    operation: 'bulkCreate',
    key: `${skipsConflicts ? 'skip' : ''}${returning?.key ?? ''}`,
    exactIntegers: returning?.exactIntegers === true,
    isToldEach: returning !== undefined,
    apply: (insert) => {
      const skipping = skip === undefined ? insert : skip(insert)
      return returning === undefined ? skipping : skipping.returning(returning.references)
    },
  }
}

/** Whether an INSERT gives back the rows that it makes, and no others: where conflicts are skipped by an update, it gives those too. */
function returnsMade({ dialect: { capabilities } }: BoundModel, { skipsConflicts }: Pick<BulkCreate, 'skipsConflicts'>): boolean {
  return capabilities.insertReturning && !(skipsConflicts && capabilities.upsert === 'onDuplicateKey')
}

/** Leaves a row out whose key is taken. Where only an update can be said, one that changes nothing, and so counts nothing. */
function skipConflicts(model: BoundModel): (insert: Insert) => Insert {
  const [field] = model.keys[0]!
  if (model.dialect.capabilities.upsert !== 'onDuplicateKey') return (insert) => insert.onConflict((conflict) => conflict.doNothing())
  return (insert) => insert.onDuplicateKeyUpdate({ [field!.column]: field!.reference })
}

function sum(results: readonly StatementResult[]): number {
  return results.reduce((total, result) => total + result.affectedRows, 0)
}
