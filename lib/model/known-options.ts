import { ModelError } from '../errors.js'
import { nearestName } from '../nearest-name.js'

/**
 * The options that were given: those set to `undefined` count as left out.
 *
 * @throws {ModelError} `options` is no plain object, or one of them is not in `known`
 */
export function givenOptions(
  model: string,
  field: string | undefined,
  options: unknown,
  known: readonly string[],
): Readonly<Record<string, unknown>> {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new ModelError(model, field, `expected an object of options, got ${options === null ? 'null' : typeof options}`)
  }
  const unknown = Object.keys(options).find((name) => !known.includes(name))
  if (unknown !== undefined) throw new ModelError(model, field, `unknown option "${unknown}"${suggestion(unknown, known)}`)
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))
}

/** `; did you mean "email"?`, else what there is to choose from. */
export function suggestion(given: string, known: readonly string[]): string {
  const near = nearestName(given, known)
  return near === undefined ? `; known are ${known.join(', ')}` : `; did you mean "${near}"?`
}
