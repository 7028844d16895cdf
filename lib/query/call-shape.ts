import { isPlainObject } from '../model/value-kind.js'

/** What a call says, its names and operators in order, beside the values that it compares with. */
export interface CallShape {
  /** The same for calls that differ in nothing but {@link values}, and for no others. */
  readonly key: string
  /** What stands in its `where`, in order; not checked. */
  readonly values: readonly unknown[]
}

/** Deepest nesting, most values and longest text of an input that is looked at: further ones say more than is worth keeping. */
const MAX_DEPTH = 8
const MAX_VALUES = 32
const MAX_TEXT = 64

/** Where a page begins, which differs from call to call. */
const PLACES: ReadonlySet<string> = new Set(['after', 'before', 'offset'])

/**
 * The shape of an input of plain objects. Undefined: there are lists in it, or values of kinds that are not compared as they are, or it is
 * no input at all.
 */
export function callShape(operation: string, input: unknown): CallShape | undefined {
  const walk = new InputWalk(operation)
  return isPlainObject(input) && walk.object(input, 0, false) ? walk : undefined
}

class InputWalk implements CallShape {
  key: string
  readonly values: unknown[] = []

  constructor(operation: string) {
    this.key = operation
  }

  /** @param areValues whether it stands in `where`, where texts, numbers and the like are values to compare with */
  object(given: Record<string, unknown>, depth: number, areValues: boolean): boolean {
    if (depth > MAX_DEPTH) return false
    this.key += '{'
    for (const name of Object.keys(given)) {
      if (depth === 0 && PLACES.has(name)) return false
      // with its length: a name can hold what stands around names
      this.key += `${name.length}:${name}`
      if (!this.#entry(given[name], depth, areValues || (depth === 0 && name === 'where'))) return false
    }
    this.key += '}'
    return true
  }

  #entry(value: unknown, depth: number, isValue: boolean): boolean {
    switch (typeof value) {
      case 'object':
        if (value === null) return this.#word('0')
        if (value instanceof Date) return isValue && this.#value(value)
        return isPlainObject(value) && this.object(value, depth + 1, isValue)
      case 'string':
        return isValue ? this.#value(value) : value.length <= MAX_TEXT && this.#word(`"${value.length}:${value}`)
      case 'number':
      case 'bigint':
      case 'boolean':
        return isValue ? this.#value(value) : this.#word(`${typeof value} ${value};`)
      default:
        return false
    }
  }

  #value(value: unknown): boolean {
    this.key += '?'
    return this.values.push(value) <= MAX_VALUES
  }

  #word(text: string): boolean {
    this.key += text
    return true
  }
}
