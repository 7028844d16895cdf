import { onAbort } from '../abort.js'
import { type Deadline, LATE, remainingMs, settledBy } from '../deadline.js'
import type { Connection } from '../dialect/dialect.js'
import { AbortedError, type LatchworkError, LockTimeoutError, QueryTimeoutError } from '../errors.js'
import type { CallLimits } from './query-plan.js'

/** When and by what a call may be stopped. */
export interface Interruption {
  readonly label: string
  readonly deadline: Deadline
  readonly signal: AbortSignal | undefined
}

/** @throws {AbortedError | QueryTimeoutError} it is time to stop before anything was sent */
export function requireNotInterrupted(interruption: Interruption): void {
  if (isOver(interruption)) throw reasonOf(interruption)
}

/**
 * What `fn` gives, unless it is time to stop first: then it goes on unheard.
 *
 * @throws {AbortedError | QueryTimeoutError} it was time to stop; what came in time but late does not count
 */
export function boundBy<T>(limits: CallLimits | undefined, label: string, fn: () => Promise<T>): Promise<T> {
  return limits === undefined ? fn() : bound(limits, label, fn)
}

async function bound<T>(limits: CallLimits, label: string, fn: () => Promise<T>): Promise<T> {
  const interruption = { label, deadline: limits.deadline, signal: limits.signal }
  const value = await settledBy(fn(), limits.deadline, limits.signal)
  if (value === LATE) throw reasonOf(interruption)
  requireNotInterrupted(interruption)
  return value
}

/**
 * Settles as `running` does; at the deadline or the signal rejects at once and asks the server to stop the statement.
 * The connection is then still busy and has to be destroyed.
 */
export function interruptible<T>(connection: Connection, running: Promise<T>, interruption: Interruption): Promise<T> {
  const { deadline, signal } = interruption
  return new Promise<T>((resolve, reject) => {
    let isSettled = false
    const stop = () => {
      if (isSettled) return
      settle()
      reject(reasonOf(interruption))
      // the connection goes either way: a server that cannot be asked notices when its socket closes
      connection.cancel().catch(() => undefined)
    }
    // after a stall of the event loop the timer runs before the sockets are read: an answer that has come by now counts
    const timer = deadline === Number.POSITIVE_INFINITY ? undefined : setTimeout(() => setImmediate(stop), remainingMs(deadline))
    const settle = () => {
      isSettled = true
      clearTimeout(timer)
      endListening?.()
    }
    const endListening = signal && onAbort(signal, stop)
    // a connection that waits for a lock by itself gives up at the same moment: one answer, whichever comes first
    const failed = (thrown: unknown) => {
      settle()
      reject(thrown instanceof LockTimeoutError && isOver(interruption) ? reasonOf(interruption) : thrown)
    }
    const done = (value: T) => {
      settle()
      resolve(value)
    }
    running.then(done, failed)
  })
}

function isOver({ deadline, signal }: Interruption): boolean {
  return signal?.aborted === true || remainingMs(deadline) === 0
}

function reasonOf({ label, signal }: Interruption): LatchworkError {
  if (signal?.aborted === true) return new AbortedError(`${label} was aborted`, { cause: signal.reason })
  return new QueryTimeoutError(`${label} ran past its timeoutMs`)
}
