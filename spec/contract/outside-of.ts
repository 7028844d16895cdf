import { AsyncLocalStorage } from 'node:async_hooks'

const withOwnContext = AsyncLocalStorage.snapshot() as <T>(fn: () => Promise<T>) => Promise<T>

/** Runs `fn` as if it came from another request. */
export function outsideOf<T>(fn: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => setImmediate(() => withOwnContext(fn).then(resolve, reject)))
}
