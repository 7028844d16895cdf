import type { JsonKind, JsonPath } from '../dialect/json-expressions.js'
import { textProblem } from '../model/json-value.js'
import { isPlainObject, kindOf } from '../model/value-kind.js'
import type { BoundField, BoundModel } from './bound-model.js'
import { ALWAYS, allOf, type Comparison, type Condition, type JsonTest, NEVER } from './condition.js'
import type { InputIssues, Path } from './input-issues.js'
import type { StatementShape } from './statement-cache.js'
import { TEXT_OPERATORS, textOperandProblem, textPattern, UNDEFINED } from './text-operand.js'

/** Longest path: as deep as JSON is stored. */
const MAX_STEPS = 31
/** Last position that every engine can be asked for. */
const MAX_POSITION = 2 ** 31 - 1
const MAX_DEPTH = 32
const MAX_LIST = 10_000

/** What a parser of conditions works with. */
export interface WhereContext {
  readonly model: BoundModel
  readonly shape: StatementShape
  readonly issues: InputIssues
}

/** The conditions on what stands at the `$path` of a JSON field. */
export function parseJsonConditions(context: WhereContext, field: BoundField, given: Record<string, unknown>, path: Path): Condition {
  const { $path: steps, ...operators } = given
  const problem = pathProblem(steps)
  if (problem !== undefined) {
    context.issues.add([...path, '$path'], problem)
    return ALWAYS
  }
  const { shape, model } = context
  const slots = model.dialect.expressions.json.encodePath(steps as JsonPath).map((part) => shape.add(part))
  shape.key += `$path${slots.length}`
  return new JsonParser(context, field, slots).operators(operators, path, 0)
}

function pathProblem(steps: unknown): string | undefined {
  if (!Array.isArray(steps) || steps.length === 0) return 'expected a list of names and positions'
  if (steps.length > MAX_STEPS) return `expected at most ${MAX_STEPS} steps, got ${steps.length}`
  // not every: a hole in the list has to be met too
  return Array.from(steps, stepProblem).find((problem) => problem !== undefined)
}

function stepProblem(step: unknown): string | undefined {
  if (typeof step === 'string') return textProblem(step)
  if (typeof step !== 'number') return `expected the name of an entry or a position in a list, got ${kindOf(step)}`
  const isPosition = Number.isInteger(step) && step >= 0 && step <= MAX_POSITION
  return isPosition ? undefined : `expected a position from 0 to ${MAX_POSITION}`
}

const COMPARISONS: Readonly<Record<string, Comparison>> = { $eq: '=', $ne: '<>', $gt: '>', $gte: '>=', $lt: '<', $lte: '<=' }

type Scalar = string | number | boolean

class JsonParser {
  constructor(
    readonly context: WhereContext,
    readonly field: BoundField,
    readonly path: readonly number[],
  ) {}

  operators(given: unknown, path: Path, depth: number): Condition {
    if (!isPlainObject(given) || Object.keys(given).length === 0) {
      return this.#wrong(path, `expected an operator${isPlainObject(given) ? '' : `, got ${kindOf(given)}`}`)
    }
    if (depth > MAX_DEPTH) return this.#wrong(path, `expected at most ${MAX_DEPTH} levels of conditions`)
    this.context.shape.key += '('
    const parts = Object.keys(given).map((name) => this.#operator(name, given[name], [...path, name], depth))
    this.context.shape.key += ')'
    return allOf(parts)
  }

  #operator(name: string, value: unknown, path: Path, depth: number): Condition {
    const { shape, issues } = this.context
    if (Object.hasOwn(COMPARISONS, name)) return this.#compare(COMPARISONS[name]!, value, path)
    if (Object.hasOwn(TEXT_OPERATORS, name)) return this.#like(name, value, path)
    switch (name) {
      case '$not':
        shape.key += '!'
        return { kind: 'not', part: this.operators(value, path, depth + 1) }
      case '$null':
        return typeof value === 'boolean' ? this.#null(value) : this.#wrong(path, `expected true or false, got ${kindOf(value)}`)
      case '$in':
        return this.#in(value, path)
      case '$nin':
        return this.#notIn(value, path)
      case '$between':
        return this.#between(value, path)
      case '$regex': {
        const problem = textOperandProblem(name, value)
        if (problem !== undefined) return this.#wrong(path, problem)
        shape.key += name
        return this.#test({ kind: 'regex', pattern: shape.add(value) })
      }
      default:
        issues.addUnknown(path, name, 'operator')
        return ALWAYS
    }
  }

  #compare(operator: Comparison, value: unknown, path: Path): Condition {
    const isEquality = operator === '=' || operator === '<>'
    if (value === null && isEquality) return this.#null(operator === '=')
    if (!this.#isScalar(value, path)) return ALWAYS
    const type = kindOfScalar(value)
    if (type === 'boolean' && !isEquality) return this.#wrong(path, 'true and false have no order to compare by')
    this.context.shape.key += `${type}${operator}`
    return this.#test({ kind: 'compare', operator, type, value: this.#add(value) })
  }

  #between(value: unknown, path: Path): Condition {
    if (!Array.isArray(value) || value.length !== 2) return this.#wrong(path, `expected a list of two, got ${kindOf(value)}`)
    return allOf([this.#compare('>=', value[0], [...path, 0]), this.#compare('<=', value[1], [...path, 1])])
  }

  #in(value: unknown, path: Path): Condition {
    if (!Array.isArray(value)) return this.#wrong(path, `expected a list, got ${kindOf(value)}`)
    if (value.length > MAX_LIST) return this.#wrong(path, `expected at most ${MAX_LIST} entries, got ${value.length}`)
    // not filter: a hole in the list has to be met too
    const wrong = Array.from(value as unknown[], (entry, position) => this.#isScalar(entry, [...path, position])).includes(false)
    if (wrong) return ALWAYS
    const { shape } = this.context
    shape.key += '$in'
    if (value.length === 0) {
      shape.key += 'F'
      return NEVER
    }
    const lists = (['text', 'number', 'boolean'] as const).flatMap((type) => {
      const ofType = (value as readonly Scalar[]).filter((entry) => kindOfScalar(entry) === type)
      if (ofType.length === 0) return []
      // the last one again and again, so that lists of any length share few statements
      const length = 2 ** Math.ceil(Math.log2(ofType.length))
      shape.key += `${type}[${length}]`
      return [{ type, values: Array.from({ length }, (_, index) => this.#add(ofType[Math.min(index, ofType.length - 1)]!)) }]
    })
    return this.#test({ kind: 'in', lists })
  }

  #notIn(value: unknown, path: Path): Condition {
    const condition = this.#in(value, path)
    this.context.shape.key += '!'
    return condition === NEVER ? ALWAYS : { kind: 'not', part: condition }
  }

  #like(name: string, value: unknown, path: Path): Condition {
    const problem = textOperandProblem(name, value)
    if (problem !== undefined) return this.#wrong(path, problem)
    const { shape, model } = this.context
    const { pattern, ignoreCase, problem: excess } = textPattern(model.dialect, name, value as string)
    if (excess !== undefined) return this.#wrong(path, excess)
    shape.key += name
    return this.#test({ kind: 'like', pattern: shape.add(pattern), ignoreCase })
  }

  #null(isNull: boolean): Condition {
    this.context.shape.key += isNull ? '0' : '1'
    return this.#test({ kind: 'null', isNull })
  }

  #test(test: JsonTest): Condition {
    return { kind: 'json', field: this.field, path: this.path, test }
  }

  #add(value: Scalar): number {
    const { shape, model } = this.context
    return shape.add(model.dialect.expressions.json.encode(value))
  }

  #isScalar(value: unknown, path: Path): value is Scalar {
    const problem = scalarProblem(value)
    if (problem !== undefined) this.context.issues.add(path, problem)
    return problem === undefined
  }

  #wrong(path: Path, message: string): Condition {
    this.context.issues.add(path, message)
    return ALWAYS
  }
}

function scalarProblem(value: unknown): string | undefined {
  if (value === undefined) return UNDEFINED
  if (typeof value === 'string') return textProblem(value)
  const isScalar = typeof value === 'boolean' || (typeof value === 'number' && Number.isFinite(value))
  return isScalar ? undefined : `expected a text, a number, true or false, got ${kindOf(value)}`
}

function kindOfScalar(value: Scalar): JsonKind {
  return typeof value === 'string' ? 'text' : (typeof value as 'number' | 'boolean')
}
