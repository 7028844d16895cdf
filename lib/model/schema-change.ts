import type { CheckSchema, ColumnSchema, ForeignKeySchema, IndexSchema, PrimaryKeySchema, TableSchema, UniqueSchema } from './schema.js'

/** A table or a native enum type by name; `schema` undefined: where the connection's own are. */
export interface ObjectName {
  readonly schema?: string
  readonly name: string
}

/** What one step does to one table. */
export type TableStep =
  | { readonly kind: 'renameTable'; readonly to: ObjectName }
  | { readonly kind: 'renameColumn'; readonly from: string; readonly to: string }
  /** `backfill`: JSON of the logical type, what the rows that are there get; undefined: the column's default, or null. */
  | { readonly kind: 'addColumn'; readonly column: ColumnSchema; readonly backfill?: unknown }
  | { readonly kind: 'dropColumn'; readonly column: ColumnSchema }
  /** The type, null, the default or the counter. `backfill`: what rows get that have null where the column takes none any more. */
  | { readonly kind: 'alterColumn'; readonly from: ColumnSchema; readonly to: ColumnSchema; readonly backfill?: unknown }
  | { readonly kind: 'changePrimaryKey'; readonly from: PrimaryKeySchema; readonly to: PrimaryKeySchema }
  | { readonly kind: 'addUnique'; readonly unique: UniqueSchema }
  | { readonly kind: 'dropUnique'; readonly unique: UniqueSchema }
  | { readonly kind: 'createIndex'; readonly index: IndexSchema }
  | { readonly kind: 'dropIndex'; readonly index: IndexSchema }
  | { readonly kind: 'addForeignKey'; readonly foreignKey: ForeignKeySchema }
  | { readonly kind: 'dropForeignKey'; readonly foreignKey: ForeignKeySchema }
  | { readonly kind: 'addCheck'; readonly check: CheckSchema }
  | { readonly kind: 'dropCheck'; readonly check: CheckSchema }
  /** The comment of the table, or of one of its columns; undefined: none any more. */
  | { readonly kind: 'comment'; readonly column?: string; readonly comment?: string }

/** A step with the table right before it and right after it. */
export type TableChange = TableStep & { readonly before: TableSchema; readonly table: TableSchema }

/** One step from a schema to another, in an order that can be run. */
export type SchemaChange =
  /** The schema that tables stand in, before all else, unless it is there; nothing where one is a database of the server. */
  | { readonly kind: 'createSchema'; readonly name: string }
  /** A native enum type, before the tables that use it; nothing on engines without types of their own. */
  | ({ readonly kind: 'createEnum'; readonly values: readonly string[] } & ObjectName)
  /** The columns of the type follow as `alterColumn`, for engines that list the values with each. */
  | ({ readonly kind: 'renameEnum'; readonly to: string } & ObjectName)
  /** `next`: the value that it comes before; undefined: it is the last. */
  | ({ readonly kind: 'addEnumValue'; readonly value: string; readonly next?: string } & ObjectName)
  /** For the way back alone: values are taken away, or their order is another. Rows with a value that is gone are refused. */
  | ({ readonly kind: 'replaceEnum'; readonly values: readonly string[]; readonly tables: readonly TableSchema[] } & ObjectName)
  | ({ readonly kind: 'dropEnum' } & ObjectName)
  /** The table with its columns, keys and checks; indexes and foreign keys follow as changes of their own. */
  | { readonly kind: 'createTable'; readonly table: TableSchema }
  | { readonly kind: 'dropTable'; readonly table: TableSchema }
  | TableChange

/**
 * What the two schemas do not say. Names are the database's: `users`, `hr.users`, `users.nick`. What a fact speaks of may be called by its
 * old or its new name.
 */
export interface SchemaFacts {
  /** Former name → new name. */
  readonly renamedTables?: Readonly<Record<string, string>>
  /** Former name with its table → new name of the column alone: `{ 'users.nick': 'handle' }`. */
  readonly renamedColumns?: Readonly<Record<string, string>>
  /** Tables and columns that may go, with all that is in them. */
  readonly drops?: readonly string[]
  /** What rows that are there get in a column that takes no null: JSON of the logical type, as in {@link ColumnSchema.default}. */
  readonly defaults?: Readonly<Record<string, unknown>>
}

/** What a person has to decide before there are changes; names as in {@link SchemaFacts}. */
export type SchemaDecision =
  /** One is gone and one is new: a rename, or a drop of what is gone. One of these a pair. */
  | { readonly kind: 'renameTable'; readonly removed: string; readonly added: string; readonly sameColumns: boolean }
  | {
      readonly kind: 'renameColumn'
      readonly table: string
      readonly removed: string
      readonly added: string
      readonly sameType: boolean
    }
  | { readonly kind: 'dropTable'; readonly table: string }
  | { readonly kind: 'dropColumn'; readonly table: string; readonly column: string }
  /** Not every value that the column can hold fits the new type. */
  | { readonly kind: 'narrowType'; readonly table: string; readonly column: string; readonly from: ColumnSchema; readonly to: ColumnSchema }
  /** A new column takes no null, has no default, and the table may have rows. */
  | { readonly kind: 'fillColumn'; readonly table: string; readonly column: string }
  /** A counter starts in a table that may have rows without a number. */
  | { readonly kind: 'addCounter'; readonly table: string; readonly column: string }
  /** Values of a native enum type are gone, or in another order. */
  | { readonly kind: 'changeEnum'; readonly name: string; readonly from: readonly string[]; readonly to: readonly string[] }
  /** The type of the column does not hold the value that a fact gives its rows. */
  | { readonly kind: 'unfitDefault'; readonly table: string; readonly column: string; readonly problem: string }
  /** A fact names what no schema has, or what needs none: a mistyped name, mostly. */
  | { readonly kind: 'unknownFact'; readonly fact: keyof SchemaFacts; readonly name: string }

/** `users`, `hr.users`: a table as {@link SchemaFacts} name it. */
export function factName({ schema, name }: ObjectName): string {
  return schema === undefined ? name : `${schema}.${name}`
}
