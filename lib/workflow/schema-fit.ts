import type { JsonSchema } from '../model/field-json-schema.js'
import { isPlainObject, kindOf } from '../model/value-kind.js'
import { nearestName } from '../nearest-name.js'

/** A schema, and the document that its references point into. */
export interface SchemaPlace {
  readonly schema: JsonSchema
  readonly root: JsonSchema
}

/** What is wrong at a path. */
export interface Misfit {
  readonly path: string
  readonly message: string
}

/** References and alternatives are followed so far. */
const MAX_DEPTH = 16

/**
 * What a schema says of the value at a path. `unknown`: it says nothing. A misfit: there can be none.
 *
 * @param path  names joined by dots; empty for the value itself
 */
export function schemaAt(place: SchemaPlace, path: string): SchemaPlace | Misfit | 'unknown' {
  let at: SchemaPlace = place
  for (const name of path === '' ? [] : path.split('.')) {
    const objects = alternatives(at).filter(({ schema }) => schema.properties !== undefined)
    if (objects.length === 0) return 'unknown'
    const found = objects.find(({ schema }) => Object.hasOwn(schema.properties as object, name))
    if (found === undefined) {
      if (objects.some(({ schema }) => schema.additionalProperties !== false)) return 'unknown'
      return {
        path,
        message: unknownName(
          name,
          objects.flatMap(({ schema }) => Object.keys(schema.properties as object)),
        ),
      }
    }
    at = { schema: (found.schema.properties as Record<string, JsonSchema>)[name]!, root: at.root }
  }
  return at
}

export function isMisfit(found: SchemaPlace | Misfit | 'unknown' | undefined): found is Misfit {
  return typeof found === 'object' && 'message' in found
}

/** Why no value of one schema fits another; undefined: some may. Null is left aside: what is missing shows at run. */
export function misfitOf(from: SchemaPlace, to: SchemaPlace): string | undefined {
  const [given, taken] = [typesOf(from), typesOf(to)]
  if (given === undefined || taken === undefined) return undefined
  const fits = [...given].some((type) => type !== 'null' && (taken.has(type) || (isNumber(type) && [...taken].some(isNumber))))
  return fits || given.size === 0 ? undefined : `expected ${[...taken].join(' or ')}, gets ${[...given].join(' or ')}`
}

/** What is wrong with a value, and with those in it. */
export function misfitsOf(value: unknown, place: SchemaPlace, path = '', depth = 0): readonly Misfit[] {
  if (value === undefined || depth > MAX_DEPTH) return []
  const types = typesOf(place)
  const kind = jsonKinds(value)
  if (types !== undefined && !kind.some((type) => types.has(type))) {
    return [{ path, message: `expected ${[...types].join(' or ')}, got ${kindOf(value)}` }]
  }
  if (!isPlainObject(value)) return []
  return Object.entries(value).flatMap(([name, entry]) => {
    const inner = schemaAt(place, name)
    const innerPath = path === '' ? name : `${path}.${name}`
    if (inner === 'unknown') return []
    return isMisfit(inner) ? [{ path: innerPath, message: inner.message }] : misfitsOf(entry, inner, innerPath, depth + 1)
  })
}

/** The entries that an object cannot do without. */
export function requiredOf(place: SchemaPlace): readonly string[] {
  const objects = alternatives(place)
  return objects.length === 1 ? ((objects[0]!.schema.required as readonly string[] | undefined) ?? []) : []
}

/** The schema without references, as the alternatives that it offers. */
function alternatives({ schema, root }: SchemaPlace, depth = 0): readonly SchemaPlace[] {
  if (depth > MAX_DEPTH) return []
  const { $ref, anyOf, oneOf } = schema as { $ref?: string; anyOf?: readonly JsonSchema[]; oneOf?: readonly JsonSchema[] }
  if ($ref !== undefined) {
    const target = $ref.startsWith('#/') ? pointedTo(root, $ref) : undefined
    return target === undefined ? [] : alternatives({ schema: target, root }, depth + 1)
  }
  const choices = schema.properties === undefined ? (anyOf ?? oneOf) : undefined
  if (choices === undefined) return [{ schema, root }]
  return choices.flatMap((choice) => alternatives({ schema: choice, root }, depth + 1))
}

function pointedTo(root: JsonSchema, reference: string): JsonSchema | undefined {
  let at: unknown = root
  for (const name of reference.slice(2).split('/')) {
    at = isPlainObject(at) ? at[decodeURIComponent(name).replaceAll('~1', '/').replaceAll('~0', '~')] : undefined
  }
  return isPlainObject(at) ? at : undefined
}

/** Undefined: any. */
function typesOf(place: SchemaPlace): ReadonlySet<string> | undefined {
  const types = new Set<string>()
  for (const { schema } of alternatives(place)) {
    const { type, enum: values } = schema as { type?: string | readonly string[]; enum?: readonly unknown[] }
    const named = type ?? ('const' in schema ? jsonKinds(schema.const)[0] : values?.map((value) => jsonKinds(value)[0]!))
    if (named === undefined) return undefined
    for (const each of typeof named === 'string' ? [named] : named) types.add(each)
  }
  return types.size === 0 ? undefined : types
}

/** What a value is in JSON; what JSON does not have stands for any of the forms that it may take. */
function jsonKinds(value: unknown): readonly string[] {
  if (value === null) return ['null']
  if (Array.isArray(value)) return ['array']
  if (typeof value === 'number') return Number.isInteger(value) ? ['integer', 'number'] : ['number']
  if (typeof value === 'bigint') return ['integer', 'number', 'string']
  if (typeof value === 'object' && !isPlainObject(value)) return ['string', 'object', 'array', 'number', 'integer']
  return [typeof value]
}

function isNumber(type: string): boolean {
  return type === 'number' || type === 'integer'
}

function unknownName(name: string, known: readonly string[]): string {
  const near = nearestName(name, known)
  return `there is no "${name}"${near === undefined ? '' : `; did you mean ${near}?`}`
}
