import type { JsonKind } from '../dialect/json-expressions.js'
import type { BoundField, BoundModel, BoundRelation } from './bound-model.js'
import type { StatementShape } from './statement-cache.js'
import { ALL_TENANTS } from './tenants.js'

/** A checked filter: names are fields of the model, values are slots of the shape. */
export type Condition =
  | { readonly kind: 'and' | 'or'; readonly parts: readonly Condition[] }
  | { readonly kind: 'not'; readonly part: Condition }
  /** The part is false, or nobody knows: a comparison with null. */
  | { readonly kind: 'notTrue'; readonly part: Condition }
  | { readonly kind: 'constant'; readonly value: boolean }
  | { readonly kind: 'null'; readonly field: BoundField; readonly isNull: boolean }
  | { readonly kind: 'compare'; readonly field: BoundField; readonly operator: Comparison; readonly value: number }
  | { readonly kind: 'in'; readonly field: BoundField; readonly list: number | readonly number[] }
  | { readonly kind: 'like'; readonly field: BoundField; readonly pattern: number; readonly ignoreCase: boolean }
  | { readonly kind: 'regex'; readonly field: BoundField; readonly pattern: number }
  | { readonly kind: 'json'; readonly field: BoundField; readonly path: readonly number[]; readonly test: JsonTest }
  | { readonly kind: 'hasEvery'; readonly field: BoundField; readonly list: number }
  | { readonly kind: 'hasSome'; readonly field: BoundField; readonly lists: readonly number[] }
  | ({ readonly kind: 'exists'; readonly relation: BoundRelation } & RelatedCondition)

/** What is asked of the value at a path of a JSON field. */
export type JsonTest =
  | { readonly kind: 'null'; readonly isNull: boolean }
  | { readonly kind: 'compare'; readonly operator: Comparison; readonly type: JsonKind; readonly value: number }
  | { readonly kind: 'in'; readonly lists: readonly { readonly type: JsonKind; readonly values: readonly number[] }[] }
  | { readonly kind: 'like'; readonly pattern: number; readonly ignoreCase: boolean }
  | { readonly kind: 'regex'; readonly pattern: number }

/** There is a related row for which `part` holds; where a model stands between the two, `between` holds for its row. */
export interface RelatedCondition {
  readonly part: Condition
  readonly between: Condition
}

export type Comparison = '=' | '<>' | '>' | '>=' | '<' | '<='

/** Whether the filter holds a field to one value, in every row that it matches. */
export function holdsToOne(condition: Condition, field: BoundField): boolean {
  return condition.kind === 'and' ? condition.parts.some((part) => isEqual(part, field)) : isEqual(condition, field)
}

function isEqual(part: Condition, field: BoundField): boolean {
  return part.kind === 'compare' && part.operator === '=' && part.field === field
}

export const ALWAYS: Condition = Object.freeze({ kind: 'constant', value: true })
export const NEVER: Condition = Object.freeze({ kind: 'constant', value: false })

/** All of them; the plainest condition that says so. */
export function allOf(parts: readonly Condition[]): Condition {
  let needed = 0
  let last = ALWAYS
  for (const part of parts) {
    if (part === ALWAYS) continue
    needed++
    last = part
  }
  // of most calls there is one, and nothing to put together
  return needed <= 1 ? last : { kind: 'and', parts: parts.flatMap((part) => (part === ALWAYS ? [] : flattenAnd(part))) }
}

/**
 * What a model adds to every condition on its rows: those that are soft-deleted are not there unless it is said, nor those of another
 * tenant, who goes to the shape.
 *
 * @throws {TenantRequiredError} the model has a tenant, and the call is made for none
 */
export function visibleOnly(model: BoundModel, shape: StatementShape, deleted?: Deleted): Condition {
  if (deleted !== undefined) shape.key += `@${deleted}`
  return allOf([aliveOnly(model, deleted), ofTenant(model, shape)])
}

/** Whether rows that are marked as deleted are there too, or no others. */
export type Deleted = 'include' | 'only'

function aliveOnly({ roles: { deletedAt } }: BoundModel, deleted: Deleted | undefined): Condition {
  if (deletedAt === undefined || deleted === 'include') return ALWAYS
  return { kind: 'null', field: deletedAt, isNull: deleted === undefined }
}

function ofTenant({ definition, tenants, roles: { tenant } }: BoundModel, shape: StatementShape): Condition {
  if (tenant === undefined) return ALWAYS
  const id = tenants.of(definition.name, tenant)
  shape.key += id === ALL_TENANTS ? '@all' : '@'
  return id === ALL_TENANTS ? ALWAYS : { kind: 'compare', field: tenant, operator: '=', value: shape.add(tenant.encode(id)) }
}

/**
 * A condition on related rows, with what their models add to it.
 *
 * @param deleted speaks of the related rows: one between the two that is marked as deleted ties nothing
 */
export function related({ target, through }: BoundRelation, part: Condition, shape: StatementShape, deleted?: Deleted): RelatedCondition {
  const between = through === undefined ? ALWAYS : visibleOnly(through.model, shape)
  return { part: allOf([part, visibleOnly(target, shape, deleted)]), between }
}

function flattenAnd(condition: Condition): readonly Condition[] {
  return condition.kind === 'and' ? condition.parts : [condition]
}
