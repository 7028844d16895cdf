import { type Connection, createPool, type PoolConnection, type RowDataPacket } from 'mysql2/promise'
import type { Adapter } from '../compare/adapter.js'
import type { NewUser, UserRow } from '../compare/users.js'
import type { Place } from '../support/place.js'
import { CODECS, withPosts } from './stored-user.js'

const { user: userFrom, post: postFrom, values: valuesOf } = CODECS.mysql

const USER = 'id, email, name, age, active, joined_at as joinedAt'
const POST = 'id, user_id as userId, title, words, written_at as writtenAt'
const INSERT = 'insert into users (email, name, age, active, joined_at)'

/** Statements of MariaDB: MySQL has no `insert … returning`. */
const SQL = {
  read: `select ${USER} from users where id = ?`,
  insert: `${INSERT} values (?, ?, ?, ?, ?) returning ${USER}`,
  update: 'update users set age = ? where id = ?',
  list: `select ${USER} from users where id >= ? and active = ? order by id limit 50`,
  page: `select ${USER} from users where id >= ? order by id limit 50`,
  posts: (count: number) => `select ${POST} from posts where user_id in (${places(count, '?')}) order by id`,
  upsert: `${INSERT} values (?, ?, ?, ?, ?) on duplicate key update age = values(age) returning ${USER}`,
  count: 'select count(*) as n from users where id >= ? and id < ?',
  bulk: (count: number) => `${INSERT} values ${places(count, '(?, ?, ?, ?, ?)')}`,
} as const

/** `mysql2` with `execute`, its prepared protocol. */
export function openRawMysql({ url, maxConnections }: Place): Adapter {
  const pool = createPool({ uri: url, connectionLimit: maxConnections, timezone: 'Z' })
  const run = runOn(pool)
  return {
    ...pointsOn(pool),
    list: async (from) => (await run(SQL.list, [from, true])).map(userFrom),
    include: async (from) => {
      const users = (await run(SQL.page, [from])).map(userFrom)
      const ids = users.map(({ id }) => id)
      return withPosts(users, (await run(SQL.posts(ids.length), ids)).map(postFrom))
    },
    upsert: async (user) => userFrom((await run(SQL.upsert, valuesOf(user)))[0]!),
    count: async (from, to) => Number((await run(SQL.count, [from, to]))[0]!.n),
    transaction: async (id, user) => {
      const connection = await pool.getConnection()
      try {
        return await inTransaction(connection, id, user)
      } catch (error) {
        await connection.rollback()
        throw error
      } finally {
        connection.release()
      }
    },
    bulk: (users) => pool.execute(SQL.bulk(users.length), users.flatMap(valuesOf)),
    close: () => pool.end(),
  }
}

type Session = Pick<Connection, 'execute'>

function runOn(session: Session): (text: string, values: readonly Value[]) => Promise<RowDataPacket[]> {
  return async (text, values) => (await session.execute<RowDataPacket[]>(text, [...values]))[0]
}

type Value = string | number | boolean | Date

function pointsOn(session: Session): Pick<Adapter, 'read' | 'insert' | 'update'> {
  const run = runOn(session)
  const read = async (id: number) => {
    const [row] = await run(SQL.read, [id])
    return row && userFrom(row)
  }
  return {
    read,
    insert: async (user) => userFrom((await run(SQL.insert, valuesOf(user)))[0]!),
    update: async (id, age) => {
      await session.execute(SQL.update, [age, id])
      return (await read(id))!
    },
  }
}

async function inTransaction(connection: PoolConnection, id: number, user: NewUser): Promise<UserRow> {
  const { read, insert } = pointsOn(connection)
  await connection.beginTransaction()
  const { age } = (await read(id))!
  await connection.execute(SQL.update, [age + 1, id])
  const inserted = await insert(user)
  await connection.commit()
  return inserted
}

function places(count: number, place: string): string {
  return Array.from({ length: count }, () => place).join(', ')
}
