import type { ColumnKind } from '../model/column-type.js'
import { keepsOrder, typeName } from '../model/field-traits.js'
import { isPlainObject, kindOf } from '../model/value-kind.js'
import type { BoundField, BoundModel, BoundRelation } from './bound-model.js'
import { ALWAYS, allOf, type Comparison, type Condition, related } from './condition.js'
import { inList } from './in-list.js'
import type { InputIssues, Path } from './input-issues.js'
import type { StatementShape } from './statement-cache.js'
import { TEXT_OPERATORS, textOperandProblem, textPattern, UNDEFINED } from './text-operand.js'
import { ARRAY_OPERATORS, parseArrayCondition } from './where-array.js'
import { parseJsonConditions } from './where-json.js'

/** Deepest nesting of `$and`, `$or`, `$not`: a bound on what an outsider's filter can cost. */
const MAX_DEPTH = 32
/** Most searches for a related row within each other: PostgreSQL needs twice the time or more to plan each further one. */
const MAX_RELATED = 8
/** Most entries of one list. */
const MAX_LIST = 10_000

/**
 * Checks a filter and adds its values to `shape`; what is wrong goes to `issues`, with its path.
 * Gives a condition that is always true for an empty filter.
 */
export function parseWhere(
  model: BoundModel,
  where: unknown,
  shape: StatementShape,
  issues: InputIssues,
  path: Path = ['where'],
): Condition {
  return new WhereParser(model, shape, issues).parse(where, path, 0)
}

const COMPARISONS: Readonly<Record<string, Comparison>> = { $gt: '>', $gte: '>=', $lt: '<', $lte: '<=' }

const TEXT_KINDS: ReadonlySet<ColumnKind> = new Set(['text', 'varchar', 'enum'])
/** Kinds whose order is the same on every engine. An enum's is not: text on one, the order of its values on another. */
const ORDERED_KINDS: ReadonlySet<ColumnKind> = new Set([
  'text',
  'varchar',
  'integer',
  'bigint',
  'float',
  'decimal',
  'date',
  'time',
  'timestamp',
  'uuid',
])
/** Kinds that are not compared as a whole. */
const OPAQUE_KINDS: ReadonlySet<ColumnKind> = new Set(['json', 'array'])

/** What is asked of the rows of a to-many relation, given the search for one of them. */
const QUANTIFIERS: Readonly<Record<string, (found: Condition) => Condition>> = {
  $some: (found) => found,
  $none: (found) => ({ kind: 'not', part: found }),
  // there is no row for which it does not hold
  $every: (counter) => ({ kind: 'not', part: counter }),
}

type OperatorParser = (parser: WhereParser, field: BoundField, value: unknown, path: Path, depth: number) => Condition

/** Every operator on a field: how its operand is checked and what it means. */
const OPERATORS: Readonly<Record<string, OperatorParser>> = {
  $eq: (parser, field, value, path) => parser.equal(field, value, path),
  $ne: (parser, field, value, path) => parser.different(field, value, path),
  $gt: (parser, field, value, path) => parser.compare(field, '$gt', value, path),
  $gte: (parser, field, value, path) => parser.compare(field, '$gte', value, path),
  $lt: (parser, field, value, path) => parser.compare(field, '$lt', value, path),
  $lte: (parser, field, value, path) => parser.compare(field, '$lte', value, path),
  $in: (parser, field, value, path) => parser.anyOf(field, value, path),
  $nin: (parser, field, value, path) => parser.noneOf(field, value, path),
  $between: (parser, field, value, path) => parser.between(field, value, path),
  $null: (parser, field, value, path) => parser.isNull(field, value, path),
  $not: (parser, field, value, path, depth) => parser.notField(field, value, path, depth),
  $regex: (parser, field, value, path) => parser.regex(field, value, path),
  ...Object.fromEntries(
    Object.keys(TEXT_OPERATORS).map((name): [string, OperatorParser] => [
      name,
      (parser, field, value, path) => parser.like(field, name, value, path),
    ]),
  ),
  ...Object.fromEntries(
    Object.keys(ARRAY_OPERATORS).map((name): [string, OperatorParser] => [
      name,
      (parser, field, value, path) => parseArrayCondition(parser, field, name, value, path),
    ]),
  ),
}

class WhereParser {
  constructor(
    readonly model: BoundModel,
    readonly shape: StatementShape,
    readonly issues: InputIssues,
    /** How many searches for a related row are around these conditions. */
    readonly related = 0,
  ) {}

  parse(where: unknown, path: Path, depth: number): Condition {
    if (!isPlainObject(where)) return this.#wrong(path, `expected an object of conditions, got ${kindOf(where)}`)
    if (depth > MAX_DEPTH) return this.#wrong(path, `expected at most ${MAX_DEPTH} levels of conditions`)
    this.shape.key += '{'
    const parts: Condition[] = []
    for (const name of Object.keys(where)) parts.push(this.#entry(name, where[name], [...path, name], depth))
    this.shape.key += '}'
    return allOf(parts)
  }

  #entry(name: string, value: unknown, path: Path, depth: number): Condition {
    const field = this.model.fieldByName.get(name)
    if (field !== undefined) return this.issues.allows(field, path) ? this.#fieldEntry(field, value, path, depth) : ALWAYS
    const relation = this.model.relations.get(name)
    if (relation !== undefined)
      return this.issues.allowsRelation(relation, path) ? this.#relationEntry(relation, value, path, depth) : ALWAYS
    if (name === '$and' || name === '$or') return this.#list(name, value, path, depth)
    if (name === '$not') {
      this.shape.key += '!'
      return { kind: 'not', part: this.parse(value, path, depth + 1) }
    }
    const choices = this.model.polymorphics.get(name)
    if (choices !== undefined) return this.#wrong(path, `is no condition: ask of ${choices.map((choice) => choice.name).join(' or ')}`)
    this.issues.addUnknown(path, name, name.startsWith('$') ? 'operator' : 'field')
    return ALWAYS
  }

  #relationEntry(relation: BoundRelation, value: unknown, path: Path, depth: number): Condition {
    this.shape.key += `${relation.name}:`
    if (relation.isMany) return this.#many(relation, value, path, depth)
    if (value !== null) return this.#exists(relation, value, path, depth)
    this.shape.key += '0'
    return { kind: 'not', part: { kind: 'exists', relation, ...related(relation, ALWAYS, this.shape) } }
  }

  #many(relation: BoundRelation, value: unknown, path: Path, depth: number): Condition {
    if (!isPlainObject(value) || Object.keys(value).length === 0) {
      const got = isPlainObject(value) ? 'an empty one' : kindOf(value)
      return this.#wrong(path, `expected an object with ${Object.keys(QUANTIFIERS).join(', ')}, got ${got}`)
    }
    this.shape.key += '('
    const parts = Object.keys(value).map((name) => {
      const quantifier = Object.hasOwn(QUANTIFIERS, name) ? QUANTIFIERS[name] : undefined
      if (quantifier === undefined) {
        this.issues.addUnknown([...path, name], name, 'operator')
        return ALWAYS
      }
      this.shape.key += name
      return quantifier(this.#exists(relation, value[name], [...path, name], depth, name === '$every'))
    })
    this.shape.key += ')'
    return allOf(parts)
  }

  /** @param isCounter look for a row for which the condition does not hold */
  #exists(relation: BoundRelation, where: unknown, path: Path, depth: number, isCounter = false): Condition {
    if (this.related === MAX_RELATED) return this.#wrong(path, `expected at most ${MAX_RELATED} relations within each other`)
    const stated = new WhereParser(relation.target, this.shape, this.issues, this.related + 1).parse(where, path, depth + 1)
    const sought: Condition = isCounter ? { kind: 'notTrue', part: stated } : stated
    return { kind: 'exists', relation, ...related(relation, sought, this.shape) }
  }

  #fieldEntry(field: BoundField, value: unknown, path: Path, depth: number): Condition {
    this.shape.key += `${field.name}:`
    return isPlainObject(value) && !OPAQUE_KINDS.has(field.definition.type.kind)
      ? this.operators(field, value, path, depth)
      : this.#shorthand(field, value, path, depth)
  }

  #shorthand(field: BoundField, value: unknown, path: Path, depth: number): Condition {
    if (value === null) return this.#null(field, true)
    if (!OPAQUE_KINDS.has(field.definition.type.kind)) return this.equal(field, value, path)
    if (isPlainObject(value)) return this.operators(field, value, path, depth)
    return this.#wrong(path, onlyPartsOf(field))
  }

  operators(field: BoundField, conditions: Record<string, unknown>, path: Path, depth: number): Condition {
    if (depth > MAX_DEPTH) return this.#wrong(path, `expected at most ${MAX_DEPTH} levels of conditions`)
    const names = Object.keys(conditions)
    if (field.definition.type.kind === 'json' && Object.hasOwn(conditions, '$path'))
      return parseJsonConditions(this, field, conditions, path)
    if (names.length === 0) return this.#wrong(path, 'expected an operator, got an empty object')
    this.shape.key += '('
    const parts = names.map((name) => {
      const parse = Object.hasOwn(OPERATORS, name) ? OPERATORS[name] : undefined
      if (parse !== undefined) {
        this.shape.key += name
        return parse(this, field, conditions[name], [...path, name], depth)
      }
      this.issues.addUnknown([...path, name], name, 'operator')
      return ALWAYS
    })
    this.shape.key += ')'
    return allOf(parts)
  }

  equal(field: BoundField, value: unknown, path: Path): Condition {
    return value === null ? this.#null(field, true) : this.#compare(field, '=', value, path)
  }

  different(field: BoundField, value: unknown, path: Path): Condition {
    return value === null ? this.#null(field, false) : this.#compare(field, '<>', value, path)
  }

  compare(field: BoundField, operator: string, value: unknown, path: Path): Condition {
    if (!this.#isOrdered(field, path)) return ALWAYS
    return this.#compare(field, COMPARISONS[operator]!, value, path)
  }

  between(field: BoundField, value: unknown, path: Path): Condition {
    if (!this.#isOrdered(field, path)) return ALWAYS
    if (!Array.isArray(value) || value.length !== 2) return this.#wrong(path, `expected a list of two, got ${kindOf(value)}`)
    return allOf([this.#compare(field, '>=', value[0], [...path, 0]), this.#compare(field, '<=', value[1], [...path, 1])])
  }

  anyOf(field: BoundField, value: unknown, path: Path): Condition {
    if (!this.#isComparable(field, path)) return ALWAYS
    const list = this.#encodedList(field, value, path)
    if (list.length === 0) return this.#constant(false)
    return inList(this.model, field, list, this.shape)
  }

  noneOf(field: BoundField, value: unknown, path: Path): Condition {
    const condition = this.anyOf(field, value, path)
    if (condition.kind === 'constant') return Array.isArray(value) && value.length === 0 ? this.#constant(true) : condition
    return { kind: 'not', part: condition }
  }

  isNull(field: BoundField, value: unknown, path: Path): Condition {
    return typeof value === 'boolean' ? this.#null(field, value) : this.#wrong(path, `expected true or false, got ${kindOf(value)}`)
  }

  notField(field: BoundField, value: unknown, path: Path, depth: number): Condition {
    if (!isPlainObject(value)) return this.#wrong(path, `expected an object of operators, got ${kindOf(value)}`)
    return { kind: 'not', part: this.operators(field, value, path, depth + 1) }
  }

  like(field: BoundField, operator: string, value: unknown, path: Path): Condition {
    const text = this.#text(field, operator, value, path)
    if (text === undefined) return ALWAYS
    const { pattern, ignoreCase, problem } = textPattern(this.model.dialect, operator, text)
    return problem === undefined ? { kind: 'like', field, ignoreCase, pattern: this.shape.add(pattern) } : this.#wrong(path, problem)
  }

  regex(field: BoundField, value: unknown, path: Path): Condition {
    const text = this.#text(field, '$regex', value, path)
    return text === undefined ? ALWAYS : { kind: 'regex', field, pattern: this.shape.add(text) }
  }

  #list(name: '$and' | '$or', value: unknown, path: Path, depth: number): Condition {
    if (!Array.isArray(value)) return this.#wrong(path, `expected a list of conditions, got ${kindOf(value)}`)
    if (value.length > MAX_LIST) return this.#wrong(path, `expected at most ${MAX_LIST} entries, got ${value.length}`)
    this.shape.key += name
    const parts = value.map((part, position) => this.parse(part, [...path, position], depth + 1))
    if (name === '$and') return allOf(parts)
    return parts.length === 0 ? this.#constant(false) : { kind: 'or', parts }
  }

  #null(field: BoundField, isNull: boolean): Condition {
    this.shape.key += isNull ? '0' : '1'
    return { kind: 'null', field, isNull }
  }

  #constant(value: boolean): Condition {
    this.shape.key += value ? 'T' : 'F'
    return { kind: 'constant', value }
  }

  #compare(field: BoundField, operator: Comparison, value: unknown, path: Path): Condition {
    if (!this.#isComparable(field, path) || !this.#isFit(field, value, path)) return ALWAYS
    this.shape.key += operator
    return { kind: 'compare', field, operator, value: this.shape.addCompared(field, value) }
  }

  #encodedList(field: BoundField, value: unknown, path: Path): unknown[] {
    if (!Array.isArray(value)) {
      this.issues.add(path, `expected a list, got ${kindOf(value)}`)
      return []
    }
    if (value.length > MAX_LIST) {
      this.issues.add(path, `expected at most ${MAX_LIST} entries, got ${value.length}`)
      return []
    }
    // not map and filter: a hole in the list has to be met too
    return Array.from(value as unknown[], (entry, position) =>
      this.#isFit(field, entry, [...path, position]) ? field.encode(entry) : undefined,
    )
  }

  #isFit(field: BoundField, value: unknown, path: Path): boolean {
    const problem =
      value === undefined ? UNDEFINED : value === null ? 'expected a value, got null; ask with $null' : field.checkComparison(value)
    if (problem !== undefined) this.issues.add(path, problem)
    return problem === undefined
  }

  #isComparable(field: BoundField, path: Path): boolean {
    if (!OPAQUE_KINDS.has(field.definition.type.kind)) return true
    this.issues.add(path, onlyPartsOf(field))
    return false
  }

  #isOrdered(field: BoundField, path: Path): boolean {
    if (ORDERED_KINDS.has(field.definition.type.kind) && keepsOrder(field.definition)) return true
    this.issues.add(path, `fields of type ${typeName(field.definition)} have no order to compare by${orderAdvice(field)}`)
    return false
  }

  #text(field: BoundField, operator: string, value: unknown, path: Path): string | undefined {
    const { definition } = field
    const isText = TEXT_KINDS.has(definition.type.kind) && definition.custom === undefined
    const problem = isText ? textOperandProblem(operator, value) : `is for text fields; this one is ${typeName(definition)}`
    if (problem === undefined) return value as string
    this.issues.add(path, problem)
    return undefined
  }

  #wrong(path: Path, message: string): Condition {
    this.issues.add(path, message)
    return ALWAYS
  }
}

/** What makes a field of the application's own type sortable. */
function orderAdvice({ definition }: BoundField): string {
  return keepsOrder(definition) ? '' : ' unless they say ordered'
}

function onlyPartsOf({ definition: { type, custom } }: BoundField): string {
  const whole = 'this field can only be compared with null'
  if (type.kind === 'json') return `${whole}; ask for what stands at a $path`
  return custom === undefined ? `${whole}; ask for ${Object.keys(ARRAY_OPERATORS).join(', ')}` : whole
}
