import { ModelError } from '../errors.js'
import { keepsOrder } from './field-traits.js'
import type { FieldDefinition, ModelDefinition, StaticCondition, UniqueDefinition } from './model-definition.js'
import { schemaConstant } from './schema-constant.js'
import { isPlainObject } from './value-kind.js'

/** What each operator takes. Those with an order need a type that has one on every engine. */
const OPERATORS: Readonly<Record<string, 'value' | 'ordered' | 'list' | 'pair' | 'boolean' | 'operators'>> = {
  $eq: 'value',
  $ne: 'value',
  $gt: 'ordered',
  $gte: 'ordered',
  $lt: 'ordered',
  $lte: 'ordered',
  $in: 'list',
  $nin: 'list',
  $between: 'pair',
  $null: 'boolean',
  $not: 'operators',
}

/** Null alone can be asked of these. */
const NOT_COMPARED = new Set<string>(['json', 'array'])

type Entry = readonly [key: string, value: unknown]

/**
 * The canonical form of a condition on fields: keyed by column, every operator written out, values in their JSON form, keys sorted.
 *
 * @throws {ModelError} an unknown field or operator, an empty condition or list, or a value that the field's type does not hold
 */
export function columnCondition(definition: ModelDefinition, condition: unknown): StaticCondition {
  const entries = entriesOf(definition, undefined, condition, 'a condition')
  return sorted(entries.map(([key, value]) => (key.startsWith('$') ? logic(definition, key, value) : onField(definition, key, value))))
}

/** The canonical condition of the rows that count for a key; undefined: all do. */
export function keyCondition(definition: ModelDefinition, { where, countsDeleted }: UniqueDefinition): StaticCondition | undefined {
  const { deletedAt } = definition.roles
  const parts = [...(where === undefined ? [] : [where]), ...(countsDeleted || deletedAt === undefined ? [] : [{ [deletedAt.name]: null }])]
  if (parts.length === 0) return undefined
  return columnCondition(definition, parts.length === 1 ? parts[0] : { $and: parts })
}

/** The columns that a canonical condition speaks of, each once, in order of first mention. */
export function conditionColumns(condition: StaticCondition): readonly string[] {
  const columns = Object.entries(condition).flatMap(([key, value]) => {
    if (!key.startsWith('$')) return [key]
    return (Array.isArray(value) ? value : [value]).flatMap((part: StaticCondition) => conditionColumns(part))
  })
  return [...new Set(columns)]
}

function logic(definition: ModelDefinition, key: string, value: unknown): Entry {
  if (key === '$not') return [key, columnCondition(definition, value)]
  if (key !== '$and' && key !== '$or') throw new ModelError(definition.name, undefined, `a check or index cannot hold ${key}`)
  return [key, listOf(definition, undefined, key, value).map((part) => columnCondition(definition, part))]
}

function onField(definition: ModelDefinition, name: string, value: unknown): Entry {
  const field = definition.fieldByName.get(name)
  if (field === undefined) throw new ModelError(definition.name, undefined, `a condition names "${name}", which is not a field`)
  if (field.column.startsWith('$')) {
    throw new ModelError(definition.name, name, 'a column whose name starts with $ cannot stand in a condition')
  }
  return [field.column, operatorsOf(definition, field, value)]
}

function operatorsOf(definition: ModelDefinition, field: FieldDefinition, value: unknown): StaticCondition {
  if (value === null) return { $null: true }
  if (!isPlainObject(value)) return { $eq: constant(definition, field, value) }
  const entries = entriesOf(definition, field.name, value, 'a condition').map(([key, operand]) => operator(definition, field, key, operand))
  if (entries.filter(([key]) => key === '$null').length > 1)
    throw new ModelError(definition.name, field.name, 'a condition asks twice for null')
  return sorted(entries)
}

function operator(definition: ModelDefinition, field: FieldDefinition, key: string, operand: unknown): Entry {
  const takes = Object.hasOwn(OPERATORS, key) ? OPERATORS[key] : undefined
  switch (takes) {
    case 'operators':
      return [key, operatorsOf(definition, field, operand)]
    case 'boolean':
      if (typeof operand !== 'boolean') throw new ModelError(definition.name, field.name, `${key} takes true or false`)
      return [key, operand]
    case 'value':
      return operand === null ? ['$null', key === '$eq'] : [key, constant(definition, field, operand)]
    case 'ordered':
      return [key, orderedConstant(definition, field, key, operand)]
    case 'list':
      return [key, listOf(definition, field.name, key, operand).map((item) => constant(definition, field, item))]
    case 'pair': {
      const pair = listOf(definition, field.name, key, operand)
      if (pair.length !== 2) throw new ModelError(definition.name, field.name, `${key} takes two values`)
      return [key, pair.map((item) => orderedConstant(definition, field, key, item))]
    }
    default:
      throw new ModelError(
        definition.name,
        field.name,
        `a check or index cannot hold ${key}; it can hold ${Object.keys(OPERATORS).join(' ')}`,
      )
  }
}

function orderedConstant(definition: ModelDefinition, field: FieldDefinition, key: string, value: unknown): unknown {
  // a native enum is in order of declaration, any other in order of text
  if (field.type.kind === 'enum') throw new ModelError(definition.name, field.name, `${key} needs an order, which an enum has not`)
  if (!keepsOrder(field)) throw new ModelError(definition.name, field.name, `${key} needs an order: say ordered, if its encode keeps one`)
  return constant(definition, field, value)
}

function constant(definition: ModelDefinition, field: FieldDefinition, value: unknown): unknown {
  if (NOT_COMPARED.has(field.type.kind)) {
    throw new ModelError(definition.name, field.name, `a condition on a field of type ${field.type.kind} can only ask for null`)
  }
  if (value === null) throw new ModelError(definition.name, field.name, 'null is asked for by null or $null, not in a comparison')
  return schemaConstant(definition.name, field, value, 'in a condition')
}

function listOf(definition: ModelDefinition, field: string | undefined, key: string, value: unknown): readonly unknown[] {
  if (!Array.isArray(value) || value.length === 0) throw new ModelError(definition.name, field, `${key} takes a list of at least one`)
  return value
}

function entriesOf(definition: ModelDefinition, field: string | undefined, value: unknown, what: string): readonly Entry[] {
  if (!isPlainObject(value)) throw new ModelError(definition.name, field, `${what} must be an object`)
  const entries = Object.entries(value)
  if (entries.length === 0) throw new ModelError(definition.name, field, `${what} is empty`)
  return entries
}

function sorted(entries: readonly Entry[]): StaticCondition {
  return Object.fromEntries([...entries].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
}
