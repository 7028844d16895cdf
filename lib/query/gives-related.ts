import type { BoundModel } from './bound-model.js'

/** Whether the input of a create holds rows of relations. */
export function givesRelated({ relations }: BoundModel, input: unknown): boolean {
  return relations.size > 0 && isObject(input) && Object.keys(input).some((name) => relations.has(name))
}

/** Whether it is an object other than a list. */
export function isObject(input: unknown): input is object {
  return typeof input === 'object' && input !== null && !Array.isArray(input)
}
