import { type CheckSchema, nativeEnumsOf, type TableSchema } from '../model/schema.js'

/** What stands for native enums on an engine without them: a check with the type's name over the columns that have it. */
export function nativeEnumChecks(table: TableSchema): readonly CheckSchema[] {
  return nativeEnumsOf(table).flatMap(({ name, values }) => {
    const columns = table.columns.flatMap((column) => (column.type.kind === 'enum' && column.type.name === name ? [column.name] : []))
    if (columns.length === 0) return []
    // whatever order the columns are in: the text of the check is compared
    columns.sort()
    return [{ name, columns, condition: Object.fromEntries(columns.map((column) => [column, { $in: values }])) }]
  })
}
