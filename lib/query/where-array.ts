import { typeName } from '../model/field-traits.js'
import { kindOf } from '../model/value-kind.js'
import type { BoundField } from './bound-model.js'
import { ALWAYS, type Condition, NEVER } from './condition.js'
import type { Path } from './input-issues.js'
import { UNDEFINED } from './text-operand.js'
import type { WhereContext } from './where-json.js'

const MAX_LIST = 10_000

/** How each operator on an array field reads its operand as a list of elements. */
export const ARRAY_OPERATORS: Readonly<Record<string, 'one' | 'every' | 'some'>> = { $has: 'one', $hasEvery: 'every', $hasSome: 'some' }

/** The condition that an array field has elements. */
export function parseArrayCondition(context: WhereContext, field: BoundField, operator: string, value: unknown, path: Path): Condition {
  const { model, shape, issues } = context
  const wanted = wantedElements(field, operator, value)
  if (typeof wanted === 'string') {
    issues.add(path, wanted)
    return ALWAYS
  }
  // every array has them, but of a null nobody can say so
  if (operator === '$hasEvery' && wanted.length === 0 && !field.definition.nullable) {
    shape.key += 'T'
    return ALWAYS
  }
  if (ARRAY_OPERATORS[operator] !== 'some') return { kind: 'hasEvery', field, list: shape.add(field.encode(wanted)) }
  if (wanted.length === 0) {
    shape.key += 'F'
    return NEVER
  }
  if (!model.dialect.expressions.searchesEach) return { kind: 'hasSome', field, lists: [shape.add(field.encode(wanted))] }
  // the last one again and again, so that lists of any length share few statements
  const length = 2 ** Math.ceil(Math.log2(wanted.length))
  shape.key += `[${length}]`
  const elements = Array.from({ length }, (_, index) => wanted[Math.min(index, wanted.length - 1)])
  return { kind: 'hasSome', field, lists: elements.map((element) => shape.add(field.encode([element]))) }
}

/** The elements that are looked for; a text: what is wrong. */
function wantedElements({ definition, checkComparison }: BoundField, operator: string, value: unknown): readonly unknown[] | string {
  const { type, custom } = definition
  if (custom !== undefined) return `is for arrays; this field is ${typeName(definition)}`
  if (type.kind !== 'array') return `is for arrays; this field is ${type.kind}`
  if (type.of.kind === 'json') return 'elements of type json cannot be compared'
  if (value === undefined) return UNDEFINED
  const isOne = ARRAY_OPERATORS[operator] === 'one'
  if (!isOne && !Array.isArray(value)) return `expected a list, got ${kindOf(value)}`
  const wanted = isOne ? [value] : (value as readonly unknown[])
  if (wanted.length > MAX_LIST) return `expected at most ${MAX_LIST} entries, got ${wanted.length}`
  return checkComparison(wanted) ?? wanted
}
