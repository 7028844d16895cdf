import type { Generated } from 'kysely'
import type { NewRow } from '../../lib/model/create-types.js'
import type { Many, One } from '../../lib/model/row-types.js'
import type { ModelNodes } from '../../lib/nodes/model-nodes.js'

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
  authorId!: number
  file!: string
  author!: One<Author>
}
class Book {
  id!: Generated<number>
  title!: string
  authorId!: number
  shopCode!: string
  author!: One<Author>
  shop!: One<Shop>
  labels!: Many<Label>
}
class Shop {
  code!: string
  name!: string
}
class Label {
  id!: Generated<number>
  word!: string
}

/** Uses that the compiler must take. */
export const authors: NewRow<Author>[] = [
  { name: 'Ada' },
  { name: 'Ada', mentorId: 1 },
  { name: 'Ada', mentor: { name: 'Bob', books: [] }, portrait: { file: 'a' } },
  { name: 'Ada', books: [{ title: 'a', shopCode: 's', labels: [{ word: 'w' }] }] },
  { name: 'Ada', books: [{ title: 'b', shop: { code: 's', name: 'S' } }] },
]
export const books: NewRow<Book>[] = [
  { title: 'a', authorId: 1, shopCode: 's' },
  { title: 'a', author: { name: 'Ada' }, shopCode: 's' },
  { title: 'a', author: { name: 'Ada', books: [{ title: 'b', shopCode: 's' }] }, shop: { code: 's', name: 'S' } },
]
// @ts-expect-error the key or its row is required
books.push({ title: 'a', shopCode: 's' })
// @ts-expect-error a field is required beside a new author
books.push({ author: { name: 'Ada' }, shopCode: 's' })
// @ts-expect-error a new author needs its name
books.push({ title: 'a', author: {}, shopCode: 's' })
// @ts-expect-error a wrong type in the new author
books.push({ title: 'a', author: { name: 7 }, shopCode: 's' })
// @ts-expect-error no such field
books.push({ title: 'a', author: { name: 'Ada', nmae: 'x' }, shopCode: 's' })
// @ts-expect-error no such relation
authors.push({ name: 'Ada', boks: [] })
// @ts-expect-error a list of rows
authors.push({ name: 'Ada', books: { title: 'a', shopCode: 's' } })
// @ts-expect-error one row
authors.push({ name: 'Ada', mentor: [{ name: 'Bob' }] })
// @ts-expect-error a row, or nothing
authors.push({ name: 'Ada', mentor: null })
// @ts-expect-error a field of a book that its author does not bring
authors.push({ name: 'Ada', books: [{ shopCode: 's' }] })
// @ts-expect-error a field of a label
authors.push({ name: 'Ada', books: [{ title: 'a', shopCode: 's', labels: [{}] }] })

/** What was made is read with `include`, and typed by it. */
export async function calls(nodes: ModelNodes<Author>) {
  const ada = await nodes.create({ name: 'Ada', books: [{ title: 'a', shopCode: 's' }] }, { include: { books: { select: ['title'] } } })
  const titles: string[] = ada.books.map(({ title }) => title)
  const plain = await nodes.create({ name: 'Ada', books: [] })
  // @ts-expect-error nothing is read that was not asked for
  plain.books
  // @ts-expect-error rows of relations are for create alone
  await nodes.bulkCreate({ rows: [{ name: 'Ada', books: [] }] })
  // @ts-expect-error nor are they for upsert
  await nodes.upsert({ on: ['id'], values: { name: 'Ada', books: [] } })
  return titles
}
