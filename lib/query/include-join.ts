import { type Expression, type SelectQueryBuilder, sql } from 'kysely'
import { tableAs } from './reference.js'
import { belongsTo } from './related-rows.js'
import type { RowPart } from './selection.js'
import { whereExpression } from './where-expression.js'

/** Any SELECT. */
// biome-ignore lint/suspicious/noExplicitAny: tables and columns are known at run time only
export type Query = SelectQueryBuilder<any, any, any>

/** Adds the tables of a selection's to-one relations to a query on its own table. */
export function joinIncluded(query: Query, { columnOf, joined }: RowPart): Query {
  return joined.reduce((joining, { relation, alias, condition, part }) => {
    const { target, targetFields } = relation
    const owner = targetFields.map((field) => ({ field, column: part.columnOf(field) }))
    const on: Expression<boolean>[] = [belongsTo(relation, { owner }, columnOf), whereExpression(target, condition.part, part.columnOf)]
    return joinIncluded(
      joining.leftJoin(tableAs(target, alias), (join) => join.on(sql<boolean>`${sql.join(on, sql` and `)}`)),
      part,
    )
  }, query)
}
