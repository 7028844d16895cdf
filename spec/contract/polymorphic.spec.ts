import type { Generated } from 'kysely'
import {
  belongsTo,
  deletedAt,
  field,
  hasMany,
  IdempotencyRecord,
  id,
  type Many,
  model,
  type One,
  type OneOf,
  polymorphic,
  tenant,
  View,
} from 'latchwork'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { forEachEngine } from '../support/engines.js'
import { statementsOf } from './use-blog.js'
import { rejectionOf, useDatabase } from './use-database.js'

/** Stays in the table when it is deleted. */
@model()
class Post {
  @id.integer() id!: number
  @field.text({ maxLength: 50 }) title!: string
  @deletedAt() deletedAt!: Generated<Date | null>
  @hasMany(() => Comment, 'postId') comments!: Many<Comment>
}

/** Has a key of another type. */
@model()
class Photo {
  @id.text({ maxLength: 20 }) code!: string
  @field.bigint() bytes!: bigint
  @field.integer({ nullable: true }) postId!: number | null
  @belongsTo(() => Post, 'postId') post!: One<Post> | null
}

/** Has a key of two fields. */
@model()
class Seat {
  @id.text({ maxLength: 10 }) area!: string
  @id.integer() number!: number
}

/** Is of a tenant. */
@model()
class Desk {
  @id.integer() id!: number
  @tenant() orgId!: Generated<number>
}

@model()
class Comment {
  @id() id!: Generated<number>
  @field.text({ maxLength: 50, unique: true }) body!: string
  @field.integer({ nullable: true }) postId!: number | null
  @field.text({ maxLength: 20, nullable: true, column: 'photo' }) photoCode!: string | null
  @field.text({ maxLength: 10, nullable: true }) seatArea!: string | null
  @field.integer({ nullable: true }) seatNumber!: number | null
  @belongsTo(() => Post, { foreignKey: 'postId', onDelete: 'restrict' }) post!: One<Post> | null
  @belongsTo(() => Photo, { foreignKey: 'photoCode', onDelete: 'cascade' }) photo!: One<Photo> | null
  @belongsTo(() => Seat, ['seatArea', 'seatNumber']) seat!: One<Seat> | null
  @polymorphic(['post', 'photo', 'seat']) subject!: OneOf<{ post: Post; photo: Photo; seat: Seat }>
  @hasMany(() => Reply, 'commentId') replies!: Many<Reply>
}

@model()
class Reply {
  @id() id!: Generated<number>
  @field.integer() commentId!: number
  @belongsTo(() => Comment, { foreignKey: 'commentId', onDelete: 'cascade' }) comment!: One<Comment>
}

/** May be on nothing. */
@model()
class Pin {
  @id.integer() id!: number
  @field.text({ maxLength: 20, nullable: true }) photoCode!: string | null
  @field.integer({ nullable: true }) deskId!: number | null
  @belongsTo(() => Photo, { foreignKey: 'photoCode', constraint: false }) photo!: One<Photo> | null
  @belongsTo(() => Desk, 'deskId') desk!: One<Desk> | null
  @polymorphic(['photo', 'desk'], { nullable: true }) place!: OneOf<{ photo: Photo; desk: Desk }> | null
}

/** Any number of them with one word. */
@model()
class Tag {
  @id.integer() id!: number
  @field.text({ maxLength: 20 }) word!: string
  @field.integer() postId!: number
  @belongsTo(() => Post, 'postId') post!: One<Post>
}

/** Refers to a photo by its key, and to a tag by what is none. */
@model()
class Sticker {
  @id.integer() id!: number
  @field.text({ maxLength: 20, nullable: true }) photoCode!: string | null
  @field.text({ maxLength: 20, nullable: true }) word!: string | null
  @belongsTo(() => Photo, 'photoCode') photo!: One<Photo> | null
  @belongsTo(() => Tag, { foreignKey: 'word', references: 'word', constraint: false }) tag!: One<Tag> | null
  @polymorphic(['photo', 'tag']) subject!: OneOf<{ photo: Photo; tag: Tag }>
}

/** Stays when what it is on goes. Outsiders are not to know of posts. */
@model()
class Label {
  @id.integer() id!: number
  @field.text({ maxLength: 20, nullable: true }) photoCode!: string | null
  @field.integer({ nullable: true, redacted: true }) postId!: number | null
  @belongsTo(() => Photo, { foreignKey: 'photoCode', onDelete: 'setNull' }) photo!: One<Photo> | null
  @belongsTo(() => Post, { foreignKey: 'postId', onDelete: 'setNull' }) post!: One<Post> | null
  @polymorphic(['photo', 'post'], { nullable: true }) subject!: OneOf<{ photo: Photo; post: Post }> | null
}

/** Reads pins; holds no row to anything. */
@model({ table: 'pinned' })
class Pinned extends View<'id'> {
  @id.integer() id!: number
  @field.text({ maxLength: 20, nullable: true }) photoCode!: string | null
  @field.integer({ nullable: true }) deskId!: number | null
  @belongsTo(() => Photo, 'photoCode') photo!: One<Photo> | null
  @belongsTo(() => Desk, 'deskId') desk!: One<Desk> | null
  @polymorphic(['photo', 'desk']) place!: OneOf<{ photo: Photo; desk: Desk }> | null
}

const MODELS = {
  posts: Post,
  photos: Photo,
  seats: Seat,
  desks: Desk,
  comments: Comment,
  replies: Reply,
  pins: Pin,
  tags: Tag,
  stickers: Sticker,
  pinned: Pinned,
  idempotencyRecords: IdempotencyRecord,
}

const POST = { id: 1, title: 'Engines', deletedAt: null }
const PHOTO = { code: 'loom', bytes: 2n ** 53n + 1n, postId: 1 }
const SEAT = { area: 'A', number: 7 }
const byId = { orderBy: { id: 'asc' } } as const
const include = { subject: true } as const

const ON_POST = { type: 'post', row: POST }
const ON_PHOTO = { type: 'photo', row: PHOTO }
const ON_SEAT = { type: 'seat', row: SEAT }

forEachEngine((engine) => {
  const seen: unknown[] = []
  const use = useDatabase(engine, MODELS, { hooks: { pins: { create: { after: ({ output }) => void seen.push(output) } } } })

  beforeAll(async () => {
    await engine.admin(use.url, 'create view pinned as select id, photo_code, desk_id from pins')
    const { posts, photos, seats, desks, comments, replies, pins } = use.nodes
    await posts.bulkCreate({
      rows: [
        { id: 1, title: 'Engines' },
        { id: 2, title: 'gone' },
      ],
    })
    await photos.create(PHOTO)
    await seats.create(SEAT)
    await use.db.withTenant(1, () => desks.create({ id: 1 }))
    await comments.bulkCreate({
      rows: [
        { body: 'on a post', postId: 1 },
        { body: 'on a photo', photoCode: 'loom' },
        { body: 'on a seat', seatArea: 'A', seatNumber: 7 },
        { body: 'on a photo too', photoCode: 'loom', seatArea: 'A' },
      ],
    })
    await replies.bulkCreate({ rows: [{ commentId: 2 }, { commentId: 1 }] })
    await pins.bulkCreate({ rows: [{ id: 1, photoCode: 'loom' }, { id: 2 }, { id: 3, deskId: 1 }, { id: 4, photoCode: 'none' }] })
  })

  afterAll(() => engine.admin(use.url, 'drop view pinned'))

  use.rollBackEach()

  describe('a polymorphic relation that is included', () => {
    it('gives each row the one that it chose, in the statement that reads the row', async () => {
      const { comments } = use.nodes
      const list = () => comments.list({ ...byId, include })
      expect(await statementsOf(list)).toBe(1)
      const { rows } = await list()
      expect(rows.map(({ subject }) => subject)).toEqual([ON_POST, ON_PHOTO, ON_SEAT, ON_PHOTO])
      expect(rows[0]).toEqual({
        id: 1,
        body: 'on a post',
        postId: 1,
        photoCode: null,
        seatArea: null,
        seatNumber: null,
        subject: ON_POST,
      })
    })

    it('is there in every node that reads', async () => {
      const { comments } = use.nodes
      const where = { body: 'on a photo' }
      expect((await comments.read({ where, include }))?.subject).toEqual(ON_PHOTO)
      expect((await comments.readOrThrow({ where }, { select: ['body'], include })).subject).toEqual(ON_PHOTO)
      const many = await comments.readMany({ keys: [{ id: 3 }, { id: -1 }, { id: 1 }] }, { select: ['id'], include })
      expect(many).toEqual([{ id: 3, subject: ON_SEAT }, null, { id: 1, subject: ON_POST }])
      const streamed: unknown[] = []
      for await (const { subject } of comments.stream({ ...byId, include })) streamed.push(subject)
      expect(streamed).toEqual([ON_POST, ON_PHOTO, ON_SEAT, ON_PHOTO])
    })

    it('comes with what a write gives, by a statement for each relation that a row chose', async () => {
      const { comments } = use.nodes
      const created = await comments.create({ body: 'new', photoCode: 'loom' }, { include })
      expect(created.subject).toEqual(ON_PHOTO)
      const where = { id: created.id }
      const moved = await comments.update({ where, set: { photoCode: null, postId: 1 } }, { select: ['body'], include })
      expect(moved).toEqual({ body: 'new', subject: ON_POST })
      const upsert = { on: ['body'], values: { body: 'new', postId: null, seatArea: 'A', seatNumber: 7 } } as const
      expect(await comments.upsert(upsert, { select: ['body'], include })).toEqual({
        row: { body: 'new', subject: ON_SEAT },
        outcome: 'updated',
      })
      const claimed = await comments.claim({ where: { id: { $lte: 2 } }, set: { seatArea: null }, limit: 9 }, { include })
      expect(claimed.map(({ subject }) => subject)).toEqual([ON_POST, ON_PHOTO])
      const change = () => comments.update({ where, set: { body: 'newer' } }, { include })
      const plain = () => comments.update({ where, set: { body: 'newest' } })
      expect((await statementsOf(change)) - (await statementsOf(plain))).toBe(1)
    })

    it('nests below other relations, and others below it', async () => {
      const { replies, posts, comments } = use.nodes
      const up = await replies.list({ ...byId, include: { comment: { select: ['body'], include } } })
      expect(up.rows.map(({ comment }) => comment)).toEqual([
        { body: 'on a photo', subject: ON_PHOTO },
        { body: 'on a post', subject: ON_POST },
      ])
      const down = await posts.readOrThrow({ where: { id: 1 }, include: { comments: { select: ['body'], include } } })
      expect(down.comments).toEqual([{ body: 'on a post', subject: ON_POST }])
      const { rows } = await comments.list({
        ...byId,
        include: {
          subject: { post: { select: ['id'], include: { comments: { select: ['body'], include } } }, photo: { include: { post: true } } },
        },
      })
      expect(rows.map(({ subject }) => subject)).toEqual([
        { type: 'post', row: { id: 1, comments: [{ body: 'on a post', subject: ON_POST }] } },
        { type: 'photo', row: { ...PHOTO, post: POST } },
        null,
        { type: 'photo', row: { ...PHOTO, post: POST } },
      ])
    })

    it('reads what is asked for of each relation, and null for one that is not asked for', async () => {
      const { comments } = use.nodes
      const { rows } = await comments.list({
        ...byId,
        include: { subject: { post: { select: ['title'] }, photo: { where: { bytes: { $lt: 9n } } } } },
      })
      expect(rows.map(({ subject }) => subject)).toEqual([{ type: 'post', row: { title: 'Engines' } }, null, null, null])
    })

    it('stands beside its relations, which say for themselves what they read', async () => {
      const [row] = (await use.nodes.comments.list({ ...byId, limit: 1, include: { post: { select: ['id'] }, subject: true, seat: true } }))
        .rows
      expect(row).toMatchObject({ post: { id: 1 }, subject: ON_POST, seat: null })
    })

    it('changes neither the number of rows nor their pages', async () => {
      const { comments } = use.nodes
      const first = await comments.list({ ...byId, limit: 3, total: true, include })
      expect([first.rows.length, first.total]).toEqual([3, 4])
      const second = await comments.list({ ...byId, limit: 3, after: first.nextCursor!, include })
      expect(second.rows.map(({ subject }) => subject.type)).toEqual(['photo'])
    })

    it('is null where there is nothing, or nothing for the caller to see', async () => {
      const { pins } = use.nodes
      const list = async () => (await pins.list({ ...byId, include: { place: true } })).rows.map(({ place }) => place)
      const desk = { type: 'desk', row: { id: 1, orgId: 1 } }
      expect(await use.db.withTenant(1, list)).toEqual([ON_PHOTO, null, desk, null])
      expect(await use.db.withTenant(2, list)).toEqual([ON_PHOTO, null, null, null])
      expect(await rejectionOf(list())).toMatchObject({ code: 'TENANT_REQUIRED' })
      const { posts, comments } = use.nodes
      await comments.create({ body: 'on what goes', postId: 2 })
      await use.db.kysely
        .updateTable('posts')
        .set({ deletedAt: new Date(0) })
        .where('id', '=', 2)
        .execute()
      expect(await posts.exists({ where: { id: 2 } })).toBe(false)
      expect((await comments.readOrThrow({ where: { body: 'on what goes' }, include })).subject).toBeNull()
    })

    it('is joined and loaded at once where only one of its relations can be joined', async () => {
      const { stickers, tags } = use.nodes
      await tags.bulkCreate({ rows: [2, 1].map((key) => ({ id: key, word: 'new', postId: 1 })) })
      await stickers.bulkCreate({
        rows: [
          { id: 1, word: 'new' },
          { id: 2, photoCode: 'loom' },
          { id: 3, word: 'old' },
        ],
      })
      const list = () => stickers.list({ ...byId, include: { subject: { photo: true, tag: { select: ['id'], include: { post: true } } } } })
      expect(await statementsOf(list)).toBe(2)
      const tag = { type: 'tag', row: { id: 1, post: POST } }
      expect((await list()).rows.map(({ subject }) => subject)).toEqual([tag, ON_PHOTO, null])
    })

    it('is read of a view too', async () => {
      const { rows } = await use.db.withTenant(1, () => use.nodes.pinned.list({ ...byId, include: { place: { desk: true } } }))
      expect(rows.map(({ place }) => place)).toEqual([null, null, { type: 'desk', row: { id: 1, orgId: 1 } }, null])
    })

    it('is given again by an idempotency key', async () => {
      const { comments } = use.nodes
      const create = () => comments.create({ body: 'once', photoCode: 'loom' }, { include, idempotencyKey: 'once' })
      const first = await create()
      expect(first.subject).toEqual(ON_PHOTO)
      expect(await create()).toEqual(first)
    })

    it('goes to a hook with whole rows', async () => {
      seen.length = 0
      const options = { select: ['id'], include: { place: { photo: true } } } as const
      expect(await use.nodes.pins.create({ id: 9, photoCode: 'loom' }, options)).toEqual({ id: 9, place: ON_PHOTO })
      expect(seen).toEqual([{ id: 9, photoCode: 'loom', deskId: null, place: ON_PHOTO }])
    })

    it.each([
      ['an object of', { subject: {} }],
      ['an object of post, photo, seat, got a boolean', { subject: false }],
      ['unknown relation "pots"', { subject: { pots: true } }],
      ['unknown relation "replies"', { subject: { replies: true } }],
      ['unknown option "limit"', { subject: { post: { limit: 1 } } }],
      ['unknown field "code"', { subject: { post: { select: ['code'] } } }],
      ['expected true or an object of options', { subject: { post: undefined } }],
    ])('is refused with %s: %j', async (message, wrong) => {
      const call = use.nodes.comments.list({ include: wrong as never })
      expect(await rejectionOf(call)).toMatchObject({ message: expect.stringContaining(message), issues: [expect.anything()] })
    })
  })

  describe('the relations that it chooses among', () => {
    it('are conditions, one by one', async () => {
      const { comments } = use.nodes
      expect(await comments.count({ where: { post: { title: 'Engines' } } })).toBe(1)
      expect(await comments.count({ where: { photo: { post: { id: 1 } } } })).toBe(2)
      expect(await comments.count({ where: { $or: [{ seat: { number: 7 } }, { photo: null }] } })).toBe(2)
    })

    it('are asked for in place of it, which is no condition, order or field', async () => {
      const { comments } = use.nodes
      const where = { subject: { post: { title: 'Engines' } } }
      expect(await rejectionOf(comments.count({ where } as never))).toMatchObject({
        code: 'VALIDATION',
        issues: [{ path: ['where', 'subject'], message: 'is no condition: ask of post or photo or seat' }],
      })
      expect(await rejectionOf(comments.list({ orderBy: { subject: 'asc' } } as never))).toMatchObject({ code: 'UNKNOWN_FIELD' })
      expect(await rejectionOf(comments.list({}, { select: ['subject'] as never }))).toMatchObject({ code: 'UNKNOWN_FIELD' })
    })
  })

  describe('the check of a polymorphic relation', () => {
    const subject = { fields: ['postId', 'photoCode', 'seatArea', 'seatNumber'], constraint: 'comments_subject_check' }

    it.each([
      ['none', {}],
      ['part of one', { seatArea: 'A' }],
      ['two', { postId: 1, photoCode: 'loom' }],
      ['all', { postId: 1, photoCode: 'loom', seatArea: 'A', seatNumber: 7 }],
    ])('has the database refuse a row with %s', async (_, keys) => {
      const insert = use.db.transaction(() =>
        use.db.kysely
          .insertInto('comments')
          .values({ body: 'x', ...keys })
          .execute(),
      )
      expect(await rejectionOf(insert)).toMatchObject({ code: 'CHECK_VIOLATION', model: 'Comment', ...subject })
    })

    it('lets a nullable one have none, and refuses two', async () => {
      await use.db.kysely.insertInto('pins').values({ id: 8 }).execute()
      const insert = use.db.transaction(() => use.db.kysely.insertInto('pins').values({ id: 9, photoCode: 'a', deskId: 1 }).execute())
      expect(await rejectionOf(insert)).toMatchObject({
        code: 'CHECK_VIOLATION',
        fields: ['photoCode', 'deskId'],
        constraint: 'pins_place_check',
      })
    })

    it('stands beside what becomes of a row when the one it chose goes', async () => {
      const { comments, photos } = use.nodes
      await photos.delete({ where: { code: 'loom' } })
      expect((await comments.list(byId)).rows.map(({ body }) => body)).toEqual(['on a post', 'on a seat'])
    })

    it('answers an update that only the row itself could tell to be wrong', async () => {
      const { comments } = use.nodes
      const where = { body: 'on a photo' }
      for (const set of [{ postId: 1 }, { photoCode: null }]) {
        const update = use.db.transaction(() => comments.update({ where, set }))
        expect(await rejectionOf(update)).toMatchObject({ code: 'CHECK_VIOLATION', ...subject })
      }
    })
  })

  describe('input whose keys do not fit', () => {
    const two = { path: ['subject'], message: 'takes one of postId, photoCode, seatArea + seatNumber, and is given postId and photoCode' }
    const none = { path: ['subject'], message: 'needs one of postId, photoCode, seatArea + seatNumber' }
    const TWO = { postId: 1, photoCode: 'loom' }
    const NONE = { postId: null, photoCode: null, seatArea: null }

    const cases: Readonly<
      Record<string, readonly [issue: { path: readonly (string | number)[]; message: string }, call: () => Promise<unknown>]>
    > = {
      'create with two': [two, () => use.nodes.comments.create({ body: 'x', ...TWO })],
      'create with none': [none, () => use.nodes.comments.create({ body: 'x' })],
      'create with none but part of a key': [none, () => use.nodes.comments.create({ body: 'x', seatNumber: 7 })],
      'create with a key and a new row': [
        two,
        () => use.nodes.comments.create({ body: 'x', photoCode: 'loom', post: { id: 5, title: 'new' } }),
      ],
      'create below a row that brings a second': [
        { ...two, path: ['comments', 0, 'subject'] },
        () => use.nodes.posts.create({ id: 5, title: 'new', comments: [{ body: 'x', photoCode: 'loom' }] }),
      ],
      'bulkCreate with one such row': [
        { ...none, path: ['rows', 1, 'subject'] },
        () => use.nodes.comments.bulkCreate({ rows: [{ body: 'x', postId: 1 }, { body: 'y' }] }),
      ],
      'update that sets two': [{ ...two, path: ['set', 'subject'] }, () => use.nodes.comments.update({ where: { id: 1 }, set: TWO })],
      'update that leaves none': [{ ...none, path: ['set', 'subject'] }, () => use.nodes.comments.update({ where: { id: 1 }, set: NONE })],
      'bulkUpdate that sets two': [{ ...two, path: ['set', 'subject'] }, () => use.nodes.comments.bulkUpdate({ all: true, set: TWO })],
      'claim that leaves none': [{ ...none, path: ['set', 'subject'] }, () => use.nodes.comments.claim({ all: true, set: NONE })],
      'upsert of a row with none': [
        { ...none, path: ['values', 'subject'] },
        () => use.nodes.comments.upsert({ on: ['body'], values: { body: 'x' } }),
      ],
      'upsert that updates to two': [
        { ...two, path: ['update', 'subject'] },
        () => use.nodes.comments.upsert({ on: ['body'], values: { body: 'x', postId: 1 }, update: TWO }),
      ],
      'bulkUpsert of a row with two': [
        { ...two, path: ['rows', 0, 'subject'] },
        () => use.nodes.comments.bulkUpsert({ on: ['body'], rows: [{ body: 'x', ...TWO }] }),
      ],
    }

    it.each(Object.keys(cases))('is refused before any SQL: %s', async (name) => {
      const [issue, call] = cases[name]!
      let error: unknown
      const sent = await statementsOf(async () => {
        error = await rejectionOf(call())
      })
      expect(error).toMatchObject({ code: 'VALIDATION', issues: [issue] })
      expect(sent).toBe(0)
    })

    it('is not refused for what it does not tell', async () => {
      const { comments, pins } = use.nodes
      const where = { body: 'on a seat' }
      await comments.update({ where, set: { seatNumber: { $increment: 0 }, postId: null } })
      await comments.update({ where, set: { postId: 1, seatArea: null } })
      await comments.update({ where, set: { body: 'on a seat' } })
      await pins.update({ where: { id: 1 }, set: { photoCode: null, deskId: null } })
      await pins.create({ id: 9, photoCode: null })
    })

    it('names what to set where it gives the relation itself', async () => {
      const create = use.nodes.comments.create({ body: 'x', subject: { post: { id: 5, title: 'a' } } } as never)
      expect(await rejectionOf(create)).toMatchObject({
        issues: [
          { path: ['subject'], message: 'is a relation, and cannot be given; set postId or photoCode or seatArea + seatNumber' },
          none,
        ],
      })
    })
  })

  describe('rows that are made together', () => {
    it('bring the key of one of its relations', async () => {
      const { comments, posts } = use.nodes
      const seat = { area: 'B', number: 1 }
      expect((await comments.create({ body: 'x', seat }, { include })).subject).toEqual({ type: 'seat', row: seat })
      const post = await posts.create(
        { id: 5, title: 'new', comments: [{ body: 'y' }, { body: 'z' }] },
        { include: { comments: { ...byId, select: ['body'], include: { subject: { post: { select: ['id'] } } } } } },
      )
      expect(post.comments).toEqual(['y', 'z'].map((body) => ({ body, subject: { type: 'post', row: { id: 5 } } })))
    })
  })
})

// MySQL and MariaDB let no action change a column of a check
forEachEngine(
  (engine) => {
    const use = useDatabase(engine, { posts: Post, photos: Photo, comments: Comment, seats: Seat, replies: Reply, labels: Label })

    it('a nullable polymorphic relation is null where the row that it chose has gone', async () => {
      const { posts, photos, labels } = use.nodes
      await posts.create({ id: 1, title: 'Engines' })
      await photos.create({ code: 'loom', bytes: 1n })
      await labels.bulkCreate({
        rows: [
          { id: 1, photoCode: 'loom' },
          { id: 2, postId: 1 },
        ],
      })
      await photos.delete({ where: { code: 'loom' } })
      await posts.delete({ where: { id: 1 } })
      const { rows } = await labels.list({ ...byId, include })
      expect(rows).toEqual([1, 2].map((key) => ({ id: key, photoCode: null, postId: null, subject: null })))
    })

    it('a polymorphic relation is read for an outsider as far as its keys are not redacted', async () => {
      const { photos, labels } = use.nodes
      await photos.create({ code: 'shuttle', bytes: 1n })
      await labels.create({ id: 3, photoCode: 'shuttle' })
      const options = { redact: true } as object
      expect(await rejectionOf(labels.list({ include }, options))).toMatchObject({ code: 'REDACTED_FIELD', field: 'postId' })
      const { rows } = await labels.list({ where: { id: 3 }, include: { subject: { photo: { select: ['code'] } } } }, options)
      expect(rows).toEqual([{ id: 3, photoCode: 'shuttle', subject: { type: 'photo', row: { code: 'shuttle' } } }])
    })
  },
  { engines: ['postgres', 'sqlite'] },
)
