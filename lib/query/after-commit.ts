import { AfterCommitError } from '../errors.js'

/** Work that waits for the commit of a transaction. */
export type AfterCommit = () => unknown

/**
 * Runs what waited for a commit, one after the other; all of it, whatever goes wrong.
 *
 * @param value what the transaction's callback gave
 * @throws {AfterCommitError} any of it threw: the transaction is committed all the same
 */
export async function runAfterCommit(waiting: readonly AfterCommit[], value: unknown): Promise<void> {
  const errors: unknown[] = []
  for (const work of waiting) {
    try {
      await work()
    } catch (error) {
      errors.push(error)
    }
  }
  if (errors.length > 0) throw new AfterCommitError(errors, value)
}
