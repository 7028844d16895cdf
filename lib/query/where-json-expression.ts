import { type Expression, type RawBuilder, sql } from 'kysely'
import type { Dialect } from '../dialect/dialect.js'
import type { JsonKind } from '../dialect/json-expressions.js'
import type { Condition, JsonTest } from './condition.js'
import { slot } from './statement-cache.js'

/**
 * What is asked of the value at a path, as SQL: unknown where nothing or null stands there, as for a field that is null; else
 * true or false. A value of another kind than it is compared with is another value.
 */
export function jsonExpression(
  { expressions }: Dialect,
  column: Expression<unknown>,
  { field, path, test }: Extract<Condition, { kind: 'json' }>,
): RawBuilder<boolean> {
  const { json } = expressions
  const slotOf: SlotOf = (index) => slot(index, field)
  const steps = path.map(slotOf)
  const isThere = json.isThere(column, steps)
  if (test.kind === 'null') return test.isNull ? sql<boolean>`not (${isThere})` : isThere
  const valueAt = (kind: JsonKind) => json.valueAt(column, steps, kind)
  const otherwise = sql.lit(test.kind === 'compare' && test.operator === '<>')
  return sql<boolean>`case when ${isThere} then coalesce(${matches(expressions, valueAt, test, slotOf)}, ${otherwise}) end`
}

type SlotOf = (index: number) => Expression<unknown>

function matches(
  expressions: Dialect['expressions'],
  valueAt: (kind: JsonKind) => Expression<unknown>,
  test: Exclude<JsonTest, { kind: 'null' }>,
  slotOf: SlotOf,
): RawBuilder<boolean> {
  const { json, like, regex } = expressions
  switch (test.kind) {
    case 'compare':
      return sql<boolean>`${valueAt(test.type)} ${sql.raw(test.operator)} ${json.operand(slotOf(test.value), test.type)}`
    case 'in': {
      const lists = test.lists.map(({ type, values }) => {
        const operands = values.map((value) => json.operand(slotOf(value), type))
        return sql`coalesce(${valueAt(type)} in (${sql.join(operands)}), ${sql.lit(false)})`
      })
      return sql<boolean>`(${sql.join(lists, sql` or `)})`
    }
    case 'like':
      return like(valueAt('text'), slotOf(test.pattern), test.ignoreCase, { kind: 'text' })
    case 'regex':
      return regex(valueAt('text'), slotOf(test.pattern), { kind: 'text' })
  }
}
