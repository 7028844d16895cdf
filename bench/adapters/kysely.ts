import type { Kysely } from 'kysely'
import type { Adapter } from '../compare/adapter.js'
import type { NewUser, UserRow } from '../compare/users.js'
import { TRAITS } from '../support/engine-traits.js'
import type { Place } from '../support/place.js'
import { type KyselyTables, openKysely, POST_COLUMNS, USER_COLUMNS } from './kysely-database.js'
import { CODECS, type Codec, withPosts } from './stored-user.js'

/** Kysely's query builder. */
export async function open(place: Place): Promise<Adapter> {
  const db = await openKysely(place)
  const codec = CODECS[place.engine]
  // MySQL has no `returning`, and Kysely none for MariaDB
  const canReturn = TRAITS[place.engine].returnsRows
  const on = (session: Kysely<KyselyTables>) => pointsOn(session, codec, canReturn)
  const list = (from: number) => db.selectFrom('users').select(USER_COLUMNS).where('id', '>=', from).orderBy('id').limit(50)
  return {
    ...on(db),
    list: async (from) => (await list(from).where('active', '=', codec.flag(true)).execute()).map(codec.user),
    include: async (from) => {
      // its JSON helpers lose instants, and MariaDB has not what they use: two statements, as its guide to relations allows
      const users = (await list(from).execute()).map(codec.user)
      const ids = users.map(({ id }) => id)
      const posts = await db.selectFrom('posts').select(POST_COLUMNS).where('user_id', 'in', ids).orderBy('id').execute()
      return withPosts(users, posts.map(codec.post))
    },
    upsert: async (user) => {
      const insert = db.insertInto('users').values(storedFrom(codec, user))
      if (canReturn) {
        const conflict = insert.onConflict((on) => on.column('email').doUpdateSet((eb) => ({ age: eb.ref('excluded.age') })))
        return codec.user(await conflict.returning(USER_COLUMNS).executeTakeFirstOrThrow())
      }
      await insert.onDuplicateKeyUpdate({ age: user.age }).execute()
      return codec.user(await db.selectFrom('users').select(USER_COLUMNS).where('email', '=', user.email).executeTakeFirstOrThrow())
    },
    count: async (from, to) => {
      const counted = db.selectFrom('users').select((eb) => eb.fn.countAll().as('n'))
      return Number((await counted.where('id', '>=', from).where('id', '<', to).executeTakeFirstOrThrow()).n)
    },
    transaction: (id, user) => {
      return db.transaction().execute(async (transaction) => {
        const { read, insert, update } = on(transaction)
        const { age } = (await read(id))!
        await update(id, age + 1)
        return insert(user)
      })
    },
    bulk: (users) =>
      db
        .insertInto('users')
        .values(users.map((user) => storedFrom(codec, user)))
        .execute(),
    close: () => db.destroy(),
  }
}

function pointsOn(db: Kysely<KyselyTables>, codec: Codec, canReturn: boolean): Pick<Adapter, 'read' | 'insert' | 'update'> {
  const read = async (id: number): Promise<UserRow | undefined> => {
    const row = await db.selectFrom('users').select(USER_COLUMNS).where('id', '=', id).executeTakeFirst()
    return row && codec.user(row)
  }
  return {
    read,
    insert: async (user) => {
      const insert = db.insertInto('users').values(storedFrom(codec, user))
      if (canReturn) return codec.user(await insert.returning(USER_COLUMNS).executeTakeFirstOrThrow())
      const { insertId } = await insert.executeTakeFirstOrThrow()
      return (await read(Number(insertId)))!
    },
    update: async (id, age) => {
      const update = db.updateTable('users').set({ age }).where('id', '=', id)
      if (canReturn) return codec.user(await update.returning(USER_COLUMNS).executeTakeFirstOrThrow())
      await update.execute()
      return (await read(id))!
    },
  }
}

function storedFrom(codec: Codec, user: NewUser) {
  const [email, name, age, active, joined_at] = codec.values(user)
  return { email, name, age, active, joined_at }
}
