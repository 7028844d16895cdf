import type { MaybePromise } from '../maybe-promise.js'
import { kindOf } from '../model/value-kind.js'
import { auditedUpsert } from './audit.js'
import type { AuditedCall } from './audit-record.js'
import type { BoundField, BoundModel } from './bound-model.js'
import { parseInput, parseOptions } from './call-input.js'
import { newRow } from './create.js'
import { type IncludingCall, loadIncluded } from './include-load.js'
import { InputIssues, type Path } from './input-issues.js'
import type { PlanRunner } from './query-plan.js'
import { parseSelect } from './select.js'
import { upsertInsertThenUpdate } from './upsert-insert-then-update.js'
import { upsertOnConflict } from './upsert-on-conflict.js'
import { upsertOnDuplicateKey } from './upsert-on-duplicate-key.js'
import type { UpsertRequest, UpsertResult, UpsertStrategy } from './upsert-request.js'

const STRATEGIES: Readonly<Record<BoundModel['dialect']['capabilities']['upsert'], UpsertStrategy>> = {
  onConflict: upsertOnConflict,
  onDuplicateKey: upsertOnDuplicateKey,
  insertThenUpdate: upsertInsertThenUpdate,
}

/**
 * Creates the row or changes the one that has the same key `on`, in one step that no other caller can come between.
 * Only that row is ever changed: a clash with another unique key is a {@link UniqueViolationError}. A row that
 * would not change is not written.
 */
export function upsertOne(model: BoundModel, runner: PlanRunner, input: unknown, options?: unknown): MaybePromise<UpsertResult> {
  const issues = new InputIssues(model.definition.name, 'upsert')
  const { on, values, update } = parseInput(input, ['on', 'values', 'update'], issues)
  const call = parseOptions(options, issues, ['select', 'include'])
  const key = parseConflictKey(model, on, issues)
  const row = parseNewRow(model, values, key, issues)
  const set = update === undefined ? besideKey(key, values, row) : parseSet(model, update, key, issues)
  for (const name of Object.keys(set)) {
    // whether the row is left unchanged would tell whether it has this value
    issues.allows(model.fieldByName.get(name)!, [update === undefined ? 'values' : 'update', name])
  }
  const selection = parseSelect(model, call, issues)
  issues.throwIfAny()
  const request: UpsertRequest = { key, row: newRow(model, row), set, selection }
  const label = model.labelOf('upsert')
  const upsert = () => STRATEGIES[model.dialect.capabilities.upsert](model, runner, request, call)
  const result = model.audit === undefined ? upsert() : audited(model, runner, request, { label, limits: call }, upsert)
  return selection.hasLoads ? withRelations(runner, { label, selection, limits: call }, result) : result
}

async function withRelations(runner: PlanRunner, call: IncludingCall, upserting: MaybePromise<UpsertResult>): Promise<UpsertResult> {
  const result = await upserting
  await loadIncluded(runner, call, [result.row])
  return result
}

function audited(
  model: BoundModel,
  runner: PlanRunner,
  { key, row }: UpsertRequest,
  call: AuditedCall,
  upsert: () => MaybePromise<UpsertResult>,
): Promise<UpsertResult> {
  const counted = async () => {
    const value = await upsert()
    return { value, created: value.outcome === 'created' ? 1 : 0 }
  }
  return auditedUpsert(model, runner, call, { fields: key, keys: [encodedKey(key, row)] }, counted)
}

/** The values of a row's key, as they are bound. */
export function encodedKey(key: readonly BoundField[], row: Record<string, unknown>): readonly unknown[] {
  return key.map((field) => field.encode(row[field.name]))
}

/** The fields of `on`; they have to be one of the model's keys, in any order. */
export function parseConflictKey(model: BoundModel, on: unknown, issues: InputIssues): readonly BoundField[] {
  const key = Array.isArray(on) ? keysToMeetBy(model).find((candidate) => isNamedBy(model, candidate, on)) : undefined
  if (key === undefined) {
    issues.add(['on'], `expected the fields of a unique key: ${keysInWords(model)}${Array.isArray(on) ? '' : `, got ${kindOf(on)}`}`)
    return []
  }
  for (const field of key) issues.allows(field, ['on'])
  return key
}

/** By a key without the tenant the row of another one could be met, and changed. */
function keysToMeetBy({ keys, roles: { tenant } }: BoundModel): readonly (readonly BoundField[])[] {
  return tenant === undefined ? keys : keys.filter((key) => key.includes(tenant))
}

/** Whether these names are those of a key, beside the tenant, which no call gives. */
function isNamedBy({ roles: { tenant } }: BoundModel, key: readonly BoundField[], names: readonly unknown[]): boolean {
  const isGiven = ({ name }: BoundField) => names.includes(name)
  return (
    key.every((field) => field === tenant || isGiven(field)) &&
    names.every((name) => key.some((field) => field !== tenant && field.name === name))
  )
}

function keysInWords(model: BoundModel): string {
  const { tenant } = model.roles
  const wordsOf = (key: readonly BoundField[]) => `[${key.flatMap((field) => (field === tenant ? [] : field.name)).join(', ')}]`
  return keysToMeetBy(model).map(wordsOf).join(' or ') || 'of which there is none with the tenant'
}

function parseNewRow(model: BoundModel, values: unknown, key: readonly BoundField[], issues: InputIssues): Record<string, unknown> {
  const validated = model.validateCreate(values)
  if (!issues.take(validated, ['values'])) return {}
  requireKey(validated.value, key, ['values'], issues)
  return validated.value
}

/** A row to upsert has to have a value for every field of the key. */
export function requireKey(row: Record<string, unknown>, key: readonly BoundField[], path: Path, issues: InputIssues): void {
  for (const { name, definition } of key) {
    if (definition.role === 'tenant') continue
    if (row[name] === undefined || row[name] === null) issues.add([...path, name], 'expected a value: the row is found by it')
  }
}

/** What the caller gave beside the key: defaults that were filled in are for new rows only. */
export function besideKey(key: readonly BoundField[], given: unknown, row: Record<string, unknown>): Record<string, unknown> {
  const names = Object.keys((given ?? {}) as object).filter((name) => row[name] !== undefined && !key.some((field) => field.name === name))
  return Object.fromEntries(names.map((name) => [name, row[name]]))
}

function parseSet(model: BoundModel, update: unknown, key: readonly BoundField[], issues: InputIssues): Record<string, unknown> {
  const { value, ...findings } = model.validateUpdate(update)
  issues.take(findings, ['update'])
  for (const field of key) {
    if (value[field.name] !== undefined) issues.add(['update', field.name], 'is part of the key by which the row is found')
  }
  return value
}
