/**
 * A deeply frozen copy: what the caller does with the original later changes nothing.
 * Dates and bytes are copied and cannot be frozen; functions and instances of other classes are kept as they are.
 */
export function frozenCopy<T>(value: T): T
export function frozenCopy(value: unknown): unknown {
  if (Array.isArray(value)) return Object.freeze(value.map((item) => frozenCopy(item)))
  if (value instanceof Date || value instanceof Uint8Array) return structuredClone(value)
  if (typeof value !== 'object' || value === null || !isPlain(value)) return value
  return Object.freeze(Object.fromEntries(Object.entries(value).map(([key, item]) => [key, frozenCopy(item)])))
}

/** A map that refuses to be changed: `Object.freeze` alone does not stop `set`. */
export function frozenMap<K, V>(entries: Iterable<readonly [K, V]>): ReadonlyMap<K, V> {
  const map = new Map(entries)
  const refuse = (): never => {
    throw new TypeError('a model definition cannot be changed')
  }
  return Object.freeze(Object.assign(map, { set: refuse, delete: refuse, clear: refuse }))
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
