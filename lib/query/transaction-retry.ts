import { setTimeout as sleep } from 'node:timers/promises'
import { remainingMs } from '../deadline.js'
import { AbortedError, DeadlockError, LatchworkError, SerializationError, StatementInvalidatedError } from '../errors.js'
import { transactionEvents } from '../events.js'
import type { CallLimits } from './query-plan.js'
import { MAX_ATTEMPTS } from './transaction-options.js'

/** The first pause is some part of this, each further one of twice as much as the one before. */
const FIRST_PAUSE_MS = 10
const LONGEST_PAUSE_MS = 1_000

/** An error that wraps the database's own is looked into so deep. */
const MOST_CAUSES = 8

/** For whom an attempt is repeated. */
interface Retried {
  readonly pool: string
  readonly label: string
  readonly limits: CallLimits | undefined
}

/**
 * What `attempt` gives, run again with growing pauses for as long as the database says that it came between others. Pauses are of random
 * length, so that those who met do not meet again.
 *
 * @throws what the last attempt threw, when it may not be repeated, was one too many, or no time is left for another
 * @throws {AbortedError} the signal was aborted in a pause
 */
export async function retrying<T>({ pool, label, limits }: Retried, attempt: () => Promise<T>): Promise<T> {
  for (let attempts = 1; ; attempts++) {
    try {
      return await attempt()
    } catch (error) {
      const conflict = conflictIn(error)
      const delayMs = Math.random() * Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** attempts)
      if (conflict === undefined || attempts === MAX_ATTEMPTS || (limits !== undefined && remainingMs(limits.deadline) <= delayMs))
        throw error
      if (transactionEvents.hasSubscribers)
        transactionEvents.publish({ type: 'retried', pool, label, attempts, delayMs, code: conflict.code })
      await pause(delayMs, limits?.signal)
    }
  }
}

async function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  try {
    await sleep(ms, undefined, signal === undefined ? {} : { signal })
  } catch {
    throw new AbortedError('the transaction was aborted before it was run again', { cause: signal?.reason })
  }
}

/** The database's word, in the error or among its causes, that the whole transaction may be repeated. */
function conflictIn(thrown: unknown): LatchworkError | undefined {
  let error = thrown
  for (let depth = 0; depth < MOST_CAUSES && error instanceof Error; depth++) {
    if (error instanceof LatchworkError && isConflict(error)) return error
    error = error.cause
  }
  return undefined
}

// a circle of this process's own locks would close again: some of them are held around the transaction
function isConflict(error: LatchworkError): boolean {
  if (error instanceof DeadlockError) return error.chains.length === 0
  return error instanceof SerializationError || error instanceof StatementInvalidatedError
}
