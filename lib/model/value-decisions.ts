import { checkFieldValue, fromJsonValue } from './field-type.js'
import { type MatchedSchemas, type MatchedTable, unmatchedColumns } from './match-schemas.js'
import type { ColumnSchema } from './schema.js'
import { factName, type SchemaDecision, type SchemaFacts } from './schema-change.js'
import { schemaConstant } from './schema-constant.js'
import { isWidening } from './type-widening.js'

/** What has to be said of the values in rows that are there already. */
export function valueDecisions({ matched }: MatchedSchemas, facts: SchemaFacts): SchemaDecision[] {
  return matched.flatMap((match) => [...typeDecisions(match), ...fillDecisions(match, facts)])
}

/** What a fact gives the rows of a column, in the form that the schema has for constants; undefined: there is no fact, or one that does not fit. */
export function backfillOf({ before, after }: MatchedTable, column: ColumnSchema, { defaults = {} }: SchemaFacts): unknown {
  const fact = statedDefault({ before, after }, column.name, defaults)
  if (fact === undefined) return undefined
  const value = statedValue(column, defaults[fact])
  const shape = { ...shapeOf(column), name: column.name }
  return checkFieldValue(shape, value) === undefined ? schemaConstant(after.name, shape, value, 'default') : undefined
}

function typeDecisions({ before, after, columns }: MatchedTable): SchemaDecision[] {
  return [...columns].flatMap(([oldName, newName]): SchemaDecision[] => {
    const from = before.columns.find(({ name }) => name === oldName)!
    const to = after.columns.find(({ name }) => name === newName)!
    const isOfEnum = from.type.kind === 'enum' && to.type.kind === 'enum' && from.type.native && to.type.native
    if (isOfEnum || isWidening(from.type, to.type)) return []
    return [{ kind: 'narrowType', table: factName(after), column: newName, from, to }]
  })
}

function fillDecisions(match: MatchedTable, { defaults = {} }: SchemaFacts): SchemaDecision[] {
  const { before, after, columns } = match
  const table = factName(after)
  const { added } = unmatchedColumns(match)
  const released = [...columns].flatMap(([oldName, newName]) => {
    const from = before.columns.find(({ name }) => name === oldName)!
    const to = after.columns.find(({ name }) => name === newName)!
    return from.nullable && !to.nullable ? [to] : []
  })
  const fillable = [...added, ...released]
  const stated = fillable.flatMap((column): SchemaDecision[] => {
    const fact = statedDefault(match, column.name, defaults)
    const problem = fact === undefined ? undefined : checkFieldValue(shapeOf(column), statedValue(column, defaults[fact]))
    return problem === undefined ? [] : [{ kind: 'unfitDefault', table, column: column.name, problem }]
  })
  const unused = after.columns
    .filter((column) => !fillable.includes(column))
    .flatMap(({ name }) => statedDefault(match, name, defaults) ?? [])
    .map((name): SchemaDecision => ({ kind: 'unknownFact', fact: 'defaults', name }))
  const missing = added.flatMap((column): SchemaDecision[] => {
    if (column.default?.kind === 'increment') return [{ kind: 'addCounter', table, column: column.name }]
    const isFilled = column.nullable || column.default !== undefined || statedDefault(match, column.name, defaults) !== undefined
    return isFilled ? [] : [{ kind: 'fillColumn', table, column: column.name }]
  })
  return [...missing, ...stated, ...unused]
}

function statedDefault(
  { before, after }: Pick<MatchedTable, 'before' | 'after'>,
  column: string,
  defaults: Readonly<Record<string, unknown>>,
): string | undefined {
  return [`${factName(after)}.${column}`, `${factName(before)}.${column}`].find((fact) => Object.hasOwn(defaults, fact))
}

function shapeOf({ type }: ColumnSchema) {
  return { type, bigintMode: 'string', minLength: 0 } as const
}

function statedValue({ type }: ColumnSchema, json: unknown): unknown {
  return fromJsonValue(type, 'string', json)
}
