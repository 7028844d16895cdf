import type { Introspection, Unread } from '../../lib/dialect/introspection.js'
import type { ColumnType } from '../../lib/model/column-type.js'
import { jsonText } from '../../lib/model/json-text.js'
import type { CheckSchema, ColumnDefault, ColumnSchema, IndexSchema, Schema, TableSchema, UniqueSchema } from '../../lib/model/schema.js'
import { factName } from '../../lib/model/schema-change.js'
import { objectName } from '../../lib/model/schema-names.js'
import { nearestType } from './nearest-type.js'
import { readCondition } from './read-condition.js'
import { jsonConstant } from './read-constant.js'
import { SqlReader } from './sql-reader.js'

/** Names of the columns whose values a layer makes; their default is the instant. */
const KEPT = /^(created|updated)_?(at|on)?$/i

/**
 * The schema that was found, in the words that a model may have for it: lists of texts as enums, defaults as constants, indexes with their
 * conditions. A guess: what the database says of it, asked for it, decides; see {@link confirmed}.
 */
export function guessSchema({ schema, unread }: Introspection): Schema {
  const tables = schema.tables.map((table) => guessTable(table, unread))
  return { version: 1, tables: tables.map((table) => withWideCounters(table, tables)) }
}

/**
 * Of a guess, what the database says too.
 *
 * @param found  what was found where nothing was guessed
 * @param asked  what was found with the guess as the schema that is expected
 */
export function confirmed(found: Schema, guess: Schema, asked: Schema, unread: Unread): Schema {
  const tables = asked.tables.map((table, at): TableSchema => {
    const [plain, guessed] = [found.tables[at]!, guess.tables[at]!]
    const isChecked = ({ name, type }: ColumnSchema) =>
      type.kind !== 'enum' || type.native || table.checks.some((check) => isEnumCheck(check, name, type.values))
    const columns = table.columns.map((column) => {
      const before = plain.columns.find(({ name }) => name === column.name)
      return isChecked(column) || before === undefined ? column : textual(before)
    })
    const enums = new Set(columns.filter(({ type }) => type.kind === 'enum' && !type.native).map(({ name }) => name))
    const checks = table.checks.map((check) => {
      const [only] = check.columns
      if (check.columns.length === 1 && enums.has(only!)) return check
      return plain.checks.find(({ name }) => name === check.name) ?? check
    })
    return { ...table, columns: withNearest(columns, guessed, unread), checks }
  })
  return { version: 1, tables }
}

/** On SQLite whatever counts is an INTEGER: a foreign key to it says whether it is a bigint. */
function withWideCounters(table: TableSchema, all: readonly TableSchema[]): TableSchema {
  const isWide = (name: string) =>
    all.some(({ columns, foreignKeys }) =>
      foreignKeys.some(({ target, columns: [from] }) => {
        const isHere =
          target.table === table.name && target.schema === table.schema && target.columns.length === 1 && target.columns[0] === name
        return isHere && columns.find((column) => column.name === from)?.type.kind === 'bigint'
      }),
    )
  const columns = table.columns.map((column): ColumnSchema => {
    const isNarrow = column.default?.kind === 'increment' && column.type.kind === 'integer'
    return isNarrow && isWide(column.name) ? { ...column, type: { kind: 'bigint' } } : column
  })
  return { ...table, columns }
}

function guessTable(table: TableSchema, unread: Unread): TableSchema {
  const isOwn = (each: { readonly table: string }) => each.table === factName(table)
  const checks = table.checks.map((check) => guessCheck(check, table))
  const columns = table.columns.map((column) => guessColumn(column, table, checks))
  const indexes = unread.indexes.filter(isOwn)
  const known = { ...table, columns }
  const natives = new Set(columns.flatMap(({ type }) => (type.kind === 'enum' && type.native ? type.name : [])))
  return {
    ...known,
    checks: checks.filter(({ name }) => !natives.has(name)),
    uniques: [...table.uniques, ...indexes.filter(({ isUnique }) => isUnique).flatMap((each) => guessIndex(each.index, known))],
    indexes: [...table.indexes, ...indexes.filter(({ isUnique }) => !isUnique).flatMap((each) => guessIndex(each.index, known))],
  }
}

/** In their places, so that a nearest type is found where its column stands. */
function withNearest(columns: readonly ColumnSchema[], table: TableSchema, unread: Unread): readonly ColumnSchema[] {
  const all = [...columns]
  for (const { table: owner, position, column } of unread.columns) {
    const type = owner === factName(table) ? nearestType(column) : undefined
    if (type === undefined) continue
    const { name, nullable, comment } = column
    const value: ColumnDefault | undefined = column.counts
      ? { kind: 'increment' }
      : column.default === undefined
        ? undefined
        : { kind: 'sql', sql: column.default }
    all.splice(position, 0, {
      name,
      type,
      nullable,
      ...(value === undefined ? {} : { default: value }),
      ...(comment === undefined ? {} : { comment }),
    })
  }
  return all
}

/** Only a list of texts on one column: it may be an enum. All other checks are SQL as they are. */
function guessCheck(check: CheckSchema, table: TableSchema): CheckSchema {
  if (check.sql === undefined) return check
  const condition = readCondition(check.sql, table.columns)
  const [column, another] = Object.keys(condition ?? {})
  const values = condition === undefined || another !== undefined ? undefined : valuesOf(condition[column!])
  if (condition === undefined || values === undefined || !isOfEnum(check, column!, table)) return check
  return { name: check.name, columns: [column!], condition: { [column!]: { $in: values } } }
}

/** A model gives the check of an enum its name; on SQLite, a native enum's is the type's. */
function isOfEnum({ name }: CheckSchema, column: string, table: TableSchema): boolean {
  const type = table.columns.find((each) => each.name === column)?.type
  return name === objectName(table.name, [column], 'check') || (type?.kind === 'enum' && type.values.length === 0)
}

/** Of `in`, and of `=`, which a list of one is. */
function valuesOf(operators: unknown): readonly string[] | undefined {
  const { $in, $eq } = operators as { readonly $in?: readonly unknown[]; readonly $eq?: unknown }
  const values = $in ?? (typeof $eq === 'string' ? [$eq] : [])
  return values.length > 0 && values.every((value) => typeof value === 'string') ? (values as readonly string[]) : undefined
}

function isEnumCheck({ columns, condition }: CheckSchema, column: string, values: readonly string[]): boolean {
  return columns.length === 1 && condition !== undefined && jsonText(condition) === jsonText({ [column]: { $in: values } })
}

function guessColumn(column: ColumnSchema, table: TableSchema, checks: readonly CheckSchema[]): ColumnSchema {
  const type = guessType(column, table, checks)
  const value = column.default?.kind === 'sql' ? guessDefault(column.default.sql, column, type) : undefined
  return { ...column, type, ...(value === undefined ? {} : { default: value }) }
}

function guessType({ name, type }: ColumnSchema, table: TableSchema, checks: readonly CheckSchema[]): ColumnType {
  const isTextual = type.kind === 'text' || type.kind === 'varchar' || (type.kind === 'enum' && type.values.length === 0)
  const check = isTextual
    ? checks.find(({ columns, condition }) => columns.length === 1 && columns[0] === name && condition !== undefined)
    : undefined
  const values = check === undefined ? undefined : valuesOf(check.condition![name])
  if (values === undefined) return type
  const isNative = type.kind === 'enum' && check!.name !== objectName(table.name, [name], 'check')
  return { kind: 'enum', name: isNative ? check!.name : `${table.name}_${name}`, values, native: isNative }
}

/** SQLite says that it is an enum, and nothing says of which values. */
function textual(column: ColumnSchema): ColumnSchema {
  return column.type.kind === 'enum' && column.type.values.length === 0 ? { ...column, type: { kind: 'text' } } : column
}

function guessDefault(sql: string, { name, nullable }: ColumnSchema, type: ColumnType): ColumnDefault | undefined {
  if (type.kind === 'timestamp' && /\b(now|current_timestamp|utc_timestamp|strftime|localtimestamp)\b/i.test(sql))
    return KEPT.test(name) && type.precision === 3 && !nullable ? { kind: 'now' } : undefined
  const reader = new SqlReader(sql)
  const constant = reader.constant()
  const value = constant === undefined || !reader.isAtEnd ? undefined : jsonConstant(constant, type)
  return value === undefined ? undefined : { kind: 'value', value }
}

function guessIndex(
  { name, columns, expression, sql = '' }: Unread['indexes'][number]['index'],
  table: TableSchema,
): readonly (IndexSchema & UniqueSchema)[] {
  const parts = columns.length > 0 ? { indexed: undefined, condition: conditionOf(sql) } : partsOf(sql, expression)
  if (parts === undefined) return []
  const { indexed, condition } = parts
  const where = condition === undefined ? undefined : readCondition(condition, table.columns)
  if (condition !== undefined && where === undefined) return []
  return [{ name, columns, ...(indexed === undefined ? {} : { expression: indexed }), ...(where === undefined ? {} : { where }) }]
}

/** Of an index on columns: ` where …`, or MySQL's `case when … then 1 end`. */
function conditionOf(sql: string): string | undefined {
  return /^\s*where\s+(.*)$/is.exec(sql)?.[1] ?? /^\s*\(?\s*case when (.*) then 1 end\s*\)?\s*$/is.exec(sql)?.[1]
}

/** Of an index on an expression: `lower(email) where …`, or MySQL's `case when … then left(lower(email), 768) end`. */
function partsOf(
  sql: string,
  expression: string | undefined,
): { readonly indexed: string; readonly condition: string | undefined } | undefined {
  const hidden = /^\s*\(?\s*(?:case when (.*) then )?left\((.*),\s*768\)(?: end)?\s*\)?\s*$/is.exec(sql)
  if (hidden !== null) return { indexed: hidden[2]!, condition: hidden[1] }
  const at = sql.search(/\swhere\s(?!.*\swhere\s)/is)
  const indexed = expression ?? (at === -1 ? sql : sql.slice(0, at)).trim()
  return indexed === ''
    ? undefined
    : { indexed: bare(indexed), condition: at === -1 ? undefined : sql.slice(at).replace(/^\s*where\s+/i, '') }
}

/** Without the brackets around the whole of it. */
function bare(sql: string): string {
  for (let inner = sql; ; inner = inner.slice(1, -1).trim()) {
    let depth = 0
    const closes = [...inner].findIndex((character, at) => {
      depth += character === '(' ? 1 : character === ')' ? -1 : 0
      return depth === 0 && at > 0
    })
    if (!inner.startsWith('(') || closes !== inner.length - 1) return inner
  }
}
