import type { ConstraintCatalogue, ConstraintOrigin } from '../dialect/dialect.js'
import type { ReferentialAction } from '../model/model-definition.js'
import type { Schema, TableSchema } from '../model/schema.js'

/** A foreign key between the tables of two models. Tables are named as Kysely takes them, columns as the database does. */
export interface ForeignKeyLink {
  readonly origin: ConstraintOrigin
  readonly child: string
  readonly columns: readonly string[]
  readonly parent: string
  readonly references: readonly string[]
  readonly onDelete: ReferentialAction
  readonly onUpdate: ReferentialAction
}

/** Every foreign key of a schema. */
export function foreignKeyLinks(schema: Schema, catalogue: ConstraintCatalogue): readonly ForeignKeyLink[] {
  return schema.tables.flatMap((table) =>
    table.foreignKeys.map(({ name, columns, target, onDelete, onUpdate }) => ({
      origin: catalogue.byName(name, table.name, table.schema ?? '') ?? { model: table.name, fields: columns, constraint: name },
      child: pathOf(table),
      columns,
      parent: pathOf({ ...target, name: target.table }),
      references: target.columns,
      onDelete,
      onUpdate,
    })),
  )
}

function pathOf({ schema, name }: Pick<TableSchema, 'schema' | 'name'>): string {
  return schema === undefined ? name : `${schema}.${name}`
}
