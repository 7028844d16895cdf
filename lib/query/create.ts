import { type Expression, sql } from 'kysely'
import type { Dialect, StatementResult } from '../dialect/dialect.js'
import { TenantRequiredError, UnsupportedError } from '../errors.js'
import { auditedCreate } from './audited.js'
import type { BoundField, BoundModel } from './bound-model.js'
import { parseOptions } from './call-input.js'
import { allOf, type Condition } from './condition.js'
import type { Writing } from './foreign-key-probe.js'
import { withIncluded } from './include-load.js'
import { InputIssues } from './input-issues.js'
import type { InsertTail } from './insert-rows.js'
import { type CallLimits, type PlanRunner, planOf, type QueryPlan } from './query-plan.js'
import { selectFirst } from './read.js'
import { parseSelect } from './select.js'
import { type PlainRow, readFirst, type Selection } from './selection.js'
import { StatementShape, slot } from './statement-cache.js'
import { ALL_TENANTS } from './tenants.js'

/** An INSERT with nothing after its row. */
export const PLAIN_INSERT: InsertTail = { operation: 'create', key: '', apply: (insert) => insert }

/** Inserts one row and gives it back as it is stored. */
export function createOne(
  model: BoundModel,
  runner: PlanRunner,
  input: unknown,
  options?: unknown,
): PlainRow | null | Promise<PlainRow | null> {
  const issues = new InputIssues(model.definition.name, 'create')
  const call = parseOptions(options, issues, ['select', 'include'])
  const validated = model.validateCreate(input)
  issues.take(validated)
  const selection = parseSelect(model, call, issues)
  issues.throwIfAny()
  const row = newRow(model, validated.value)
  const label = model.labelOf('create')
  const make = () =>
    model.dialect.capabilities.insertReturning
      ? runner.run(insertPlan(model, row, selection), call)
      : runner.together(
          label,
          async () => readCreated(model, runner, row, await insertRow(model, runner, row, PLAIN_INSERT, call), selection, call),
          call,
        )
  const audited = async () => {
    const value = (await make())!
    return { value, rows: [value] }
  }
  const create = () => {
    const made = model.audit === undefined ? make() : auditedCreate(model, runner, { label, limits: call }, audited)
    return withIncluded(runner, { label, selection, limits: call }, made)
  }
  const meeting = runner.meetServer(label, call)
  return meeting === undefined ? create() : meeting.then(create)
}

/** Inserts one checked row, with what `tail` says after it. */
export async function insertRow(
  model: BoundModel,
  runner: PlanRunner,
  row: Record<string, unknown>,
  tail: InsertTail,
  limits?: CallLimits,
): Promise<StatementResult> {
  const { operation, exactIntegers = false } = tail
  const shape = new StatementShape(`insert ${tail.key} `)
  const columns = insertColumns(model, row, shape)
  const build = () => tail.apply(insertOf(model, columns))
  const writing: Writing = { kind: 'insert', rows: [row] }
  return runner.run(planOf(model, { operation, access: 'write', shape, build, read: (result) => result, exactIntegers, writing }), limits)
}

/** A validated row with what the layer writes into every new one. */
export function newRow({ definition, roles, now, tenants }: BoundModel, values: Record<string, unknown>): Record<string, unknown> {
  const row = values
  const { createdAt, updatedAt, version, tenant } = roles
  if (createdAt !== undefined || updatedAt !== undefined) {
    const instant = now()
    if (createdAt !== undefined) row[createdAt.name] = instant
    if (updatedAt !== undefined) row[updatedAt.name] = instant
  }
  if (version !== undefined) row[version.name] = 1
  if (tenant !== undefined) {
    const id = tenants.of(definition.name, tenant)
    if (id === ALL_TENANTS) throw new TenantRequiredError(definition.name, 'a new row is of one tenant; put db.withTenant around the call')
    row[tenant.name] = id
  }
  return row
}

/** The INSERT that gives its row back. */
function insertPlan(model: BoundModel, row: Record<string, unknown>, selection: Selection): QueryPlan<PlainRow | null> {
  const shape = new StatementShape('create ')
  const columns = insertColumns(model, row, shape)
  shape.key += selection.key
  return planOf(model, {
    operation: 'create',
    access: 'write',
    shape,
    exactIntegers: selection.exactIntegers,
    build: () => insertOf(model, columns).returning(selection.references),
    read: (result) => readFirst(selection, result),
    writing: { kind: 'insert', rows: [row] },
  })
}

interface InsertColumn {
  readonly field: BoundField
  readonly value: number | null
}

/** The columns that a row gives, with their slots; a column it leaves out keeps the database's default. */
export function insertColumns(model: BoundModel, row: Record<string, unknown>, shape: StatementShape): readonly InsertColumn[] {
  const columns: InsertColumn[] = []
  for (const field of model.fields) {
    const value = row[field.name]
    if (value === undefined) continue
    shape.key += value === null ? `${field.name}=0,` : `${field.name}=,`
    columns.push({ field, value: value === null ? null : shape.add(field.encode(value)) })
  }
  return columns
}

/** Makes something else of what stands for a field's bound value. */
export type Wrap = (field: BoundField, bound: Expression<unknown>) => Expression<unknown>

/** INSERT INTO … VALUES one row; `wrap` is for the bound values. */
export function insertOf(model: BoundModel, columns: readonly InsertColumn[], wrap: Wrap = (_, bound) => bound) {
  const insert = model.compiler.insertInto(model.table)
  if (columns.length > 0) {
    const { bound } = model.dialect.expressions
    const written = ({ field, value }: InsertColumn) =>
      value === null ? null : wrap(field, bound(slot(value, field), field.definition.type))
    return insert.values(Object.fromEntries(columns.map((column) => [column.field.column, written(column)])))
  }
  // a row of nothing but defaults
  const [first] = model.fields
  return insert.values({ [first!.column]: model.dialect.capabilities.defaultKeyword ? sql`default` : defaultOf(first!) })
}

/** What the database would make of a column that an INSERT leaves out: the next number of a counter is asked for by null. */
function defaultOf({ definition }: BoundField): Expression<unknown> {
  return definition.default?.kind === 'sql' ? sql.raw(definition.default.sql) : sql`null`
}

/** The row that an INSERT without RETURNING made, found by its primary key on the same connection. */
export async function readCreated(
  model: BoundModel,
  runner: PlanRunner,
  row: Record<string, unknown>,
  result: StatementResult,
  selection: Selection,
  limits?: CallLimits,
): Promise<PlainRow> {
  const shape = new StatementShape('create read')
  const condition = allOf(model.keys[0]!.map((field) => keyCondition(field, row[field.name] ?? counted(model, field, result), shape)))
  return (await selectFirst(model, runner, { operation: 'create', shape, condition, selection }, limits))!
}

/** One field held to one value. */
export function keyCondition(field: BoundField, value: unknown, shape: StatementShape): Condition {
  shape.key += `${field.name}=,`
  return { kind: 'compare', field, operator: '=', value: shape.add(field.encode(value)) }
}

function counted({ dialect }: BoundModel, field: BoundField, { insertId }: StatementResult): unknown {
  if (insertId === undefined) throw unknownKey(field, dialect)
  return countedValue(field, insertId)
}

/** The error for a field whose value only SQL makes, on an engine that does not tell it. */
export function unknownKey({ name }: BoundField, { engine }: Dialect): UnsupportedError {
  return new UnsupportedError(`a key "${name}" made by SQL`, engine, 'let a function make it')
}

/** A number of the engine's counter as the field's JavaScript type. */
export function countedValue({ definition: { type, bigintMode } }: BoundField, counted: number | bigint): unknown {
  const mode = type.kind === 'bigint' ? bigintMode : 'number'
  return mode === 'number' ? Number(counted) : mode === 'bigint' ? BigInt(counted) : String(counted)
}
