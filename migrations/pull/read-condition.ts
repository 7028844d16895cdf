import type { StaticCondition } from '../../lib/model/model-definition.js'
import type { ColumnSchema } from '../../lib/model/schema.js'
import { jsonConstant, type SqlConstant } from './read-constant.js'
import { SqlReader } from './sql-reader.js'

const OPERATORS: readonly (readonly [sign: string, operator: string])[] = [
  ['=', '$eq'],
  ['<>', '$ne'],
  ['!=', '$ne'],
  ['<=', '$lte'],
  ['>=', '$gte'],
  ['<', '$lt'],
  ['>', '$gt'],
]

/**
 * What a condition in an engine's SQL may say, keyed by column: comparisons, IN, BETWEEN, IS NULL, AND, OR, NOT. A guess: whoever takes it
 * has to write it as SQL again and compare. Undefined: it says something else.
 */
export function readCondition(sql: string, columns: readonly ColumnSchema[]): StaticCondition | undefined {
  const reader = new ConditionReader(new SqlReader(sql), new Map(columns.map((column) => [column.name.toLowerCase(), column])))
  return reader.whole()
}

class ConditionReader {
  constructor(
    readonly sql: SqlReader,
    readonly columns: ReadonlyMap<string, ColumnSchema>,
  ) {}

  whole(): StaticCondition | undefined {
    const found = this.#any()
    return this.sql.isAtEnd ? found : undefined
  }

  #any(): StaticCondition | undefined {
    return this.#joined('or', '$or', () => this.#all())
  }

  #all(): StaticCondition | undefined {
    return this.#joined('and', '$and', () => this.#one())
  }

  #joined(word: string, key: '$or' | '$and', read: () => StaticCondition | undefined): StaticCondition | undefined {
    const parts: StaticCondition[] = []
    do {
      const part = read()
      if (part === undefined) return undefined
      parts.push(part)
    } while (this.sql.take(word))
    return parts.length === 1 ? parts[0] : { [key]: parts }
  }

  #one(): StaticCondition | undefined {
    const compared = this.sql.attempt(() => this.#comparison())
    if (compared !== undefined) return compared
    if (this.sql.take('not')) {
      const inner = this.#one()
      return inner === undefined ? undefined : { $not: inner }
    }
    return this.sql.attempt(() => {
      if (!this.sql.take('(')) return undefined
      const inner = this.#any()
      return inner !== undefined && this.sql.take(')') ? inner : undefined
    })
  }

  #comparison(): StaticCondition | undefined {
    const column = this.columns.get(this.sql.name()?.toLowerCase() ?? '')
    if (column === undefined) return undefined
    const operators = this.#operators(column)
    return operators === undefined ? undefined : { [column.name]: operators }
  }

  #operators(column: ColumnSchema): StaticCondition | undefined {
    if (this.sql.take('is', 'not', 'null')) return { $null: false }
    if (this.sql.take('is', 'null')) return { $null: true }
    if (this.sql.take('in', '(')) return this.#list(column, '$in', ')')
    if (this.sql.take('not', 'in', '(')) return this.#list(column, '$nin', ')')
    if (this.sql.take('between')) return this.#between(column)
    for (const [sign, operator] of OPERATORS) {
      // PostgreSQL has a list as an array
      if (this.sql.take(sign, sign === '=' ? 'any' : 'all')) return this.#array(column, sign === '=' ? '$in' : '$nin')
      if (this.sql.take(sign)) return this.#value(column, operator)
    }
    return undefined
  }

  #value(column: ColumnSchema, operator: string): StaticCondition | undefined {
    const value = this.#constant(column, this.sql.constant())
    return value === undefined ? undefined : { [operator]: value }
  }

  #between(column: ColumnSchema): StaticCondition | undefined {
    const low = this.#constant(column, this.sql.constant())
    const high = this.sql.take('and') ? this.#constant(column, this.sql.constant()) : undefined
    return low === undefined || high === undefined ? undefined : { $between: [low, high] }
  }

  #array(column: ColumnSchema, operator: '$in' | '$nin'): StaticCondition | undefined {
    let open = 0
    while (this.sql.take('(')) open++
    if (!this.sql.take('array', '[')) return undefined
    const list = this.#list(column, operator, ']')
    this.sql.skipCast()
    for (; open > 0; open--) {
      if (!this.sql.take(')')) return undefined
      this.sql.skipCast()
    }
    return list
  }

  #list(column: ColumnSchema, operator: '$in' | '$nin', closing: string): StaticCondition | undefined {
    const values = this.sql.constants(closing)?.map((constant) => this.#constant(column, constant))
    return values === undefined || values.includes(undefined) ? undefined : { [operator]: values }
  }

  #constant({ type }: ColumnSchema, constant: SqlConstant | undefined): unknown {
    return constant === undefined ? undefined : jsonConstant(constant, type)
  }
}
