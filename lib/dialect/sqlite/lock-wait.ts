import { type Deadline, deadlineAfter, remainingMs } from '../../deadline.js'
import { AbortedError, LockTimeoutError } from '../../errors.js'
import { driverCode, withoutValues } from './errors.js'

/** How long a statement without a deadline of its own waits for another process's lock. */
const DEFAULT_WAIT_MS = 5_000

// short first: most locks are held for a fraction of a millisecond
const PAUSES_MS = [1, 1, 2, 3, 5, 8, 13, 21, 34]

/** One wait for a lock that another process or pool holds on the database; set `isCancelled` to end it. */
export interface LockWait {
  isCancelled: boolean
}

/**
 * Whether an error says that the database's lock is taken just now, so that the statement did nothing and may be tried again.
 * `SQLITE_BUSY_SNAPSHOT` is not such a case: its transaction reads an old state and can never write.
 */
export function isBusy(error: unknown): boolean {
  const code = driverCode(error)
  return code === 'SQLITE_BUSY' || code === 'SQLITE_BUSY_RECOVERY' || code === 'SQLITE_BUSY_TIMEOUT' || code === 'SQLITE_PROTOCOL'
}

/**
 * What `attempt` gives once the database's lock is free. Pauses between attempts on a timer: the driver's own busy
 * timeout would stop the event loop.
 *
 * @throws {LockTimeoutError} the lock was not free by `deadline`; without one, within 5 s
 * @throws {AbortedError} the wait was cancelled
 */
export async function retryWhileBusy<T>(
  attempt: () => T,
  deadline: Deadline = Infinity,
  wait: LockWait = { isCancelled: false },
): Promise<T> {
  const startedAt = performance.now()
  const until = Number.isFinite(deadline) ? deadline : deadlineAfter(DEFAULT_WAIT_MS)
  for (let round = 0; ; round++) {
    await pause(Math.min(pauseMs(round), remainingMs(until)))
    if (wait.isCancelled)
      throw new AbortedError('the statement was cancelled while it waited for the lock of another process; it did not run')
    try {
      return attempt()
    } catch (error) {
      if (!isBusy(error)) throw error
      if (remainingMs(until) === 0) throw lockTimeout(performance.now() - startedAt, error)
    }
  }
}

// jitter keeps processes that were refused together from coming back together
function pauseMs(round: number): number {
  const most = PAUSES_MS[Math.min(round, PAUSES_MS.length - 1)]!
  return most * (0.5 + Math.random() / 2)
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}

function lockTimeout(waitedMs: number, error: unknown): LockTimeoutError {
  return new LockTimeoutError(
    `the SQLite database stayed locked by another process or pool for ${Math.round(waitedMs)} ms; nothing was run; find what keeps a write transaction open, or allow the call more time`,
    { cause: withoutValues(error) },
  )
}
