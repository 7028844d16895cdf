import type { BoundModel, BoundRelation } from './bound-model.js'
import { ALL_TENANTS } from './tenants.js'

/**
 * Whether no row can have two of the target's: the fields that it goes by hold a whole key. That of one tenant holds among its rows;
 * deleted rows, which a key may not count, are never read. Nobody holds a view to its key.
 *
 * @throws {TenantRequiredError} the target has a tenant in a key, and the call is made for none
 */
export function isAtMostOne({ target, targetFields, isMany }: BoundRelation): boolean {
  if (isMany || target.definition.isView) return false
  const { tenant } = target.roles
  return target.keys.some((key) => key.every((field) => targetFields.includes(field) || (field === tenant && isForOneTenant(target))))
}

function isForOneTenant({ definition, tenants, roles: { tenant } }: BoundModel): boolean {
  return tenant !== undefined && tenants.of(definition.name, tenant) !== ALL_TENANTS
}
