import { ModelError } from '../errors.js'
import type { ColumnType } from './column-type.js'
import { checkFieldValue, type FieldShape, normaliseFieldValue, toJsonValue } from './field-type.js'

/**
 * A constant of a field as the schema holds it: normal form, in JSON, a bigint as text whatever its mode in code.
 *
 * @param place  where it stands, for the message: `in a condition`
 * @throws {ModelError} the field's type does not hold it
 */
export function schemaConstant(model: string, field: FieldShape & { readonly name: string }, value: unknown, place: string): unknown {
  // a bound on the length of input says nothing about constants
  const shape = { ...field, minLength: 0 }
  const wrong = checkFieldValue(shape, value)
  if (wrong !== undefined) throw new ModelError(model, field.name, `${place}: ${wrong}`)
  return bigintsAsText(field.type, toJsonValue(field.type, normaliseFieldValue(shape, value)))
}

function bigintsAsText(type: ColumnType, json: unknown): unknown {
  if (type.kind === 'array') return (json as readonly unknown[]).map((item) => bigintsAsText(type.of, item))
  return type.kind === 'bigint' ? String(json) : json
}
