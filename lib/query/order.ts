import { type Expression, sql } from 'kysely'
import { keepsOrder, typeName } from '../model/field-traits.js'
import { isPlainObject, kindOf } from '../model/value-kind.js'
import type { BoundField, BoundModel } from './bound-model.js'
import type { InputIssues, Path } from './input-issues.js'
import { bareColumn, type ColumnOf } from './reference.js'

/** One column to sort by. Without `nulls` they come last going up and first going down, on every engine. */
export interface OrderItem {
  readonly field: BoundField
  readonly direction: 'asc' | 'desc'
  readonly nulls: 'first' | 'last'
}

/** Checks an `orderBy`: an object of fields, or a list of such. */
export function parseOrder(model: BoundModel, orderBy: unknown, issues: InputIssues, path: Path = ['orderBy']): readonly OrderItem[] {
  if (orderBy === undefined) return []
  const items = Array.isArray(orderBy)
    ? orderBy.flatMap((part: unknown, position) => parsePart(model, part, issues, [...path, position]))
    : parsePart(model, orderBy, issues, path)
  const repeated = items.find((item, position) => items.findIndex(({ field }) => field === item.field) !== position)
  if (repeated !== undefined) issues.add(path, `names "${repeated.field.name}" twice`)
  return items
}

function parsePart(model: BoundModel, part: unknown, issues: InputIssues, path: Path): OrderItem[] {
  if (!isPlainObject(part)) {
    issues.add(path, `expected an object of fields, got ${kindOf(part)}`)
    return []
  }
  return Object.keys(part).flatMap((name) => {
    const field = model.fieldByName.get(name)
    if (field === undefined) issues.addUnknown([...path, name], name, 'field')
    else if (NOT_SORTABLE.has(field.definition.type.kind))
      issues.add([...path, name], `fields of type ${typeName(field.definition)} have no order`)
    else if (!keepsOrder(field.definition)) issues.add([...path, name], 'fields of type custom have no order unless they say ordered')
    else if (issues.allows(field, [...path, name])) return parseDirection(field, part[name], issues, [...path, name])
    return []
  })
}

const NOT_SORTABLE: ReadonlySet<string> = new Set(['json', 'array', 'bytes'])

function parseDirection(field: BoundField, value: unknown, issues: InputIssues, path: Path): OrderItem[] {
  if (value === 'asc' || value === 'desc') return [{ field, direction: value, nulls: value === 'asc' ? 'last' : 'first' }]
  if (isPlainObject(value) && Object.keys(value).length === 2 && isDirection(value.direction) && isNulls(value.nulls)) {
    return [{ field, direction: value.direction, nulls: value.nulls }]
  }
  issues.add(path, "expected 'asc', 'desc' or { direction, nulls: 'first' | 'last' }")
  return []
}

function isDirection(value: unknown): value is 'asc' | 'desc' {
  return value === 'asc' || value === 'desc'
}

function isNulls(value: unknown): value is 'first' | 'last' {
  return value === 'first' || value === 'last'
}

/** The order with the primary key behind it, so that two pages never share a row or miss one between them; a view may have none. */
export function inTotalOrder(model: BoundModel, items: readonly OrderItem[]): readonly OrderItem[] {
  const named = new Set(items.map(({ field }) => field))
  const rest = (model.keys[0] ?? []).filter((field) => !named.has(field))
  return [...items, ...rest.map((field): OrderItem => ({ field, direction: 'asc', nulls: 'last' }))]
}

/** Part of a statement's shape. */
export function orderKey(items: readonly OrderItem[]): string {
  return items.map(({ field, direction, nulls }) => `${field.name} ${direction} ${nulls}`).join()
}

/** The ORDER BY list. */
export function orderExpressions(
  model: BoundModel,
  items: readonly OrderItem[],
  columnOf: ColumnOf = bareColumn,
): readonly Expression<unknown>[] {
  const { expressions, capabilities } = model.dialect
  return items.flatMap(({ field, direction, nulls }) => {
    const column = columnOf(field)
    const ordered = sql`${expressions.ordered(column, field.definition.type)} ${sql.raw(direction)}`
    if (!field.definition.nullable || nulls === capabilities.nullsSortedBy[direction]) return [ordered]
    if (capabilities.nullsFirstLast) return [sql`${ordered} ${sql.raw(`nulls ${nulls}`)}`]
    return [sql`${column} is null ${sql.raw(nulls === 'last' ? 'asc' : 'desc')}`, ordered]
  })
}
