/**
 * What is there already, or comes later. An embedded engine answers at once, and each promise costs, more so while async contexts are
 * followed: what runs for every call is no async function, but goes on with these.
 */
export type MaybePromise<T> = T | Promise<T>

/** What `next` makes of a value, at once where that is there. */
export function andThen<T, R>(value: MaybePromise<T>, next: (value: T) => MaybePromise<R>): MaybePromise<R> {
  return value instanceof Promise ? value.then(next) : next(value)
}

/** What `start` gives; where it fails, at once or later, what `failed` makes of the error. */
export function orElse<T>(start: () => MaybePromise<T>, failed: (error: unknown) => MaybePromise<T>): MaybePromise<T> {
  try {
    const running = start()
    return running instanceof Promise ? running.catch(failed) : running
  } catch (error) {
    return failed(error)
  }
}
