import type { ColumnType } from '../../lib/model/column-type.js'

/** A constant in an engine's SQL: what is in its quotes, or a number or word as it stands. */
export interface SqlConstant {
  readonly text: string
  readonly isQuoted: boolean
}

/** The JSON form that a constant has for a column of a type, as far as can be guessed; undefined: none. */
export function jsonConstant({ text, isQuoted }: SqlConstant, type: ColumnType): unknown {
  switch (type.kind) {
    case 'integer':
    case 'float':
      return isNumber(text) ? Number(text) : undefined
    case 'bigint':
      return /^-?\d+$/.test(text) ? text : undefined
    case 'decimal':
      return isNumber(text) ? withScale(text, type.scale) : undefined
    case 'boolean':
      return { true: true, false: false, t: true, f: false, 1: true, 0: false }[text.toLowerCase()]
    case 'bytes':
      return text.startsWith('\\x') ? Buffer.from(text.slice(2), 'hex').toString('base64') : undefined
    case 'timestamp':
      return isQuoted ? instant(text) : undefined
    case 'json':
      return isQuoted ? parsed(text) : undefined
    case 'array': {
      const list = isQuoted ? parsed(text) : undefined
      // an engine's own form of an empty one is an object in JSON
      return Array.isArray(list) ? list : undefined
    }
    default:
      return isQuoted ? text : undefined
  }
}

/** The value in JavaScript of a constant in its JSON form. */
export function javascriptValue(json: unknown, type: ColumnType): unknown {
  if (type.kind === 'bigint') return BigInt(json as string)
  if (type.kind === 'timestamp') return type.precision === 3 ? new Date(json as string) : json
  if (type.kind === 'bytes') return new Uint8Array(Buffer.from(json as string, 'base64'))
  return type.kind === 'array' ? (json as readonly unknown[]).map((item) => javascriptValue(item, type.of)) : json
}

function isNumber(text: string): boolean {
  return /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(text)
}

function withScale(text: string, scale: number): string {
  const [whole, fraction = ''] = text.split('.')
  return scale === 0 ? whole! : `${whole}.${fraction.slice(0, scale).padEnd(scale, '0')}`
}

function instant(text: string): string | undefined {
  const [, day, time, zone = 'Z'] = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d(?:\.\d+)?)(Z|[+-]00(?::00)?)?$/.exec(text) ?? []
  return day === undefined || zone.startsWith('-') ? undefined : `${day}T${time}Z`
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    // an array in an engine's own form
    return undefined
  }
}
