import { isPlainObject, kindOf } from './value-kind.js'

/** Deepest nesting of lists and objects: MariaDB's bound. */
const MAX_DEPTH = 31

/** What is wrong with a text that goes into a database; undefined: nothing. PostgreSQL has no NUL, UTF-8 no lone surrogates. */
export function textProblem(text: string): string | undefined {
  if (!text.isWellFormed()) return 'expected well-formed text, got a lone surrogate in it'
  return text.includes('\0') ? 'expected text without NUL characters, got one in it' : undefined
}

/** What keeps a value from coming back from JSON as it was; undefined: nothing. */
export function jsonProblem(value: unknown): string | undefined {
  if (value === null) return 'expected a JSON value, got null'
  return problemAt(value, [])
}

function problemAt(value: unknown, above: object[]): string | undefined {
  switch (typeof value) {
    case 'string':
      return textProblem(value)
    case 'boolean':
      return undefined
    case 'number':
      return Number.isFinite(value) ? undefined : notJson(kindOf(value))
    case 'object':
      return value === null ? undefined : containerProblem(value, above)
    default:
      return notJson(kindOf(value))
  }
}

function containerProblem(value: object, above: object[]): string | undefined {
  if (above.includes(value)) return 'expected JSON, got an object that contains itself'
  if (above.length === MAX_DEPTH) return `expected JSON of at most ${MAX_DEPTH} levels, got more`
  above.push(value)
  const problem = Array.isArray(value)
    ? listProblem(value, above)
    : isPlainObject(value)
      ? objectProblem(value, above)
      : notJson(kindOf(value))
  above.pop()
  return problem
}

function listProblem(list: readonly unknown[], above: object[]): string | undefined {
  // by index, since forEach and its like pass over holes, which JSON makes null
  for (let index = 0; index < list.length; index++) {
    const problem = problemAt(list[index], above)
    if (problem !== undefined) return problem
  }
  return undefined
}

function objectProblem(value: Record<string, unknown>, above: object[]): string | undefined {
  if (Object.getOwnPropertySymbols(value).length > 0) return notJson('a symbol')
  for (const key of Object.keys(value)) {
    const problem = textProblem(key) ?? problemAt(value[key], above)
    if (problem !== undefined) return problem
  }
  return undefined
}

function notJson(kind: string): string {
  return `expected JSON of objects, lists, text, finite numbers, true, false and null, got ${kind} in it`
}
