import { ValidationError } from '../errors.js'
import { auditedUpsert } from './audit.js'
import type { BoundField, BoundModel } from './bound-model.js'
import { runBulk } from './bulk-run.js'
import { parseInput, parseOptions } from './call-input.js'
import { newRow } from './create.js'
import { InputIssues } from './input-issues.js'
import { isOneInsert } from './insert-rows.js'
import { keyText } from './key-text.js'
import type { CallLimits, PlanRunner } from './query-plan.js'
import { parseRows } from './row-chunks.js'
import { groupRows } from './row-groups.js'
import { besideKey, encodedKey, parseConflictKey, requireKey } from './upsert.js'
import { type UpsertCounts, type UpsertGroup, upsertRows } from './upsert-rows.js'

export interface BulkUpsertResult {
  readonly created: number
  readonly updated: number
  readonly unchanged: number
}

/**
 * Creates rows, or changes those that have the same key `on`; a row that would not change is not written.
 * Two rows of the input with the same key are refused.
 */
export async function upsertMany(model: BoundModel, runner: PlanRunner, input: unknown, options?: unknown): Promise<BulkUpsertResult> {
  const issues = new InputIssues(model.definition.name, 'bulkUpsert')
  const given = parseInput(input, ['on', 'rows'], issues)
  const call = parseOptions(options, issues, ['transaction'])
  const key = parseConflictKey(model, given.on, issues)
  const rows = parseRows(given.rows, issues)
  issues.throwIfAny()
  const total = { created: 0, updated: 0, unchanged: 0 }
  const seen = new KeysSeen(model, key)
  let setFields: (readonly BoundField[])[] = []
  const { upsert } = model.dialect.capabilities
  await runBulk(model, runner, {
    operation: 'bulkUpsert',
    rows,
    options: call,
    prepare: (row, position, given, found) => {
      requireKey(row, key, ['rows', position], found)
      const complete = newRow(model, row)
      seen.add(complete, position)
      // where its key is there already a row sets what the caller gave, not the defaults that were filled in
      const set = besideKey(key, given, complete)
      // how many are left unchanged would tell who has this value
      found.isForOutsider = issues.isForOutsider
      for (const name of Object.keys(set)) found.allows(model.fieldByName.get(name)!, ['rows', position, name])
      setFields.push(model.fields.filter((field) => Object.hasOwn(set, field.name)))
      return complete
    },
    group: (chunk) => {
      const sets = setFields
      setFields = []
      return groupRows(model, chunk, (position) => namesOf(sets[position]!)).map(
        (group): UpsertGroup => ({ ...group, key, set: sets[group.positions[0]!]! }),
      )
    },
    // others fall back on several statements
    isOneStatement: (group) => model.audit === undefined && upsert === 'onConflict' && isOneInsert(model, group),
    write: async (groups) => {
      for (const group of groups) {
        const written = await upsertGroup(model, runner, group, call)
        total.created += written.created
        total.updated += written.updated
        total.unchanged += group.rows.length - written.created - written.updated
      }
    },
  })
  return total
}

/** Upserts rows that give and set the same fields; where the model is audited, with what is written down of them. */
function upsertGroup(model: BoundModel, runner: PlanRunner, group: UpsertGroup, limits: CallLimits | undefined): Promise<UpsertCounts> {
  const upsert = () => upsertRows(model, runner, group, limits)
  if (model.audit === undefined) return upsert()
  const { key: fields, rows } = group
  const ofKeys = { fields, keys: rows.map((row) => encodedKey(fields, row)) }
  return auditedUpsert(model, runner, { label: model.labelOf('bulkUpsert'), limits }, ofKeys, async () => {
    const value = await upsert()
    return { value, created: value.created }
  })
}

/** The keys of all rows so far, to find two rows that have the same. */
class KeysSeen {
  readonly #positions = new Map<string, number>()

  constructor(
    readonly model: BoundModel,
    readonly key: readonly BoundField[],
  ) {}

  add(row: Record<string, unknown>, position: number): void {
    if (this.key.some((field) => row[field.name] === undefined)) return
    const text = keyText(
      this.key,
      this.key.map((field) => field.encode(row[field.name])),
    )
    const first = this.#positions.get(text)
    if (first !== undefined) throw this.#twice(first, position)
    this.#positions.set(text, position)
  }

  #twice(first: number, second: number): ValidationError {
    const fields = this.key.map((field) => field.name).join(', ')
    const path = ['rows', second]
    return new ValidationError(this.model.definition.name, 'bulkUpsert', [{ path, message: `has the same ${fields} as rows[${first}]` }])
  }
}

function namesOf(fields: readonly BoundField[]): string {
  return fields.map((field) => field.name).join()
}
