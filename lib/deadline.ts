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
 * @throws {AbortedError} one of the signals was aborted first
 */
export function settledBy<T>(
  work: Promise<T>,
  deadline: Deadline,
  ...signals: readonly (AbortSignal | undefined)[]
): Promise<T | typeof LATE> {
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined
    const watchDeadline = () => {
      const leftMs = remainingMs(deadline)
      // looks again when it fires: timers run a little early, and not as long as some deadlines
      if (leftMs > 0) timer = setTimeout(watchDeadline, Math.min(Math.ceil(leftMs), LONGEST_TIMER_MS))
      // after a stall of the event loop the timer runs before the sockets are read: what has arrived by now counts
      else setImmediate(() => settle(() => resolve(LATE)))
    }
    const listening: (() => void)[] = []
    const settle = (report: () => void) => {
      clearTimeout(timer)
      for (const end of listening) end()
      report()
    }
    work.then(
      (value) => settle(() => resolve(value)),
      (error: unknown) => settle(() => reject(error)),
    )
    if (deadline !== Infinity) watchDeadline()
    for (const signal of signals) {
      if (signal === undefined) continue
      const giveUp = () => settle(() => reject(new AbortedError('the call was aborted', { cause: signal.reason })))
      if (signal.aborted) return giveUp()
      listening.push(onAbort(signal, giveUp))
    }
  })
}
