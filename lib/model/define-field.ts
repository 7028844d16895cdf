import type { StandardSchemaV1 } from '@standard-schema/spec'
import { ModelError } from '../errors.js'
import type { BigintMode, ColumnKind, ColumnType } from './column-type.js'
import { defineColumnType, type GivenOptions, KIND_OPTIONS } from './define-column-type.js'
import { CUSTOM_OPTIONS, defineCustomCodec, storageOptions } from './define-custom.js'
import { checkFieldValue, type FieldShape, normaliseFieldValue } from './field-type.js'
import { frozenCopy } from './frozen-copy.js'
import { givenOptions, suggestion } from './known-options.js'
import type { FieldDefault, FieldDefinition, FieldRole } from './model-definition.js'
import { codeNameProblem, objectNameProblem, snakeCase } from './names.js'

/** A field, and what was said on it that belongs to the whole model. */
export interface DefinedField {
  readonly field: FieldDefinition
  readonly isPrimary: boolean
  readonly isUnique: boolean
  readonly isIndexed: boolean
  /** Comparisons that every value must pass. */
  readonly check: unknown
}

/** Options of every kind of field, with the JavaScript type of each; `unknown` is looked at on its own. */
const FIELD_OPTIONS = {
  kind: 'string',
  column: 'string',
  nullable: 'boolean',
  primary: 'boolean',
  unique: 'boolean',
  index: 'boolean',
  default: 'unknown',
  defaultSql: 'string',
  check: 'unknown',
  schema: 'unknown',
  redacted: 'boolean',
  comment: 'string',
  renamedFrom: 'string',
} as const

/** What each role asks of its field. */
const ROLES: Readonly<Record<FieldRole, { readonly kinds: readonly ColumnKind[]; readonly isNullable: boolean }>> = {
  createdAt: { kinds: ['timestamp'], isNullable: false },
  updatedAt: { kinds: ['timestamp'], isNullable: false },
  version: { kinds: ['integer'], isNullable: false },
  deletedAt: { kinds: ['timestamp'], isNullable: true },
  tenant: { kinds: ['integer', 'bigint', 'text', 'varchar', 'uuid'], isNullable: false },
}

/**
 * One checked field from its plain data.
 *
 * @throws {ModelError} the field contradicts itself
 */
export function defineField(model: string, table: string, property: string, spec: unknown): DefinedField {
  const problem = codeNameProblem(property)
  if (problem !== undefined) throw new ModelError(model, property, problem)
  const options = fieldOptions(model, property, spec)
  const column = options.column ?? snakeCase(property)
  const columnProblem = objectNameProblem(column)
  if (columnProblem !== undefined) throw new ModelError(model, property, `column: ${columnProblem}`)
  const stored = options.kind === CUSTOM ? storageOptions(model, property, options) : options
  const type = defineColumnType(model, property, stored, `${table}_${column}`)
  const shape = {
    type,
    bigintMode: bigintMode(stored),
    minLength: minLength(model, property, stored),
    custom: options.kind === CUSTOM ? defineCustomCodec(model, property, options, type.kind) : undefined,
  }
  const role = roleOf(model, property, options, shape.type)
  const field: FieldDefinition = Object.freeze({
    name: property,
    column: column as string,
    ...shape,
    nullable: options.nullable === true,
    redacted: options.redacted === true,
    default: role === undefined ? defaultOf(model, property, options, shape) : roleDefault(role),
    role,
    schema: schemaOption(model, property, options.schema),
    comment: options.comment as string | undefined,
    renamedFrom: options.renamedFrom as string | undefined,
  })
  checkKey(model, field, options)
  return {
    field,
    isPrimary: options.primary === true,
    isUnique: options.unique === true,
    // every statement asks for the tenant
    isIndexed: options.index === true || role === 'tenant',
    check: options.check,
  }
}

/** The kind of a field whose type is the application's own. */
const CUSTOM = 'custom'
const OWN_OPTIONS: Readonly<Record<string, readonly string[]>> = { ...KIND_OPTIONS, [CUSTOM]: CUSTOM_OPTIONS }

function fieldOptions(model: string, property: string, spec: unknown): GivenOptions {
  const kind: unknown = typeof spec === 'object' && spec !== null ? (spec as { kind?: unknown }).kind : undefined
  const own = typeof kind === 'string' && Object.hasOwn(OWN_OPTIONS, kind) ? OWN_OPTIONS[kind] : undefined
  if (own === undefined) {
    const kinds = Object.keys(OWN_OPTIONS)
    throw new ModelError(
      model,
      property,
      typeof kind === 'string' ? `unknown kind "${kind}"${suggestion(kind, kinds)}` : `has no kind; known are ${kinds.join(', ')}`,
    )
  }
  const options = givenOptions(model, property, spec, [...Object.keys(FIELD_OPTIONS), ...own])
  for (const [name, type] of Object.entries(FIELD_OPTIONS)) {
    const value = options[name]
    if (type !== 'unknown' && value !== undefined && typeof value !== type) {
      throw new ModelError(model, property, `${name}: expected a ${type}, got ${typeof value}`)
    }
  }
  const formerProblem = options.renamedFrom === undefined ? undefined : objectNameProblem(options.renamedFrom)
  if (formerProblem !== undefined) throw new ModelError(model, property, `renamedFrom: ${formerProblem}`)
  return options
}

function bigintMode({ as, of }: GivenOptions): BigintMode {
  return ((as ?? (of as { as?: unknown } | undefined)?.as) as BigintMode | undefined) ?? 'bigint'
}

function minLength(model: string, property: string, { minLength: least = 0, maxLength, length }: GivenOptions): number {
  const most = maxLength ?? length ?? Number.POSITIVE_INFINITY
  if (typeof least !== 'number' || !Number.isInteger(least) || least < 0 || least > (most as number)) {
    throw new ModelError(model, property, 'minLength: expected a whole number from 0 to the greatest length')
  }
  return least
}

function roleOf(model: string, property: string, options: GivenOptions, type: ColumnType): FieldRole | undefined {
  const { role } = options
  if (role === undefined) return undefined
  if (typeof role !== 'string' || !Object.hasOwn(ROLES, role)) {
    throw new ModelError(model, property, `role: expected one of ${Object.keys(ROLES).join(', ')}`)
  }
  const asked = ROLES[role as FieldRole]
  if (!asked.kinds.includes(type.kind) || (type.kind === 'timestamp' && type.precision !== 3)) {
    const kinds = asked.kinds.map((kind) =>
      kind === 'timestamp' ? 'a timestamp of precision 3' : kind === 'integer' ? 'an integer' : `a ${kind}`,
    )
    throw new ModelError(model, property, `role ${role} needs ${kinds.join(' or ')}`)
  }
  if ((options.nullable === true) !== asked.isNullable) {
    throw new ModelError(model, property, `role ${role} needs a field that is ${asked.isNullable ? '' : 'not '}nullable`)
  }
  const other = ['default', 'defaultSql', 'increment', 'primary'].find(
    (name) => options[name] !== undefined && (name === 'default' || options[name] !== false),
  )
  if (other !== undefined) throw new ModelError(model, property, `role ${role} and ${other} exclude each other: the layer makes the value`)
  return role as FieldRole
}

function roleDefault(role: FieldRole): FieldDefault | undefined {
  if (role === 'deletedAt' || role === 'tenant') return undefined
  return Object.freeze(role === 'version' ? { kind: 'value', value: 1 } : { kind: 'function', create: () => new Date() })
}

function defaultOf(model: string, property: string, options: GivenOptions, shape: FieldShape): FieldDefault | undefined {
  // false is a value to default to
  const given = ['default', 'defaultSql', ...(options.increment === true ? ['increment'] : [])].filter(
    (name) => options[name] !== undefined,
  )
  if (given.length > 1) throw new ModelError(model, property, `${given.join(' and ')} exclude each other`)
  switch (given[0]) {
    case 'increment':
      return Object.freeze({ kind: 'increment' })
    case 'defaultSql':
      return Object.freeze({ kind: 'sql', sql: defaultSql(model, property, options.defaultSql as string) })
    case 'default':
      return Object.freeze(constantOrFunction(model, property, options.default, shape))
    default:
      return undefined
  }
}

function defaultSql(model: string, property: string, sql: string): string {
  if (sql.trim() === '') throw new ModelError(model, property, 'defaultSql is empty')
  return sql
}

function constantOrFunction(model: string, property: string, value: unknown, shape: FieldShape): FieldDefault {
  if (typeof value === 'function') return { kind: 'function', create: value as () => unknown }
  if (value === null) throw new ModelError(model, property, 'default: a nullable field is null without a default')
  const wrong = checkFieldValue(shape, value)
  if (wrong !== undefined) throw new ModelError(model, property, `default: ${wrong}`)
  // one of the application's own is encoded each time it is stored, like any other
  return { kind: 'value', value: frozenCopy(shape.custom === undefined ? normaliseFieldValue(shape, value) : value) }
}

function schemaOption(model: string, property: string, schema: unknown): StandardSchemaV1 | undefined {
  if (schema === undefined) return undefined
  // a schema is an object (zod, valibot) or a function (arktype)
  const standard: unknown = Object(schema) === schema ? (schema as Partial<StandardSchemaV1>)['~standard'] : undefined
  if (typeof (standard as Partial<StandardSchemaV1['~standard']> | undefined)?.validate !== 'function') {
    throw new ModelError(model, property, 'schema: expected a Standard Schema, such as one of zod, valibot or arktype')
  }
  return schema as StandardSchemaV1
}

const NO_KEYS = new Set<ColumnType['kind']>(['json', 'array'])

function checkKey(model: string, field: FieldDefinition, options: GivenOptions): void {
  const { kind } = field.type
  if (options.primary === true && field.nullable) throw new ModelError(model, field.name, 'a primary key cannot be nullable')
  if (options.primary === true && options.unique === true)
    throw new ModelError(model, field.name, 'primary and unique: a primary key is unique')
  if (options.primary === true && field.redacted)
    throw new ModelError(model, field.name, 'a primary key cannot be redacted: cursors and relations go by it')
  const key = ['primary', 'unique', 'index'].find((name) => options[name] === true)
  if (key !== undefined && NO_KEYS.has(kind))
    throw new ModelError(model, field.name, `${key}: a field of kind ${kind} cannot be in a key or index`)
  if (options.increment !== undefined && typeof options.increment !== 'boolean')
    throw new ModelError(model, field.name, 'increment: expected a boolean')
  if (options.increment !== true) return
  if (options.primary !== true) throw new ModelError(model, field.name, 'increment needs a primary key: not every engine counts elsewhere')
}
