import { onAbort } from './abort.js'
import { AbortedError } from './errors.js'

/** A point in time on the monotonic clock, in milliseconds; `Infinity` for none. */
export type Deadline = number

/** What {@link settledBy} gives when the deadline came first. */
export const LATE: unique symbol = Symbol('late')

/** The longest delay that a timer of the runtime takes; a longer one would fire at once. */
export const LONGEST_TIMER_MS = 2 ** 31 - 1

export function deadlineAfter(ms: number): Deadline {
  return performance.now() + ms
}

/** Milliseconds left; 0 when the deadline has passed. */
export function remainingMs(deadline: Deadline): number {
  return Math.max(0, deadline - performance.now())
}

/**
 * What `work` gives, or {@link LATE} when the deadline comes first. Late work goes on unobserved: whoever
 * started it answers for its outcome.
 *
 * @throws {AbortedError} the signal was aborted first
 */
export function settledBy<T>(work: Promise<T>, deadline: Deadline, signal?: AbortSignal): Promise<T | typeof LATE> {
  return new Promise((resolve, reject) => {
    const giveUp = () => settle(() => reject(new AbortedError('the call was aborted', { cause: signal?.reason })))
    // after a stall of the event loop the timer runs before the sockets are read: what has arrived by now counts
    const late = () => setImmediate(() => settle(() => resolve(LATE)))
    const delayMs = Math.min(Math.ceil(remainingMs(deadline)), LONGEST_TIMER_MS)
    const timer = deadline === Infinity ? undefined : setTimeout(late, delayMs)
    let endListening: (() => void) | undefined
    const settle = (report: () => void) => {
      clearTimeout(timer)
      endListening?.()
      report()
    }
    work.then(
      (value) => settle(() => resolve(value)),
      (error: unknown) => settle(() => reject(error)),
    )
    if (signal?.aborted) giveUp()
    else endListening = signal && onAbort(signal, giveUp)
  })
}
