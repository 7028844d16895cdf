/** A point in time on the monotonic clock, in milliseconds; `Infinity` for none. */
export type Deadline = number

export function deadlineAfter(ms: number): Deadline {
  return performance.now() + ms
}

/** Milliseconds left; 0 when the deadline has passed. */
export function remainingMs(deadline: Deadline): number {
  return Math.max(0, deadline - performance.now())
}
