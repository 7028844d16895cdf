import { ENGINE_NAMES, type EngineName } from '../support/engine-traits.js'
import type { Place } from '../support/place.js'
import type { NewUser, UserRow, UserWithPosts } from './users.js'

/**
 * The operations that are compared, each the way the library's own documentation recommends it. Every row that is given has
 * the JavaScript types of {@link UserRow}, decoded.
 */
export interface Operations {
  /** The user that has this key. */
  read(id: number): PromiseLike<UserRow | null | undefined>
  /** Writes a user and gives its row. */
  insert(user: NewUser): PromiseLike<UserRow>
  /** Sets the age and gives the row as it then is. */
  update(id: number, age: number): PromiseLike<UserRow>
  /** The first 50 active users from this key on, by key. */
  list(from: number): PromiseLike<readonly UserRow[]>
  /** The 50 users from this key on, by key, each with its posts. */
  include(from: number): PromiseLike<readonly UserWithPosts[]>
  /** Writes the user, or sets its age where the email is there already; gives the row. */
  upsert(user: NewUser): PromiseLike<UserRow>
  /** How many users have a key from `from` to before `to`. */
  count(from: number, to: number): PromiseLike<number>
  /** Reads a user, sets its age to one year more and writes another user, all in one transaction; gives the one it wrote. */
  transaction(id: number, user: NewUser): PromiseLike<UserRow>
  /** Writes all of them, or none. */
  bulk(users: readonly NewUser[]): PromiseLike<unknown>
}

/** One library on a pool of its own. */
export interface Adapter extends Operations {
  /** A row as plain data, where the library gives objects of its own: outside of what is measured. */
  plain?(row: unknown): unknown
  close(): Promise<unknown>
}

/** What the module of an adapter exports. */
export interface AdapterModule {
  open(place: Place): Promise<Adapter> | Adapter
}

interface AdapterEntry {
  /** Its module, as seen from this file. Those of peers/ are built where `npm ci --prefix bench` has installed them. */
  readonly module: string
  /** Default: all of them. */
  readonly engines?: readonly EngineName[]
  /** It is latchwork in another way, and no peer of it. A variant is one more line and its module. */
  readonly isVariant?: true
}

/** Every adapter by its name, the one that all are compared with first. */
export const ADAPTERS = {
  raw: { module: '../adapters/raw.js' },
  latchwork: { module: '../adapters/latchwork.js' },
  // on SQLite reads never go together
  'latchwork-unbatched': { module: '../adapters/latchwork-unbatched.js', engines: ['postgres', 'mysql'], isVariant: true },
  kysely: { module: '../adapters/kysely.js' },
  'kysely-compiled': { module: '../adapters/kysely-compiled.js' },
  drizzle: { module: '../peers/drizzle.js' },
  'drizzle-prepared': { module: '../peers/drizzle-prepared.js' },
  knex: { module: '../peers/knex.js' },
  objection: { module: '../peers/objection.js' },
  // it reaches SQLite through the package sqlite3 alone: another driver, with a thread pool
  sequelize: { module: '../peers/sequelize.js', engines: ['postgres', 'mysql'] },
  typeorm: { module: '../peers/typeorm.js' },
  mikroorm: { module: '../peers/mikroorm.js' },
  prisma: { module: '../peers/prisma.js' },
} as const satisfies Readonly<Record<string, AdapterEntry>>

export type AdapterName = keyof typeof ADAPTERS

export const ADAPTER_NAMES = Object.keys(ADAPTERS) as readonly AdapterName[]

/** Whether an adapter reaches the engine, through the driver that raw has where it can choose. */
export function runsOn(adapter: AdapterName, engine: EngineName): boolean {
  const { engines = ENGINE_NAMES }: AdapterEntry = ADAPTERS[adapter]
  return engines.includes(engine)
}

/** Whether it is latchwork too, measured for what one of its parts gives. */
export function isVariant(adapter: AdapterName): boolean {
  return (ADAPTERS[adapter] as AdapterEntry).isVariant === true
}

/** Loads an adapter's module and opens it. */
export async function openAdapter(name: AdapterName, place: Place): Promise<Adapter> {
  const { open } = (await import(ADAPTERS[name].module)) as AdapterModule
  return open(place)
}
