import { invalidValue } from './invalid-value.js'

type Parse = (text: unknown) => unknown

/** A parser that remembers the last text: a filter asks several times for one row, and has the same path for all. */
function rememberingParser(what: string): Parse {
  let last: unknown
  let value: unknown
  return (text) => {
    if (text === last) return value
    try {
      value = JSON.parse(String(text))
    } catch {
      // the parser's message would hold the text
      throw invalidValue(`${what} that is not JSON`)
    }
    last = text
    return value
  }
}

const documentOf = rememberingParser('a JSON column holds a text')
const pathOf = rememberingParser('a path is a text')
const wantedOf = rememberingParser('a list is a text')

/**
 * The text, the number, or the boolean as 1 or 0, that stands at a path of a JSON text, or 1 for any value; null where there is
 * none of that kind.
 *
 * @throws {InvalidValueError} the text is not JSON
 */
export function jsonAt(document: unknown, path: unknown, kind: unknown): string | number | null {
  if (document === null) return null
  let value: unknown = documentOf(document)
  for (const step of pathOf(path) as readonly (string | number)[]) {
    const isThere = typeof step === 'number' ? Array.isArray(value) : !Array.isArray(value) && typeof value === 'object' && value !== null
    if (!isThere || !Object.hasOwn(value as object, step)) return null
    value = (value as Record<string | number, unknown>)[step]
  }
  if (kind === 'any') return value === null ? null : 1
  if (kind === 'text') return typeof value === 'string' ? value : null
  if (kind === 'number') return typeof value === 'number' ? value : null
  return typeof value === 'boolean' ? Number(value) : null
}

/**
 * Whether a JSON list has every element of another one, or some, as 1 or 0; null for null.
 *
 * @throws {InvalidValueError} the text is not JSON, or no list
 */
export function jsonHas(list: unknown, wanted: unknown, quantifier: unknown): number | null {
  if (list === null) return null
  const stored = documentOf(list)
  if (!Array.isArray(stored)) throw invalidValue('an array column holds JSON that is no list')
  const elements = new Set<unknown>(stored)
  const sought = wantedOf(wanted) as readonly unknown[]
  return Number(quantifier === 'every' ? sought.every((each) => elements.has(each)) : sought.some((each) => elements.has(each)))
}
