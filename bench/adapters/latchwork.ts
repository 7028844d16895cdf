import { createDatabase } from 'latchwork'
import type { Adapter } from '../compare/adapter.js'
import { Post, User } from '../compare/models.js'
import type { Place } from '../support/place.js'

/** Nodes, as the README shows them. */
export function open(place: Place): Adapter {
  return openLatchwork(place)
}

/** The same with options of the database. */
export function openLatchwork({ url, maxConnections }: Place, options: { readonly batchReads?: boolean } = {}): Adapter {
  const db = createDatabase({ url, models: { users: User, posts: Post }, pool: { maxConnections }, ...options })
  const { users } = db.nodes
  return {
    read: (id) => users.read({ where: { id } }),
    insert: (user) => users.create(user),
    update: (id, age) => users.update({ where: { id }, set: { age } }),
    list: async (from) => {
      return (await users.list({ where: { id: { $gte: from }, active: true }, orderBy: { id: 'asc' }, limit: 50 })).rows
    },
    include: async (from) => {
      return (await users.list({ where: { id: { $gte: from } }, orderBy: { id: 'asc' }, limit: 50, include: { posts: true } })).rows
    },
    upsert: async (user) => (await users.upsert({ on: ['email'], values: user, update: { age: user.age } })).row,
    count: (from, to) => users.count({ where: { id: { $gte: from, $lt: to } } }),
    transaction: (id, user) => {
      return db.transaction(async () => {
        const { age } = await users.readOrThrow({ where: { id } })
        // the row is not wanted: where an UPDATE gives none back, raw does not read it either
        await users.bulkUpdate({ where: { id }, set: { age: age + 1 } })
        return users.create(user)
      })
    },
    bulk: (rows) => users.bulkCreate({ rows }),
    close: () => db.close(),
  }
}
