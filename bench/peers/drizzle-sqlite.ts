import { and, asc, count, eq, gte, inArray, lt, relations, sql } from 'drizzle-orm'
import { type BetterSQLite3Database, drizzle } from 'drizzle-orm/better-sqlite3'
import { customType, integer, sqliteTable, text } from 'drizzle-orm/sqlite-core'
import { openSqliteFile } from '../adapters/raw-sqlite.js'
import { withPosts } from '../adapters/stored-user.js'
import type { Adapter } from '../compare/adapter.js'
import type { NewUser } from '../compare/users.js'
import type { Place } from '../support/place.js'

const instant = customType<{ data: Date; driverData: string }>({
  dataType: () => 'text',
  toDriver: (value) => value.toISOString(),
  fromDriver: (value) => new Date(value),
})

const users = sqliteTable('users', {
  id: integer('id').primaryKey({ autoIncrement: true }),
  email: text('email').notNull().unique(),
  name: text('name').notNull(),
  age: integer('age').notNull(),
  active: integer('active', { mode: 'boolean' }).notNull(),
  joinedAt: instant('joined_at').notNull(),
})

const posts = sqliteTable('posts', {
  id: integer('id').primaryKey({ autoIncrement: true }),
  userId: integer('user_id').notNull(),
  title: text('title').notNull(),
  words: integer('words').notNull(),
  writtenAt: instant('written_at').notNull(),
})

const schema = {
  users,
  posts,
  usersRelations: relations(users, ({ many }) => ({ posts: many(posts) })),
  postsRelations: relations(posts, ({ one }) => ({ author: one(users, { fields: [posts.userId], references: [users.id] }) })),
}

type Database = BetterSQLite3Database<typeof schema>

/** Synchronous, as its driver is. */
export function openDrizzleSqlite(place: Place): Adapter {
  const { file, db } = connect(place)
  const { read, insert, update } = pointsOn(db)
  return {
    read: async (id) => read(id),
    insert: async (user) => insert(user),
    update: async (id, age) => update(id, age),
    list: async (from) =>
      db
        .select()
        .from(users)
        .where(and(gte(users.id, from), eq(users.active, true)))
        .orderBy(asc(users.id))
        .limit(50)
        .all(),
    include: async (from) =>
      db.query.users.findMany({ where: gte(users.id, from), orderBy: asc(users.id), limit: 50, with: { posts: true } }).sync(),
    upsert: async (user) => {
      const upsert = db
        .insert(users)
        .values(user)
        .onConflictDoUpdate({ target: users.email, set: { age: user.age } })
      return upsert.returning().get()
    },
    count: (from, to) => db.$count(users, and(gte(users.id, from), lt(users.id, to))),
    transaction: async (id, user) => inTransaction(db, id, user),
    bulk: async (rows) =>
      db
        .insert(users)
        .values([...rows])
        .run(),
    close: async () => void file.close(),
  }
}

/** The same where each statement is prepared by hand. */
export function openPreparedDrizzleSqlite(place: Place): Adapter {
  const { file, db } = connect(place)
  const value = sql.placeholder
  const values = { email: value('email'), name: value('name'), age: value('age'), active: value('active'), joinedAt: value('joinedAt') }
  const read = db
    .select()
    .from(users)
    .where(eq(users.id, value('id')))
    .prepare()
  const insert = db.insert(users).values(values).returning().prepare()
  const update = db
    .update(users)
    .set({ age: sql`${value('age')}` })
    .where(eq(users.id, value('id')))
    .returning()
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
  const set = { age: sql`excluded.age` }
  const upsert = db.insert(users).values(values).onConflictDoUpdate({ target: users.email, set }).returning().prepare()
  const counted = db
    .select({ n: count() })
    .from(users)
    .where(and(page, lt(users.id, value('to'))))
    .prepare()
  return {
    read: async (id) => read.get({ id }),
    insert: async (user) => insert.get({ ...user }),
    update: async (id, age) => update.get({ id, age }),
    list: async (from) => list.all({ from }),
    include: async (from) => {
      const rows = pageOfUsers.all({ from })
      return withPosts(rows, postsOf.all(Object.fromEntries(rows.map(({ id }, index) => [`id${index}`, id]))))
    },
    upsert: async (user) => upsert.get({ ...user }),
    count: async (from, to) => counted.get({ from, to })!.n,
    transaction: async (id, user) => inTransaction(db, id, user),
    bulk: async (rows) =>
      db
        .insert(users)
        .values([...rows])
        .run(),
    close: async () => void file.close(),
  }
}

function connect({ url }: Place) {
  const file = openSqliteFile(url)
  return { file, db: drizzle(file, { schema }) }
}

function pointsOn(db: Pick<Database, 'select' | 'insert' | 'update'>) {
  return {
    read: (id: number) => db.select().from(users).where(eq(users.id, id)).get(),
    insert: (user: NewUser) => db.insert(users).values(user).returning().get(),
    update: (id: number, age: number) => db.update(users).set({ age }).where(eq(users.id, id)).returning().get(),
  }
}

function inTransaction(db: Database, id: number, user: NewUser) {
  return db.transaction(
    (transaction) => {
      const { read, insert, update } = pointsOn(transaction)
      update(id, read(id)!.age + 1)
      return insert(user)
    },
    { behavior: 'immediate' },
  )
}
