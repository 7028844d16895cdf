import type { Later } from '../later.js'
import type { PlanRunner } from './query-plan.js'

/**
 * Runs `fn` with a part of the package; where that is there already, at once.
 *
 * In a transaction the call keeps the place that it has now: other calls wait until it is done, as if the part had been there, and a
 * transaction that ends before finds it unawaited.
 */
export function withPart<Part, T>(
  part: Later<Part>,
  runner: PlanRunner,
  label: string,
  fn: (loaded: Part) => T | Promise<T>,
): T | Promise<T> {
  if (part.part !== undefined) return fn(part.part)
  const run = async () => fn(await part.load())
  return runner.isInTransaction ? runner.together(label, run) : run()
}
