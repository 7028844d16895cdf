import { ModelError } from '../errors.js'

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

/** The known name that is a typing mistake away from `given`; undefined when none is near. */
export function nearestName(given: string, known: readonly string[]): string | undefined {
  const limit = Math.max(1, Math.floor(given.length / 3))
  const [best] = known
    .map((name) => ({ name, distance: editDistance(given.toLowerCase(), name.toLowerCase()) }))
    .sort((left, right) => left.distance - right.distance)
  return best !== undefined && best.distance <= limit ? best.name : undefined
}

/** How many letters to add, drop, change or swap with their neighbour (optimal string alignment). */
function editDistance(from: string, to: string): number {
  let older: readonly number[] = []
  let row: readonly number[] = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (let i = 1; i <= from.length; i++) {
    const next = [i]
    for (let j = 1; j <= to.length; j++) {
      const change = row[j - 1]! + (from[i - 1] === to[j - 1] ? 0 : 1)
      const isSwap = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]
      const swap = isSwap ? older[j - 2]! + 1 : Number.POSITIVE_INFINITY
      next.push(Math.min(change, swap, row[j]! + 1, next[j - 1]! + 1))
    }
    older = row
    row = next
  }
  return row[to.length]!
}
