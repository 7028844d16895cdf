import type { Knex } from 'knex'
import { CODECS, type Codec, withPosts } from '../adapters/stored-user.js'
import type { Adapter } from '../compare/adapter.js'
import type { NewUser, UserRow } from '../compare/users.js'
import { TRAITS } from '../support/engine-traits.js'
import type { Place } from '../support/place.js'
import { openKnex, prepareFile, ROWS_A_STATEMENT } from './knex-database.js'

const USER = ['id', 'email', 'name', 'age', 'active', 'joined_at as joinedAt']
const POST = ['id', 'user_id as userId', 'title', 'words', 'written_at as writtenAt']

/** Knex's query builder. */
export async function open(place: Place): Promise<Adapter> {
  const { engine } = place
  const knex = openKnex(place)
  await prepareFile(knex, engine)
  const codec = CODECS[engine]
  const canReturn = TRAITS[engine].returnsRows
  const on = (session: Knex) => pointsOn(session, codec, canReturn)
  const page = (from: number) => knex('users').select(USER).where('id', '>=', from).orderBy('id').limit(50)
  return {
    ...on(knex),
    list: async (from) => (await page(from).where({ active: codec.flag(true) })).map(codec.user),
    include: async (from) => {
      const users = (await page(from)).map(codec.user)
      const ids = users.map(({ id }) => id)
      return withPosts(users, (await knex('posts').select(POST).whereIn('user_id', ids).orderBy('id')).map(codec.post))
    },
    upsert: async (user) => {
      const upsert = knex('users').insert(storedFrom(codec, user)).onConflict('email').merge(['age'])
      if (canReturn) return codec.user((await upsert.returning(USER))[0])
      await upsert
      return codec.user(await knex('users').select(USER).where({ email: user.email }).first())
    },
    count: async (from, to) => {
      const counted = knex('users').where('id', '>=', from).where('id', '<', to).count({ n: '*' })
      return Number((await counted)[0]!.n)
    },
    transaction: (id, user) => {
      return knex.transaction(async (transaction) => {
        const { read, insert, update } = on(transaction)
        const { age } = (await read(id))!
        await update(id, age + 1)
        return insert(user)
      })
    },
    bulk: (users) => {
      const rows = users.map((user) => storedFrom(codec, user))
      // batchInsert makes a transaction of several statements, which one has no need of
      return rows.length <= ROWS_A_STATEMENT[engine]
        ? knex('users').insert(rows)
        : knex.batchInsert('users', rows, ROWS_A_STATEMENT[engine])
    },
    close: () => knex.destroy(),
  }
}

function pointsOn(knex: Knex, codec: Codec, canReturn: boolean): Pick<Adapter, 'read' | 'insert' | 'update'> {
  const read = async (id: number): Promise<UserRow | undefined> => {
    const row = await knex('users').select(USER).where({ id }).first()
    return row && codec.user(row)
  }
  return {
    read,
    insert: async (user) => {
      const insert = knex('users').insert(storedFrom(codec, user))
      if (canReturn) return codec.user((await insert.returning(USER))[0])
      const [id] = await insert
      return (await read(id!))!
    },
    update: async (id, age) => {
      const update = knex('users').where({ id }).update({ age })
      if (canReturn) return codec.user((await update.returning(USER))[0])
      await update
      return (await read(id))!
    },
  }
}

function storedFrom(codec: Codec, user: NewUser) {
  const [email, name, age, active, joined_at] = codec.values(user)
  return { email, name, age, active, joined_at }
}
