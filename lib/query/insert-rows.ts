import { type InsertQueryBuilder, sql } from 'kysely'
import type { StatementResult } from '../dialect/dialect.js'
import { ConstraintError } from '../errors.js'
import type { BoundField, BoundModel } from './bound-model.js'
import { type CallLimits, type PlanRunner, planOf } from './query-plan.js'
import { CHUNK_SIZE } from './row-chunks.js'
import { StatementShape, slot } from './statement-cache.js'

// biome-ignore lint/suspicious/noExplicitAny: tables and columns are known at run time only
export type Insert = InsertQueryBuilder<any, any, any>

/** Rows that give the same fields. */
export interface RowGroup {
  readonly fields: readonly BoundField[]
  readonly rows: readonly Record<string, unknown>[]
}

/** What follows the rows of an INSERT: ON CONFLICT, RETURNING. */
export interface InsertTail {
  readonly operation: string
  /** Says what the tail is, for the statement's shape. */
  readonly key: string
  /** Adds the tail's own values to the shape, after those of the rows. */
  readonly addValues?: (shape: StatementShape) => void
  readonly apply: (insert: Insert) => Insert
  readonly exactIntegers?: boolean
  /** What is made of a row has to be known for each: its values, or whether there is one. Otherwise their number is enough. */
  readonly isToldEach?: boolean
}

/** Inserts a group of rows in as few statements as the engine can, and gives the result of each. */
export function insertRows(
  model: BoundModel,
  runner: PlanRunner,
  group: RowGroup,
  tail: InsertTail,
  limits?: CallLimits,
): Promise<readonly StatementResult[]> {
  return WAYS[model.dialect.capabilities.bulkInsert](model, runner, group, tail, limits)
}

/** Whether {@link insertRows} takes one statement for the group. */
export function isOneInsert({ dialect: { capabilities } }: BoundModel, { fields, rows }: RowGroup): boolean {
  if (capabilities.bulkInsert === 'rows') return listLength(capabilities.maxParameters, fields.length, rows.length) === rows.length
  return capabilities.bulkInsert === 'arrays' || rows.length === 1
}

type Way = typeof insertRows

/** One array a column. */
const insertArrays: Way = async (model, runner, { fields, rows }, tail, limits) => {
  const { arrays } = model.dialect.expressions
  const shape = new StatementShape(`${tail.operation} ${fields.map((field) => field.name).join()} ${tail.key}`)
  const slots = fields.map((field) => shape.add(arrays!.encode(encodedColumn(field, rows), field.definition.type)))
  tail.addValues?.(shape)
  const columns = fields.map((field, position) => ({
    type: field.definition.type,
    array: slot(slots[position]!, field),
    schema: model.definition.schema,
  }))
  const build = () => {
    const input = model.compiler
      .selectFrom(arrays!.table('input', columns))
      .select(columns.map((_, position) => sql.ref(`input.c${position}`).as(`c${position}`)))
    return tail.apply(
      model.compiler
        .insertInto(model.table)
        .columns(fields.map((field) => field.column))
        .expression(input),
    )
  }
  return [await runner.run(writePlan(model, tail, shape, build, rows), limits)]
}

/** A list of rows a statement. */
const insertLists: Way = async (model, runner, { fields, rows }, tail, limits) => {
  const results: StatementResult[] = []
  for (let start = 0; start < rows.length; ) {
    const count = listLength(model.dialect.capabilities.maxParameters, fields.length, rows.length - start)
    results.push(await insertList(model, runner, { fields, rows: rows.slice(start, start + count) }, tail, limits))
    start += count
  }
  return results
}

/** The longest, or a power of two: few statements serve lists of every length. */
function listLength(maxParameters: number, fieldCount: number, rowCount: number, longest = CHUNK_SIZE): number {
  const most = Math.min(rowCount, Math.max(1, Math.floor(maxParameters / (fieldCount + 2))))
  return most >= longest ? longest : 2 ** Math.floor(Math.log2(most))
}

async function insertList(
  model: BoundModel,
  runner: PlanRunner,
  { fields, rows }: RowGroup,
  tail: InsertTail,
  limits?: CallLimits,
): Promise<StatementResult> {
  const shape = new StatementShape(`${tail.operation} ${rows.length} ${fields.map((field) => field.name).join()} ${tail.key}`)
  addRows(shape.values, fields, rows)
  tail.addValues?.(shape)
  return runner.run(
    writePlan(model, tail, shape, () => listInsert(model, fields, rows.length, tail), rows),
    limits,
  )
}

function listInsert(model: BoundModel, fields: readonly BoundField[], length: number, tail: InsertTail): Insert {
  const { bound } = model.dialect.expressions
  const columnOf = (field: BoundField, index: number) => [field.column, bound(slot(index, field), field.definition.type)]
  const listed = (row: number) => Object.fromEntries(fields.map((field, position) => columnOf(field, row * fields.length + position)))
  return tail.apply(model.compiler.insertInto(model.table).values(Array.from({ length }, (_, row) => listed(row))))
}

/** Where a statement costs no round trip, lists that are longer than this save nothing more. */
const SHORT_LIST = 64

/** Lists of rows where only their number is wanted; row by row, so that the error is the row's own, where one of these was refused. */
const insertEach: Way = async (...call) => {
  const [model, runner, { rows }, tail, limits] = call
  if (tail.isToldEach === true || rows.length === 1) return insertRowByRow(...call)
  try {
    return await runner.attempt(model.labelOf(tail.operation), () => insertShortLists(...call), limits)
  } catch (error) {
    if (!(error instanceof ConstraintError)) throw error
    return insertRowByRow(...call)
  }
}

/** One statement, run once a list, and others for the rows that are left. */
const insertShortLists: Way = async (model, runner, { fields, rows }, tail, limits) => {
  const length = listLength(model.dialect.capabilities.maxParameters, fields.length, rows.length, SHORT_LIST)
  const listed = rows.length - (rows.length % length)
  const build = () => listInsert(model, fields, length, tail)
  const result = await repeatFor(model, runner, { tail, fields, rows: rows.slice(0, listed), length, build }, limits)
  return [result, ...(await insertLists(model, runner, { fields, rows: rows.slice(listed) }, tail, limits))]
}

/** One statement, run once a row. */
const insertRowByRow: Way = async (model, runner, { fields, rows }, tail, limits) => {
  const build = () => listInsert(model, fields, 1, tail)
  return [await repeatFor(model, runner, { tail, fields, rows, build }, limits)]
}

export interface Repetition extends RowGroup {
  readonly tail: Omit<InsertTail, 'apply'>
  /** Rows a run. Default: 1. */
  readonly length?: number
  /** Builds the statement; its first slots are the fields, row after row, then the tail's own values. */
  readonly build: () => Insert | ReturnType<BoundModel['compiler']['updateTable']>
}

/** Runs a statement once for each row, or for so many at a time, with their values of `fields`. */
export async function repeatFor(
  model: BoundModel,
  runner: PlanRunner,
  { tail, fields, rows, length = 1, build }: Repetition,
  limits?: CallLimits,
): Promise<StatementResult> {
  const shape = new StatementShape(`${tail.operation} each ${length} ${fields.map((field) => field.name).join()} ${tail.key}`)
  addRows(shape.values, fields, rows, 0, length)
  tail.addValues?.(shape)
  const plan = writePlan(model, tail, shape, build, rows)
  const { bind } = model.statements.get(shape, build)
  const rest = shape.values.slice(fields.length * length)
  const repeat: (readonly unknown[])[] = []
  for (let start = 0; start < rows.length; start += length) {
    const values: unknown[] = []
    addRows(values, fields, rows, start, start + length)
    for (const value of rest) values.push(value)
    repeat.push(bind(values))
  }
  return runner.run({ ...plan, statement: { ...plan.statement, repeat } }, limits)
}

const WAYS: Readonly<Record<BoundModel['dialect']['capabilities']['bulkInsert'], Way>> = {
  arrays: insertArrays,
  rows: insertLists,
  each: insertEach,
}

function writePlan(
  model: BoundModel,
  { operation, exactIntegers }: Omit<InsertTail, 'apply'>,
  shape: StatementShape,
  build: Repetition['build'],
  rows: RowGroup['rows'],
) {
  return planOf(model, {
    operation,
    access: 'write',
    shape,
    build,
    read: (result: StatementResult) => result,
    exactIntegers: exactIntegers === true,
    writing: { kind: 'insert', rows },
  })
}

function encodedColumn(field: BoundField, rows: readonly Record<string, unknown>[]): unknown[] {
  const { name, encode } = field
  const values = new Array<unknown>(rows.length)
  for (let index = 0; index < rows.length; index++) {
    const value = rows[index]![name]
    values[index] = value === null ? null : encode(value)
  }
  return values
}

/** Adds the values of the rows from `start` to before `end`. */
function addRows(values: unknown[], fields: readonly BoundField[], rows: RowGroup['rows'], start = 0, end = rows.length): void {
  for (let index = start; index < end; index++) for (const field of fields) values.push(encoded(field, rows[index]!))
}

function encoded(field: BoundField, row: Record<string, unknown>): unknown {
  const value = row[field.name]
  return value === null ? null : field.encode(value)
}
