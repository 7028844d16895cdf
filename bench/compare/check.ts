import { deepStrictEqual } from 'node:assert/strict'
import type { Running } from './contender.js'
import { type NewUser, type PostRow, postOf, type UserRow, userOf } from './users.js'

/** Which keys and numbers a check may use. */
export interface CheckRange {
  /** Users that are there. */
  readonly rows: number
  /** Number of a user that nobody writes but this check, and the thousands that follow it. */
  readonly firstNumber: number
}

const BULK_LENGTH = 1_000

/**
 * Compares what an adapter gives and leaves behind with what raw gives, row by row and type by type.
 *
 * @throws the adapter and what it did otherwise
 */
export async function checkContender(contender: Running, raw: Running, range: CheckRange): Promise<void> {
  for (const [what, check] of Object.entries(CHECKS)) {
    try {
      await check(contender, raw, range)
    } catch (error) {
      throw new Error(`${contender.name} is not right in ${what}, and is not measured: ${(error as Error).message}`, { cause: error })
    }
  }
}

type Check = (contender: Running, raw: Running, range: CheckRange) => Promise<void>

const CHECKS: Readonly<Record<string, Check>> = {
  read: async (contender, raw, { rows }) => {
    for (const id of [1, 2, 3, rows]) same(await contender.call('read', id), await raw.call('read', id))
    // none is null, or undefined where that is the library's word for it
    same((await contender.call('read', 2_000_000_000)) ?? null, null)
  },
  list: async (contender, raw, { rows }) => {
    for (const from of [1, rows / 2]) same(await contender.call('list', from), await raw.call('list', from))
  },
  include: async (contender, raw) => {
    for (const from of [1, 100]) same(postsInOrder(await contender.call('include', from)), await raw.call('include', from))
  },
  count: async (contender) => same(await contender.call('count', 100, 150), 50),
  update: async (contender, raw) => {
    const updated = (await contender.call('update', 5, 33)) as UserRow
    same(updated.age, 33)
    same(updated, await raw.call('read', 5))
  },
  upsert: async (contender, raw, { firstNumber }) => {
    const known = (await contender.call('upsert', { ...userOf(7), age: 44 })) as UserRow
    same(known, { ...(await stored(raw, 7)), age: 44 })
    await checkWritten(userOf(firstNumber), await contender.call('upsert', userOf(firstNumber)), raw)
  },
  insert: async (contender, raw, { firstNumber }) => {
    await checkWritten(userOf(firstNumber + 1), await contender.call('insert', userOf(firstNumber + 1)), raw)
  },
  transaction: async (contender, raw, { firstNumber }) => {
    const { age } = await stored(raw, 9)
    await checkWritten(userOf(firstNumber + 2), await contender.call('transaction', 9, userOf(firstNumber + 2)), raw)
    same((await stored(raw, 9)).age, age + 1)
    // the email is taken: nothing of it may stay
    const failure = await contender.call('transaction', 9, userOf(firstNumber + 2)).catch((error: unknown) => error)
    same(failure instanceof Error, true)
    same((await stored(raw, 9)).age, age + 1)
  },
  bulk: async (contender, raw, { firstNumber }) => {
    const last = await checkWritten(userOf(firstNumber + 3), await raw.call('insert', userOf(firstNumber + 3)), raw)
    const users = Array.from({ length: BULK_LENGTH }, (_, index) => userOf(firstNumber + 4 + index))
    await contender.call('bulk', users)
    same(await raw.call('count', last + 1, last + 1 + 2 * BULK_LENGTH), BULK_LENGTH)
    const written = (await raw.call('list', last + 1)) as readonly UserRow[]
    const active = users.filter((user) => user.active).slice(0, written.length)
    same(
      written.map(({ id: _, ...user }) => user),
      active,
    )
  },
}

async function stored(raw: Running, id: number): Promise<UserRow> {
  return (await raw.call('read', id)) as UserRow
}

/** That the row which was given is what was written, and what raw reads. Gives its key. */
async function checkWritten(user: NewUser, given: unknown, raw: Running): Promise<number> {
  const { id, ...rest } = given as UserRow
  same(rest, user)
  same(given, await stored(raw, id))
  return id
}

/** Every adapter gives all posts of a user; in which order is its own affair. */
function postsInOrder(users: unknown): unknown {
  const byId = (left: PostRow, right: PostRow) => left.id - right.id
  return (users as readonly { posts: readonly PostRow[] }[]).map((user) => ({ ...user, posts: user.posts.toSorted(byId) }))
}

/** The first posts are as they were written: raw is checked by the data itself. */
export async function checkRaw(raw: Running): Promise<void> {
  const [first] = (await raw.call('include', 1)) as readonly { posts: readonly PostRow[] }[]
  same(
    first!.posts.map(({ id }) => id),
    first!.posts.map((_, index) => index + 1),
  )
  same(
    first!.posts,
    first!.posts.map(({ id }) => ({ id, ...postOf(id) })),
  )
  same(await raw.call('read', 1), { id: 1, ...userOf(1) })
}

function same(actual: unknown, expected: unknown): void {
  deepStrictEqual(actual, expected)
}
