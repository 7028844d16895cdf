import { AsyncLocalStorage } from 'node:async_hooks'

/**
 * Runs a function outside every caller's async context. Sockets, timers and pools outlive the call that happens to
 * start them: started inside it, they would keep its request, tenant and transaction alive.
 *
 * Outside is where this module was first loaded, the start of the program as a rule. Where that was an `import()` inside a
 * request, it is that one request's context, for good: the runtime has no way out of all contexts.
 */
export const outside: <R>(fn: () => R) => R = AsyncLocalStorage.snapshot()
