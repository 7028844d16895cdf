import type { Engine } from '../../lib/dialect/dialect.js'

/** What can be said of the values that a type holds: within a family, the more the greater its sizes. */
export interface SqlType {
  readonly family: 'integer' | 'float' | 'decimal' | 'text' | 'date' | 'timestamp'
  readonly sizes: readonly number[]
}

const TYPE = /^(?:unsigned |signed )?([a-z_]\w*(?: (?:precision|varying))?)(?: \( ([\d ,]+) \))?/

const INTEGERS: Readonly<Record<string, number>> = {
  tinyint: 8,
  smallint: 16,
  int2: 16,
  smallserial: 16,
  mediumint: 24,
  int: 32,
  integer: 32,
  int4: 32,
  serial: 32,
  bigint: 64,
  int8: 64,
  bigserial: 64,
}

const TEXTS: Readonly<Record<string, number>> = {
  tinytext: 255,
  mediumtext: 16_777_215,
  longtext: Number.POSITIVE_INFINITY,
  clob: Number.POSITIVE_INFINITY,
}

const FLOATS: Readonly<Record<string, number>> = { real: 24, float4: 24, double: 53, 'double precision': 53, float8: 53 }

const ENDLESS = Number.POSITIVE_INFINITY

/** In what the engines differ where a type says no more. SQLite keeps eight bytes whatever an integer's name. */
const DEFAULTS: Readonly<
  Record<
    Engine,
    {
      readonly leastBits: number
      readonly float: number
      readonly text: number
      readonly decimal: readonly number[]
      readonly fraction: number
    }
  >
> = {
  postgres: { leastBits: 0, float: 53, text: ENDLESS, decimal: [ENDLESS, ENDLESS], fraction: 6 },
  mysql: { leastBits: 0, float: 24, text: 65_535, decimal: [10, 0], fraction: 0 },
  sqlite: { leastBits: 64, float: 53, text: ENDLESS, decimal: [ENDLESS, ENDLESS], fraction: 6 },
}

/** The type that a text begins with, as {@link plainText} writes it; undefined: one of which nothing is known here. */
export function sqlType(text: string, engine: Engine): SqlType | undefined {
  const [, name = '', given] = TYPE.exec(text) ?? []
  const sizes = given?.split(',').map(Number)
  const length = sizes?.[0] ?? ENDLESS
  const { leastBits, float, text: textLength, decimal, fraction } = DEFAULTS[engine]
  if (name in INTEGERS) return { family: 'integer', sizes: [Math.max(INTEGERS[name]!, leastBits)] }
  if (name in FLOATS || name === 'float') return { family: 'float', sizes: [FLOATS[name] ?? float] }
  if (/^(?:numeric|decimal|decimal_text)$/.test(name)) return { family: 'decimal', sizes: decimalSizes(sizes ?? decimal) }
  if (name === 'text') return { family: 'text', sizes: [textLength] }
  if (name in TEXTS) return { family: 'text', sizes: [TEXTS[name]!] }
  if (/^(?:var)?char$|^character(?: varying)?$|^nvarchar$/.test(name)) return { family: 'text', sizes: [length] }
  if (name === 'date' || name === 'date_text') return { family: 'date', sizes: [] }
  if (/^(?:timestamp|timestamptz|datetime)$/.test(name)) return { family: 'timestamp', sizes: [sizes?.[0] ?? fraction] }
  return undefined
}

/** Digits before the point, and after it. */
function decimalSizes([precision, scale = 0]: readonly number[]): readonly number[] {
  return precision === ENDLESS ? [ENDLESS, ENDLESS] : [precision! - scale, scale]
}

/** Whether the new type may not hold a value that the old one does. */
export function isNarrower(from: SqlType, to: SqlType): boolean {
  if (from.family === to.family) return to.sizes.some((size, position) => size < from.sizes[position]!)
  if (to.family === 'text') return to.sizes[0]! < 64
  const [bits = 0] = from.sizes
  if (from.family === 'integer' && to.family === 'float') return bits > to.sizes[0]!
  if (from.family === 'integer' && to.family === 'decimal') return to.sizes[0]! < Math.ceil(bits * Math.log10(2))
  return !(from.family === 'date' && to.family === 'timestamp')
}
