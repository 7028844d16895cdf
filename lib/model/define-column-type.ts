import { ModelError } from '../errors.js'
import type { ColumnKind, ColumnType } from './column-type.js'
import { givenOptions } from './known-options.js'
import { databaseNameProblem } from './names.js'

/** Options as they came, each still to be looked at. */
export type GivenOptions = Readonly<Record<string, unknown>>

/** What each kind of field takes beside the options of all. */
export const KIND_OPTIONS: Readonly<Record<ColumnKind, readonly string[]>> = {
  text: ['maxLength', 'minLength', 'role'],
  varchar: ['length', 'minLength', 'role'],
  integer: ['increment', 'role'],
  bigint: ['as', 'increment', 'role'],
  float: [],
  decimal: ['precision', 'scale'],
  boolean: [],
  date: [],
  time: [],
  timestamp: ['precision', 'role'],
  uuid: ['role'],
  json: [],
  bytes: [],
  enum: ['values', 'native', 'name'],
  array: ['of'],
}

const MAX_PRECISION = 65
/** MySQL's bound. */
const MAX_SCALE = 30
/** PostgreSQL's bound; MySQL's depends on the whole row. */
const MAX_LENGTH = 10_485_760

/**
 * The checked, frozen column type of a field.
 *
 * @param enumName  what a native enum is called unless `name` says
 * @throws {ModelError} an option of the kind is missing or out of bounds
 */
export function defineColumnType(model: string, field: string, options: GivenOptions, enumName: string): ColumnType {
  return Object.freeze(columnType(new TypeOptions(model, field, options), options.kind as ColumnKind, enumName))
}

function columnType(options: TypeOptions, kind: ColumnKind, enumName: string): ColumnType {
  switch (kind) {
    case 'text':
      return options.has('maxLength') ? { kind: 'varchar', length: options.integer('maxLength', 1, MAX_LENGTH) } : { kind }
    case 'varchar':
      return { kind, length: options.integer('length', 1, MAX_LENGTH) }
    case 'bigint':
      options.oneOf('as', ['bigint', 'number', 'string'], 'bigint')
      return { kind }
    case 'decimal': {
      const precision = options.integer('precision', 1, MAX_PRECISION)
      return { kind, precision, scale: options.integer('scale', 0, Math.min(precision, MAX_SCALE)) }
    }
    case 'timestamp':
      return { kind, precision: options.oneOf('precision', [3, 6] as const, 3) }
    case 'enum':
      return enumType(options, enumName)
    case 'array':
      return { kind, of: elementType(options, enumName) }
    default:
      return { kind }
  }
}

function enumType(options: TypeOptions, enumName: string): ColumnType {
  const isNative = options.oneOf('native', [true, false] as const, false)
  const name = options.given.name ?? enumName
  const problem = databaseNameProblem(name)
  if (problem !== undefined && (isNative || options.has('name'))) options.refuse('name', problem)
  return { kind: 'enum', name: name as string, values: enumValues(options), native: isNative }
}

function enumValues(options: TypeOptions): readonly string[] {
  const { values } = options.given
  if (!Array.isArray(values) || values.length === 0) options.refuse('values', 'expected a list of at least one text')
  const texts = values as readonly unknown[]
  // MySQL and PostgreSQL keep no longer label in a type of their own; '' is what MySQL stores for a wrong value
  const isLabel = (text: unknown) => typeof text === 'string' && text !== '' && Buffer.byteLength(text) <= 63 && !/[\0\p{Cs}]/u.test(text)
  if (!texts.every(isLabel)) options.refuse('values', 'each must be a text of 1 to 63 bytes')
  if (new Set(texts).size !== texts.length) options.refuse('values', 'one of them stands there twice')
  return Object.freeze([...(texts as readonly string[])])
}

function elementType(options: TypeOptions, enumName: string): ColumnType {
  const given = innerOptions(options.model, options.field, 'of: expected the kind of the elements', options.given.of)
  const kind = given.kind as ColumnKind
  if (kind === 'array' || kind === 'json') options.refuse('of', `an array cannot hold elements of kind ${kind}; use a json field`)
  return Object.freeze(columnType(new TypeOptions(options.model, options.field, given), kind, enumName))
}

const NOT_OF_INNER_TYPES = new Set(['increment', 'role', 'minLength', 'maxLength'])

/**
 * The options of a type that stands inside an option of a field: what an array holds, or what a custom field is stored as.
 *
 * @throws {ModelError} not a kind with its options; `expected` begins the message
 */
export function innerOptions(model: string, field: string, expected: string, spec: unknown): GivenOptions {
  const kind: unknown = typeof spec === 'object' && spec !== null ? (spec as { kind?: unknown }).kind : undefined
  if (typeof kind !== 'string' || !Object.hasOwn(KIND_OPTIONS, kind)) {
    throw new ModelError(model, field, `${expected}, such as { kind: "text" }`)
  }
  const own = KIND_OPTIONS[kind as ColumnKind].filter((name) => !NOT_OF_INNER_TYPES.has(name))
  return givenOptions(model, field, spec, ['kind', ...own])
}

/** Reads options of one field, each checked as it is read. */
class TypeOptions {
  constructor(
    readonly model: string,
    readonly field: string,
    readonly given: GivenOptions,
  ) {}

  has(name: string): boolean {
    return this.given[name] !== undefined
  }

  integer(name: string, least: number, most: number): number {
    const value = this.given[name]
    if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most) {
      this.refuse(name, `expected a whole number from ${least} to ${most}`)
    }
    return value as number
  }

  oneOf<const T>(name: string, allowed: readonly T[], otherwise: T): T {
    const value = this.given[name] ?? otherwise
    if (!allowed.includes(value as T)) this.refuse(name, `expected one of ${allowed.join(', ')}`)
    return value as T
  }

  refuse(name: string, message: string): never {
    throw new ModelError(this.model, this.field, `${name}: ${message}`)
  }
}
