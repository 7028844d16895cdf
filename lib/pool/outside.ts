import { AsyncLocalStorage } from 'node:async_hooks'

/**
 * Runs a function outside every caller's async context. Sockets, timers and pools outlive the call that happens to
 * start them: started inside it, they would keep its request, tenant and transaction alive.
 */
export const outside: <R>(fn: () => R) => R = AsyncLocalStorage.snapshot()
