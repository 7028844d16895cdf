import type { Dialect } from '../dialect/dialect.js'
import { textProblem } from '../model/json-value.js'
import { kindOf } from '../model/value-kind.js'

/** How the operand of a text operator becomes a LIKE pattern with `\` as escape. */
export interface TextOperator {
  readonly patternOf: (text: string) => string
  readonly ignoreCase: boolean
}

/** Every operator on texts but `$regex`. */
export const TEXT_OPERATORS: Readonly<Record<string, TextOperator>> = {
  $contains: { patternOf: (text) => `%${literal(text)}%`, ignoreCase: false },
  $startsWith: { patternOf: (text) => `${literal(text)}%`, ignoreCase: false },
  $endsWith: { patternOf: (text) => `%${literal(text)}`, ignoreCase: false },
  $like: { patternOf: (text) => text, ignoreCase: false },
  $ilike: { patternOf: (text) => text, ignoreCase: true },
}

/** What is wrong with the operand of a text operator; undefined: nothing. */
export function textOperandProblem(operator: string, value: unknown): string | undefined {
  if (value === undefined) return UNDEFINED
  if (typeof value !== 'string') return `expected a text, got ${kindOf(value)}`
  if (textProblem(value) !== undefined) return 'expected a text without NUL and lone surrogates'
  const isPattern = operator === '$like' || operator === '$ilike'
  return isPattern && /(^|[^\\])(\\\\)*\\$/.test(value) ? 'ends in a \\ that stands before nothing' : undefined
}

/** The checked operand of a text operator as the engine's pattern; `problem`: the engine takes none so long. */
export function textPattern({ expressions, capabilities }: Dialect, operator: string, text: string) {
  const { patternOf, ignoreCase } = TEXT_OPERATORS[operator]!
  const pattern = expressions.encodeLike(patternOf(text), ignoreCase)
  const length = Buffer.byteLength(pattern)
  const most = capabilities.maxPatternBytes
  const problem = length > most ? `expected a pattern of at most ${most} bytes, got ${length}` : undefined
  return { pattern, ignoreCase, problem }
}

export const UNDEFINED = 'is undefined; leave the entry out, or ask for null'

function literal(text: string): string {
  return text.replace(/[\\%_]/g, '\\$&')
}
