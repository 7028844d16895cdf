import type { ColumnType } from '../lib/model/column-type.js'
import { jsonText } from '../lib/model/json-text.js'
import type { CheckSchema, ColumnSchema, ForeignKeySchema, IndexSchema } from '../lib/model/schema.js'
import { factName } from '../lib/model/schema-change.js'

/** `varchar(40) null default 'x'`: a column for people to read. */
export function columnText({ type, nullable, default: value, comment }: ColumnSchema): string {
  const words = [typeText(type), nullable ? 'null' : 'not null']
  if (value !== undefined) words.push(value.kind === 'increment' ? 'counting' : `default ${defaultText(value)}`)
  if (comment !== undefined) words.push(`comment ${JSON.stringify(comment)}`)
  return words.join(' ')
}

function defaultText(value: Exclude<ColumnSchema['default'], undefined | { readonly kind: 'increment' }>): string {
  if (value.kind === 'value') return jsonText(value.value)
  return value.kind === 'now' ? 'now' : value.sql
}

/** `varchar(40)`: a type for people to read. */
export function typeText(type: ColumnType): string {
  switch (type.kind) {
    case 'varchar':
      return `varchar(${type.length})`
    case 'decimal':
      return `decimal(${type.precision}, ${type.scale})`
    case 'timestamp':
      return `timestamp(${type.precision})`
    case 'enum':
      return `${type.native ? `native enum ${type.name}` : 'enum'} (${type.values.join(', ')})`
    case 'array':
      return `${typeText(type.of)}[]`
    default:
      return type.kind
  }
}

/** `(country, email) where {"deleted_at":{"$null":true}}`: a key, index or check. */
export function partText(part: { readonly columns: readonly string[] } & Partial<IndexSchema & CheckSchema>): string {
  const { columns, expression, where, condition, sql } = part
  if (sql !== undefined) return sql
  if (condition !== undefined) return jsonText(condition)
  const on = expression ?? `(${columns.join(', ')})`
  return where === undefined ? on : `${on} where ${jsonText(where)}`
}

/** `(author_id) → users (id) on delete cascade` */
export function foreignKeyText({ columns, target, onDelete, onUpdate }: ForeignKeySchema): string {
  const actions = [onDelete === 'noAction' ? '' : ` on delete ${onDelete}`, onUpdate === 'noAction' ? '' : ` on update ${onUpdate}`]
  const to = factName({ ...target, name: target.table })
  return `(${columns.join(', ')}) → ${to} (${target.columns.join(', ')})${actions.join('')}`
}
