import type { AuditedChange, AuditedValues } from '../model/audit-entry.js'
import { fieldToJson } from '../model/field-type.js'
import type { BoundField, BoundModel } from './bound-model.js'
import { type InsertTail, insertRows } from './insert-rows.js'
import type { CallLimits, PlanRunner } from './query-plan.js'
import type { PlainRow } from './selection.js'

/** The call whose changes are written down. */
export interface AuditedCall {
  /** The node. */
  readonly label: string
  readonly limits: CallLimits | undefined
}

/** A row as it was and as it is; undefined: it was not there, or is gone. */
export type RowImages = readonly [before: PlainRow | undefined, after: PlainRow | undefined]

/** Entries of one INSERT. */
const CHUNK_SIZE = 1_000

const PLAIN: InsertTail = { operation: 'bulkCreate', key: 'audit', apply: (insert) => insert }

/** Writes down, in the transaction that the call is in, what became of rows of an audited model; of those that are as they were, nothing. */
export async function recordImages(
  model: BoundModel,
  runner: PlanRunner,
  { label, limits }: AuditedCall,
  images: readonly RowImages[],
): Promise<void> {
  const { entries, actors } = model.audit!
  const common = { at: model.now(), actor: actors.current ?? null, model: model.definition.name, node: label }
  const rows = images.map((each) => entryOf(model, each)).filter((entry) => entry !== undefined)
  const fields = entries.fields.filter(({ name }) => name !== 'id')
  for (let start = 0; start < rows.length; start += CHUNK_SIZE) {
    const chunk = rows.slice(start, start + CHUNK_SIZE).map((entry) => ({ ...common, ...entry }))
    await insertRows(entries, runner, { fields, rows: chunk }, PLAIN, limits)
  }
}

/** What an entry says of the row itself; undefined: nothing has changed. */
function entryOf(model: BoundModel, [before, after]: RowImages): Record<string, unknown> | undefined {
  const { tenant } = model.roles
  const row = (before ?? after)!
  const common = { rowKey: keyOf(model, row), tenant: tenant === undefined ? null : String(row[tenant.name]) }
  const { fields } = model.audit!
  if (before === undefined || after === undefined) {
    const valuesOf = (image: PlainRow | undefined) => (image === undefined ? null : jsonOf(fields, image))
    return { ...common, change: before === undefined ? 'created' : 'deleted', before: valuesOf(before), after: valuesOf(after) }
  }
  const changed = model.fields.filter((field) => jsonText(field, before) !== jsonText(field, after))
  if (changed.length === 0) return undefined
  const shown = changed.filter((field) => fields.includes(field))
  return { ...common, change: changeOf(model, before, after), before: jsonOf(shown, before), after: jsonOf(shown, after) }
}

function changeOf({ roles: { deletedAt } }: BoundModel, before: PlainRow, after: PlainRow): AuditedChange {
  if (deletedAt === undefined || (before[deletedAt.name] === null) === (after[deletedAt.name] === null)) return 'updated'
  return after[deletedAt.name] === null ? 'restored' : 'deleted'
}

/** One field as text, several as a JSON list. */
function keyOf({ keys }: BoundModel, row: PlainRow): string {
  const values = keys[0]!.map((field) => jsonValue(field, row))
  return values.length === 1 ? String(values[0]) : JSON.stringify(values)
}

function jsonOf(fields: readonly BoundField[], row: PlainRow): AuditedValues {
  return Object.fromEntries(fields.map((field) => [field.name, jsonValue(field, row)]))
}

function jsonText(field: BoundField, row: PlainRow): string {
  return JSON.stringify(jsonValue(field, row))
}

function jsonValue({ name, definition }: BoundField, row: PlainRow): unknown {
  const value = row[name]
  return value === null ? null : fieldToJson(definition, value)
}
