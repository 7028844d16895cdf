import type { ColumnType } from './column-type.js'
import { sameJson } from './json-text.js'

/** Whether a column of one type can become one of the other where it stands, on every engine, with every value it may hold. */
export function isWidening(from: ColumnType, to: ColumnType): boolean {
  if (sameJson(from, to)) return true
  switch (from.kind) {
    case 'varchar':
      return to.kind === 'text' || (to.kind === 'varchar' && to.length >= from.length)
    case 'enum':
      return isWideningOfEnum(from, to)
    case 'integer':
      return to.kind === 'bigint' || to.kind === 'float'
    case 'decimal':
      // more digits after the point would be another stored form on SQLite
      return to.kind === 'decimal' && to.scale === from.scale && to.precision >= from.precision
    case 'timestamp':
      return to.kind === 'timestamp' && to.precision >= from.precision
    case 'array':
      return to.kind === 'array' && isWideningOfElement(from.of, to.of)
    default:
      return false
  }
}

/** Values of the same order stay where they are in a native type: those that are new come between. */
export function keepsValues(from: readonly string[], to: readonly string[]): boolean {
  return sameJson(
    to.filter((value) => from.includes(value)),
    from,
  )
}

function isWideningOfEnum(from: Extract<ColumnType, { kind: 'enum' }>, to: ColumnType): boolean {
  if (to.kind === 'enum' && from.native === to.native) {
    return from.native ? keepsValues(from.values, to.values) : from.values.every((value) => to.values.includes(value))
  }
  if (from.native) return false
  return to.kind === 'text' || (to.kind === 'varchar' && from.values.every((value) => [...value].length <= to.length))
}

/** An array is JSON on some engines, where only texts of whatever length are written alike. */
function isWideningOfElement(from: ColumnType, to: ColumnType): boolean {
  const isText = (type: ColumnType) => type.kind === 'text' || type.kind === 'varchar' || type.kind === 'enum'
  return sameJson(from, to) || (isText(from) && isText(to) && isWidening(from, to))
}
