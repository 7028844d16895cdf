import { fromJsonValue, toJsonValue } from '../model/field-type.js'
import type { BoundModel } from './bound-model.js'
import type { PlainRow } from './selection.js'

/** What a create gives: a row, or a count and perhaps rows. */
type Result = PlainRow | { readonly count: number; readonly rows?: readonly PlainRow[] }

type Operation = 'create' | 'bulkCreate'

/** What an operation gave, as text: rows keep the order of their fields. */
export function storeResult(model: BoundModel, operation: Operation, result: unknown): string {
  return JSON.stringify(mapRows(operation, result as Result, (row) => mapRow(model, row, toJsonValue)))
}

/** The result again, each field of its declared type. */
export function restoreResult(model: BoundModel, operation: Operation, text: string): unknown {
  const restored = (row: PlainRow) => mapRow(model, row, (type, json, mode) => fromJsonValue(type, mode, json))
  return mapRows(operation, JSON.parse(text) as Result, restored)
}

function mapRows(operation: Operation, result: Result, map: (row: PlainRow) => PlainRow): Result {
  if (operation === 'create') return map(result as PlainRow)
  const { rows, ...rest } = result as Extract<Result, { count: number }>
  return rows === undefined ? rest : { ...rest, rows: rows.map(map) }
}

type Definition = BoundModel['fields'][number]['definition']
type Convert = (type: Definition['type'], value: unknown, mode: Definition['bigintMode']) => unknown

function mapRow(model: BoundModel, row: PlainRow, convert: Convert): PlainRow {
  const converted = (name: string, value: unknown): unknown => {
    if (value === null) return null
    const relation = model.relations.get(name)
    if (relation === undefined) {
      const { type, bigintMode } = model.fieldByName.get(name)!.definition
      return convert(type, value, bigintMode)
    }
    if (!Array.isArray(value)) return mapRow(relation.target, value as PlainRow, convert)
    return value.map((each: PlainRow) => mapRow(relation.target, each, convert))
  }
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, converted(name, value)]))
}
