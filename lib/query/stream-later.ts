import { AsyncLocalStorage } from 'node:async_hooks'
import { Later } from '../later.js'
import type { BoundModel } from './bound-model.js'
import type { PlanRunner } from './query-plan.js'
import type { PlainRow } from './selection.js'

const STREAM = new Later('stream', () => import('./stream.js'))

/** The rows of `streamRows`, which is loaded when the first of them is taken. */
export function streamedLater(
  model: BoundModel,
  runner: PlanRunner,
  input?: unknown,
  options?: unknown,
): AsyncGenerator<PlainRow, void, undefined> {
  if (STREAM.part !== undefined) return STREAM.part.streamRows(model, runner, input, options)
  // the context of this call, and not of whoever takes the rows
  const inContext = AsyncLocalStorage.snapshot()
  return (async function* rows() {
    const { streamRows } = await STREAM.load()
    yield* inContext(() => streamRows(model, runner, input, options))
  })()
}
