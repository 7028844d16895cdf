import { isPlainObject } from '../model/value-kind.js'
import type { BoundField, BoundModel } from './bound-model.js'
import type { QueryPlan } from './query-plan.js'
import type { PlainRow } from './selection.js'

type RowPlan = QueryPlan<PlainRow | null>

/** What the plans of reads by one key have in common, and whose values they differ in. */
interface PlainRead {
  readonly field: BoundField
  readonly plan: RowPlan
}

/** By operation and field. */
const plainReads = new WeakMap<BoundModel, Map<string, Map<string, PlainRead>>>()

/**
 * The plan of the read that services make most: `{ where: { key: value } }`. All that is in it beside the value is known from the first
 * such call. Undefined: there was none yet, or it says more, or something is wrong with it.
 */
export function plainRead(model: BoundModel, operation: string, input: unknown): RowPlan | undefined {
  const known = plainReads.get(model)?.get(operation)
  const where = known === undefined ? undefined : plainWhere(input)
  if (where === undefined) return undefined
  for (const name in where) {
    const read = known!.get(name)
    return read === undefined ? undefined : planWith(read, where[name])
  }
  return undefined
}

/** Keeps what a plan has in common with those of further calls, where the call said nothing but the value of a key. */
export function rememberPlainRead(model: BoundModel, operation: string, input: unknown, plan: RowPlan): void {
  const [[name, value] = []] = Object.entries(plainWhere(input) ?? {})
  const field = name === undefined ? undefined : model.fieldByName.get(name)
  // the tenant is another in each call
  if (field === undefined || !isScalar(value) || model.roles.tenant !== undefined) return
  const operations = plainReads.get(model) ?? new Map<string, Map<string, PlainRead>>()
  const reads = operations.get(operation) ?? new Map<string, PlainRead>()
  plainReads.set(model, operations.set(operation, reads.set(field.name, { field, plan })))
}

function planWith({ field, plan }: PlainRead, value: unknown): RowPlan | undefined {
  if (!isScalar(value) || field.checkComparison(value) !== undefined) return undefined
  const { label, access, statement, read, sharable } = plan
  const { sql, name, exactIntegers, redacted } = statement
  const key = field.encode(value)
  return {
    label,
    access,
    statement: { sql, name, parameters: [key], exactIntegers, redacted },
    read,
    sharable: sharable && { reads: sharable.reads, key },
  }
}

/** The `where` of an input that has nothing else, and one entry in it. */
function plainWhere(input: unknown): Record<string, unknown> | undefined {
  if (!isPlainObject(input) || Object.keys(input).length !== 1) return undefined
  const { where } = input
  return isPlainObject(where) && Object.keys(where).length === 1 ? where : undefined
}

function isScalar(value: unknown): boolean {
  return value !== undefined && value !== null && typeof value !== 'object'
}
