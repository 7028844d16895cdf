import type { ForeignKeySchema, IndexSchema, TableSchema } from './schema.js'

/** One step from a schema to another, in an order that can be run. */
export type SchemaChange =
  /** The table with its columns, keys and checks; indexes and foreign keys follow as changes of their own. */
  | { readonly kind: 'createTable'; readonly table: TableSchema }
  | { readonly kind: 'createIndex'; readonly table: TableSchema; readonly index: IndexSchema }
  | { readonly kind: 'addForeignKey'; readonly table: TableSchema; readonly foreignKey: ForeignKeySchema }
