import type { StaticCondition } from '../model/model-definition.js'

const OPPOSITES: Readonly<Record<string, string>> = {
  $eq: '$ne',
  $ne: '$eq',
  $gt: '$lte',
  $gte: '$lt',
  $lt: '$gte',
  $lte: '$gt',
  $in: '$nin',
  $nin: '$in',
}

/** The condition with every `$not` carried out: MariaDB has `not (a >= 5 and a <= 7)` as `a < 5 or a > 7`. */
export function withoutNot(condition: StaticCondition, isNegated = false): StaticCondition {
  const parts = Object.entries(condition).flatMap(([key, value]): StaticCondition[] => {
    switch (key) {
      case '$not':
        return [withoutNot(value as StaticCondition, !isNegated)]
      case '$and':
      case '$or': {
        const isOr = (key === '$or') !== isNegated
        return [{ [isOr ? '$or' : '$and']: (value as readonly StaticCondition[]).map((part) => withoutNot(part, isNegated)) }]
      }
      default:
        return [ofColumn(key, value as StaticCondition, isNegated)]
    }
  })
  if (parts.length === 1) return parts[0]!
  return { [isNegated ? '$or' : '$and']: parts }
}

function ofColumn(column: string, operators: StaticCondition, isNegated: boolean): StaticCondition {
  const parts = Object.entries(operators).map(([key, operand]): StaticCondition => {
    if (key === '$not') return ofColumn(column, operand as StaticCondition, !isNegated)
    if (!isNegated) return { [column]: { [key]: operand } }
    if (key === '$null') return { [column]: { $null: operand !== true } }
    if (key === '$between') {
      const [low, high] = operand as readonly [unknown, unknown]
      return { $or: [{ [column]: { $lt: low } }, { [column]: { $gt: high } }] }
    }
    return { [column]: { [OPPOSITES[key]!]: operand } }
  })
  return parts.length === 1 ? parts[0]! : { [isNegated ? '$or' : '$and']: parts }
}
