import type { Generated, GeneratedAlways } from 'kysely'
import type {
  CreateInput,
  FieldName,
  GeneratedJson,
  Json,
  Many,
  One,
  OrderBy,
  RelationName,
  Row,
  Select,
  Selected,
  UpdateInput,
  Where,
} from '../../lib/model/row-types.js'
import type { Equal, Holds, Plain } from './equal.js'

class User {
  id!: Generated<number>
  email!: string
  age!: number | null
  long!: bigint
  state!: 'draft' | 'live'
  active!: boolean
  settings!: Json<{ theme: string }>
  flags!: GeneratedJson<string[]> | null
  tags!: string[]
  avatar!: Uint8Array
  createdAt!: Generated<Date>
  checksum!: GeneratedAlways<string>
  price!: Money
  posts!: Many<Post>
  profile!: One<Post> | null
  shout(): string {
    return this.email
  }
}
class Money {
  constructor(readonly cents: bigint) {}
}
interface Post {
  id: Generated<number>
}

export type Names = [
  Holds<
    Equal<
      FieldName<User>,
      'id' | 'email' | 'age' | 'long' | 'state' | 'active' | 'settings' | 'flags' | 'tags' | 'avatar' | 'createdAt' | 'checksum' | 'price'
    >
  >,
  Holds<Equal<RelationName<User>, 'posts' | 'profile'>>,
]

export type Rows = [
  Holds<
    Equal<
      Plain<Row<User>>,
      {
        id: number
        email: string
        age: number | null
        long: bigint
        state: 'draft' | 'live'
        active: boolean
        settings: { theme: string }
        flags: string[] | null
        tags: string[]
        avatar: Uint8Array
        createdAt: Date
        checksum: string
        price: Money
      }
    >
  >,
  Holds<Equal<Selected<User, ('id' | 'email')[]>, Pick<Row<User>, 'id' | 'email'>>>,
  Holds<Equal<Selected<User, undefined>, Row<User>>>,
]

const least = {
  email: 'a@b.c',
  long: 1n,
  state: 'live',
  active: true,
  settings: { theme: 'dark' },
  tags: [],
  avatar: new Uint8Array(),
  price: new Money(1n),
} as const

/** A use that the compiler must take. */
export const creates: CreateInput<User>[] = [
  { ...least, tags: [] },
  { ...least, tags: ['x'], id: 1, age: null, flags: null, createdAt: new Date() },
]
// @ts-expect-error email is required
creates.push({
  long: 1n,
  state: 'live',
  active: true,
  settings: { theme: 'dark' },
  tags: [],
  avatar: new Uint8Array(),
  price: new Money(1n),
})
// @ts-expect-error a wrong type
creates.push({ ...least, tags: [], age: '36' })
// @ts-expect-error no column
creates.push({ ...least, tags: [], posts: [] })
// @ts-expect-error a method is no column
creates.push({ ...least, tags: [], shout: () => '' })
// @ts-expect-error the database alone makes it
creates.push({ ...least, tags: [], checksum: 'x' })
// @ts-expect-error a value outside the enum
creates.push({ ...least, tags: [], state: 'gone' })
// @ts-expect-error not the shape that the JSON has
creates.push({ ...least, tags: [], settings: { colour: 'red' } })

export const updates: UpdateInput<User>[] = [
  { email: 'x', age: null, settings: { theme: 'light' }, flags: null },
  { age: { $increment: 1 }, long: { $multiply: 2n } },
]
// a decimal is a string; that a text is not counted is said when the call is checked
updates.push({ email: { $increment: '1.50' } })
// @ts-expect-error a decimal grows by a decimal
updates.push({ email: { $increment: 1 } })
// @ts-expect-error one of a few values is not counted
updates.push({ state: { $increment: 'live' } })
// @ts-expect-error a bigint grows by a bigint
updates.push({ long: { $increment: 1 } })
// @ts-expect-error no such field
updates.push({ emial: 'x' })
// @ts-expect-error never null
updates.push({ email: null })
// @ts-expect-error never set by hand
updates.push({ checksum: 'x' })
// @ts-expect-error one operator at a time
updates.push({ age: { $increment: 1, $decrement: 1 } })

export const filters: Where<User>[] = [
  {},
  { email: 'x', age: null, active: false, state: { $in: ['draft'] } },
  { age: { $gte: 18, $lt: 65, $ne: null }, email: { $contains: '50%', $not: { $endsWith: '.fr' } } },
  { long: { $between: [1n, 2n] }, createdAt: { $gt: new Date() }, avatar: new Uint8Array() },
  { price: new Money(1n) },
  { price: { $gt: new Money(1n), $in: [new Money(2n)], $null: false } },
  { settings: null, flags: { $null: false }, tags: { $null: true } },
  { settings: { $path: ['theme'], $eq: 'dark', $startsWith: 'd', $not: { $in: ['light'] } }, flags: { $path: [0], $ne: null } },
  { tags: { $has: 'x', $hasEvery: ['x'], $hasSome: [], $not: { $has: 'y' } } },
  { $or: [{ id: 1 }, { $not: { id: { $in: [2, 3] } } }], $and: [{ active: true }] },
]
// @ts-expect-error undefined would select everything
filters.push({ id: undefined })
// @ts-expect-error no such field
filters.push({ emial: 'x' })
// @ts-expect-error a wrong type
filters.push({ age: '18' })
// @ts-expect-error numbers hold no text
filters.push({ age: { $contains: '1' } })
// @ts-expect-error JSON is not compared as a whole
filters.push({ settings: { theme: 'dark' } })
// @ts-expect-error the value is of the application's own type
filters.push({ price: { $eq: 1n } })
// @ts-expect-error and has no patterns
filters.push({ price: { $contains: '1' } })
// @ts-expect-error nothing stands there
filters.push({ settings: { $path: ['colour'], $eq: 'dark' } })
// @ts-expect-error a text stands there
filters.push({ settings: { $path: ['theme'], $gt: 1 } })
// @ts-expect-error a list has positions
filters.push({ flags: { $path: ['first'], $eq: 'x' } })
// @ts-expect-error an element is a text
filters.push({ tags: { $has: 7 } })
// @ts-expect-error a list of elements
filters.push({ tags: { $hasSome: 'x' } })
// @ts-expect-error arrays are not compared as a whole
filters.push({ tags: ['x'] })
// @ts-expect-error a value outside the enum
filters.push({ state: 'gone' })
// @ts-expect-error two bounds
filters.push({ age: { $between: [1] } })
// @ts-expect-error no such operator
filters.push({ age: { $greater: 1 } })
// @ts-expect-error a method is no field
filters.push({ shout: 'x' })

export const orders: OrderBy<User>[] = [{ createdAt: 'desc', id: 'asc' }, [{ age: { direction: 'asc', nulls: 'last' } }, { id: 'asc' }]]
// @ts-expect-error no such direction
orders.push({ id: 'up' })
// @ts-expect-error no such field
orders.push({ emial: 'asc' })
// @ts-expect-error a relation has no order
orders.push({ posts: 'asc' })

export const selects: Select<User>[] = [[], ['id', 'email']]
// @ts-expect-error no such field
selects.push(['emial'])
// @ts-expect-error a relation is included, not selected
selects.push(['posts'])

interface Deep {
  id: Generated<number>
  tree: Json<{ name: string; size: number | null; isOpen: boolean; children: { name: string }[]; labels: Record<string, string> }>
  anything: Json<unknown>
}
export const deep: Where<Deep>[] = [
  { tree: { $path: ['size'], $between: [1, 2] } },
  { tree: { $path: ['isOpen'], $ne: true } },
  { tree: { $path: ['children'], $null: false } },
  { tree: { $path: ['labels', 'any name'], $contains: 'x' } },
  { anything: { $path: ['a', 0, 'b'], $in: ['x', 1, true] } },
]
// @ts-expect-error a number stands there
deep.push({ tree: { $path: ['size'], $contains: '1' } })
// @ts-expect-error a list is not compared
deep.push({ tree: { $path: ['children'], $eq: 'x' } })
