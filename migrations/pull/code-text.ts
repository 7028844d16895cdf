import { types } from 'node:util'

/** A value as TypeScript that gives it: texts, numbers, bigints, dates, bytes, lists and plain objects. */
export function codeText(value: unknown): string {
  if (typeof value === 'string') return quoted(value)
  if (typeof value === 'bigint') return `${value}n`
  if (types.isDate(value)) return `new Date('${value.toISOString()}')`
  if (types.isUint8Array(value)) return `new Uint8Array([${[...value].join(', ')}])`
  if (Array.isArray(value)) return `[${value.map(codeText).join(', ')}]`
  if (typeof value !== 'object' || value === null) return Object.is(value, -0) ? '-0' : String(value)
  const entries = Object.entries(value).filter(([, each]) => each !== undefined)
  if (entries.length === 0) return '{}'
  return `{ ${entries.map(([key, each]) => `${keyText(key)}: ${codeText(each)}`).join(', ')} }`
}

function keyText(key: string): string {
  // __proto__: … would set the prototype
  if (key === '__proto__') return "['__proto__']"
  return /^[A-Za-z_$][\w$]*$/.test(key) ? key : quoted(key)
}

function quoted(text: string): string {
  return `'${JSON.stringify(text).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`
}
