import { types } from 'node:util'

/** What kind of thing a value is, in words for a message: never the value itself. */
export function kindOf(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return 'text'
    case 'number':
      return kindOfNumber(value)
    case 'bigint':
      return 'a bigint'
    case 'object':
      return kindOfObject(value)
    case 'undefined':
      return 'undefined'
    default:
      return `a ${typeof value}`
  }
}

/** An object made by braces or `JSON.parse`, in this realm or another; no class instance, list or null. */
export function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype || (Object.getPrototypeOf(prototype) === null && !Array.isArray(value))
}

function kindOfNumber(value: number): string {
  if (Number.isNaN(value)) return 'NaN'
  if (!Number.isFinite(value)) return 'an infinite number'
  return Number.isInteger(value) ? 'a whole number' : 'a fraction'
}

function kindOfObject(value: object | null): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  if (types.isDate(value)) return Number.isNaN(value.getTime()) ? 'an invalid date' : 'a date'
  if (types.isUint8Array(value)) return 'bytes'
  if (types.isPromise(value)) return 'a promise'
  if (types.isBoxedPrimitive(value)) return 'a boxed value'
  return isPlainObject(value) ? 'an object' : 'an instance of a class'
}
