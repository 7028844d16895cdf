import { Later } from '../later.js'
import type { BoundModel } from './bound-model.js'
import { createOne } from './create.js'
import { givesRelated } from './gives-related.js'
import type { PlanRunner } from './query-plan.js'
import type { PlainRow } from './selection.js'
import { withPart } from './with-part.js'

const TREES = new Later('create with related rows', () => import('./create-tree.js'))

/** Inserts a row, and the rows of its relations where they are given with it; gives the row back as it is stored. */
export function createRow(
  model: BoundModel,
  runner: PlanRunner,
  input: unknown,
  options?: unknown,
): PlainRow | null | Promise<PlainRow | null> {
  if (!givesRelated(model, input)) return createOne(model, runner, input, options)
  return withPart(TREES, runner, model.labelOf('create'), ({ createTree }) => createTree(model, runner, input, options))
}
