import type { StatementResult } from '../dialect/dialect.js'
import { fieldFromJson, fieldToJson } from '../model/field-type.js'
import { recordCreated } from './audit.js'
import type { AuditedCall } from './audit-record.js'
import type { BoundField, BoundModel } from './bound-model.js'
import { parseOptions } from './call-input.js'
import { allOf } from './condition.js'
import { countedValue, insertRow, keyCondition, newRow, PLAIN_INSERT, unknownKey } from './create.js'
import { runnerFor } from './forwarding-runner.js'
import { withIncluded } from './include-load.js'
import { InputIssues } from './input-issues.js'
import { type InsertTail, insertRows, type RowGroup } from './insert-rows.js'
import { type NewRow, parseNewRows } from './new-rows.js'
import { type CallLimits, type PlanRunner, planOf } from './query-plan.js'
import { selectFirst } from './read.js'
import { groupRows } from './row-groups.js'
import { parseSelect } from './select.js'
import { type PlainRow, readRows, selectionOf } from './selection.js'
import { StatementShape } from './statement-cache.js'

/**
 * Inserts a row, and the rows of its relations that are given with it, in one transaction; gives the row back as it is stored.
 * Rows of one model that need the same rows first go in together.
 */
export async function createTree(model: BoundModel, runner: PlanRunner, input: unknown, options?: unknown): Promise<PlainRow> {
  const issues = new InputIssues(model.definition.name, 'create')
  const call = parseOptions(options, issues, ['select', 'include'])
  const { root, rows } = parseNewRows(model, input, issues)
  const shape = new StatementShape('create read')
  const selection = parseSelect(model, call, issues, { joining: shape })
  issues.throwIfAny()
  for (const row of rows) newRow(row.model, row.values)
  const waves = wavesOf(root, rows)
  const label = model.labelOf('create')
  await runner.meetServer(label, call)
  for (const wave of waves) requireTold(wave)
  const work = async () => {
    const named = runnerFor(runner, label)
    for (const wave of waves) await insertWave(named, wave, call)
    for (const wave of waves) await audit(named, wave, { label, limits: call })
    const condition = allOf(model.keys[0]!.map((field) => keyCondition(field, root.values[field.name], shape)))
    const row = await selectFirst(model, named, { operation: 'create', shape, condition, selection }, call)
    return withIncluded(runner, { label, selection, limits: call }, row!)
  }
  return runner.transaction(label, work, call)
}

/** Rows of one model that can be made at the same time. */
interface Wave {
  readonly model: BoundModel
  readonly rows: NewRow[]
  /** What must be known of them when they are there. */
  readonly wanted: Set<BoundField>
}

/** The waves in the order in which they can be made. */
function wavesOf(root: NewRow, rows: readonly NewRow[]): readonly Wave[] {
  const waves = new Map<string, Wave>()
  const models = new Map<BoundModel, number>()
  const waveOf = ({ model, rank }: NewRow): Wave => {
    if (!models.has(model)) models.set(model, models.size)
    const key = `${rank} ${models.get(model)}`
    const wave = waves.get(key) ?? { model, rows: [], wanted: new Set() }
    waves.set(key, wave)
    return wave
  }
  for (const row of [...rows].sort((one, other) => one.rank - other.rank)) {
    waveOf(row).rows.push(row)
    for (const { from, fields } of row.keys) for (const [, other] of fields) waveOf(from).wanted.add(other)
  }
  for (const field of root.model.keys[0]!) waveOf(root).wanted.add(field)
  for (const { model, wanted } of waves.values()) if (model.audit !== undefined) for (const field of model.keys[0]!) wanted.add(field)
  return [...waves.values()]
}

/** Refuses, before anything is written, what the engine would not tell of its rows. */
function requireTold({ model, rows, wanted }: Wave): void {
  if (model.dialect.capabilities.insertReturning) return
  for (const field of wanted) {
    if (field.definition.default?.kind !== 'sql') continue
    const isTaken = ({ keys }: NewRow) => keys.some(({ fields }) => fields.some(([own]) => own === field))
    if (rows.some((row) => row.values[field.name] === undefined && !isTaken(row))) throw unknownKey(field, model.dialect)
  }
}

async function insertWave(runner: PlanRunner, { model, rows, wanted }: Wave, limits: CallLimits | undefined): Promise<void> {
  for (const { keys, values } of rows) {
    for (const { from, fields } of keys) for (const [own, other] of fields) values[own.name] = carried(own, other, from.values[other.name])
  }
  const values = rows.map((row) => row.values)
  for (const group of groupRows(model, values)) await insertGroup(model, runner, group, wanted, limits)
}

async function audit(runner: PlanRunner, { model, rows }: Wave, call: AuditedCall): Promise<void> {
  if (model.audit === undefined) return
  const keys = rows.map(({ values }) => model.keys[0]!.map((field) => field.encode(values[field.name])))
  await recordCreated(model, runner, call, keys)
}

/** A value of one field as the other's JavaScript type: two fields of a key may show a bigint, or a type of the application's, in different ways. */
function carried({ definition: own }: BoundField, { definition: other }: BoundField, value: unknown): unknown {
  const isSame = own.custom === other.custom && own.bigintMode === other.bigintMode
  return isSame ? value : fieldFromJson(own, fieldToJson(other, value))
}

/** Inserts rows that give the same fields, and completes them with what is wanted and the database has made up. */
async function insertGroup(
  model: BoundModel,
  runner: PlanRunner,
  group: RowGroup,
  wanted: ReadonlySet<BoundField>,
  limits: CallLimits | undefined,
): Promise<void> {
  const lacking = [...wanted].filter((field) => !group.fields.includes(field))
  if (lacking.length === 0 || !model.dialect.capabilities.insertReturning) {
    const results = await insertAll(model, runner, group, PLAIN_INSERT, limits)
    for (const field of lacking) await complete(model, runner, field, group, results, limits)
    return
  }
  const selection = selectionOf({ fields: lacking, joined: [], loaded: [] }, lacking.map(({ name }) => name).join())
  const tail: InsertTail = {
    operation: 'create',
    key: `returning ${selection.key}`,
    exactIntegers: selection.exactIntegers,
    apply: (insert) => insert.returning(selection.references),
  }
  const results = await insertAll(model, runner, group, tail, limits)
  const made = results.flatMap((result) => readRows(selection, result))
  for (const [index, row] of group.rows.entries()) Object.assign(row, made[index])
}

async function insertAll(model: BoundModel, runner: PlanRunner, group: RowGroup, tail: InsertTail, limits: CallLimits | undefined) {
  if (group.fields.length > 0) return insertRows(model, runner, group, tail, limits)
  // nothing but what the database makes: there is no list to write
  const results: StatementResult[] = []
  for (const row of group.rows) results.push(await insertRow(model, runner, row, tail, limits))
  return results
}

/** Gives rows the numbers that the engine's counter gave them: the first of each statement is told. */
async function complete(
  model: BoundModel,
  runner: PlanRunner,
  field: BoundField,
  { rows }: RowGroup,
  results: readonly StatementResult[],
  limits: CallLimits | undefined,
): Promise<void> {
  const step = results.length === rows.length ? 1n : await counterStep(model, runner, limits)
  const numbers = results.flatMap(({ insertId, affectedRows }) => {
    if (insertId === undefined) throw unknownKey(field, model.dialect)
    return Array.from({ length: affectedRows }, (_, index) => BigInt(insertId) + BigInt(index) * step)
  })
  for (const [index, row] of rows.entries()) row[field.name] = countedValue(field, numbers[index]!)
}

async function counterStep(model: BoundModel, runner: PlanRunner, limits: CallLimits | undefined): Promise<bigint> {
  const build = () => model.compiler.selectNoFrom(model.dialect.expressions.counterStep!.as('step'))
  const read = ({ rows }: StatementResult) => BigInt(rows[0]![0] as number | bigint)
  const shape = new StatementShape('create step')
  return runner.run(planOf(model, { operation: 'create', access: 'read', shape, build, read }), limits)
}
