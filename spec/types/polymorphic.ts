import type { CreateInput, FieldName, Generated, ModelNodes, NewRow, One, OneOf, Row, Where } from '../../index.js'
import type { Equal, Holds } from './equal.js'

class Post {
  id!: Generated<number>
  title!: string
  author!: One<Post> | null
}
class Photo {
  code!: string
  bytes!: bigint
}
class Comment {
  id!: Generated<number>
  body!: string
  postId!: number | null
  photoCode!: string | null
  post!: One<Post> | null
  photo!: One<Photo> | null
  subject!: OneOf<{ post: Post; photo: Photo }>
}
class Pin {
  id!: Generated<number>
  place!: OneOf<{ post: Post; photo: Photo }> | null
}
class Reply {
  id!: Generated<number>
  comment!: One<Comment>
}

interface PostRow {
  id: number
  title: string
}
interface PhotoRow {
  code: string
  bytes: bigint
}
type Subject = { type: 'post'; row: PostRow } | { type: 'photo'; row: PhotoRow }

declare const comments: ModelNodes<Comment>
declare const pins: ModelNodes<Pin>
declare const replies: ModelNodes<Reply>
declare const comment: NewRow<Comment>

const where = { id: 1 }

export const reads = {
  whole: comments.readOrThrow({ where, include: { subject: true } }),
  nullable: pins.readOrThrow({ where, include: { place: true } }),
  each: comments.readOrThrow({ where, include: { subject: { post: { select: ['title'] }, photo: true } } }),
  some: comments.readOrThrow({ where, include: { subject: { post: true } } }),
  conditioned: comments.readOrThrow({ where, include: { subject: { post: { where: { title: 'a' } }, photo: true } } }),
  nested: replies.readOrThrow({
    where,
    include: { comment: { select: [], include: { subject: { post: { select: [], include: { author: true } }, photo: true } } } },
  }),
  beside: comments.readOrThrow({ where }, { select: ['id'], include: { subject: true, post: { select: ['id'] } } }),
  page: comments.list({ include: { subject: true } }),
  made: comments.create(comment, { select: ['body'], include: { subject: true } }),
}

type Given<K extends keyof typeof reads> = Awaited<(typeof reads)[K]>

export type Rows = [
  Holds<Equal<Given<'whole'>, { id: number; body: string; postId: number | null; photoCode: string | null; subject: Subject }>>,
  Holds<Equal<Given<'nullable'>['place'], Subject | null>>,
  Holds<Equal<Given<'each'>['subject'], { type: 'post'; row: { title: string } } | { type: 'photo'; row: PhotoRow }>>,
  // a row that chose another relation has none
  Holds<Equal<Given<'some'>['subject'], { type: 'post'; row: PostRow } | null>>,
  Holds<Equal<Given<'conditioned'>['subject'], Subject | null>>,
  Holds<
    Equal<Given<'nested'>['comment'], { subject: { type: 'post'; row: { author: PostRow | null } } | { type: 'photo'; row: PhotoRow } }>
  >,
  Holds<Equal<Given<'beside'>, { id: number; subject: Subject; post: { id: number } | null }>>,
  Holds<Equal<Given<'page'>['rows'][number]['subject'], Subject>>,
  Holds<Equal<Given<'made'>, { body: string; subject: Subject }>>,
  Holds<Equal<FieldName<Comment>, 'id' | 'body' | 'postId' | 'photoCode'>>,
  Holds<Equal<keyof Row<Comment>, FieldName<Comment>>>,
  Holds<Equal<keyof CreateInput<Comment>, FieldName<Comment>>>,
  Holds<Equal<Extract<keyof Where<Comment>, 'subject'>, never>>,
]

/** The type of what was chosen tells the row's. */
export function titleOf({ subject }: Given<'whole'>): string {
  return subject.type === 'post' ? subject.row.title : subject.row.code
}

export const rows: NewRow<Comment>[] = [
  { body: 'a', postId: 1 },
  { body: 'a', photo: { code: 'a', bytes: 1n } },
]

export const refusals = [
  // @ts-expect-error no such relation in it
  () => comments.list({ include: { subject: { pots: true } } }),
  // @ts-expect-error beside one that is
  () => comments.list({ include: { subject: { post: true, pots: true } } }),
  // @ts-expect-error nor in the options
  () => comments.readOrThrow({ where }, { include: { subject: { post: true, pots: true } } }),
  // @ts-expect-error it is included or left out
  () => comments.list({ include: { subject: false } }),
  // @ts-expect-error options are those of each relation
  () => comments.list({ include: { subject: { select: ['id'] } } }),
  // @ts-expect-error no field of a post
  () => comments.list({ include: { subject: { post: { select: ['code'] } } } }),
  // @ts-expect-error there is one row, so no limit
  () => comments.list({ include: { subject: { post: { select: ['id'], limit: 1 } } } }),
  // @ts-expect-error no relation of a post
  () => comments.list({ include: { subject: { post: { include: { autor: true } } } } }),
  // @ts-expect-error beside one that is
  () => comments.list({ include: { subject: { post: { include: { author: true, autor: true } } } } }),
  // @ts-expect-error nothing is read that was not asked for
  async () => (await comments.readOrThrow({ where })).subject,
  // @ts-expect-error conditions are on its relations
  () => comments.list({ where: { subject: { post: { title: 'a' } } } }),
  // @ts-expect-error it has no order
  () => comments.list({ orderBy: { subject: 'asc' } }),
  // @ts-expect-error it is no field
  () => comments.list({}, { select: ['subject'] }),
  // @ts-expect-error nor is it written
  () => comments.create({ body: 'a', subject: { post: { title: 'a' } } }),
  // @ts-expect-error nor set
  () => comments.update({ where, set: { subject: null } }),
]
