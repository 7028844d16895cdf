import { ConfigurationError } from './errors.js'

/**
 * Refuses names that are not among those known, with the nearest right one.
 *
 * @param path where the options stand, such as `pool`; empty for the outermost ones
 * @throws {ConfigurationError} one of `given` is unknown
 */
export function requireKnownNames(path: string, given: object, known: readonly string[]): void {
  const unknown = Object.keys(given).find((name) => !known.includes(name))
  if (unknown === undefined) return
  const near = nearestName(unknown, known)
  const hint = near === undefined ? '' : `did you mean ${near}? `
  throw new ConfigurationError(path === '' ? unknown : `${path}.${unknown}`, `unknown option; ${hint}known are ${known.join(', ')}`)
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
