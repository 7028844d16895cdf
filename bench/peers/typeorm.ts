import { Between, DataSource, type DataSourceOptions, type EntityManager, EntitySchema, MoreThanOrEqual, type Repository } from 'typeorm'
import type { Adapter } from '../compare/adapter.js'
import type { PostRow, UserRow } from '../compare/users.js'
import type { EngineName } from '../support/engine-traits.js'
import type { Place } from '../support/place.js'

interface UserEntity extends UserRow {
  posts: PostEntity[]
}

interface PostEntity extends PostRow {
  author: UserEntity
}

/** TypeORM's repositories. */
export async function open(place: Place): Promise<Adapter> {
  const { engine } = place
  const { User, Post } = entitiesOf(engine)
  const source = new DataSource({ ...OPTIONS[engine](place), entities: [User, Post], logging: false })
  await source.initialize()
  const on = (manager: EntityManager) => pointsOn(manager.getRepository(User), engine)
  const users = source.getRepository(User)
  return {
    ...on(source.manager),
    list: (from) => users.find({ where: { id: MoreThanOrEqual(from), active: true }, order: { id: 'ASC' }, take: 50 }),
    include: (from) => users.find({ where: { id: MoreThanOrEqual(from) }, order: { id: 'ASC' }, take: 50, relations: { posts: true } }),
    upsert: async (user) => {
      await users.upsert(user, ['email'])
      return users.findOneByOrFail({ email: user.email })
    },
    count: (from, to) => users.countBy({ id: Between(from, to - 1) }),
    transaction: (id, user) => {
      return source.transaction(async (manager) => {
        const { read, insert } = on(manager)
        const { age } = (await read(id))!
        await manager.getRepository(User).update(id, { age: age + 1 })
        return insert(user)
      })
    },
    bulk: (rows) => users.insert([...rows]),
    close: () => source.destroy(),
  }
}

/** Where its updates give what is then there. */
const RETURNS_UPDATES: Readonly<Record<EngineName, boolean>> = { postgres: true, mysql: false, sqlite: false }

function pointsOn(users: Repository<UserEntity>, engine: EngineName): Pick<Adapter, 'read' | 'insert' | 'update'> {
  return {
    read: (id) => users.findOneBy({ id }),
    insert: async (user) => {
      // fills in the key of what it is given
      const entity = users.create(user)
      await users.insert(entity)
      return entity
    },
    update: async (id, age) => {
      if (!RETURNS_UPDATES[engine]) {
        await users.update(id, { age })
        return users.findOneByOrFail({ id })
      }
      const updated = await users.createQueryBuilder().update().set({ age }).where({ id }).returning('*').execute()
      // what is returned has the names of the columns
      const { joined_at: joinedAt, ...row } = updated.raw[0]
      return { ...row, joinedAt }
    },
  }
}

const OPTIONS: Readonly<Record<EngineName, (place: Place) => DataSourceOptions>> = {
  postgres: ({ url, maxConnections }) => ({ type: 'postgres', url, poolSize: maxConnections }),
  mysql: ({ url, maxConnections }) => ({ type: 'mariadb', url, poolSize: maxConnections, timezone: 'Z' }),
  sqlite: ({ url }) => ({
    type: 'better-sqlite3',
    database: url.slice('sqlite:'.length),
    prepareDatabase: (database) => {
      database.pragma('journal_mode = wal')
      database.pragma('synchronous = normal')
    },
  }),
}

/** What TypeORM would itself choose, but on SQLite the text that the table has. */
function entitiesOf(engine: EngineName) {
  const instant = {
    postgres: { type: 'timestamptz', precision: 3 },
    mysql: { type: 'datetime', precision: 3 },
    sqlite: {
      type: 'text',
      transformer: { to: (value?: Date) => value?.toISOString(), from: (text?: string) => text && new Date(text) },
    },
  } as const
  const User = new EntitySchema<UserEntity>({
    name: 'User',
    tableName: 'users',
    columns: {
      id: { type: Number, primary: true, generated: 'increment' },
      email: { type: String, length: 80, unique: true },
      name: { type: String, length: 80 },
      age: { type: Number },
      active: { type: Boolean },
      joinedAt: { name: 'joined_at', ...instant[engine] },
    },
    relations: { posts: { type: 'one-to-many', target: 'Post', inverseSide: 'author' } },
  })
  const Post = new EntitySchema<PostEntity>({
    name: 'Post',
    tableName: 'posts',
    columns: {
      id: { type: Number, primary: true, generated: 'increment' },
      userId: { name: 'user_id', type: Number },
      title: { type: String, length: 80 },
      words: { type: Number },
      writtenAt: { name: 'written_at', ...instant[engine] },
    },
    relations: { author: { type: 'many-to-one', target: 'User', inverseSide: 'posts', joinColumn: { name: 'user_id' } } },
  })
  return { User, Post }
}
