import { DISTINCT_KINDS, EXTREME_KINDS, NUMERIC_KINDS } from './column-type.js'
import type { FieldDefinition } from './model-definition.js'

/** What can be asked of a field beside its kind: of a type of the application's own only what its encoding keeps. */
type Field = Pick<FieldDefinition, 'type' | 'custom'>

/** What the field's type is called in messages. */
export function typeName({ type, custom }: Field): string {
  return custom === undefined ? type.kind : 'custom'
}

/** Whether the order of what is stored is that of the values. That the kind has an order is another question. */
export function keepsOrder({ custom }: Field): boolean {
  return custom === undefined || custom.ordered
}

/** Whether the values have a sum and an average. */
export function hasSum({ type, custom }: Field): boolean {
  return custom === undefined && NUMERIC_KINDS.includes(type.kind)
}

/** Whether every engine finds the least and the greatest value, and the same one. */
export function hasExtremes(field: Field): boolean {
  return keepsOrder(field) && EXTREME_KINDS.includes(field.type.kind)
}

/** Whether every engine tells the same values apart. */
export function isDistinct({ type }: Field): boolean {
  return DISTINCT_KINDS.includes(type.kind)
}
