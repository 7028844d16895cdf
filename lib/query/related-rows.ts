import { type Expression, type SelectQueryBuilder, sql } from 'kysely'
import type { BoundField, BoundRelation } from './bound-model.js'
import { type ColumnOf, columnOfAlias, tableAs } from './reference.js'

// biome-ignore lint/suspicious/noExplicitAny: tables and columns are known at run time only
type Query = SelectQueryBuilder<any, any, object>

/** The rows on the far side of a relation, of all its owners. */
export interface RelatedRows {
  readonly query: Query
  /** How the query refers to the columns of the target. */
  readonly columnOf: ColumnOf
  /** How the query refers to the columns of the model between the two. */
  readonly between: ColumnOf
  /** The columns that say whose row it is, in the order of {@link BoundRelation.sourceFields}. */
  readonly owner: readonly { readonly field: BoundField; readonly column: Expression<unknown> }[]
}

/** Selects from the target of a relation under the name `alias`; from the model between the two as well, where there is one. */
export function relatedRows({ target, targetFields, through }: BoundRelation, alias: string): RelatedRows {
  const columnOf = columnOfAlias(alias)
  const between = columnOfAlias(`${alias}_through`)
  const rows = target.compiler.selectFrom(tableAs(target, alias)) as Query
  if (through === undefined) return { query: rows, columnOf, between, owner: columnsOf(targetFields, columnOf) }
  const ties = sameColumns(columnsOf(through.far, between), targetFields, columnOf)
  const query = rows.innerJoin(tableAs(through.model, `${alias}_through`), (join) => join.on(sql<boolean>`${sql.join(ties, sql` and `)}`))
  return { query, columnOf, between, owner: columnsOf(through.near, between) }
}

/** That a row belongs to the row around it. */
export function belongsTo({ sourceFields }: BoundRelation, { owner }: Pick<RelatedRows, 'owner'>, outer: ColumnOf): Expression<boolean> {
  return sql<boolean>`${sql.join(sameColumns(owner, sourceFields, outer), sql` and `)}`
}

function columnsOf(fields: readonly BoundField[], columnOf: ColumnOf): RelatedRows['owner'] {
  return fields.map((field) => ({ field, column: columnOf(field) }))
}

function sameColumns(columns: RelatedRows['owner'], fields: readonly BoundField[], columnOf: ColumnOf): Expression<boolean>[] {
  return columns.map(({ column }, position) => sql<boolean>`${column} = ${columnOf(fields[position]!)}`)
}
