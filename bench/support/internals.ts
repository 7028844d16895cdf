/** What a lock gives to its holder. */
interface Hold {
  release(): void
}

export interface KeyedLock {
  acquire(key: string): Promise<Hold>
}

export interface Pool {
  warm(count: number, deadline: number): Promise<void>
  acquire(request: { access: 'read'; deadline: number; label: string }): object
  release(member: object, condition: 'clean'): void
  close(timeoutMs: number): Promise<void>
}

export interface PoolRegistry {
  borrow(request: object): { readonly pool: Pool; release(): Promise<void> } | Promise<unknown>
}

/** Parts of latchwork that no path of the package leads to, and that are measured by themselves. */
export interface Internals {
  readonly keyedLock: () => KeyedLock
  readonly withHold: (lock: KeyedLock, key: string, request: object, fn: () => unknown) => Promise<unknown>
  readonly pool: (connector: object, given: object) => Pool
  readonly poolRegistry: () => PoolRegistry
  readonly poolOptions: (given: object) => object
}

/** Loads them: built from the sources as the package is, see scripts/build-bench.mjs. */
export async function loadInternals(): Promise<Internals> {
  const [locks, scopes, metrics, pools, options, registry] = await Promise.all(
    ['lock/keyed-lock', 'lock/lock-scope', 'lock/lock-metrics', 'pool/connection-pool', 'pool/pool-options', 'pool/pool-registry'].map(
      fromBuild,
    ),
  )
  const meter = new metrics!.LockMeter()
  return {
    keyedLock: () => new locks!.KeyedLock({ meter }),
    withHold: scopes!.withHold,
    pool: (connector, given) => new pools!.ConnectionPool('bench', connector, options!.poolOptions(given)),
    poolRegistry: () => new registry!.PoolRegistry(),
    poolOptions: options!.poolOptions,
  }
}

// the interfaces above say what these files hold; their own types lie outside of this folder
// biome-ignore lint/suspicious/noExplicitAny: see above
function fromBuild(path: string): Promise<any> {
  return import(new URL(`../internals/lib/${path}.js`, import.meta.url).href)
}
