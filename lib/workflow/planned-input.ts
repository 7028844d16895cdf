import type { JsonSchema } from '../model/field-json-schema.js'
import { isPlainObject } from '../model/value-kind.js'
import { type SchemaPlace, schemaAt } from './schema-fit.js'
import { inputFrom, isAnything, plannedContext } from './step-context.js'
import type { Step } from './workflow-definition.js'

/**
 * An input that a step might be run with: its own values, and others of the right kind where results of earlier steps go. Undefined where
 * its function cannot do with values that stand for any.
 */
export function plannedInput({ bind, inputs, connections, node }: Step): unknown {
  const place: SchemaPlace = { schema: node.inputSchema, root: node.inputSchema }
  try {
    if (bind !== undefined) return filled(bind(plannedContext() as never, plannedContext() as never, 0), place)
    return filled(
      inputFrom(
        inputs,
        connections.map(({ to }) => ({ from: 'any', output: '', to })),
        { any: plannedContext() },
      ),
      place,
    )
  } catch {
    return undefined
  }
}

const DEEPEST = 16

/** The same with a sample of its type in the place of each value that stands for any. */
function filled(value: unknown, place: SchemaPlace | undefined, depth = 0): unknown {
  if (isAnything(value)) return sampleOf(place?.schema)
  if (depth > DEEPEST) return value
  if (Array.isArray(value)) return value.map((entry) => filled(entry, itemsOf(place), depth + 1))
  if (!isPlainObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, entry]) => [name, filled(entry, within(place, name), depth + 1)]))
}

function within(place: SchemaPlace | undefined, name: string): SchemaPlace | undefined {
  const found = place === undefined ? 'unknown' : schemaAt(place, name)
  return typeof found === 'object' && 'schema' in found ? found : undefined
}

function itemsOf(place: SchemaPlace | undefined): SchemaPlace | undefined {
  const { items } = (place?.schema ?? {}) as { readonly items?: JsonSchema }
  return items === undefined ? undefined : { schema: items, root: place!.root }
}

function sampleOf(schema: JsonSchema | undefined): unknown {
  const {
    type,
    format,
    enum: values,
    anyOf,
    oneOf,
    pattern,
  } = (schema ?? {}) as {
    readonly type?: string | readonly string[]
    readonly format?: string
    readonly enum?: readonly unknown[]
    readonly anyOf?: readonly JsonSchema[]
    readonly oneOf?: readonly JsonSchema[]
    readonly pattern?: string
  }
  if (values !== undefined) return values[0]
  const choice = (anyOf ?? oneOf)?.[0]
  if (choice !== undefined) return sampleOf(choice)
  switch (typeof type === 'string' || type === undefined ? type : type[0]) {
    case 'integer':
    case 'number':
      return 1
    case 'boolean':
      return true
    case 'array':
      return []
    case 'object':
      return {}
    default:
      return sampleText(format, pattern)
  }
}

function sampleText(format: string | undefined, pattern: string | undefined): unknown {
  if (format === 'date-time') return new Date(0)
  if (format === 'date') return '2000-01-01'
  if (format === 'uuid') return '00000000-0000-4000-8000-000000000000'
  // of numbers that are written as text
  return pattern?.includes('[0-9]') ? '1' : 'x'
}
