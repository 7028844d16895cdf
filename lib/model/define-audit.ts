import { ModelError } from '../errors.js'
import { givenOptions, suggestion } from './known-options.js'
import type { AuditDefinition, ModelDefinition } from './model-definition.js'

/** Checks the option `audit` of a model; undefined: its changes are not written down. */
export function defineAudit(
  { name, fieldByName, primaryKey }: Pick<ModelDefinition, 'name' | 'fieldByName' | 'primaryKey'>,
  audit: unknown,
): AuditDefinition | undefined {
  if (audit === undefined || audit === false) return undefined
  if (audit === true) return Object.freeze({ omit: Object.freeze([]) })
  const { omit } = givenOptions(name, undefined, audit, ['omit'])
  if (!Array.isArray(omit)) throw new ModelError(name, undefined, 'audit: expected true, or { omit } with a list of fields')
  for (const field of omit) {
    if (!fieldByName.has(field))
      throw new ModelError(name, undefined, `audit.omit: unknown field "${field}"${suggestion(String(field), [...fieldByName.keys()])}`)
    if (primaryKey.includes(field))
      throw new ModelError(name, field, 'audit.omit: is part of the primary key, by which an entry names its row')
  }
  return Object.freeze({ omit: Object.freeze([...omit]) })
}
