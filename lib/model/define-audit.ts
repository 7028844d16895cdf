import { ModelError } from '../errors.js'
import { givenOptions, suggestion } from './known-options.js'
import type { AuditDefinition, FieldDefinition, ModelDefinition } from './model-definition.js'

/** Most characters of an entry's actor and tenant. */
export const MAX_ACTOR_LENGTH = 200
/** Most characters of the key by which an entry names its row: what every engine takes into an index with the name of the model. */
export const MAX_ROW_KEY_LENGTH = 600
/** No key of another kind than text is longer. */
const LONGEST_SCALAR = 100

/** Checks the option `audit` of a model; undefined: its changes are not written down. */
export function defineAudit(
  { name, fieldByName, primaryKey }: Pick<ModelDefinition, 'name' | 'fieldByName' | 'primaryKey'>,
  audit: unknown,
): AuditDefinition | undefined {
  if (audit === undefined || audit === false) return undefined
  requireRoom(name, fieldByName, primaryKey)
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

/** An entry has to name every row that there may be. */
function requireRoom(name: string, fieldByName: ModelDefinition['fieldByName'], primaryKey: ModelDefinition['primaryKey']): void {
  const keyLength = primaryKey.reduce((sum, field) => sum + lengthOf(fieldByName.get(field)!), 0)
  if (keyLength > MAX_ROW_KEY_LENGTH)
    throw new ModelError(name, primaryKey[0], `audit: a primary key may have ${MAX_ROW_KEY_LENGTH} characters at most, by its maxLength`)
  for (const field of fieldByName.values())
    if (field.role === 'tenant' && lengthOf(field) > MAX_ACTOR_LENGTH)
      throw new ModelError(name, field.name, `audit: a tenant may have ${MAX_ACTOR_LENGTH} characters at most, by its maxLength`)
}

function lengthOf({ type }: FieldDefinition): number {
  if (type.kind === 'varchar') return type.length
  return type.kind === 'text' ? Number.POSITIVE_INFINITY : LONGEST_SCALAR
}
