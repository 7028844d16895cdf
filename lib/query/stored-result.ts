import { fieldFromJson, fieldToJson } from '../model/field-type.js'
import type { FieldDefinition } from '../model/model-definition.js'
import type { BoundModel, BoundRelation } from './bound-model.js'
import type { ChosenRow, PlainRow } from './selection.js'

/** What a create gives: a row, or a count and perhaps rows. */
type Result = PlainRow | { readonly count: number; readonly rows?: readonly PlainRow[] }

type Operation = 'create' | 'bulkCreate'

/** What an operation gave, as text: rows keep the order of their fields. */
export function storeResult(model: BoundModel, operation: Operation, result: unknown): string {
  return JSON.stringify(mapRows(operation, result as Result, (row) => mapRow(model, row, fieldToJson)))
}

/** The result again, each field of its declared type. */
export function restoreResult(model: BoundModel, operation: Operation, text: string): unknown {
  return mapRows(operation, JSON.parse(text) as Result, (row) => mapRow(model, row, fieldFromJson))
}

function mapRows(operation: Operation, result: Result, map: (row: PlainRow) => PlainRow): Result {
  if (operation === 'create') return map(result as PlainRow)
  const { rows, ...rest } = result as Extract<Result, { count: number }>
  return rows === undefined ? rest : { ...rest, rows: rows.map(map) }
}

type Convert = (field: FieldDefinition, value: unknown) => unknown

function mapRow(model: BoundModel, row: PlainRow, convert: Convert): PlainRow {
  const converted = (name: string, value: unknown): unknown => {
    if (value === null) return null
    const choices = model.polymorphics.get(name)
    if (choices !== undefined) return mapChosen(choices, value as ChosenRow, convert)
    const relation = model.relations.get(name)
    if (relation === undefined) return convert(model.fieldByName.get(name)!.definition, value)
    if (!Array.isArray(value)) return mapRow(relation.target, value as PlainRow, convert)
    return value.map((each: PlainRow) => mapRow(relation.target, each, convert))
  }
  // the model may have lost some since the result was stored
  const known = Object.entries(row).filter(([name]) =>
    [model.fieldByName, model.relations, model.polymorphics].some((names) => names.has(name)),
  )
  return Object.fromEntries(known.map(([name, value]) => [name, converted(name, value)]))
}

function mapChosen(choices: readonly BoundRelation[], { type, row }: ChosenRow, convert: Convert): ChosenRow | null {
  const relation = choices.find(({ name }) => name === type)
  return relation === undefined ? null : { type, row: mapRow(relation.target, row, convert) }
}
