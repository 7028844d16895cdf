import { type BoundModel, type BoundRelation, keysOfDeleted } from './bound-model.js'
import type { Deleted } from './condition.js'
import { ALL_TENANTS } from './tenants.js'

/**
 * Whether no row can have two of the target's: the fields that it goes by hold a whole key. That of one tenant holds among its rows; one
 * that deleted rows do not count for, while these are not read. Nobody holds a view to its key.
 *
 * @param deleted what rows that are marked as deleted are to the call
 * @throws {TenantRequiredError} the target has a tenant in a key, and the call is made for none
 */
export function isAtMostOne({ target, targetFields, isMany }: BoundRelation, deleted: Deleted | undefined): boolean {
  if (isMany || target.definition.isView) return false
  const { tenant } = target.roles
  const { keys } = deleted === undefined ? target : keysOfDeleted(target)
  return keys.some((key) => key.every((field) => targetFields.includes(field) || (field === tenant && isForOneTenant(target))))
}

function isForOneTenant({ definition, tenants, roles: { tenant } }: BoundModel): boolean {
  return tenant !== undefined && tenants.of(definition.name, tenant) !== ALL_TENANTS
}
