import { isPlainObject } from '../../lib/model/value-kind.js'

/**
 * Whether a value is what a JSON Schema says: enough of draft 2020-12 for the schemas of nodes.
 *
 * @throws the schema has a keyword that is not known here
 */
export function isValid(schema: object, value: unknown, root: object = schema): boolean {
  return Object.entries(schema).every(([keyword, expected]) => {
    if (ANNOTATIONS.includes(keyword)) return true
    const rule = RULES[keyword]
    if (rule === undefined) throw new Error(`no rule for the keyword ${keyword}`)
    return rule(expected as never, value, schema as Record<string, unknown>, root as Record<string, unknown>)
  })
}

type Rule = (expected: never, value: unknown, schema: Record<string, unknown>, root: Record<string, unknown>) => boolean

/** What the keywords mean that the schemas use. Source: JSON Schema 2020-12, "Core" and "Validation". */
const RULES: Readonly<Record<string, Rule>> = {
  type: (types: string | string[], value) => [types].flat().some((type) => isOfType(type, value)),
  enum: (values: unknown[], value) => values.includes(value),
  const: (only: unknown, value) => value === only,
  minimum: (bound: number, value) => typeof value !== 'number' || value >= bound,
  maximum: (bound: number, value) => typeof value !== 'number' || value <= bound,
  minLength: (bound: number, value) => typeof value !== 'string' || [...value].length >= bound,
  maxLength: (bound: number, value) => typeof value !== 'string' || [...value].length <= bound,
  pattern: (pattern: string, value) => typeof value !== 'string' || new RegExp(pattern, 'u').test(value),
  format: (format: string, value) => typeof value !== 'string' || FORMATS[format]!.test(value),
  contentEncoding: (_: string, value) => typeof value !== 'string' || Buffer.from(value, 'base64').toString('base64') === value,
  minItems: (bound: number, value) => !Array.isArray(value) || value.length >= bound,
  maxItems: (bound: number, value) => !Array.isArray(value) || value.length <= bound,
  uniqueItems: (_: true, value) => !Array.isArray(value) || new Set(value).size === value.length,
  items: (schema: object, value, _, root) => !Array.isArray(value) || value.every((item) => isValid(schema, item, root)),
  minProperties: (bound: number, value) => !isPlainObject(value) || Object.keys(value).length >= bound,
  required: (names: string[], value) => !isPlainObject(value) || names.every((name) => Object.hasOwn(value, name)),
  properties: (properties: Record<string, object>, value, _, root) =>
    !isPlainObject(value) || Object.entries(value).every(([key, entry]) => !(key in properties) || isValid(properties[key]!, entry, root)),
  additionalProperties: (_: false, value, { properties }) =>
    !isPlainObject(value) || Object.keys(value).every((key) => Object.hasOwn(properties as object, key)),
  anyOf: (schemas: object[], value, _, root) => schemas.some((schema) => isValid(schema, value, root)),
  oneOf: (schemas: object[], value, _, root) => schemas.filter((schema) => isValid(schema, value, root)).length === 1,
  not: (schema: object, value, _, root) => !isValid(schema, value, root),
  $ref: (reference: string, value, _, root) =>
    isValid((root.$defs as Record<string, object>)[reference.slice('#/$defs/'.length)]!, value, root),
}

const ANNOTATIONS = ['$schema', '$defs', 'description', 'default']

const FORMATS: Readonly<Record<string, RegExp>> = {
  date: /^\d{4}-\d\d-\d\d$/,
  'date-time': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/,
  uuid: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i,
}

function isOfType(type: string, value: unknown): boolean {
  if (type === 'null') return value === null
  if (type === 'array') return Array.isArray(value)
  if (type === 'object') return isPlainObject(value)
  return type === 'integer' ? Number.isInteger(value) : typeof value === type
}
