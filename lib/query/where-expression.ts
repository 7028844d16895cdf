import { type Expression, type ExpressionBuilder, expressionBuilder, sql } from 'kysely'
import type { BoundField, BoundModel } from './bound-model.js'
import { slot } from './statement-cache.js'
import type { Comparison, Condition } from './where.js'

/** The condition as SQL of the model's engine. */
export function whereExpression(model: BoundModel, condition: Condition): Expression<boolean> {
  return new WhereWriter(model).write(condition)
}

class WhereWriter {
  readonly #builder: ExpressionBuilder<Record<string, never>, never> = expressionBuilder()

  constructor(readonly model: BoundModel) {}

  write(condition: Condition): Expression<boolean> {
    const { expressions } = this.model.dialect
    switch (condition.kind) {
      case 'and':
        return this.#builder.and(condition.parts.map((part) => this.write(part))) as Expression<unknown> as Expression<boolean>
      case 'or':
        return this.#builder.or(condition.parts.map((part) => this.write(part))) as Expression<unknown> as Expression<boolean>
      case 'not':
        return this.#builder.not(this.write(condition.part)) as Expression<boolean>
      case 'constant':
        return condition.value ? sql<boolean>`1 = 1` : sql<boolean>`1 = 0`
      case 'null':
        return condition.isNull
          ? sql<boolean>`${condition.field.reference} is null`
          : sql<boolean>`${condition.field.reference} is not null`
      case 'compare':
        return this.#compare(condition.field, condition.operator, condition.value)
      case 'in': {
        const list = typeof condition.list === 'number' ? slot(condition.list) : condition.list.map(slot)
        return expressions.inList(condition.field.reference, list, condition.field.definition.type)
      }
      case 'like':
        return expressions.like(condition.field.reference, slot(condition.pattern), condition.ignoreCase, condition.field.definition.type)
      case 'regex':
        return expressions.regex(condition.field.reference, slot(condition.pattern), condition.field.definition.type)
    }
  }

  #compare(field: BoundField, operator: Comparison, value: number): Expression<boolean> {
    const { expressions } = this.model.dialect
    const { type } = field.definition
    const bound = expressions.bound(slot(value), type)
    // equality is by the stored value and can use an index; an order may need a form that sorts
    if (operator === '=' || operator === '<>') return sql<boolean>`${field.reference} ${sql.raw(operator)} ${bound}`
    return sql<boolean>`${expressions.ordered(field.reference, type)} ${sql.raw(operator)} ${expressions.ordered(bound, type)}`
  }
}
