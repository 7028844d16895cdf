import { jsonText, sameJson } from './json-text.js'
import type { MatchedSchemas } from './match-schemas.js'
import { nativeEnumsOf, type TableSchema } from './schema.js'
import { factName, type ObjectName, type SchemaChange, type SchemaDecision } from './schema-change.js'
import { keepsValues } from './type-widening.js'

interface EnumType extends ObjectName {
  readonly values: readonly string[]
}

/** What becomes of the native enum types of two schemas. */
export interface EnumDiff {
  /** Before the tables that use them. */
  readonly early: readonly SchemaChange[]
  /** When no column has them any more. */
  readonly late: readonly SchemaChange[]
  /** Values are gone, or in another order: for a person to decide, or to be had by {@link replaceEnums}. */
  readonly replaced: readonly { readonly before: EnumType; readonly after: EnumType }[]
}

export function diffEnums(match: MatchedSchemas, from: readonly TableSchema[], to: readonly TableSchema[]): EnumDiff {
  const [olds, news] = [enumsOf(from), enumsOf(to)]
  const renamed = renamedEnums(match, olds, news)
  const early: SchemaChange[] = []
  const replaced: EnumDiff['replaced'][number][] = []
  for (const [key, type] of news) {
    const former = renamed.get(key)
    const before = olds.get(former ?? key)
    if (before === undefined) early.push({ kind: 'createEnum', ...type })
    else if (keepsValues(before.values, type.values)) early.push(...newName(before, type), ...newValues(before, type))
    else replaced.push({ before, after: type })
  }
  const former = new Set(renamed.values())
  const gone = [...olds].filter(([key]) => !news.has(key) && !former.has(key))
  return { early, late: gone.map(([, { values: _, ...name }]) => ({ kind: 'dropEnum', ...name })), replaced }
}

/** What has to be said of values that are gone. */
export function enumDecisions({ replaced }: EnumDiff): readonly SchemaDecision[] {
  return replaced.map(({ before, after }) => ({ kind: 'changeEnum', name: factName(after), from: before.values, to: after.values }))
}

/** The changes that give types their new list of values, whatever it is: for the way back. */
export function replaceEnums(present: readonly TableSchema[], { replaced }: EnumDiff): readonly SchemaChange[] {
  return replaced.flatMap(({ before, after }): readonly SchemaChange[] => {
    const isOfType = (table: TableSchema) => nativeEnumsOf(table).some(({ name }) => factName({ ...table, name }) === factName(before))
    return [{ kind: 'replaceEnum', ...before, values: after.values, tables: present.filter(isOfType) }, ...newName(before, after)]
  })
}

function newName({ values: _, ...before }: EnumType, { name }: EnumType): readonly SchemaChange[] {
  return before.name === name ? [] : [{ kind: 'renameEnum', ...before, to: name }]
}

function newValues(before: EnumType, { values, ...name }: EnumType): SchemaChange[] {
  return values.flatMap((value, position): SchemaChange[] => {
    if (before.values.includes(value)) return []
    const next = values.slice(position).find((other) => before.values.includes(other))
    return [{ kind: 'addEnumValue', ...name, value, ...(next === undefined ? {} : { next }) }]
  })
}

/** New key → former key, of types that only one of the schemas has by name and that a column went over to. */
function renamedEnums({ matched }: MatchedSchemas, olds: Enums, news: Enums): ReadonlyMap<string, string> {
  const renamed = new Map<string, string>()
  for (const { before, after, columns } of matched) {
    if (before.schema !== after.schema) continue
    for (const [oldColumn, newColumn] of columns) {
      const [oldKey, newKey] = [enumKeyOf(before, oldColumn), enumKeyOf(after, newColumn)]
      if (oldKey === undefined || newKey === undefined || news.has(oldKey) || olds.has(newKey)) continue
      if (!renamed.has(newKey) && ![...renamed.values()].includes(oldKey)) renamed.set(newKey, oldKey)
    }
  }
  return renamed
}

type Enums = ReadonlyMap<string, EnumType>

function enumsOf(tables: readonly TableSchema[]): Enums {
  const found = new Map<string, EnumType>()
  for (const table of tables) {
    for (const { name, values } of nativeEnumsOf(table)) {
      const key = enumKey(table, name)
      if (!found.has(key)) found.set(key, { ...(table.schema === undefined ? {} : { schema: table.schema }), name, values })
      else if (!sameJson(found.get(key)!.values, values)) throw new TypeError(`two lists of values for the enum type "${name}"`)
    }
  }
  return found
}

function enumKeyOf(table: TableSchema, name: string): string | undefined {
  const type = table.columns.find((column) => column.name === name)!.type
  const element = type.kind === 'array' ? type.of : type
  return element.kind === 'enum' && element.native ? enumKey(table, element.name) : undefined
}

function enumKey({ schema }: TableSchema, name: string): string {
  return jsonText([schema, name])
}
