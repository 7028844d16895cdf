import type { RunContext } from './run-context.js'

/** COMMIT was sent, and its answer was lost. `cause` is what the driver threw. */
export class CommitLost extends Error {}

/**
 * Runs `fn` in a transaction on the connection of a run; what it throws, and an abort, rolls it back.
 *
 * @param isLast  an abort does not: it writes down what is done and stays
 * @throws {CommitLost} nobody knows whether it was committed
 */
export async function inTransaction(context: RunContext, fn: () => Promise<void>, { isLast = false } = {}): Promise<void> {
  if (!isLast) context.throwIfAborted()
  for (const sql of context.dialect.begin({})) await context.run(sql, { isLast: true })
  try {
    await fn()
    if (!isLast) await context.hear()
  } catch (error) {
    await rollBack(context)
    throw error
  }
  try {
    await context.run('commit', { isLast: true })
  } catch (error) {
    if (!(await context.isUsable())) throw new CommitLost('the answer to COMMIT was lost', { cause: error })
    // a constraint that is checked at the end
    await rollBack(context)
    throw error
  }
}

async function rollBack(context: RunContext): Promise<void> {
  // where it cannot be sent, the server does it as the session ends
  await context.run('rollback', { isLast: true }).catch(() => undefined)
}
