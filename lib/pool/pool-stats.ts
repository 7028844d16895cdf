import type { PoolStats } from './pool.js'

/** Why a connection was ended. */
export type EndReason =
  /** It failed, or came back in a state that cannot be mended. */
  | 'broken'
  /** It had been idle and did not answer a check. */
  | 'validation'
  /** Its session could not be put back to its defaults. */
  | 'reset'
  /** It reached `maxLifetimeMs`. */
  | 'lifetime'
  /** It was idle for `idleTimeoutMs`. */
  | 'idle'
  /** The pool was closed. */
  | 'closed'

/** {@link PoolStats} of a single pool, which knows more than can be added up. */
export interface ConnectionPoolStats extends PoolStats {
  /** Connections being made. */
  readonly dialling: number
  readonly destroyedBy: Readonly<Record<EndReason, number>>
}

/** The figures of several pools as one. */
export function addPoolStats(...parts: readonly PoolStats[]): PoolStats {
  const sum = (name: keyof PoolStats) => parts.reduce((total, part) => total + part[name], 0)
  return {
    open: sum('open'),
    idle: sum('idle'),
    leased: sum('leased'),
    waiting: sum('waiting'),
    created: sum('created'),
    destroyed: sum('destroyed'),
  }
}

/** What a process has: its pools, and its connections beside them. */
export interface RegistryStats {
  readonly pools: readonly {
    readonly name: string
    readonly leases: number
    /** Undefined while it is being opened. */
    readonly stats: PoolStats | undefined
  }[]
  /** Dedicated connections. */
  readonly dedicated: number
  readonly budget: { readonly limit: number; readonly taken: number }
}
