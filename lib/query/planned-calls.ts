import type { BoundModel, BoundRelation } from './bound-model.js'
import type { CallShape } from './call-shape.js'
import { Generations } from './generations.js'
import type { QueryPlan } from './query-plan.js'
import type { Selection } from './selection.js'
import type { StatementShape } from './statement-cache.js'

/** A read that is checked and planned: its statement, and what it selects, where relations may be left to load after it. */
export interface PlannedCall<T> {
  readonly plan: QueryPlan<T>
  readonly selection?: Selection | undefined
}

/** What calls of one shape have in common, and where their values go. */
interface KnownCall extends PlannedCall<unknown> {
  /** For each value of the call: the field it is compared with, and its place among the parameters. */
  readonly places: readonly Pick<StatementShape['compared'][number], 'field' | 'index'>[]
}

const knownCalls = new WeakMap<BoundModel, Generations<KnownCall>>()

/**
 * The plan of a read, planned as one of the same shape was: of what it says only its values are looked at. Undefined: there was none yet,
 * or something is wrong with a value.
 */
export function plannedBefore<T>(model: BoundModel, { key, values }: CallShape): PlannedCall<T> | undefined {
  const known = knownCalls.get(model)?.get(key) as (KnownCall & PlannedCall<T>) | undefined
  if (known === undefined) return undefined
  const { plan, places, selection } = known
  const { label, access, statement, read, sharable } = plan
  const { sql, name, exactIntegers, redacted } = statement
  const parameters = statement.parameters.slice()
  for (let position = 0; position < places.length; position++) {
    const { field, index } = places[position]!
    const value = values[position]
    if (field.checkComparison(value) !== undefined) return undefined
    parameters[index] = field.encode(value)
  }
  const planned: QueryPlan<T> = {
    label,
    access,
    statement: { sql, name, parameters, exactIntegers, redacted },
    read,
    // a read that can be shared has its key first
    sharable: sharable && { reads: sharable.reads, key: parameters[0] },
  }
  return { plan: planned, selection }
}

/** Keeps what a checked read has in common with further ones of its shape, where nothing but the values of its `where` can differ. */
export function keepPlan<T>(
  model: BoundModel,
  { key, values }: CallShape,
  { compared, values: bound }: StatementShape,
  planned: PlannedCall<T>,
) {
  const { parameters } = planned.plan.statement
  const areAllCompared = compared.length === values.length && compared.every(({ value }, position) => Object.is(value, values[position]))
  const areInOrder = parameters.length === bound.length && parameters.every((parameter, index) => parameter === bound[index])
  if (!areAllCompared || !areInOrder || knowsTenants(model)) return
  const { plan, selection } = planned
  const places = compared.map(({ field, index }) => ({ field, index }))
  // nobody needs the values of this one any longer
  const rest = parameters.map((parameter, index) => (places.some((place) => place.index === index) ? undefined : parameter))
  const known = knownCalls.get(model) ?? new Generations<KnownCall>()
  knownCalls.set(model, known)
  known.set(key, { plan: { ...plan, statement: { ...plan.statement, parameters: rest } } as QueryPlan<unknown>, selection, places })
}

const tenancies = new WeakMap<BoundModel, boolean>()

/** Whether the model has a tenant, who is another in each call, or one that a call on it may reach. */
function knowsTenants(model: BoundModel): boolean {
  const known = tenancies.get(model)
  if (known !== undefined) return known
  const reached = new Set([model])
  // grows while it is walked
  for (const { relations } of reached) for (const relation of relations.values()) for (const next of modelsOf(relation)) reached.add(next)
  const isOfTenants = [...reached].some(({ roles }) => roles.tenant !== undefined)
  tenancies.set(model, isOfTenants)
  return isOfTenants
}

function modelsOf({ target, through }: BoundRelation): readonly BoundModel[] {
  return through === undefined ? [target] : [target, through.model]
}
