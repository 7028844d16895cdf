import type { ColumnType } from '../model/column-type.js'
import type { StaticCondition } from '../model/model-definition.js'
import type { TableSchema } from '../model/schema.js'

/** How an engine writes the parts of a DDL statement that have no bound values. */
export interface DdlSyntax {
  /** A name as an identifier, whatever characters it has. */
  quote(name: string): string
  /** A value, in the JSON form of its type, as a literal that does not depend on the session's settings. */
  literal(value: unknown, type: ColumnType): string
  /** A comparison by order, where the engine's own operator would compare the stored form wrongly. */
  compare?(column: string, operator: OrderOperator, literal: string, type: ColumnType): string | undefined
}

export type OrderOperator = '<' | '<=' | '>' | '>='

const ORDER_OPERATORS: Readonly<Record<string, OrderOperator>> = { $gt: '>', $gte: '>=', $lt: '<', $lte: '<=' }

/**
 * The SQL of a canonical condition, for a CHECK or the WHERE of a partial index.
 *
 * Plain SQL logic: a comparison with a null is unknown, which a CHECK lets pass and a partial index leaves out.
 */
export function conditionSql(condition: StaticCondition, table: TableSchema, syntax: DdlSyntax): string {
  return terms(condition, table, syntax).join(' and ')
}

/** What must all hold; each stands beside `and`, `or` and `not` without parentheses. */
function terms(condition: StaticCondition, table: TableSchema, syntax: DdlSyntax): readonly string[] {
  return Object.entries(condition).flatMap(([key, value]) => {
    switch (key) {
      case '$not':
        return [`not (${conditionSql(value as StaticCondition, table, syntax)})`]
      case '$and':
        return (value as readonly StaticCondition[]).flatMap((part) => terms(part, table, syntax))
      case '$or':
        return [`(${(value as readonly StaticCondition[]).map((part) => oneTerm(terms(part, table, syntax))).join(' or ')})`]
      default: {
        const { type } = table.columns.find(({ name }) => name === key)!
        return operatorTerms(syntax.quote(key), type, value as StaticCondition, syntax)
      }
    }
  })
}

function oneTerm(all: readonly string[]): string {
  return all.length === 1 ? all[0]! : `(${all.join(' and ')})`
}

function operatorTerms(column: string, type: ColumnType, operators: StaticCondition, syntax: DdlSyntax): readonly string[] {
  return Object.entries(operators).flatMap(([key, operand]) => {
    switch (key) {
      case '$eq':
        return [`${column} = ${syntax.literal(operand, type)}`]
      case '$ne':
        return [`${column} <> ${syntax.literal(operand, type)}`]
      case '$in':
        return [`${column} in (${literals(operand, type, syntax)})`]
      case '$nin':
        return [`${column} not in (${literals(operand, type, syntax)})`]
      case '$null':
        return [`${column} is ${operand === true ? '' : 'not '}null`]
      case '$not':
        return [`not (${operatorTerms(column, type, operand as StaticCondition, syntax).join(' and ')})`]
      case '$between': {
        const [low, high] = operand as readonly [unknown, unknown]
        return [compare(column, '>=', low, type, syntax), compare(column, '<=', high, type, syntax)]
      }
      default:
        return [compare(column, ORDER_OPERATORS[key]!, operand, type, syntax)]
    }
  })
}

function literals(values: unknown, type: ColumnType, syntax: DdlSyntax): string {
  return (values as readonly unknown[]).map((value) => syntax.literal(value, type)).join(', ')
}

function compare(column: string, operator: OrderOperator, value: unknown, type: ColumnType, syntax: DdlSyntax): string {
  const literal = syntax.literal(value, type)
  return syntax.compare?.(column, operator, literal, type) ?? `${column} ${operator} ${literal}`
}
