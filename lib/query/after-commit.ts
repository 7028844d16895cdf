import { AsyncLocalStorage } from 'node:async_hooks'
import { AfterCommitError } from '../errors.js'
import { atThisPoint } from '../lock/lock-scope.js'
import { inEnclosing, type WaitingWork } from './transaction-frame.js'

/** What runs after a commit. */
export type AfterCommit = () => unknown

/** Keeps the async context of the call for `work`: its tenant, its actor, and what the program itself stores there. */
export function waitingWork(work: AfterCommit): WaitingWork {
  return { work, inContext: AsyncLocalStorage.snapshot() }
}

/**
 * Runs what waited for a commit, one after the other; all of it, whatever goes wrong. Each in its own context, but for what has ended
 * there: the locks and transactions around it are those around this call.
 *
 * @param value what the transaction's callback gave
 * @throws {AfterCommitError} any of it threw: the transaction is committed all the same
 */
export async function runAfterCommit(waiting: readonly WaitingWork[], value: unknown): Promise<void> {
  const underLocks = atThisPoint()
  const inTransactions = inEnclosing()
  const errors: unknown[] = []
  for (const { work, inContext } of waiting) {
    try {
      await inContext(() => underLocks(() => inTransactions(work)))
    } catch (error) {
      errors.push(error)
    }
  }
  if (errors.length > 0) throw new AfterCommitError(errors, value)
}
