import type { ColumnType } from '../../lib/model/column-type.js'
import type { ElementSpec, FieldSpec } from '../../lib/model/field-spec.js'
import { objectNameProblem } from '../../lib/model/names.js'
import type { ColumnSchema, TableSchema } from '../../lib/model/schema.js'
import { objectName } from '../../lib/model/schema-names.js'
import { propertyName } from './code-names.js'
import type { PlannedField } from './model-plan.js'
import { javascriptValue } from './read-constant.js'

/** Says what a model cannot. */
export type Find = (object: string | undefined, problem: string) => void

/** The fields of a table, those of its key first, in their order. */
export function planFields(table: TableSchema, taken: Set<string>, find: Find): readonly PlannedField[] {
  const key = table.primaryKey.columns
  const columns = [
    ...key.flatMap((name) => table.columns.find((column) => column.name === name) ?? []),
    ...table.columns.filter(({ name }) => !key.includes(name)),
  ]
  const roles = new Set<string>()
  const seen = new Set<string>()
  return columns.flatMap((column) => {
    const problem =
      objectNameProblem(column.name) ?? (seen.has(column.name.toLowerCase()) ? 'another column has its name in other capitals' : undefined)
    if (problem !== undefined) {
      find(column.name, `is left out: ${problem}`)
      return []
    }
    seen.add(column.name.toLowerCase())
    return [{ property: propertyName(column.name, taken), spec: fieldSpec(column, table, roles, find) }]
  })
}

function fieldSpec(column: ColumnSchema, table: TableSchema, roles: Set<string>, find: Find): FieldSpec {
  const { name, nullable, comment } = column
  const isKey = table.primaryKey.columns.includes(name)
  const common = { column: name, ...(isKey ? { primary: true } : {}), ...(comment === undefined ? {} : { comment }) }
  const role = isKey ? undefined : roleOf(column, roles)
  if (role !== undefined) return { kind: 'timestamp', role, ...common } as FieldSpec
  const own = {
    ...kindOf(column.type, `${table.name}_${name}`),
    ...common,
    // SQLite lets a key be null that does not say otherwise
    ...(nullable && !isKey ? { nullable: true } : {}),
    ...defaultOf(column, table, find),
    ...(isNamedKey(table.uniques, name, objectName(table.name, [name], 'key')) ? { unique: true } : {}),
    ...(isNamedKey(table.indexes, name, objectName(table.name, [name], 'idx')) ? { index: true } : {}),
  }
  return own as FieldSpec
}

/** Whether an index is what `unique: true` or `index: true` on a field makes. */
export function isNamedKey(keys: TableSchema['uniques'] | TableSchema['indexes'], column: string, name: string): boolean {
  return keys.some((key) => key.name === name && isPlain(key) && key.columns.length === 1 && key.columns[0] === column)
}

function isPlain(key: TableSchema['indexes'][number]): boolean {
  return key.where === undefined && key.expression === undefined
}

function roleOf({ name, type, nullable, default: value }: ColumnSchema, roles: Set<string>): 'createdAt' | 'updatedAt' | undefined {
  if (value?.kind !== 'now' || nullable || type.kind !== 'timestamp' || type.precision !== 3) return undefined
  const role = /updat|chang|modif/i.test(name) ? 'updatedAt' : 'createdAt'
  if (roles.has(role)) return undefined
  roles.add(role)
  return role
}

function defaultOf({ name, type, default: value }: ColumnSchema, { primaryKey }: TableSchema, find: Find): object {
  if (value === undefined) return {}
  if (value.kind === 'value') return { default: javascriptValue(value.value, type) }
  if (value.kind === 'sql') return { defaultSql: value.sql }
  if (value.kind === 'increment' && primaryKey.columns.length === 1 && primaryKey.columns[0] === name) return { increment: true }
  find(
    name,
    value.kind === 'now'
      ? 'its default, the current instant, is of a role that the model has already'
      : 'counts, and is not the primary key alone',
  )
  return {}
}

/** The kind of a field with what it takes; what an array holds is of the same form. */
function kindOf(type: ColumnType, enumName: string): FieldSpec | ElementSpec {
  switch (type.kind) {
    case 'enum': {
      const { values, native, name } = type
      return { kind: 'enum', values, ...(native ? { native, ...(name === enumName ? {} : { name }) } : {}) }
    }
    case 'array':
      return { kind: 'array', of: kindOf(type.of, enumName) as ElementSpec }
    default:
      return { ...type } as FieldSpec
  }
}
