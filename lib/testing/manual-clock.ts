import { ConfigurationError } from '../errors.js'

/** A clock that stands still until it is told to go on. */
export interface ManualClock {
  /** For `createDatabase({ now })`. */
  readonly now: () => Date
  /** Sets it to an instant, earlier ones too. */
  set(instant: Date): void
  /** Sets it forward by so many milliseconds, or back. */
  advance(ms: number): void
}

/**
 * A clock for `createdAt`, `updatedAt` and `deletedAt` in tests.
 *
 * @param start default 2026-01-01T00:00:00Z
 * @throws {ConfigurationError} an invalid date, or a number of milliseconds that leads to one
 */
export function manualClock(start = new Date(Date.UTC(2026, 0, 1))): ManualClock {
  let atMs = instantOf(start)
  return {
    now: () => new Date(atMs),
    set(instant) {
      atMs = instantOf(instant)
    },
    advance(ms) {
      atMs = instantOf(new Date(atMs + ms))
    },
  }
}

function instantOf(date: Date): number {
  if (!(date instanceof Date) || Number.isNaN(date.getTime())) throw new ConfigurationError('instant', 'expected a valid Date')
  return date.getTime()
}
