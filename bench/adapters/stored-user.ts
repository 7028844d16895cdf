import type { NewUser, PostRow, UserRow, UserWithPosts } from '../compare/users.js'
import type { EngineName } from '../support/engine-traits.js'

/** A user as SQLite stores it, which has neither booleans nor instants. */
export interface StoredUser {
  readonly id: number
  readonly email: string
  readonly name: string
  readonly age: number
  readonly active: number
  readonly joinedAt: string
}

export interface StoredPost {
  readonly id: number
  readonly userId: number
  readonly title: string
  readonly words: number
  readonly writtenAt: string
}

/** What is done by hand, where a library gives and takes what the engine's driver does. */
export interface Codec {
  user(stored: object): UserRow
  post(stored: object): PostRow
  /** What is written, in the order of the columns. */
  values(user: NewUser): readonly [email: string, name: string, age: number, active: boolean | number, joinedAt: Date | string]
  /** The flag, to compare a column with. */
  flag(active: boolean): boolean | number
}

const asIs = ({ email, name, age, active, joinedAt }: NewUser) => [email, name, age, active, joinedAt] as const

/** Of each engine's driver, as these benchmarks set it up. */
export const CODECS: Readonly<Record<EngineName, Codec>> = {
  postgres: { user: (stored) => stored as UserRow, post: (stored) => stored as PostRow, values: asIs, flag: (active) => active },
  mysql: {
    user: (stored) => ({ ...(stored as UserRow), active: (stored as StoredUser).active === 1 }),
    post: (stored) => stored as PostRow,
    values: asIs,
    flag: (active) => active,
  },
  sqlite: {
    user: (stored) => {
      const { id, email, name, age, active, joinedAt } = stored as StoredUser
      return { id, email, name, age, active: active === 1, joinedAt: new Date(joinedAt) }
    },
    post: (stored) => {
      const { id, userId, title, words, writtenAt } = stored as StoredPost
      return { id, userId, title, words, writtenAt: new Date(writtenAt) }
    },
    values: ({ email, name, age, active, joinedAt }) => [email, name, age, active ? 1 : 0, joinedAt.toISOString()],
    flag: (active) => (active ? 1 : 0),
  },
}

/** Users with the posts that belong to them, both in the order in which they came. */
export function withPosts(users: readonly UserRow[], posts: readonly PostRow[]): readonly UserWithPosts[] {
  const postsOf = new Map<number, PostRow[]>(users.map(({ id }) => [id, []]))
  for (const post of posts) postsOf.get(post.userId)!.push(post)
  return users.map((user) => ({ ...user, posts: postsOf.get(user.id)! }))
}
