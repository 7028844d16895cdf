import type { Where } from '../../index.js'

/** What the generated filters look at: a number, a text and a decimal, each of which may be null. */
export interface Sample {
  id: number
  size: number | null
  name: string | null
  price: string | null
}

type Truth = boolean | null

const and = (truths: readonly Truth[]): Truth => (truths.includes(false) ? false : truths.includes(null) ? null : true)
const or = (truths: readonly Truth[]): Truth => (truths.includes(true) ? true : truths.includes(null) ? null : false)
const not = (truth: Truth): Truth => (truth === null ? null : !truth)

type Value = number | string

/** What every operator means, said again as plainly as can be; a comparison with null is neither true nor false. */
const MEANINGS: Readonly<Record<string, (value: Value | null, operand: never) => Truth>> = {
  $eq: (value, operand: Value | null) => (operand === null ? value === null : known(value, (there) => compare(there, operand) === 0)),
  $ne: (value, operand: Value | null) => (operand === null ? value !== null : known(value, (there) => compare(there, operand) !== 0)),
  $gt: (value, operand: Value) => known(value, (there) => compare(there, operand) > 0),
  $gte: (value, operand: Value) => known(value, (there) => compare(there, operand) >= 0),
  $lt: (value, operand: Value) => known(value, (there) => compare(there, operand) < 0),
  $lte: (value, operand: Value) => known(value, (there) => compare(there, operand) <= 0),
  $in: (value, list: Value[]) => (list.length === 0 ? false : known(value, (there) => list.some((each) => compare(there, each) === 0))),
  $nin: (value, list: Value[]) => (list.length === 0 ? true : known(value, (there) => list.every((each) => compare(there, each) !== 0))),
  $between: (value, [low, high]: [Value, Value]) => known(value, (there) => compare(there, low) >= 0 && compare(there, high) <= 0),
  $null: (value, isNull: boolean) => (value === null) === isNull,
  $contains: (value, part: string) => known(value, (there) => String(there).includes(part)),
  $startsWith: (value, part: string) => known(value, (there) => String(there).startsWith(part)),
  $endsWith: (value, part: string) => known(value, (there) => String(there).endsWith(part)),
}

function known(value: Value | null, meets: (value: Value) => boolean): Truth {
  return value === null ? null : meets(value)
}

const DECIMAL = /^-?\d+\.\d$/

function compare(left: Value, right: Value): number {
  const areDecimals = DECIMAL.test(String(left)) && DECIMAL.test(String(right))
  const [a, b] = areDecimals ? [Number(left), Number(right)] : [left, right]
  return a === b ? 0 : a < b ? -1 : 1
}

/** Whether a row meets a filter: a model of `where` in memory, to hold the engines to. */
export function meets(row: Sample, where: Where<Sample>): boolean {
  return truthOf(row, where as Record<string, unknown>) === true
}

function truthOf(row: Sample, where: Record<string, unknown>): Truth {
  return and(
    Object.entries(where).map(([name, condition]) => {
      if (name === '$and') return and((condition as Record<string, unknown>[]).map((part) => truthOf(row, part)))
      if (name === '$or') return or((condition as Record<string, unknown>[]).map((part) => truthOf(row, part)))
      if (name === '$not') return not(truthOf(row, condition as Record<string, unknown>))
      return truthOfField(row[name as keyof Sample], condition)
    }),
  )
}

function truthOfField(value: Value | null, condition: unknown): Truth {
  if (typeof condition !== 'object' || condition === null) return MEANINGS.$eq!(value, condition as never)
  return and(
    Object.entries(condition).map(([operator, operand]) =>
      operator === '$not' ? not(truthOfField(value, operand)) : MEANINGS[operator]!(value, operand as never),
    ),
  )
}
