import type { Operations } from './adapter.js'
import { type NewUser, POSTS_EACH, userOf } from './users.js'

/** What a workload draws from while it runs. */
export interface Supply {
  readonly operations: Operations
  /** Key of a user that is there, uniform over all. */
  nextKey(): number
  /** The same, of a user that a page of others follows. */
  nextPage(): number
  /** Key that 50 users with posts begin at, uniform over those that have posts. */
  nextAuthor(): number
  /** A user that nobody has written. */
  nextUser(): NewUser
}

export interface Workload {
  /** Concurrent callers when nothing else is asked for; on an embedded engine, which has one connection that writes, the first of them. */
  readonly concurrency: readonly number[]
  /** Whether all callers start together and each makes one call, so that what is measured is how long they take together. */
  readonly isBurst?: boolean
  /** One call. Throws where its result is not what it must be, the same check for every adapter. */
  call(supply: Supply): Promise<void>
}

const LIST_LENGTH = 50
const BULK_LENGTH = 1_000

const AGES = 80

/** What is compared, in the order in which it runs: first what only reads, last what makes the table longer. */
export const WORKLOADS = {
  read: {
    concurrency: [1, 32, 300],
    call: async ({ operations, nextKey }) => {
      const id = nextKey()
      must('read', (await operations.read(id))?.id === id)
    },
  },
  list: {
    concurrency: [1, 32],
    call: async ({ operations, nextPage }) => must('list', (await operations.list(nextPage())).length === LIST_LENGTH),
  },
  include: {
    concurrency: [1, 32],
    call: async ({ operations, nextAuthor }) => {
      const users = await operations.include(nextAuthor())
      must('include', users.length === LIST_LENGTH && users[0]!.posts.length === POSTS_EACH)
    },
  },
  count: {
    concurrency: [1, 32],
    call: async ({ operations, nextPage }) => {
      const from = nextPage()
      must('count', (await operations.count(from, from + LIST_LENGTH)) === LIST_LENGTH)
    },
  },
  update: {
    concurrency: [1, 32],
    call: async ({ operations, nextKey }) => {
      const id = nextKey()
      // not its age: another caller may have set it since, where row and update are two statements
      must('update', (await operations.update(id, 18 + (nextKey() % AGES))).id === id)
    },
  },
  upsert: {
    concurrency: [1, 32],
    call: async ({ operations, nextKey }) => {
      const user = { ...userOf(nextKey()), age: 18 + (nextKey() % AGES) }
      must('upsert', (await operations.upsert(user)).email === user.email)
    },
  },
  insert: {
    concurrency: [1, 32],
    call: async ({ operations, nextUser }) => {
      const user = nextUser()
      must('insert', (await operations.insert(user)).email === user.email)
    },
  },
  transaction: {
    concurrency: [1, 32],
    call: async ({ operations, nextKey, nextUser }) => {
      const user = nextUser()
      must('transaction', (await operations.transaction(nextKey(), user)).email === user.email)
    },
  },
  workflow: {
    concurrency: [300, 1_000],
    isBurst: true,
    call: async ({ operations, nextUser }) => {
      const user = nextUser()
      const { id } = await operations.insert(user)
      const read = await operations.read(id)
      must('workflow', (await operations.update(id, read!.age + 1)).age === user.age + 1)
    },
  },
  bulk: {
    concurrency: [1],
    call: async ({ operations, nextUser }) => void (await operations.bulk(Array.from({ length: BULK_LENGTH }, nextUser))),
  },
} as const satisfies Readonly<Record<string, Workload>>

export type WorkloadName = keyof typeof WORKLOADS

export const WORKLOAD_NAMES = Object.keys(WORKLOADS) as readonly WorkloadName[]

function must(workload: string, isRight: boolean): void {
  if (!isRight) throw new Error(`${workload} gave something else than it must`)
}
