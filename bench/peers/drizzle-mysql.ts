import { and, asc, count, eq, gte, inArray, lt, relations, sql } from 'drizzle-orm'
import { boolean, datetime, int, mysqlTable, varchar } from 'drizzle-orm/mysql-core'
import { drizzle, type MySql2Database } from 'drizzle-orm/mysql2'
import { createPool } from 'mysql2/promise'
import { withPosts } from '../adapters/stored-user.js'
import type { Adapter } from '../compare/adapter.js'
import type { NewUser } from '../compare/users.js'
import type { Place } from '../support/place.js'

const users = mysqlTable('users', {
  id: int('id').autoincrement().primaryKey(),
  email: varchar('email', { length: 80 }).notNull().unique(),
  name: varchar('name', { length: 80 }).notNull(),
  age: int('age').notNull(),
  active: boolean('active').notNull(),
  joinedAt: datetime('joined_at', { mode: 'date', fsp: 3 }).notNull(),
})

const posts = mysqlTable('posts', {
  id: int('id').autoincrement().primaryKey(),
  userId: int('user_id').notNull(),
  title: varchar('title', { length: 80 }).notNull(),
  words: int('words').notNull(),
  writtenAt: datetime('written_at', { mode: 'date', fsp: 3 }).notNull(),
})

const schema = {
  users,
  posts,
  usersRelations: relations(users, ({ many }) => ({ posts: many(posts) })),
  postsRelations: relations(posts, ({ one }) => ({ author: one(users, { fields: [posts.userId], references: [users.id] }) })),
}

type Database = MySql2Database<typeof schema>

export function openDrizzleMysql(place: Place): Adapter {
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
    // its relational queries join laterally, which MariaDB cannot
    include: async (from) => {
      const rows = await db.select().from(users).where(gte(users.id, from)).orderBy(asc(users.id)).limit(50)
      const ids = rows.map(({ id }) => id)
      return withPosts(rows, await db.select().from(posts).where(inArray(posts.userId, ids)).orderBy(asc(posts.id)))
    },
    upsert: async (user) => {
      await db
        .insert(users)
        .values(user)
        .onDuplicateKeyUpdate({ set: { age: user.age } })
      return (await db.select().from(users).where(eq(users.email, user.email)))[0]!
    },
    count: (from, to) => db.$count(users, and(gte(users.id, from), lt(users.id, to))),
    transaction: (id, user) => inTransaction(db, id, user),
    bulk: (rows) => db.insert(users).values([...rows]),
    close: () => pool.end(),
  }
}

/** The same where each statement is prepared by hand. */
export function openPreparedDrizzleMysql(place: Place): Adapter {
  const { pool, db } = connect(place)
  const value = sql.placeholder
  const values = { email: value('email'), name: value('name'), age: value('age'), active: value('active'), joinedAt: value('joinedAt') }
  const read = db
    .select()
    .from(users)
    .where(eq(users.id, value('id')))
    .prepare()
  const byEmail = db
    .select()
    .from(users)
    .where(eq(users.email, value('email')))
    .prepare()
  const insert = db.insert(users).values(values).$returningId().prepare()
  const update = db
    .update(users)
    .set({ age: sql`${value('age')}` })
    .where(eq(users.id, value('id')))
    .prepare()
  const page = gte(users.id, value('from'))
  const list = db
    .select()
    .from(users)
    .where(and(page, eq(users.active, true)))
    .orderBy(asc(users.id))
    .limit(50)
    .prepare()
  const pageOfUsers = db.select().from(users).where(page).orderBy(asc(users.id)).limit(50).prepare()
  const ids = Array.from({ length: 50 }, (_, index) => value(`id${index}`))
  const postsOf = db.select().from(posts).where(inArray(posts.userId, ids)).orderBy(asc(posts.id)).prepare()
  const set = { age: sql`values(${users.age})` }
  const upsert = db.insert(users).values(values).onDuplicateKeyUpdate({ set }).prepare()
  const counted = db
    .select({ n: count() })
    .from(users)
    .where(and(page, lt(users.id, value('to'))))
    .prepare()
  return {
    read: async (id) => (await read.execute({ id }))[0],
    insert: async (user) => {
      const [inserted] = await insert.execute({ ...user })
      return (await read.execute({ id: inserted!.id }))[0]!
    },
    update: async (id, age) => {
      await update.execute({ id, age })
      return (await read.execute({ id }))[0]!
    },
    list: (from) => list.execute({ from }),
    include: async (from) => {
      const rows = await pageOfUsers.execute({ from })
      return withPosts(rows, await postsOf.execute(Object.fromEntries(rows.map(({ id }, index) => [`id${index}`, id]))))
    },
    upsert: async (user) => {
      await upsert.execute({ ...user })
      return (await byEmail.execute({ email: user.email }))[0]!
    },
    count: async (from, to) => (await counted.execute({ from, to }))[0]!.n,
    // what is prepared belongs to the pool: a transaction has a connection of its own, and builds its statements
    transaction: (id, user) => inTransaction(db, id, user),
    bulk: (rows) => db.insert(users).values([...rows]),
    close: () => pool.end(),
  }
}

function connect({ url, maxConnections }: Place) {
  const pool = createPool({ uri: url, connectionLimit: maxConnections, timezone: 'Z' })
  return { pool, db: drizzle(pool, { schema, mode: 'default' }) }
}

function pointsOn(db: Pick<Database, 'select' | 'insert' | 'update'>) {
  const read = async (id: number) => (await db.select().from(users).where(eq(users.id, id)))[0]
  return {
    read,
    insert: async (user: NewUser) => {
      const [inserted] = await db.insert(users).values(user).$returningId()
      return (await read(inserted!.id))!
    },
    update: async (id: number, age: number) => {
      await db.update(users).set({ age }).where(eq(users.id, id))
      return (await read(id))!
    },
  }
}

function inTransaction(db: Database, id: number, user: NewUser) {
  return db.transaction(async (transaction) => {
    const { read, insert } = pointsOn(transaction)
    const { age } = (await read(id))!
    await transaction
      .update(users)
      .set({ age: age + 1 })
      .where(eq(users.id, id))
    return insert(user)
  })
}
