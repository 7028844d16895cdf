import type { CallLimits, PlanRunner } from './query-plan.js'

/** Runs `fn` in a transaction of which nothing is kept, in one already in a savepoint of it; gives what `fn` gave. */
export async function rolledBack<T>(runner: PlanRunner, label: string, fn: () => Promise<T>, limits?: CallLimits): Promise<T> {
  const undo = new Error('to be rolled back')
  let value: T | undefined
  const undone = async (): Promise<never> => {
    value = await fn()
    throw undo
  }
  await runner.transaction(label, undone, limits).catch((error: unknown) => {
    if (error !== undo) throw error
  })
  return value as T
}
