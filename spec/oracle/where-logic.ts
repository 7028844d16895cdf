type Truth = boolean | null

const and = (truths: readonly Truth[]): Truth => (truths.includes(false) ? false : truths.includes(null) ? null : true)
const or = (truths: readonly Truth[]): Truth => (truths.includes(true) ? true : truths.includes(null) ? null : false)
const not = (truth: Truth): Truth => (truth === null ? null : !truth)

export type Value = number | string

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

/** The order of numbers, of texts by code unit, and of decimals in text. */
export function compare(left: Value, right: Value): number {
  const areDecimals = DECIMAL.test(String(left)) && DECIMAL.test(String(right))
  const [a, b] = areDecimals ? [Number(left), Number(right)] : [left, right]
  return a === b ? 0 : a < b ? -1 : 1
}

type Conditions = Readonly<Record<string, unknown>>

/** The rows on the other side of a relation: a list, a row or null; undefined where a row has no relation of that name. */
export type RelatedOf = (row: object, name: string, deleted?: Deleted) => readonly object[] | object | null | undefined

/** Whether rows that are marked as deleted are there too, or no others; undefined: they are not there. */
export type Deleted = 'include' | 'only'

/** Whether a row meets a filter: a model of `where` in memory, to hold the engines to. */
export function meets(row: object, where: object, relatedOf: RelatedOf = () => undefined): boolean {
  return truthOf(row, where as Conditions, relatedOf) === true
}

function truthOf(row: object, where: Conditions, relatedOf: RelatedOf): Truth {
  const of = (part: unknown) => truthOf(row, part as Conditions, relatedOf)
  return and(
    Object.entries(where).map(([name, condition]) => {
      if (name === '$and') return and((condition as Conditions[]).map(of))
      if (name === '$or') return or((condition as Conditions[]).map(of))
      if (name === '$not') return not(of(condition))
      const related = relatedOf(row, name)
      if (related === undefined) return truthOfField((row as Record<string, Value | null>)[name]!, condition)
      const found = (where: unknown) =>
        [related].flat().filter((each) => each !== null && meets(each as object, where as object, relatedOf))
      if (!Array.isArray(related)) return condition === null ? related === null : found(condition).length > 0
      return and(
        Object.entries(condition as Conditions).map(([quantifier, where]) => QUANTIFIERS[quantifier]!(found(where).length, related.length)),
      )
    }),
  )
}

/** Of the rows of a relation, how many meet a condition. */
const QUANTIFIERS: Readonly<Record<string, (meeting: number, all: number) => boolean>> = {
  $some: (meeting) => meeting > 0,
  $none: (meeting) => meeting === 0,
  $every: (meeting, all) => meeting === all,
}

function truthOfField(value: Value | null, condition: unknown): Truth {
  if (typeof condition !== 'object' || condition === null) return MEANINGS.$eq!(value, condition as never)
  return and(
    Object.entries(condition).map(([operator, operand]) =>
      operator === '$not' ? not(truthOfField(value, operand)) : MEANINGS[operator]!(value, operand as never),
    ),
  )
}
