import { createDatabase, type Database, type DatabaseOptions, definitionOf, type Models } from 'latchwork'
import { sandbox } from 'latchwork/testing'
import { afterAll, aroundEach, beforeAll } from 'vitest'
import type { FreshDatabase, SpecEngine } from '../support/engines.js'
import { killSession } from '../support/plain-sql.js'

/** What a spec works with while its tests run. */
export interface DatabaseInUse<M extends Models> {
  readonly db: Database<M>
  readonly nodes: Database<M>['nodes']
  readonly url: string
  /** Empties the tables of the models, from the last one to the first. */
  clear(): Promise<void>
  /** From now on in this block, each test and what runs before and after it is rolled back: see `sandbox`. */
  rollBackEach(): void
  /** Another database object on the same database. */
  another(options?: Partial<DatabaseOptions<M>>): Database<M>
}

/** A fresh database with the tables of `models`, made before the tests of a `describe` and dropped after them. */
export function useDatabase<const M extends Models>(
  engine: SpecEngine,
  models: M,
  options: Partial<DatabaseOptions<M>> = {},
): DatabaseInUse<M> {
  let fresh: FreshDatabase
  let db: Database<M>
  const others: Database<M>[] = []
  const open = (more: Partial<DatabaseOptions<M>> = {}) => createDatabase<M>({ url: fresh.url, models, ...options, ...more })

  beforeAll(async () => {
    fresh = await engine.freshDatabase()
    db = open()
    await db.createTables()
  })

  afterAll(async () => {
    await Promise.all([db, ...others].map((each) => each.close({ timeoutMs: 1_000 })))
    await fresh.drop()
  })

  return {
    get db() {
      return db
    },
    get nodes() {
      return db.nodes
    },
    get url() {
      return fresh.url
    },
    async clear() {
      const tables = Object.values(models).map((target) => definitionOf(target).table)
      await engine.admin(
        fresh.url,
        tables
          .reverse()
          .map((table) => `delete from ${table}`)
          .join('; '),
      )
    },
    rollBackEach() {
      aroundEach((runTest) => sandbox(db, runTest))
    },
    another(more) {
      const other = open(more)
      others.push(other)
      return other
    },
  }
}

/** What a promise is rejected with. */
export async function rejectionOf(promise: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  const settled = await promise.then(
    () => undefined,
    (error: unknown) => ({ error }),
  )
  if (settled === undefined) throw new Error('expected a rejection')
  return settled.error as Error & Record<string, unknown>
}

/** How many of each there are: `{ created: 1, unchanged: 19 }`. */
export function tally(values: Iterable<string>): Record<string, number> {
  const counts: Record<string, number> = {}
  for (const value of values) counts[value] = (counts[value] ?? 0) + 1
  return counts
}

/** Ends every session on the database of `url` but the one that does it. */
export async function endSessions(engine: SpecEngine, url: string): Promise<void> {
  if (engine.name === 'postgres') {
    await engine.admin(
      url,
      'select pg_terminate_backend(pid, 2000) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
    )
    return
  }
  for (const { id } of await engine.admin(
    url,
    'select id from information_schema.processlist where db = database() and id <> connection_id()',
  )) {
    await killSession(url, Number(id))
  }
}

/** How many sessions the server has on the database of `url`. Looks from another database: one who looked before may still be leaving. */
export async function countSessions(engine: Pick<SpecEngine, 'name' | 'admin'>, url: string): Promise<number> {
  const elsewhere = new URL(url)
  const name = elsewhere.pathname.slice(1)
  elsewhere.pathname = engine.name === 'postgres' ? '/postgres' : '/information_schema'
  const sessions =
    engine.name === 'postgres'
      ? `select count(*) as n from pg_stat_activity where datname = '${name}' and backend_type = 'client backend'`
      : `select count(*) as n from information_schema.processlist where db = '${name}'`
  const [row] = await engine.admin(elsewhere.href, sessions)
  return Number(row!.n)
}
