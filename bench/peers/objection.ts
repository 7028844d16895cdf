import { Model, type Pojo, snakeCaseMappers, type Transaction } from 'objection'
import { CODECS } from '../adapters/stored-user.js'
import type { Adapter } from '../compare/adapter.js'
import type { NewUser } from '../compare/users.js'
import { type EngineName, TRAITS } from '../support/engine-traits.js'
import type { Place } from '../support/place.js'
import { openKnex, prepareFile, ROWS_A_STATEMENT } from './knex-database.js'

/** Objection's models, on Knex. */
export async function open(place: Place): Promise<Adapter> {
  const { engine } = place
  const knex = openKnex(place)
  await prepareFile(knex, engine)
  const { User } = modelsOf(engine)
  User.knex(knex)
  const { returnsRows: canReturn } = TRAITS[engine]
  const on = (transaction?: Transaction): Pick<Adapter, 'read' | 'insert' | 'update'> => ({
    read: (id) => User.query(transaction).findById(id),
    insert: (user) => {
      return canReturn ? User.query(transaction).insert(user).returning('*') : User.query(transaction).insertAndFetch(user)
    },
    update: async (id, age) => {
      if (!canReturn) return User.query(transaction).patchAndFetchById(id, { age })
      return (await User.query(transaction).patch({ age }).where({ id }).returning('*').first())!
    },
  })
  const page = (from: number) => User.query().where('id', '>=', from).orderBy('id').limit(50)
  return {
    ...on(),
    list: (from) => page(from).where('active', CODECS[engine].flag(true)),
    include: (from) => page(from).withGraphFetched('posts'),
    upsert: async (user) => {
      const upsert = User.query().insert(user).onConflict('email').merge(['age'])
      if (canReturn) return upsert.returning('*')
      await upsert
      return (await User.query().findOne({ email: user.email }))!
    },
    count: (from, to) => User.query().where('id', '>=', from).where('id', '<', to).resultSize(),
    transaction: (id, user) => {
      return User.transaction(async (transaction) => {
        const { read, insert, update } = on(transaction)
        const { age } = (await read(id))!
        await update(id, age + 1)
        return insert(user)
      })
    },
    bulk: (users) => {
      if (INSERTS_MANY[engine]) return User.query().insert([...users])
      const rows = users.map((user) => User.fromJson(user).$toDatabaseJson())
      return knex.batchInsert('users', rows, ROWS_A_STATEMENT[engine])
    },
    plain: (row) => (row instanceof Model ? row.toJSON() : row),
    close: () => knex.destroy(),
  }
}

/** Where a model inserts several rows as one statement. Source: its API reference, `insert`. */
const INSERTS_MANY: Readonly<Record<EngineName, boolean>> = { postgres: true, mysql: false, sqlite: false }

interface UserFields extends NewUser {
  readonly id: number
}

function modelsOf(engine: EngineName) {
  const codec = CODECS[engine]

  class Post extends Model {
    static override tableName = 'posts'
    static override columnNameMappers = snakeCaseMappers()
    declare id: number
    declare userId: number
    declare title: string
    declare words: number
    declare writtenAt: Date

    override $parseDatabaseJson(json: Pojo): Pojo {
      const parsed = super.$parseDatabaseJson(json)
      // in place: it has a column of its own in what it fetches for a relation
      if (typeof parsed.writtenAt === 'string') parsed.writtenAt = new Date(parsed.writtenAt)
      return parsed
    }
  }

  class User extends Model implements UserFields {
    static override tableName = 'users'
    static override columnNameMappers = snakeCaseMappers()
    static override relationMappings = {
      posts: { relation: Model.HasManyRelation, modelClass: Post, join: { from: 'users.id', to: 'posts.user_id' } },
    }
    declare id: number
    declare email: string
    declare name: string
    declare age: number
    declare active: boolean
    declare joinedAt: Date
    declare posts: Post[]

    override $parseDatabaseJson(json: Pojo): Pojo {
      const parsed = super.$parseDatabaseJson(json)
      if (typeof parsed.active === 'number') parsed.active = parsed.active === 1
      if (typeof parsed.joinedAt === 'string') parsed.joinedAt = new Date(parsed.joinedAt)
      return parsed
    }

    override $formatDatabaseJson(json: Pojo): Pojo {
      const formatted = super.$formatDatabaseJson(json)
      if (TRAITS[engine].storesInstants) return formatted
      if (typeof formatted.active === 'boolean') formatted.active = codec.flag(formatted.active)
      if (formatted.joined_at instanceof Date) formatted.joined_at = formatted.joined_at.toISOString()
      return formatted
    }
  }
  return { User, Post }
}
