import { type Deadline, deadlineAfter, remainingMs } from '../../deadline.js'
import { AbortedError, LockTimeoutError } from '../../errors.js'
import { driverCode, withoutValues } from './errors.js'

/** How long a statement waits for another process's lock where nothing limits its call. */
const DEFAULT_WAIT_MS = 5_000

/**
 * The longest pause between two attempts, the shortest is half of it. Measured with four processes that write all the time:
 * with pauses that grew to 34 ms one starved behind transactions of 50 ms, with shorter ones the lock went to and fro.
 */
const PAUSE_MS = 4

/** One wait for a lock that another process or pool holds on the database; set `isCancelled` to end it. */
export interface LockWait {
  isCancelled: boolean
  /** Milliseconds to leave the lock to others before the first attempt; by default the first pause. */
  readonly restMs?: number | undefined
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
    const restMs = round === 0 ? wait.restMs : undefined
    await pause(Math.min(restMs ?? pauseMs(), remainingMs(until)))
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
function pauseMs(): number {
  return PAUSE_MS * (0.5 + Math.random() / 2)
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
