import type { StandardJSONSchemaV1, StandardSchemaV1 } from '@standard-schema/spec'
import { ValidationError } from '../errors.js'
import type { JsonSchema } from '../model/field-json-schema.js'

/** What a value must be for a schema to take it; of none, anything. */
export type SchemaInput<S> = S extends StandardSchemaV1 ? StandardSchemaV1.InferInput<S> : unknown
/** What a schema makes of it. */
export type SchemaOutput<S> = S extends StandardSchemaV1 ? StandardSchemaV1.InferOutput<S> : unknown

/**
 * What the schema makes of a value.
 *
 * @param side what the value is to the node: `input` or `output`
 * @throws {ValidationError} the schema does not take it; `node` and `side` stand where else model and operation do
 */
export async function validated(node: string, side: string, schema: StandardSchemaV1 | undefined, value: unknown): Promise<unknown> {
  if (schema === undefined) return value
  const result = await schema['~standard'].validate(value)
  if (result.issues === undefined) return result.value
  throw new ValidationError(
    node,
    side,
    result.issues.map(({ path = [], message }) => ({ path: path.map(pathPart), message })),
  )
}

function pathPart(part: PropertyKey | StandardSchemaV1.PathSegment): string | number {
  const key = typeof part === 'object' ? part.key : part
  return typeof key === 'symbol' ? String(key) : key
}

/** JSON Schema of what a schema takes or gives, where it can say so itself; else one that takes anything. */
export function jsonSchemaOfStandard(schema: StandardSchemaV1 | undefined, side: 'input' | 'output'): JsonSchema {
  const { jsonSchema } = (schema?.['~standard'] ?? {}) as { readonly jsonSchema?: StandardJSONSchemaV1.Converter }
  if (jsonSchema === undefined) return {}
  try {
    return jsonSchema[side]({ target: 'draft-2020-12' })
  } catch {
    // it has types that JSON Schema has not, such as a date
    return {}
  }
}
