import type { BigintMode, ColumnKind, ColumnType } from './column-type.js'
import { keepsOrder } from './field-traits.js'
import type { FieldShape } from './field-type.js'
import type { FieldDefinition } from './model-definition.js'

/** JSON Schema, draft 2020-12. */
export type JsonSchema = { readonly [keyword: string]: unknown }

type SchemaOf<K extends ColumnKind> = (type: Extract<ColumnType, { kind: K }>, shape: FieldShape) => JsonSchema

const INTEGER_TEXT = { type: 'string', pattern: '^(0|-?[1-9][0-9]{0,18})$' }

/** Values of a type, in the form that `toJsonValue` gives them. */
const VALUE_SCHEMAS: { readonly [K in ColumnKind]: SchemaOf<K> } = {
  text: (_, { minLength }) => textSchema(minLength),
  varchar: ({ length }, { minLength }) => ({ ...textSchema(minLength), maxLength: length }),
  integer: () => ({ type: 'integer', minimum: -(2 ** 31), maximum: 2 ** 31 - 1 }),
  bigint: (_, { bigintMode }) => bigintSchema(bigintMode),
  float: () => ({ type: 'number' }),
  decimal: ({ precision, scale }) => decimalSchema(precision, scale),
  boolean: () => ({ type: 'boolean' }),
  date: () => ({ type: 'string', format: 'date' }),
  // not the format "time", which has a zone
  time: () => ({ type: 'string', pattern: '^([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,6})?$' }),
  timestamp: () => ({ type: 'string', format: 'date-time' }),
  uuid: () => ({ type: 'string', format: 'uuid' }),
  json: () => ({ type: ['object', 'array', 'string', 'number', 'boolean'] }),
  bytes: () => ({ type: 'string', contentEncoding: 'base64' }),
  enum: ({ values }) => ({ type: 'string', enum: values }),
  array: ({ of }, { bigintMode }) => ({ type: 'array', items: valueSchema({ type: of, bigintMode, minLength: 0 }) }),
}

/** The values of a field as JSON, null left aside. */
export function valueSchema(shape: FieldShape): JsonSchema {
  // the row of a kind is only ever given types of that kind
  return (VALUE_SCHEMAS[shape.type.kind] as SchemaOf<ColumnKind>)(shape.type as never, shape)
}

/** The values of a field as JSON, with its comment and null where it holds that. */
export function fieldSchema(field: FieldDefinition): JsonSchema {
  const schema = field.nullable ? orNull(valueSchema(field)) : valueSchema(field)
  return field.comment === undefined ? schema : { ...schema, description: field.comment }
}

/** `schema`, or null. */
export function orNull(schema: JsonSchema): JsonSchema {
  if (schema.enum !== undefined || schema.type === undefined) return { anyOf: [schema, { type: 'null' }] }
  return { ...schema, type: [schema.type, 'null'].flat() }
}

/** An object with no other entries than these. */
export function objectSchema(properties: Readonly<Record<string, JsonSchema>>, required: readonly string[] = []): JsonSchema {
  return { type: 'object', properties, ...(required.length === 0 ? {} : { required }), additionalProperties: false }
}

/** What an update sets a field to: a value, or a change of the number that is stored. */
export function assignmentSchema(field: FieldDefinition): JsonSchema {
  const operand = operandSchema(field)
  if (operand === undefined) return fieldSchema(field)
  const changes = ['$increment', '$decrement', '$multiply'].map((operator) => objectSchema({ [operator]: operand }, [operator]))
  return { anyOf: [fieldSchema(field), ...changes] }
}

function operandSchema(field: FieldDefinition): JsonSchema | undefined {
  if (field.custom !== undefined) return undefined
  const value = valueSchema(field)
  if (field.type.kind === 'integer' || field.type.kind === 'float') return value
  if (field.type.kind === 'bigint') return { anyOf: [INTEGER_TEXT, bigintSchema('number')] }
  return field.type.kind === 'decimal' ? { anyOf: [value, { type: 'number' }] } : undefined
}

/** How a filter may ask for a field: a value, null, or operators. `conditions` stands for {@link conditionsSchema}. */
export function filterSchema(field: FieldDefinition, conditions: JsonSchema): JsonSchema {
  return { anyOf: [...(OPAQUE_KINDS.has(field.type.kind) ? [] : [comparedSchema(field)]), { type: 'null' }, conditions] }
}

/** Kinds that are not compared as a whole. */
const OPAQUE_KINDS: ReadonlySet<ColumnKind> = new Set(['json', 'array'])
/** Kinds that engines disagree on how to sort, or do not sort at all. */
const UNORDERED_KINDS: ReadonlySet<ColumnKind> = new Set([...OPAQUE_KINDS, 'boolean', 'bytes', 'enum'])
const TEXT_KINDS: ReadonlySet<ColumnKind> = new Set(['text', 'varchar', 'enum'])

const MAX_LIST = 10_000

/** The operators on a field. `self` refers to this schema, for `$not`. */
export function conditionsSchema(field: FieldDefinition, self: JsonSchema): JsonSchema {
  const { kind } = field.type
  const whole = wholeConditions(field, self)
  return kind === 'json' ? { anyOf: [whole, PATH_CONDITIONS] } : whole
}

function wholeConditions(field: FieldDefinition, self: JsonSchema): JsonSchema {
  const { kind } = field.type
  const isOpaque = OPAQUE_KINDS.has(kind)
  const value = comparedSchema(field)
  const equal = isOpaque ? { type: 'null' } : orNull(value)
  const list = { type: 'array', items: value, maxItems: MAX_LIST }
  const properties = {
    $eq: equal,
    $ne: equal,
    $null: { type: 'boolean' },
    $not: self,
    ...(isOpaque ? {} : { $in: list, $nin: list }),
    ...(UNORDERED_KINDS.has(kind) || !keepsOrder(field) ? {} : orderedConditions(value)),
    ...(TEXT_KINDS.has(kind) && field.custom === undefined ? TEXT_CONDITIONS : {}),
    ...(field.type.kind === 'array' && field.custom === undefined ? elementConditions(field.type, field.bigintMode) : {}),
  }
  return { ...objectSchema(properties), minProperties: 1 }
}

const TEXT = { type: 'string' }
const TEXT_CONDITIONS = { $contains: TEXT, $startsWith: TEXT, $endsWith: TEXT, $like: TEXT, $ilike: TEXT, $regex: TEXT }

const SCALAR = { type: ['string', 'number', 'boolean'] }
const SCALAR_OR_NULL = { type: ['string', 'number', 'boolean', 'null'] }
const SCALARS = { type: 'array', items: SCALAR, maxItems: MAX_LIST }

/** The operators on what stands at a path; those within `$not` are left open. */
const PATH_CONDITIONS = {
  ...objectSchema(
    {
      $path: { type: 'array', items: { anyOf: [TEXT, { type: 'integer', minimum: 0 }] }, minItems: 1, maxItems: 31 },
      $eq: SCALAR_OR_NULL,
      $ne: SCALAR_OR_NULL,
      $null: { type: 'boolean' },
      $not: { type: 'object', minProperties: 1 },
      $in: SCALARS,
      $nin: SCALARS,
      ...orderedConditions({ type: ['string', 'number'] }),
      ...TEXT_CONDITIONS,
    },
    ['$path'],
  ),
  minProperties: 2,
}

/** The operators on the elements of an array. */
function elementConditions({ of }: Extract<ColumnType, { kind: 'array' }>, bigintMode: BigintMode): Readonly<Record<string, JsonSchema>> {
  if (of.kind === 'json') return {}
  const element = valueSchema({ type: of, bigintMode, minLength: 0 })
  const list = { type: 'array', items: element, maxItems: MAX_LIST }
  return { $has: element, $hasEvery: list, $hasSome: list }
}

function orderedConditions(value: JsonSchema): Readonly<Record<string, JsonSchema>> {
  const between = { type: 'array', items: value, minItems: 2, maxItems: 2 }
  return { $gt: value, $gte: value, $lt: value, $lte: value, $between: between }
}

/** Values to compare with: a text of any length, since what is too long is only never found. */
function comparedSchema(field: FieldDefinition): JsonSchema {
  return field.type.kind === 'varchar' || field.type.kind === 'text' ? TEXT : valueSchema(field)
}

const DIRECTION = {
  anyOf: [
    { enum: ['asc', 'desc'] },
    objectSchema({ direction: { enum: ['asc', 'desc'] }, nulls: { enum: ['first', 'last'] } }, ['direction', 'nulls']),
  ],
}

/** How a list may be ordered by a field; undefined: not at all. */
export function directionSchema(field: FieldDefinition): JsonSchema | undefined {
  const isSorted = !OPAQUE_KINDS.has(field.type.kind) && field.type.kind !== 'bytes' && keepsOrder(field)
  return isSorted ? DIRECTION : undefined
}

function textSchema(minLength: number): JsonSchema {
  return minLength === 0 ? TEXT : { ...TEXT, minLength }
}

function bigintSchema(mode: BigintMode): JsonSchema {
  return mode === 'number' ? { type: 'integer', minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER } : INTEGER_TEXT
}

function decimalSchema(precision: number, scale: number): JsonSchema {
  const whole = `[0-9]{1,${Math.max(1, precision - scale)}}`
  return { type: 'string', pattern: `^-?${whole}${scale === 0 ? '' : `(\\.[0-9]{1,${scale}})?`}$` }
}
