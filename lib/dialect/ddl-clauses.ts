import type { ReferentialAction } from '../model/model-definition.js'
import type { CheckSchema, ForeignKeySchema, IndexSchema, TableSchema, UniqueSchema } from '../model/schema.js'
import { conditionSql, type DdlSyntax } from './ddl-conditions.js'

const ACTIONS: Readonly<Record<ReferentialAction, string>> = {
  cascade: 'cascade',
  restrict: 'restrict',
  setNull: 'set null',
  setDefault: 'set default',
  noAction: 'no action',
}

/** A name, quoted, with its schema before it where it has one. */
export function qualifiedName(object: { readonly schema?: string; readonly name: string }, syntax: DdlSyntax): string {
  return object.schema === undefined ? syntax.quote(object.name) : `${syntax.quote(object.schema)}.${syntax.quote(object.name)}`
}

/** `("a", "b")` */
export function columnList(columns: readonly string[], syntax: DdlSyntax): string {
  return `(${columns.map((column) => syntax.quote(column)).join(', ')})`
}

/** `constraint "posts_author_id_fkey" foreign key ("author_id") references "users" ("id") on delete cascade` */
export function foreignKeyClause({ name, columns, target, onDelete, onUpdate }: ForeignKeySchema, syntax: DdlSyntax): string {
  const table = qualifiedName({ ...target, name: target.table }, syntax)
  const references = `references ${table} ${columnList(target.columns, syntax)}`
  const actions = [action('delete', onDelete), action('update', onUpdate)].join('')
  return `constraint ${syntax.quote(name)} foreign key ${columnList(columns, syntax)} ${references}${actions}`
}

function action(event: 'delete' | 'update', given: ReferentialAction): string {
  return given === 'noAction' ? '' : ` on ${event} ${ACTIONS[given]}`
}

/** `constraint "users_age_check" check ("age" >= 0)` */
export function checkClause(check: CheckSchema, table: TableSchema, syntax: DdlSyntax): string {
  return `constraint ${syntax.quote(check.name)} check (${check.sql ?? conditionSql(check.condition!, table, syntax)})`
}

/** `create table "users" (…)`, one line a column or constraint. */
export function createTable(table: TableSchema, lines: readonly string[], syntax: DdlSyntax): string {
  return `create table ${qualifiedName(table, syntax)} (\n  ${lines.join(',\n  ')}\n)`
}

/** `create unique index "users_email_key" on "users" ("email") where "deleted_at" is null` */
export function createIndex(
  kind: 'index' | 'unique index',
  table: TableSchema,
  index: IndexSchema | UniqueSchema,
  syntax: DdlSyntax,
): string {
  const expression = 'expression' in index ? index.expression : undefined
  const on = expression === undefined ? columnList(index.columns, syntax) : `((${expression}))`
  const where = index.where === undefined ? '' : ` where ${conditionSql(index.where, table, syntax)}`
  return `create ${kind} ${syntax.quote(index.name)} on ${qualifiedName(table, syntax)} ${on}${where}`
}
