import type { BoundField } from './bound-model.js'

/** Key values as a text that is the same for the same ones. Of `values`, in a form that is bound or was read, the first are the key. */
export function keyText(fields: readonly BoundField[], values: readonly unknown[]): string {
  if (fields.length === 1) return valueText(fields[0]!, values[0])
  return JSON.stringify(fields.map((field, index) => valueText(field, values[index])))
}

function valueText({ definition }: BoundField, value: unknown): string {
  return definition.type.kind === 'uuid' ? boundText(value).toLowerCase() : boundText(value)
}

/** A value in a form that is bound or was read, as a text that no other value has. */
export function boundText(value: unknown): string {
  // a date's own text ends at the second
  if (value instanceof Date) return value.toISOString()
  return value instanceof Uint8Array ? Buffer.from(value).toString('hex') : String(value)
}
