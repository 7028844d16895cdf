import BetterSqlite3 from 'better-sqlite3'
import type { Adapter } from '../compare/adapter.js'
import type { NewUser } from '../compare/users.js'
import type { Place } from '../support/place.js'
import { CODECS, type StoredPost, type StoredUser, withPosts } from './stored-user.js'

const { user: userFrom, post: postFrom, values: valuesOf } = CODECS.sqlite

const USER = 'id, email, name, age, active, joined_at as joinedAt'
const POST = 'id, user_id as userId, title, words, written_at as writtenAt'
const INSERT = 'insert into users (email, name, age, active, joined_at) values (?, ?, ?, ?, ?)'

/** `better-sqlite3` with prepared statements: synchronous, on one connection. */
export function openRawSqlite({ url }: Place): Adapter {
  const database = openSqliteFile(url)
  const users = (text: string) => database.prepare<unknown[], StoredUser>(text)
  const read = users(`select ${USER} from users where id = ?`)
  const insert = users(`${INSERT} returning ${USER}`)
  const update = users(`update users set age = ? where id = ? returning ${USER}`)
  const list = users(`select ${USER} from users where id >= ? and active = 1 order by id limit 50`)
  const page = users(`select ${USER} from users where id >= ? order by id limit 50`)
  const postsText = `select ${POST} from posts where user_id in (select value from json_each(?)) order by id`
  const posts = database.prepare<unknown[], StoredPost>(postsText)
  const upsert = users(`${INSERT} on conflict (email) do update set age = excluded.age returning ${USER}`)
  const count = database.prepare<unknown[], { n: number }>('select count(*) as n from users where id >= ? and id < ?')
  const write = database.prepare(INSERT)
  // what writes runs to its end: after get(), which stops at the first row, SQLite never carries its log over, and others would do it
  const transaction = database.transaction((id: number, user: NewUser) => {
    update.all(read.get(id)!.age + 1, id)
    return userFrom(insert.all(...valuesOf(user))[0]!)
  })
  const bulk = database.transaction((rows: readonly NewUser[]) => {
    for (const user of rows) write.run(...valuesOf(user))
  })
  return {
    read: async (id) => {
      const row = read.get(id)
      return row && userFrom(row)
    },
    insert: async (user) => userFrom(insert.all(...valuesOf(user))[0]!),
    update: async (id, age) => userFrom(update.all(age, id)[0]!),
    list: async (from) => list.all(from).map(userFrom),
    include: async (from) => {
      const rows = page.all(from).map(userFrom)
      return withPosts(rows, posts.all(JSON.stringify(rows.map(({ id }) => id))).map(postFrom))
    },
    upsert: async (user) => userFrom(upsert.all(...valuesOf(user))[0]!),
    count: async (from, to) => count.get(from, to)!.n,
    transaction: async (id, user) => transaction.immediate(id, user),
    bulk: async (rows) => bulk.immediate(rows),
    close: async () => void database.close(),
  }
}

/** The file as latchwork opens it: with a write-ahead log that is synced at checkpoints. */
export function openSqliteFile(url: string): BetterSqlite3.Database {
  const database = new BetterSqlite3(url.slice('sqlite:'.length))
  database.pragma('journal_mode = wal')
  database.pragma('synchronous = normal')
  return database
}
