/** Steps, or groups of them, and what each has to wait for: positions in the same list. */
export interface Graph {
  /** Every position after those that it needs. */
  readonly order: readonly number[]
  /** By position: what waits for it. */
  readonly dependents: readonly (readonly number[])[]
  /** By position: for how many it waits. */
  readonly needCounts: readonly number[]
}

/** A circle of needs, from one position around to the same. */
export interface Cycle {
  readonly cycle: readonly number[]
}

/** Puts nodes into an order in which each follows what it needs; or finds a circle. Takes linear time, and no recursion. */
export function graphOf(needs: readonly (readonly number[])[]): Graph | Cycle {
  const dependents: number[][] = needs.map(() => [])
  for (const [position, each] of needs.entries()) for (const need of each) dependents[need]!.push(position)
  const needCounts = needs.map((each) => each.length)
  const missing = [...needCounts]
  const order = needs.flatMap((each, position) => (each.length === 0 ? [position] : []))
  for (let next = 0; next < order.length; next++) {
    for (const dependent of dependents[order[next]!]!) if (--missing[dependent]! === 0) order.push(dependent)
  }
  if (order.length < needs.length) return { cycle: circleIn(needs, missing) }
  return { order, dependents, needCounts }
}

/** Whoever still misses something needs one that misses something too: following such needs ends in a circle. */
function circleIn(needs: readonly (readonly number[])[], missing: readonly number[]): readonly number[] {
  const path: number[] = []
  const places = new Map<number, number>()
  let at = missing.findIndex((count) => count > 0)
  while (!places.has(at)) {
    places.set(at, path.length)
    path.push(at)
    at = needs[at]!.find((need) => missing[need]! > 0)!
  }
  return [...path.slice(places.get(at)), at]
}

/** The earliest round, from 0, in which each can run when every round waits for the one before. */
export function wavesOf(needs: readonly (readonly number[])[], { order }: Graph): readonly number[] {
  const waves: number[] = needs.map(() => 0)
  for (const position of order) for (const need of needs[position]!) waves[position] = Math.max(waves[position]!, waves[need]! + 1)
  return waves
}

/**
 * The needs between groups, when some positions become one: groups stand in the order of their first member.
 *
 * @param groupOf  by position: the name of its group; undefined for one of its own
 */
export function contracted(
  needs: readonly (readonly number[])[],
  groupOf: (position: number) => string | undefined,
): { readonly members: readonly (readonly number[])[]; readonly needs: readonly (readonly number[])[] } {
  const members: number[][] = []
  const byName = new Map<string, number>()
  const groups = needs.map((_, position) => {
    const name = groupOf(position)
    const known = name === undefined ? undefined : byName.get(name)
    if (known !== undefined) {
      members[known]!.push(position)
      return known
    }
    members.push([position])
    if (name !== undefined) byName.set(name, members.length - 1)
    return members.length - 1
  })
  const between = members.map((each, group) => {
    const others = new Set(each.flatMap((position) => needs[position]!.map((need) => groups[need]!)))
    others.delete(group)
    return [...others]
  })
  return { members, needs: between }
}
