import { type Expression, sql } from 'kysely'
import { InvalidValueError } from '../errors.js'
import type { BigintMode } from '../model/column-type.js'
import { hasExtremes, hasSum, isDistinct, typeName } from '../model/field-traits.js'
import type { FieldDefinition } from '../model/model-definition.js'
import { codeNameProblem } from '../model/names.js'
import { isPlainObject, kindOf } from '../model/value-kind.js'
import { bindField } from './bind-models.js'
import type { BoundField, BoundModel } from './bound-model.js'
import type { InputIssues, Path } from './input-issues.js'

/** What is computed over the rows of a group. */
type AggregateName = '$count' | '$countDistinct' | '$sum' | '$avg' | '$min' | '$max'

/** Most values of one call. */
const MAX_VALUES = 100

/** How an aggregate of a field is computed, and of what kind it is. */
interface Aggregate {
  readonly fits: (field: FieldDefinition) => boolean
  /** The field that stands for it: its column is the computation. */
  readonly field: (model: BoundModel, alias: string, field: BoundField) => BoundField
}

const AGGREGATES: Readonly<Record<AggregateName, Aggregate>> = {
  $count: { fits: () => true, field: (model, alias, field) => countField(model, alias, sql`count(${field.reference})`) },
  $countDistinct: {
    fits: isDistinct,
    field: (model, alias, field) => countField(model, alias, sql`count(distinct ${field.reference})`),
  },
  $sum: { fits: hasSum, field: sumField },
  $avg: {
    fits: hasSum,
    field: (model, alias, field) => computed(model, field, alias, { kind: 'float' }, 'avg', (value) => Number(value)),
  },
  $min: { fits: hasExtremes, field: (model, alias, field) => extremeField(model, alias, field, 'min') },
  $max: { fits: hasExtremes, field: (model, alias, field) => extremeField(model, alias, field, 'max') },
}

/**
 * Checks what is to be computed, `{ people: '$count', oldest: { $max: 'age' } }`, and gives a field for each: with its alias as name and
 * its computation in place of a column, so that it can be selected, compared and ordered by like any other.
 */
export function parseAggregates(model: BoundModel, values: unknown, groups: readonly BoundField[], issues: InputIssues): BoundField[] {
  if (!isPlainObject(values) || Object.keys(values).length === 0) {
    issues.add(['values'], `expected an object of at least one value to compute, got ${kindOf(values)}`)
    return []
  }
  const aliases = Object.keys(values)
  if (aliases.length > MAX_VALUES) issues.add(['values'], `expected at most ${MAX_VALUES} values, got ${aliases.length}`)
  return aliases.slice(0, MAX_VALUES).flatMap((alias) => {
    const path = ['values', alias]
    const problem = groups.some(({ name }) => name === alias) ? 'has the name of a field in groupBy' : codeNameProblem(alias)
    if (problem !== undefined) issues.add(path, problem)
    return parseAggregate(model, alias, values[alias], issues, path)
  })
}

function parseAggregate(model: BoundModel, alias: string, value: unknown, issues: InputIssues, path: Path): BoundField[] {
  if (value === '$count') return [countField(model, alias, sql`count(*)`)]
  const [name, ...others] = isPlainObject(value) ? Object.keys(value) : []
  if (name === undefined || others.length > 0) {
    issues.add(path, `expected '$count', or an object with one of ${Object.keys(AGGREGATES).join(', ')}, got ${kindOf(value)}`)
    return []
  }
  if (!Object.hasOwn(AGGREGATES, name)) {
    issues.addUnknown([...path, name], name, 'aggregate')
    return []
  }
  const { fits, field: fieldOf } = AGGREGATES[name as AggregateName]
  const of = (value as Record<string, unknown>)[name]
  const field = typeof of === 'string' ? model.fieldByName.get(of) : undefined
  if (field !== undefined && !issues.allows(field, [...path, name])) return []
  if (field !== undefined && fits(field.definition)) return [fieldOf(model, alias, field)]
  if (field !== undefined) issues.add([...path, name], `cannot be computed of a field of type ${typeName(field.definition)}`)
  else if (typeof of === 'string') issues.addUnknown([...path, name], of, 'field')
  else issues.add([...path, name], `expected the name of a field, got ${kindOf(of)}`)
  return []
}

function countField({ definition: { name }, dialect }: BoundModel, alias: string, reference: Expression<unknown>): BoundField {
  const definition = { ...PLAIN, name: alias, column: alias, type: { kind: 'bigint' }, bigintMode: 'number', nullable: false } as const
  return { ...bindField(name, definition, dialect), reference, decode: Number, exactIntegers: false }
}

function sumField(model: BoundModel, alias: string, field: BoundField): BoundField {
  const { type, bigintMode } = field.definition
  if (type.kind === 'float') return computed(model, field, alias, type, 'sum', Number)
  if (type.kind === 'decimal') return computed(model, field, alias, type, 'sum', String)
  const mode = type.kind === 'integer' ? 'number' : bigintMode
  return {
    ...computed(model, field, alias, { kind: 'bigint' }, 'sum', (value) => INTEGERS[mode](String(value)), mode),
    exactIntegers: true,
  }
}

/** An extreme is a value of the field. */
function extremeField({ dialect }: BoundModel, alias: string, field: BoundField, name: 'min' | 'max'): BoundField {
  const definition = { ...field.definition, name: alias, nullable: true }
  return { ...field, name: alias, definition, reference: dialect.expressions.aggregate(name, field.reference, field.definition.type) }
}

function computed(
  { definition: { name: model }, dialect }: BoundModel,
  field: BoundField,
  alias: string,
  type: BoundField['definition']['type'],
  name: 'sum' | 'avg',
  decode: (value: unknown) => unknown,
  bigintMode: BigintMode = 'bigint',
): BoundField {
  const definition = { ...PLAIN, name: alias, column: alias, type, bigintMode, nullable: true }
  const reference = dialect.expressions.aggregate(name, field.reference, field.definition.type)
  return { ...bindField(model, definition, dialect), reference, decode }
}

const PLAIN = {
  custom: undefined,
  redacted: false,
  default: undefined,
  role: undefined,
  minLength: 0,
  schema: undefined,
  comment: undefined,
  renamedFrom: undefined,
} as const

/** A sum of integers, which may have more digits than any of them, as the field's own type. */
const INTEGERS: Readonly<Record<BigintMode, (text: string) => unknown>> = {
  bigint: (text) => BigInt(text),
  string: (text) => text,
  number: (text) => {
    if (Number.isSafeInteger(Number(text))) return Number(text)
    const nowhere = { model: undefined, fields: [], constraint: undefined }
    throw new InvalidValueError('a sum is beyond 2^53 and cannot be a number; declare the field as bigint', nowhere)
  },
}
