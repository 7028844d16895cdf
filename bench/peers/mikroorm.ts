import { type Collection, EntitySchema, MikroORM, type Options, Type, wrap } from '@mikro-orm/core'
import type { Adapter } from '../compare/adapter.js'
import type { NewUser } from '../compare/users.js'
import { type EngineName, TRAITS } from '../support/engine-traits.js'
import type { Place } from '../support/place.js'

interface UserEntity {
  id: number
  email: string
  name: string
  age: number
  active: boolean
  joinedAt: Date
  posts: Collection<PostEntity>
}

interface PostEntity {
  id: number
  userId: number
  title: string
  words: number
  writtenAt: Date
  author: UserEntity
}

/** MikroORM's unit of work: a fork of the entity manager a call, as an application has a request. */
export async function open(place: Place): Promise<Adapter> {
  const { engine } = place
  const { User, Post } = entitiesOf(engine)
  const options = await OPTIONS[engine](place)
  const orm = await MikroORM.init({ ...options, entities: [User, Post], pool: { min: 0, max: place.maxConnections }, timezone: 'Z' })
  if (!TRAITS[engine].hasServer) {
    await orm.em.getConnection().execute('pragma journal_mode = wal')
    await orm.em.getConnection().execute('pragma synchronous = normal')
  }
  const rowOf = (user: UserEntity) => user as unknown as NewUser & { id: number; posts: PostEntity[] }
  return {
    read: async (id) => {
      const user = await orm.em.fork().findOne(User, id)
      return user && rowOf(user)
    },
    insert: async (user) => {
      const em = orm.em.fork()
      const entity = em.create(User, user)
      await em.flush()
      return rowOf(entity)
    },
    update: async (id, age) => {
      const em = orm.em.fork()
      const entity = await em.findOneOrFail(User, id)
      entity.age = age
      await em.flush()
      return rowOf(entity)
    },
    list: async (from) => {
      const em = orm.em.fork()
      return (await em.find(User, { id: { $gte: from }, active: true }, { orderBy: { id: 'asc' }, limit: 50 })).map(rowOf)
    },
    include: async (from) => {
      const em = orm.em.fork()
      return (await em.find(User, { id: { $gte: from } }, { orderBy: { id: 'asc' }, limit: 50, populate: ['posts'] })).map(rowOf)
    },
    upsert: async (user) => {
      return rowOf(await orm.em.fork().upsert(User, user, { onConflictFields: ['email'], onConflictMergeFields: ['age'] }))
    },
    count: (from, to) => orm.em.fork().count(User, { id: { $gte: from, $lt: to } }),
    transaction: (id, user) => {
      return orm.em.fork().transactional(async (em) => {
        const found = await em.findOneOrFail(User, id)
        found.age++
        const entity = em.create(User, user)
        await em.flush()
        return rowOf(entity)
      })
    },
    bulk: (users) => orm.em.fork().insertMany<UserEntity>(User, [...users]),
    plain: (row) => plainUser(row as UserEntity),
    close: () => orm.close(),
  }
}

/** Its columns, and its posts where they were asked for. */
function plainUser(user: UserEntity): unknown {
  const { posts, ...row } = wrap(user).toObject() as unknown as Record<string, unknown>
  if (!user.posts.isInitialized() || user.posts.length === 0) return row
  return { ...row, posts: (posts as Record<string, unknown>[]).map(({ author: _, ...post }) => post) }
}

// only the driver that is used is loaded
const OPTIONS: Readonly<Record<EngineName, (place: Place) => Promise<Options>>> = {
  postgres: async ({ url }) => ({ driver: (await import('@mikro-orm/postgresql')).PostgreSqlDriver, clientUrl: url }),
  mysql: async ({ url }) => ({ driver: (await import('@mikro-orm/mysql')).MySqlDriver, clientUrl: url }),
  sqlite: async ({ url }) => ({
    driver: (await import('@mikro-orm/better-sqlite')).BetterSqliteDriver,
    dbName: url.slice('sqlite:'.length),
  }),
}

class InstantText extends Type<Date, string> {
  override convertToDatabaseValue(value: Date | string): string {
    return value instanceof Date ? value.toISOString() : value
  }

  override convertToJSValue(value: string | Date): Date {
    return new Date(value)
  }

  override getColumnType(): string {
    return 'text'
  }
}

function entitiesOf(engine: EngineName) {
  const instant = TRAITS[engine].storesInstants ? { type: 'datetime', length: 3 } : { type: InstantText }
  const User = new EntitySchema<UserEntity>({
    name: 'User',
    tableName: 'users',
    properties: {
      id: { type: 'integer', primary: true, autoincrement: true },
      email: { type: 'string', unique: true },
      name: { type: 'string' },
      age: { type: 'integer' },
      active: { type: 'boolean' },
      joinedAt: { fieldName: 'joined_at', ...instant },
      posts: { kind: '1:m', entity: () => 'Post', mappedBy: 'author' },
    },
  })
  const Post = new EntitySchema<PostEntity>({
    name: 'Post',
    tableName: 'posts',
    properties: {
      id: { type: 'integer', primary: true, autoincrement: true },
      userId: { type: 'integer', fieldName: 'user_id', persist: false },
      title: { type: 'string' },
      words: { type: 'integer' },
      writtenAt: { fieldName: 'written_at', ...instant },
      author: { kind: 'm:1', entity: () => 'User', fieldName: 'user_id' },
    },
  })
  return { User, Post }
}
