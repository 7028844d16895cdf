import { createDatabase, sql } from 'latchwork'
import type { EngineName } from '../support/engine-traits.js'
import { Post, User } from './models.js'
import { postOf, userOf } from './users.js'

const ANALYZE: Readonly<Record<EngineName, string>> = {
  postgres: 'analyze users, posts',
  mysql: 'analyze table users, posts',
  sqlite: 'analyze',
}

/** Makes the tables: users 1 to `rows`, and as many posts, ten of each of the first users. */
export async function fill(engine: EngineName, url: string, rows: number): Promise<void> {
  await using db = createDatabase({ url, models: { users: User, posts: Post } })
  await db.createTables()
  await db.nodes.users.bulkCreate({ rows: numbered(rows, userOf) })
  await db.nodes.posts.bulkCreate({ rows: numbered(rows, postOf) })
  await sql.raw(ANALYZE[engine]).execute(db.kysely)
}

function* numbered<T>(count: number, of: (number: number) => T): Generator<T> {
  for (let number = 1; number <= count; number++) yield of(number)
}
