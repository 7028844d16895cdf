import { and, asc, count, eq, gte, inArray, lt, relations, sql } from 'drizzle-orm'
import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres'
import { boolean, integer, pgTable, serial, timestamp, varchar } from 'drizzle-orm/pg-core'
import pg from 'pg'
import { withPosts } from '../adapters/stored-user.js'
import type { Adapter } from '../compare/adapter.js'
import type { NewUser } from '../compare/users.js'
import type { Place } from '../support/place.js'

const users = pgTable('users', {
  id: serial('id').primaryKey(),
  email: varchar('email', { length: 80 }).notNull().unique(),
  name: varchar('name', { length: 80 }).notNull(),
  age: integer('age').notNull(),
  active: boolean('active').notNull(),
  joinedAt: timestamp('joined_at', { withTimezone: true, precision: 3 }).notNull(),
})

const posts = pgTable('posts', {
  id: serial('id').primaryKey(),
  userId: integer('user_id').notNull(),
  title: varchar('title', { length: 80 }).notNull(),
  words: integer('words').notNull(),
  writtenAt: timestamp('written_at', { withTimezone: true, precision: 3 }).notNull(),
})

const schema = {
  users,
  posts,
  usersRelations: relations(users, ({ many }) => ({ posts: many(posts) })),
  postsRelations: relations(posts, ({ one }) => ({ author: one(users, { fields: [posts.userId], references: [users.id] }) })),
}

type Database = NodePgDatabase<typeof schema>

export function openDrizzlePostgres(place: Place): Adapter {
  const { pool, db } = connect(place)
  return {
    ...pointsOn(db),
    list: (from) =>
      db
        .select()
        .from(users)
        .where(and(gte(users.id, from), eq(users.active, true)))
        .orderBy(asc(users.id))
        .limit(50),
    include: (from) => db.query.users.findMany({ where: gte(users.id, from), orderBy: asc(users.id), limit: 50, with: { posts: true } }),
    upsert: async (user) => {
      const upsert = db
        .insert(users)
        .values(user)
        .onConflictDoUpdate({ target: users.email, set: { age: user.age } })
      return (await upsert.returning())[0]!
    },
    count: (from, to) => db.$count(users, and(gte(users.id, from), lt(users.id, to))),
    transaction: (id, user) => inTransaction(db, id, user),
    bulk: (rows) => db.insert(users).values([...rows]),
    close: () => pool.end(),
  }
}

/** The same where each statement is prepared by hand. */
export function openPreparedDrizzlePostgres(place: Place): Adapter {
  const { pool, db } = connect(place)
  const value = sql.placeholder
  const values = { email: value('email'), name: value('name'), age: value('age'), active: value('active'), joinedAt: value('joinedAt') }
  const read = db
    .select()
    .from(users)
    .where(eq(users.id, value('id')))
    .prepare('read')
  const insert = db.insert(users).values(values).returning().prepare('insert')
  const update = db
    .update(users)
    .set({ age: sql`${value('age')}` })
    .where(eq(users.id, value('id')))
    .returning()
    .prepare('update')
  const page = gte(users.id, value('from'))
  const list = db
    .select()
    .from(users)
    .where(and(page, eq(users.active, true)))
    .orderBy(asc(users.id))
    .limit(50)
    .prepare('list')
  const pageOfUsers = db.select().from(users).where(page).orderBy(asc(users.id)).limit(50).prepare('page')
  const ids = Array.from({ length: 50 }, (_, index) => value(`id${index}`))
  const postsOf = db.select().from(posts).where(inArray(posts.userId, ids)).orderBy(asc(posts.id)).prepare('posts')
  const set = { age: sql`excluded.age` }
  const upsert = db.insert(users).values(values).onConflictDoUpdate({ target: users.email, set }).returning().prepare('upsert')
  const counted = db
    .select({ n: count() })
    .from(users)
    .where(and(page, lt(users.id, value('to'))))
    .prepare('count')
  return {
    read: async (id) => (await read.execute({ id }))[0],
    insert: async (user) => (await insert.execute({ ...user }))[0]!,
    update: async (id, age) => (await update.execute({ id, age }))[0]!,
    list: (from) => list.execute({ from }),
    include: async (from) => {
      const rows = await pageOfUsers.execute({ from })
      return withPosts(rows, await postsOf.execute(Object.fromEntries(rows.map(({ id }, index) => [`id${index}`, id]))))
    },
    upsert: async (user) => (await upsert.execute({ ...user }))[0]!,
    count: async (from, to) => (await counted.execute({ from, to }))[0]!.n,
    // what is prepared belongs to the pool: a transaction has a connection of its own, and builds its statements
    transaction: (id, user) => inTransaction(db, id, user),
    bulk: (rows) => db.insert(users).values([...rows]),
    close: () => pool.end(),
  }
}

function connect({ url, maxConnections }: Place) {
  const pool = new pg.Pool({ connectionString: url, max: maxConnections })
  return { pool, db: drizzle(pool, { schema }) }
}

function pointsOn(db: Pick<Database, 'select' | 'insert' | 'update'>): Pick<Adapter, 'read' | 'insert' | 'update'> {
  return {
    read: async (id) => (await db.select().from(users).where(eq(users.id, id)))[0],
    insert: async (user) => (await db.insert(users).values(user).returning())[0]!,
    update: async (id, age) => (await db.update(users).set({ age }).where(eq(users.id, id)).returning())[0]!,
  }
}

function inTransaction(db: Database, id: number, user: NewUser) {
  return db.transaction(async (transaction) => {
    const { read, insert, update } = pointsOn(transaction)
    const { age } = (await read(id))!
    await update(id, age + 1)
    return insert(user)
  })
}
