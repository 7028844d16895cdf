import type { BoundField } from './bound-model.js'

/** Key values as a text that is the same for the same ones. Of `values`, in a form that is bound or was read, the first are the key. */
export function keyText(fields: readonly BoundField[], values: readonly unknown[]): string {
  if (fields.length === 1) return valueText(fields[0]!, values[0])
  return JSON.stringify(fields.map((field, index) => valueText(field, values[index])))
}

function valueText({ definition }: BoundField, value: unknown): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex')
  // a date's own text ends at the second
  const text = String(value instanceof Date ? value.getTime() : value)
  return definition.type.kind === 'uuid' ? text.toLowerCase() : text
}
