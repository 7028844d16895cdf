import type { Capabilities } from '../capabilities.js'

/** What MySQL and MariaDB have in common. */
export const COMMON_CAPABILITIES: Capabilities = Object.freeze({
  insertReturning: false,
  updateReturning: false,
  deleteReturning: false,
  statementErrorKeepsTransaction: true,
  failedCommitKeepsTransaction: false,
  namesForeignKeys: true,
  nullsSortedBy: Object.freeze({ asc: 'first', desc: 'last' }),
  nullsFirstLast: false,
  defaultKeyword: false,
  bulkInsert: 'rows',
  upsert: 'onDuplicateKey',
  dedicatedConnections: true,
  schemas: true,
  transactionalDdl: false,
  maxParameters: 65_535,
  maxPatternBytes: Number.POSITIVE_INFINITY,
})

/** `INSERT … RETURNING` came with 10.5, the oldest that is supported; `UPDATE … RETURNING` is not there in any version known here. */
const MARIADB_CAPABILITIES: Capabilities = Object.freeze({ ...COMMON_CAPABILITIES, insertReturning: true, deleteReturning: true })

/** What a server of this version can do, as `version()` gives it: `10.11.6-MariaDB-log`, `8.0.36`. */
export function capabilitiesOf(version: string): Capabilities {
  return isMariaDb(version) ? MARIADB_CAPABILITIES : COMMON_CAPABILITIES
}

/** Whether this is MariaDB's `version()`. */
export function isMariaDb(version: string): boolean {
  return /mariadb/i.test(version)
}

/** What a server does beside what the statements of all of them need. */
export interface ServerTraits {
  /** It takes a statement before it has answered the one before, as MariaDB's own connectors send them. */
  readonly takesSeveral: boolean
  /** It prepares compound statements: MariaDB from 10.6 on, which prepares every statement (MDEV-16708). */
  readonly preparesCompounds: boolean
}

/** Nothing is known of all that speaks for MySQL. */
export const NO_TRAITS: ServerTraits = Object.freeze({ takesSeveral: false, preparesCompounds: false })

export function traitsOf(version: string): ServerTraits {
  if (!isMariaDb(version)) return NO_TRAITS
  const [major = 0, minor = 0] = version.split('.', 2).map(Number)
  return { takesSeveral: true, preparesCompounds: major > 10 || (major === 10 && minor >= 6) }
}

/** The servers that one pool has met: an address may lead to several, and to another one after a while. */
export class ServersMet {
  #capabilities: Capabilities | undefined

  /** What every one of them can do. */
  get capabilities(): Capabilities {
    return this.#capabilities ?? COMMON_CAPABILITIES
  }

  add(version: string): void {
    if (this.#capabilities !== COMMON_CAPABILITIES) this.#capabilities = capabilitiesOf(version)
  }
}

/** What each pool has met, for a dialect that got the pool from the registry: another database may have opened it. */
const serversOfPools = new WeakMap<object, ServersMet>()

export function rememberServers(pool: object, servers: ServersMet): void {
  serversOfPools.set(pool, servers)
}

/** The servers that a pool of this engine has met; undefined: it is not one. */
export function serversOf(pool: object): ServersMet | undefined {
  return serversOfPools.get(pool)
}
