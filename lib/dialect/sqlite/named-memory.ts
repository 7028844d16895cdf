import { ConfigurationError } from '../../errors.js'
import type { PoolOptions } from '../../pool/pool-options.js'

/** An in-memory database that has a name, while it is open. */
interface OpenDatabase {
  readonly options: PoolOptions
  /** Set when nobody has it any more: settles when it is gone. */
  ending: Promise<void> | undefined
}

const SLOT: unique symbol = Symbol.for('latchwork.memory.v1')

/** The open ones by name: one table for every copy of the package that is loaded in this thread. */
function openDatabases(): Map<string, OpenDatabase> {
  const shared = globalThis as { readonly [SLOT]?: Map<string, OpenDatabase> }
  if (shared[SLOT] === undefined) Object.defineProperty(globalThis, SLOT, { value: new Map() })
  return shared[SLOT]!
}

/** The right to be the pool of an in-memory database's name. */
export class MemoryName {
  readonly #name: string
  readonly #database: OpenDatabase

  private constructor(name: string, database: OpenDatabase) {
    this.#name = name
    this.#database = database
  }

  /**
   * Takes a name. Pools of equal options are one pool, so that whoever finds the name taken has other options than those
   * who use it: two pools under one name would be two databases. Waits for one that is being closed.
   *
   * @throws {ConfigurationError} it is open with other pool options
   */
  static async take(name: string, options: PoolOptions): Promise<MemoryName> {
    const databases = openDatabases()
    for (let open = databases.get(name); open !== undefined; open = databases.get(name)) {
      if (open.ending === undefined) throw otherOptions(name, open.options, options)
      await open.ending
    }
    const database: OpenDatabase = { options, ending: undefined }
    databases.set(name, database)
    return new MemoryName(name, database)
  }

  /** Gives the name back when `end` has closed the database; whoever comes meanwhile waits for that. */
  async giveBackAfter(end: () => Promise<void>): Promise<void> {
    const ending = end().finally(() => openDatabases().delete(this.#name))
    // who waits for it wants to know that it is over, not how
    this.#database.ending = ending.catch(() => undefined)
    await ending
  }
}

/** @throws {ConfigurationError} `share: false`: a name is for sharing */
export function requireShared(name: string, { share }: PoolOptions): void {
  if (share) return
  throw new ConfigurationError(
    'pool.share',
    `false, and the in-memory database "${name}" has a name, by which others share it; leave one out`,
  )
}

function otherOptions(name: string, open: PoolOptions, given: PoolOptions): ConfigurationError {
  const names = Object.keys(given) as (keyof PoolOptions)[]
  const differing = names.find((option) => JSON.stringify(open[option]) !== JSON.stringify(given[option]))
  return new ConfigurationError(
    differing === undefined ? 'pool' : `pool.${differing}`,
    `the in-memory database "${name}" is open with another value; all database objects on it need the same pool options`,
  )
}
