/** What a warning is about; a program can listen for it on `process.on('warning')` by its `code`. */
type WarningCode =
  /** A connection or a lock was not given back. */
  | 'LATCHWORK_LEAK'
  /** A lock is held for longer than was said. */
  | 'LATCHWORK_OVERHELD'
  /** A call came from a lock scope that has ended. */
  | 'LATCHWORK_ENDED_SCOPE'
  /** `debugValues` is on in production. */
  | 'LATCHWORK_DEBUG_VALUES'

/** Warns of a fault in the program that uses us, as Node does: on standard error, unless the program listens. */
export function warn(code: WarningCode, message: string, stack?: string): void {
  process.emitWarning(message, { type: 'LatchworkWarning', code, ...(stack === undefined ? {} : { detail: stack }) })
}

/**
 * Where the caller is, to be shown if what it takes is never given back, or is called after its end; none in production, where each
 * costs microseconds.
 */
export function callSite(what = 'asked for here'): Error | undefined {
  return process.env.NODE_ENV === 'production' ? undefined : new Error(what)
}
