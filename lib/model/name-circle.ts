/**
 * Names of which each is the former name of another: nothing would tell whether they have been exchanged already.
 *
 * @param formerNames  name → former name, of those that have one
 */
export function nameCircle(formerNames: ReadonlyMap<string, string>): readonly string[] | undefined {
  return [...formerNames.keys()]
    .map((name) => pathFrom(name, formerNames))
    .find((path) => path.length > 2 && path.at(-1) === path[0])
    ?.slice(1)
}

/** From a name to its former ones, until there is none or one comes again. */
function pathFrom(name: string, formerNames: ReadonlyMap<string, string>): readonly string[] {
  const path = [name]
  for (let at = formerNames.get(name); at !== undefined; at = formerNames.get(at)) {
    const isKnown = path.includes(at)
    path.push(at)
    if (isKnown) break
  }
  return path
}
