import type { RunContext } from './run-context.js'

/** Runs `fn` in a transaction on the connection of a run; what it throws, and an abort, rolls it back. */
export async function inTransaction(context: RunContext, fn: () => Promise<void>): Promise<void> {
  context.throwIfAborted()
  for (const sql of context.dialect.begin({})) await context.run(sql, { isLast: true })
  try {
    await fn()
    await context.hear()
    await context.run('commit', { isLast: true })
  } catch (error) {
    await context.run('rollback', { isLast: true }).catch(() => undefined)
    throw error
  }
}
