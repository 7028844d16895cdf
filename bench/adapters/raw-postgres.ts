import pg from 'pg'
import type { Adapter } from '../compare/adapter.js'
import type { NewUser, UserRow } from '../compare/users.js'
import type { Place } from '../support/place.js'
import { withPosts } from './stored-user.js'

const USER = 'id, email, name, age, active, joined_at as "joinedAt"'
const POST = 'id, user_id as "userId", title, words, written_at as "writtenAt"'

const SQL = {
  read: `select ${USER} from users where id = $1`,
  insert: `insert into users (email, name, age, active, joined_at) values ($1, $2, $3, $4, $5) returning ${USER}`,
  update: `update users set age = $2 where id = $1 returning ${USER}`,
  list: `select ${USER} from users where id >= $1 and active = $2 order by id limit 50`,
  page: `select ${USER} from users where id >= $1 order by id limit 50`,
  posts: `select ${POST} from posts where user_id = any($1::int[]) order by id`,
  upsert: `insert into users (email, name, age, active, joined_at) values ($1, $2, $3, $4, $5)
    on conflict (email) do update set age = excluded.age returning ${USER}`,
  count: 'select count(*) as n from users where id >= $1 and id < $2',
  bulk: `insert into users (email, name, age, active, joined_at)
    select * from unnest($1::text[], $2::text[], $3::int[], $4::bool[], $5::timestamptz[])`,
} as const

/** `pg` with named statements. */
export function openRawPostgres({ url, maxConnections }: Place): Adapter {
  const pool = new pg.Pool({ connectionString: url, max: maxConnections })
  const { read, insert, update } = pointsOn(pool)
  const run = runOn(pool)
  return {
    read,
    insert,
    update,
    list: (from) => run('list', [from, true]),
    include: async (from) => {
      const users = await run('page', [from])
      return withPosts(users, await run('posts', [users.map(({ id }) => id)]))
    },
    upsert: async (user) => (await run('upsert', valuesOf(user)))[0],
    count: async (from, to) => Number((await run('count', [from, to]))[0].n),
    transaction: async (id, user) => {
      const client = await pool.connect()
      try {
        const result = await inTransaction(client, id, user)
        client.release()
        return result
      } catch (error) {
        client.release(
          await client.query('rollback').then(
            () => false,
            () => true,
          ),
        )
        throw error
      }
    },
    bulk: (users) =>
      run(
        'bulk',
        [0, 1, 2, 3, 4].map((column) => users.map((user) => valuesOf(user)[column])),
      ),
    close: () => pool.end(),
  }
}

type Session = Pick<pg.Pool, 'query'>

// biome-ignore lint/suspicious/noExplicitAny: what a statement gives is what its text says
function runOn(session: Session): (name: keyof typeof SQL, values: unknown[]) => Promise<any[]> {
  return async (name, values) => (await session.query({ name, text: SQL[name], values })).rows
}

function pointsOn(session: Session): Pick<Adapter, 'read' | 'insert' | 'update'> {
  const run = runOn(session)
  return {
    read: async (id) => (await run('read', [id]))[0],
    insert: async (user) => (await run('insert', valuesOf(user)))[0],
    update: async (id, age) => (await run('update', [id, age]))[0],
  }
}

async function inTransaction(client: pg.PoolClient, id: number, user: NewUser): Promise<UserRow> {
  const { read, insert, update } = pointsOn(client)
  await client.query('begin')
  const { age } = (await read(id))!
  await update(id, age + 1)
  const inserted = await insert(user)
  await client.query('commit')
  return inserted
}

function valuesOf({ email, name, age, active, joinedAt }: NewUser): unknown[] {
  return [email, name, age, active, joinedAt]
}
