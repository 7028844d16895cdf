import { type AliasedRawBuilder, ColumnNode, type Expression, ExpressionWrapper, ReferenceNode, sql, TableNode } from 'kysely'
import type { BoundField, BoundModel } from './bound-model.js'

/** How a statement refers to the column of a field. */
export type ColumnOf = (field: BoundField) => Expression<unknown>

/** The column alone: for statements on one table. */
export const bareColumn: ColumnOf = (field) => field.reference

/** The column of a table that the statement calls `alias`. */
export function columnOfAlias(alias: string): ColumnOf {
  return columnOfTable(TableNode.create(alias))
}

/** The column of a model's table under its own name: where another table of the statement may have a column of that name too. */
export function columnOfModel({ definition: { schema, table } }: BoundModel): ColumnOf {
  return columnOfTable(schema === undefined ? TableNode.create(table) : TableNode.createWithSchema(schema, table))
}

// not sql.ref and not sql.table, which take a name with a point in it for two

function columnOfTable(table: TableNode): ColumnOf {
  return ({ column }) => new ExpressionWrapper(ReferenceNode.create(ColumnNode.create(column), table))
}

/** The table of a model under another name. */
export function tableAs({ definition: { schema, table } }: BoundModel, alias: string): AliasedRawBuilder<Record<string, unknown>, string> {
  return sql<Record<string, unknown>>`${schema === undefined ? sql.id(table) : sql.id(schema, table)}`.as(alias)
}
