import { ModelError } from '../errors.js'
import { type ForeignKeySchema, type IndexSchema, nativeEnumsOf, type Schema, type TableSchema } from './schema.js'

/** One step from a schema to another, in an order that can be run. */
export type SchemaChange =
  /** The schema that tables stand in, before all else, unless it is there; nothing where one is a database of the server. */
  | { readonly kind: 'createSchema'; readonly name: string }
  /** A native enum type, before the tables that use it; nothing on engines without types of their own. */
  | { readonly kind: 'createEnum'; readonly schema?: string; readonly name: string; readonly values: readonly string[] }
  /** The table with its columns, keys and checks; indexes and foreign keys follow as changes of their own. */
  | { readonly kind: 'createTable'; readonly table: TableSchema }
  | { readonly kind: 'createIndex'; readonly table: TableSchema; readonly index: IndexSchema }
  /** Only for tables of the same list of changes: SQLite has written theirs with the table. */
  | { readonly kind: 'addForeignKey'; readonly table: TableSchema; readonly foreignKey: ForeignKeySchema }

/**
 * The steps that turn one schema into another: database schemas, enum types, tables, indexes, foreign keys, each in the order of the models,
 * so that tables may refer to each other in a circle. Pure, and the same for the same schemas.
 *
 * @param from  what is there; undefined: nothing
 * @throws {ModelError} a table of `from` is gone or has changed: only additions of whole tables can be expressed
 */
export function diffSchemas(from: Schema | undefined, to: Schema): SchemaChange[] {
  const existing = from?.tables ?? []
  refuseLostTables(existing, to)
  const tables = to.tables.filter((table) => isNew(table, existing))
  return [
    ...newSchemas(existing, tables),
    ...newEnums(existing, tables),
    ...tables.map((table) => ({ kind: 'createTable', table }) as const),
    ...tables.flatMap((table) => table.indexes.map((index) => ({ kind: 'createIndex', table, index }) as const)),
    ...tables.flatMap((table) => table.foreignKeys.map((foreignKey) => ({ kind: 'addForeignKey', table, foreignKey }) as const)),
  ]
}

function refuseLostTables(existing: readonly TableSchema[], to: Schema): void {
  const lost = existing.find((table) => !to.tables.some((other) => isSameTable(table, other)))
  if (lost !== undefined)
    throw new ModelError(lost.name, undefined, 'the table is not among the models; dropping one cannot be expressed yet')
}

function isNew(table: TableSchema, existing: readonly TableSchema[]): boolean {
  const before = existing.find((other) => isSameTable(table, other))
  if (before !== undefined && tableText(before) !== tableText(table)) {
    throw new ModelError(table.name, undefined, 'the table has changed; changing one cannot be expressed yet')
  }
  return before === undefined
}

function isSameTable(one: TableSchema, other: TableSchema): boolean {
  return one.name === other.name && one.schema === other.schema
}

function newSchemas(existing: readonly TableSchema[], tables: readonly TableSchema[]): SchemaChange[] {
  const known = new Set(existing.map(({ schema }) => schema))
  const names = new Set(tables.flatMap(({ schema }) => (schema === undefined || known.has(schema) ? [] : [schema])))
  return [...names].map((name) => ({ kind: 'createSchema', name }))
}

function newEnums(existing: readonly TableSchema[], tables: readonly TableSchema[]): SchemaChange[] {
  const known = new Map<string, readonly string[]>()
  for (const table of existing) for (const type of nativeEnumsOf(table)) known.set(enumKey(table, type.name), type.values)
  return tables.flatMap((table) =>
    nativeEnumsOf(table).flatMap(({ name, values }): SchemaChange[] => {
      const before = known.get(enumKey(table, name))
      if (before !== undefined && jsonText(before) !== jsonText(values)) {
        throw new ModelError(table.name, undefined, `the values of enum type "${name}" have changed; changing one cannot be expressed yet`)
      }
      known.set(enumKey(table, name), values)
      const schema = table.schema === undefined ? {} : { schema: table.schema }
      return before === undefined ? [{ kind: 'createEnum', ...schema, name, values }] : []
    }),
  )
}

function enumKey(table: TableSchema, name: string): string {
  return JSON.stringify([table.schema, name])
}

/** A table as one text in which the order of columns, keys, indexes and checks, which means nothing, does not show. */
function tableText({ columns, uniques, indexes, foreignKeys, checks, ...rest }: TableSchema): string {
  const parts = [columns, uniques, indexes, foreignKeys, checks].map((list) => list.map(jsonText).sort())
  return jsonText([parts, rest])
}

/** JSON with the keys of objects in order. */
function jsonText(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  )
}
