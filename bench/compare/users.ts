/** What a user is made with. */
export interface NewUser {
  readonly email: string
  readonly name: string
  readonly age: number
  readonly active: boolean
  readonly joinedAt: Date
}

/** A user as every adapter has to give it: these JavaScript types, whatever the engine stores. */
export interface UserRow extends NewUser {
  readonly id: number
}

export interface NewPost {
  readonly userId: number
  readonly title: string
  readonly words: number
  readonly writtenAt: Date
}

export interface PostRow extends NewPost {
  readonly id: number
}

export interface UserWithPosts extends UserRow {
  readonly posts: readonly PostRow[]
}

/** Posts of each user that has some. */
export const POSTS_EACH = 10

const FIRST_MS = Date.UTC(2024, 0, 1)

/** The user that has this number, the same in every run. */
export function userOf(number: number): NewUser {
  return {
    email: `user-${number}@example.com`,
    name: `User number ${number}`,
    age: 18 + (number % 80),
    active: number % 3 !== 0,
    joinedAt: new Date(FIRST_MS + number * 1_001),
  }
}

/** The post that has this number: the first ten are the first user's. */
export function postOf(number: number): NewPost {
  return {
    userId: 1 + Math.floor((number - 1) / POSTS_EACH),
    title: `Post number ${number}`,
    words: number % 997,
    writtenAt: new Date(FIRST_MS + number * 1_003),
  }
}
