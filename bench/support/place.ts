import type { EngineName } from './engine-traits.js'

/** Where a contender works, and how large its pool is. */
export interface Place {
  readonly engine: EngineName
  readonly url: string
  /** Of each contender that has one pool. */
  readonly maxConnections: number
}
