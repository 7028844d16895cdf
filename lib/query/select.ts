import type { AliasedExpression } from 'kysely'
import type { StatementResult } from '../dialect/dialect.js'
import { kindOf } from '../model/value-kind.js'
import type { BoundField, BoundModel } from './bound-model.js'
import type { InputIssues, Path } from './input-issues.js'

/** Which fields a statement gives back, and how its rows become plain objects. */
export interface Selection {
  readonly fields: readonly BoundField[]
  /** The columns, for Kysely's `select` and `returning`. */
  readonly references: readonly AliasedExpression<unknown, string>[]
  readonly exactIntegers: boolean
  /** Part of the statement's shape. */
  readonly key: string
}

export type PlainRow = Record<string, unknown>

const whole = new WeakMap<BoundModel, Selection>()

/** Every field of the model. */
export function selectAll(model: BoundModel): Selection {
  let selection = whole.get(model)
  if (selection === undefined) {
    selection = selectionOf(model.fields, '*')
    whole.set(model, selection)
  }
  return selection
}

/** The fields named by a call's `select`; all of them where it has none. */
export function parseSelect(model: BoundModel, select: unknown, issues: InputIssues, path: Path = ['select']): Selection {
  if (select === undefined) return selectAll(model)
  if (!Array.isArray(select) || select.length === 0) {
    issues.add(path, `expected a list of at least one field, got ${Array.isArray(select) ? 'an empty one' : kindOf(select)}`)
    return selectAll(model)
  }
  const fields = select.flatMap((name: unknown, position) => {
    const field = typeof name === 'string' ? model.fieldByName.get(name) : undefined
    if (field !== undefined) return [field]
    if (typeof name === 'string') issues.addUnknown([...path, position], name, 'field')
    else issues.add([...path, position], `expected the name of a field, got ${kindOf(name)}`)
    return []
  })
  const unique = [...new Set(fields)]
  return selectionOf(unique, `*${unique.map((field) => field.name).join()}`)
}

export function selectionOf(fields: readonly BoundField[], key: string): Selection {
  // Kysely's types want an alias on an expression; its compiler does not, and rows are read by position
  const references = fields.map((field) => field.reference as unknown as AliasedExpression<unknown, string>)
  return { fields, references, key, exactIntegers: fields.some((field) => field.exactIntegers) }
}

/** The rows of a result as plain objects; the result's columns from `offset` on are the selection's fields. */
export function readRows({ fields }: Selection, result: StatementResult, offset = 0): PlainRow[] {
  return result.rows.map((values) => readRow(fields, values, offset))
}

/** The first row, or null. */
export function readFirst({ fields }: Selection, result: StatementResult, offset = 0): PlainRow | null {
  const values = result.rows[0]
  return values === undefined ? null : readRow(fields, values, offset)
}

function readRow(fields: readonly BoundField[], values: readonly unknown[], offset: number): PlainRow {
  const row: PlainRow = {}
  for (let position = 0; position < fields.length; position++) {
    const field = fields[position]!
    const value = values[position + offset]
    row[field.name] = value === null || field.decode === undefined ? value : field.decode(value)
  }
  return row
}
