import type { Database } from 'latchwork'
import { beforeAll, beforeEach } from 'vitest'
import type { SpecEngine } from '../support/engines.js'
import { models } from './kysely-models.js'
import { type DatabaseInUse, useDatabase } from './use-database.js'

export const EARLY = new Date('2024-01-02T03:04:05.006Z')
export const LATE = new Date('2025-06-07T08:09:10.011Z')

export const ada = { email: 'ada@example.com', active: true, balance: '9.50', createdAt: EARLY }
export const bob = { email: 'bob@example.com', active: false, balance: '10.00', createdAt: LATE }
/** Ada's. */
export const post = { authorId: 1, title: 'Hello', made_at: LATE, createdAt: EARLY, meta: { tags: ['a'] }, views: 2n ** 53n + 1n }

/** A database with Ada (1), Bob (2) and a post of Ada's before each test; and its Kysely. */
export function useKyselyShop(engine: SpecEngine): {
  readonly shop: DatabaseInUse<typeof models>
  readonly kysely: () => Database<typeof models>['kysely']
} {
  const shop = useDatabase(engine, models)
  const kysely = () => shop.db.kysely

  beforeAll(async () => {
    // the others go on after the keys that the tests give
    if (engine.name !== 'postgres') return
    for (const table of ['app_users', 'articles']) await engine.admin(shop.url, `alter table ${table} alter id restart with 100`)
  })

  beforeEach(async () => {
    await shop.clear()
    const users = [
      { ...ada, id: 1 },
      { ...bob, id: 2 },
    ]
    await kysely().insertInto('users').values(users).execute()
    await kysely()
      .insertInto('posts')
      .values({ ...post, id: 1 })
      .execute()
  })

  return { shop, kysely }
}
