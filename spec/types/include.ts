import type { Generated, Many, ModelNodes, One } from '../../index.js'
import type { Equal, Holds } from './equal.js'

class Author {
  id!: Generated<number>
  name!: string
  mentorId!: number | null
  mentor!: One<Author> | null
  portrait!: One<Portrait> | null
  books!: Many<Book>
}
class Portrait {
  id!: Generated<number>
  file!: string
  authorId!: number
}
class Book {
  id!: Generated<number>
  title!: string
  authorId!: number
  author!: One<Author>
  labels!: Many<Label>
}
class Label {
  id!: Generated<number>
  word!: string
  books!: Many<Book>
}

interface AuthorRow {
  id: number
  name: string
  mentorId: number | null
}
interface BookRow {
  id: number
  title: string
  authorId: number
}

declare const authors: ModelNodes<Author>
declare const books: ModelNodes<Book>

const where = { id: 1 }

/** A use of each kind of relation that the compiler must take. */
export const reads = {
  plain: books.readOrThrow({ where }),
  belongsTo: books.readOrThrow({ where, include: { author: true } }),
  belongsToOrNull: authors.readOrThrow({ where, include: { mentor: true } }),
  hasOne: authors.readOrThrow({ where, include: { portrait: true } }),
  hasMany: authors.readOrThrow({ where, include: { books: true } }),
  hasSome: authors.readOrThrow({ where, include: { books: { where: { title: 'a' }, orderBy: { id: 'desc' }, limit: 3 } } }),
  manyToMany: books.readOrThrow({ where, include: { labels: true } }),
  conditioned: books.readOrThrow({ where, include: { author: { where: { name: 'Ada' } } } }),
  selected: books.readOrThrow({ where }, { select: ['title'], include: { author: { select: ['name'] } } }),
  nested: authors.readOrThrow(
    { where },
    {
      select: ['id'],
      include: {
        mentor: { select: [], include: { portrait: { select: ['file'] } } },
        books: { select: ['title'], include: { author: { where: { id: 1 }, select: ['name'] }, labels: { select: ['word'] } } },
      },
    },
  ),
  marked: books.readOrThrow({ where, include: { author: { deleted: 'include' } } }),
  onlyMarked: books.readOrThrow({ where, include: { author: { deleted: 'only' } } }),
  perhapsMarked: (deleted: 'include' | 'only') => books.readOrThrow({ where, include: { author: { deleted } } }),
  oneOrNull: books.read({ where, include: { author: { select: ['name'] } } }),
  pages: books.list({ include: { author: { select: ['name'] } } }),
  ofKeys: books.readMany({ keys: [{ id: 1 }, { title: 'a', authorId: 1 }] }, { select: ['id'], include: { labels: { select: ['word'] } } }),
}

type Given<K extends keyof typeof reads> = Awaited<(typeof reads)[K]>
type Perhaps = Awaited<ReturnType<(typeof reads)['perhapsMarked']>>

export type Rows = [
  Holds<Equal<Given<'plain'>, BookRow>>,
  Holds<Equal<Given<'belongsTo'>, { id: number; title: string; authorId: number; author: AuthorRow }>>,
  Holds<Equal<Given<'belongsToOrNull'>['mentor'], AuthorRow | null>>,
  Holds<Equal<Given<'hasOne'>['portrait'], { id: number; file: string; authorId: number } | null>>,
  Holds<Equal<Given<'hasMany'>, { id: number; name: string; mentorId: number | null; books: BookRow[] }>>,
  Holds<Equal<Given<'hasSome'>['books'], BookRow[]>>,
  Holds<Equal<Given<'manyToMany'>['labels'], { id: number; word: string }[]>>,
  // a condition may leave out a row that is there
  Holds<Equal<Given<'conditioned'>['author'], AuthorRow | null>>,
  Holds<Equal<Given<'marked'>['author'], AuthorRow>>,
  Holds<Equal<Perhaps['author'], AuthorRow | null>>,
  Holds<Equal<Given<'onlyMarked'>['author'], AuthorRow | null>>,
  Holds<Equal<Given<'selected'>, { title: string; author: { name: string } }>>,
  Holds<
    Equal<
      Given<'nested'>,
      {
        id: number
        mentor: { portrait: { file: string } | null } | null
        books: { title: string; author: { name: string } | null; labels: { word: string }[] }[]
      }
    >
  >,
  Holds<Equal<Given<'oneOrNull'>, { id: number; title: string; authorId: number; author: { name: string } } | null>>,
  Holds<Equal<Given<'pages'>['rows'], { id: number; title: string; authorId: number; author: { name: string } }[]>>,
  Holds<Equal<Given<'ofKeys'>, ({ id: number; labels: { word: string }[] } | null)[]>>,
]

/** Conditions on related rows that the compiler must take. */
export const filters = [
  () => books.list({ where: { author: { name: { $startsWith: 'A' }, mentor: { books: { $none: { title: 'a' } } } } } }),
  () => authors.list({ where: { mentor: null, books: { $some: { labels: { $every: { word: 'x' } } } } } }),
]

export const refusals = [
  // @ts-expect-error no such relation
  () => books.list({ include: { autor: true } }),
  // @ts-expect-error nor in the options
  () => books.readOrThrow({ where }, { include: { autor: true } }),
  // @ts-expect-error nor below one
  () => books.list({ include: { author: { include: { boks: true } } } }),
  // @ts-expect-error beside one that is there
  () => books.list({ include: { author: true, autor: true } }),
  // @ts-expect-error nor in the options
  () => books.readOrThrow({ where }, { include: { author: true, autor: true } }),
  // @ts-expect-error nor below one
  () => books.list({ include: { author: { include: { books: true, boks: true } } } }),
  // @ts-expect-error no such option beside another
  () => books.list({ include: { author: { select: ['name'], selec: ['name'] } } }),
  // @ts-expect-error there is one row, so no limit, beside another either
  () => books.list({ include: { author: { select: ['name'], limit: 1 } } }),
  // @ts-expect-error there or alone, no other way
  () => books.list({ include: { author: { deleted: 'with' } } }),
  // @ts-expect-error a field is selected, not included
  () => books.list({ include: { title: true } }),
  // @ts-expect-error it is included or left out
  () => books.list({ include: { author: false } }),
  // @ts-expect-error no field of the other model
  () => books.list({ include: { author: { select: ['title'] } } }),
  // @ts-expect-error nor in a condition on it
  () => books.list({ include: { author: { where: { title: 'a' } } } }),
  // @ts-expect-error nor in its order
  () => authors.list({ include: { books: { orderBy: { name: 'asc' } } } }),
  // @ts-expect-error there is one row, so no limit
  () => books.list({ include: { author: { limit: 1 } } }),
  // @ts-expect-error no field of the related row
  () => books.list({ where: { author: { nmae: 'Ada' } } }),
  // @ts-expect-error a wrong type in it
  () => books.list({ where: { author: { name: 7 } } }),
  // @ts-expect-error some, every or none of many
  () => authors.list({ where: { books: { title: 'a' } } }),
  // @ts-expect-error those are for many
  () => books.list({ where: { author: { $some: { name: 'Ada' } } } }),
  // @ts-expect-error many are never null
  () => authors.list({ where: { books: null } }),
  // @ts-expect-error no field of the rows
  () => authors.list({ where: { books: { $some: { name: 'Ada' } } } }),
  // @ts-expect-error no such field
  () => books.readMany({ keys: [{ ident: 1 }] }),
  // @ts-expect-error a wrong type
  () => books.readMany({ keys: [{ id: '1' }] }),
  // @ts-expect-error a key is never null
  () => authors.readMany({ keys: [{ mentorId: null }] }),
  // @ts-expect-error a relation is no key
  () => books.readMany({ keys: [{ author: { id: 1 } }] }),
]
