import type { ColumnSchema, TableSchema } from '../../model/schema.js'
import { factName, type SchemaChange } from '../../model/schema-change.js'
import { fitName } from '../../model/schema-names.js'
import { qualifiedName } from '../ddl-clauses.js'
import { quoteStandard as quote } from '../quote-standard.js'
import { columnType, defaultClause, SYNTAX, text } from './column-ddl.js'

type Replacement = Extract<SchemaChange, { kind: 'replaceEnum' }>

/** An enum type loses no value: another takes its name, and its columns go over by their text. One with a value that is gone is refused. */
export function replaceEnum(change: Replacement): readonly string[] {
  const type = qualifiedName(change, SYNTAX)
  const old = fitName(`_lw_${change.name}`, '_old')
  return [
    `alter type ${type} rename to ${quote(old)}`,
    `create type ${type} as enum (${change.values.map(text).join(', ')})`,
    ...change.tables.flatMap((table) => table.columns.flatMap((column) => moveColumn(column, table, change))),
    `drop type ${qualifiedName({ ...change, name: old }, SYNTAX)}`,
  ]
}

function moveColumn(
  { name, type, default: value }: ColumnSchema,
  table: TableSchema,
  { values, ...enumType }: Replacement,
): readonly string[] {
  const element = type.kind === 'array' ? type.of : type
  if (element.kind !== 'enum' || !element.native || factName({ ...table, name: element.name }) !== factName(enumType)) return []
  const column = `alter table ${qualifiedName(table, SYNTAX)} alter column ${quote(name)}`
  const list = type.kind === 'array' ? '[]' : ''
  const target = columnType(type, table.schema)
  const isKept = value?.kind !== 'value' || [value.value].flat().every((one) => values.includes(one as string))
  return [
    ...(value === undefined ? [] : [`${column} drop default`]),
    `${column} type ${target} using ${quote(name)}::text${list}::${target}`,
    ...(value === undefined || !isKept ? [] : [`${column} set${defaultClause(value, type, table.schema)}`]),
  ]
}
