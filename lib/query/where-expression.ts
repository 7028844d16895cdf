import { type Expression, type ExpressionBuilder, expressionBuilder, sql } from 'kysely'
import type { BoundField, BoundModel, BoundRelation } from './bound-model.js'
import { ALWAYS, type Comparison, type Condition, type RelatedCondition } from './condition.js'
import { bareColumn, type ColumnOf, columnOfModel } from './reference.js'
import { belongsTo, type RelatedRows, relatedRows } from './related-rows.js'
import { slot } from './statement-cache.js'
import { jsonExpression } from './where-json-expression.js'

/**
 * The condition as SQL of the model's engine.
 *
 * @param columnOf how the statement refers to the model's columns; the columns alone, unless said
 */
export function whereExpression(model: BoundModel, condition: Condition, columnOf: ColumnOf = bareColumn): Expression<boolean> {
  return new WhereWriter(model, columnOf, 0).write(condition)
}

/** Related rows for which a condition holds. `depth` is the number of searches for a related row around them. */
export function whereRelated(
  { target, through }: BoundRelation,
  { query, columnOf, between }: RelatedRows,
  condition: RelatedCondition,
  depth = 0,
): RelatedRows['query'] {
  const rows = query.where(new WhereWriter(target, columnOf, depth).write(condition.part))
  return condition.between === ALWAYS ? rows : rows.where(new WhereWriter(through!.model, between, depth).write(condition.between))
}

/** Most parts that stand side by side. A chain is as deep as it is long, to the compiler's stack and to SQLite, which takes 1,000 levels. */
const MOST_SIDE_BY_SIDE = 8

class WhereWriter {
  readonly #builder: ExpressionBuilder<Record<string, never>, never> = expressionBuilder()

  constructor(
    readonly model: BoundModel,
    readonly columnOf: ColumnOf,
    /** How many searches for a related row are around this condition. */
    readonly depth: number,
  ) {}

  write(condition: Condition): Expression<boolean> {
    const { expressions } = this.model.dialect
    switch (condition.kind) {
      case 'and':
        return this.#joined('and', condition.parts)
      case 'or':
        return this.#joined('or', condition.parts)
      case 'not':
        return this.#builder.not(this.write(condition.part)) as Expression<boolean>
      case 'notTrue':
        return sql<boolean>`(${this.write(condition.part)}) is not true`
      case 'constant':
        return condition.value ? sql<boolean>`1 = 1` : sql<boolean>`1 = 0`
      case 'null':
        return condition.isNull
          ? sql<boolean>`${this.columnOf(condition.field)} is null`
          : sql<boolean>`${this.columnOf(condition.field)} is not null`
      case 'compare':
        return this.#compare(condition.field, condition.operator, condition.value)
      case 'in': {
        const { field, list } = condition
        const slots = typeof list === 'number' ? slot(list, field) : list.map((value) => slot(value, field))
        return expressions.inList(this.columnOf(field), slots, field.definition.type)
      }
      case 'like':
        return expressions.like(
          this.columnOf(condition.field),
          slot(condition.pattern, condition.field),
          condition.ignoreCase,
          condition.field.definition.type,
        )
      case 'regex':
        return expressions.regex(this.columnOf(condition.field), slot(condition.pattern, condition.field), condition.field.definition.type)
      case 'json':
        return jsonExpression(this.model.dialect, this.columnOf(condition.field), condition)
      case 'hasEvery':
        return expressions.hasEvery(this.columnOf(condition.field), slot(condition.list, condition.field), condition.field.definition.type)
      case 'hasSome':
        return this.#hasSome(condition.field, condition.lists)
      case 'exists':
        return this.#exists(condition.relation, condition)
    }
  }

  #joined(operator: 'and' | 'or', parts: readonly Condition[]): Expression<boolean> {
    const middle = Math.ceil(parts.length / 2)
    const written =
      parts.length <= MOST_SIDE_BY_SIDE
        ? parts.map((part) => this.write(part))
        : [this.#joined(operator, parts.slice(0, middle)), this.#joined(operator, parts.slice(middle))]
    return this.#builder[operator](written) as Expression<unknown> as Expression<boolean>
  }

  #compare(field: BoundField, operator: Comparison, value: number): Expression<boolean> {
    const { expressions } = this.model.dialect
    const { type } = field.definition
    const column = this.columnOf(field)
    const bound = expressions.bound(slot(value, field), type)
    // equality is by the stored value and can use an index; an order may need a form that sorts
    if (operator === '=' || operator === '<>') return sql<boolean>`${column} ${sql.raw(operator)} ${bound}`
    return sql<boolean>`${expressions.ordered(column, type)} ${sql.raw(operator)} ${expressions.ordered(bound, type)}`
  }

  #hasSome(field: BoundField, lists: readonly number[]): Expression<boolean> {
    const slots = lists.map((list) => slot(list, field))
    return this.model.dialect.expressions.hasSome(this.columnOf(field), slots, field.definition.type)
  }

  #exists(relation: BoundRelation, { part, between }: RelatedCondition): Expression<boolean> {
    const depth = this.depth + 1
    const rows = relatedRows(relation, `lw_${depth}`)
    // a bare column would be taken for one of the table that is searched
    const outer = this.columnOf === bareColumn ? columnOfModel(this.model) : this.columnOf
    const query = whereRelated(relation, rows, { part, between }, depth).select(sql`1`.as('found'))
    return this.#builder.exists(query.where(belongsTo(relation, rows, outer))) as Expression<unknown> as Expression<boolean>
  }
}
