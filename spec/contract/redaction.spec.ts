import { inspect } from 'node:util'
import type { Generated } from 'kysely'
import { belongsTo, field, hasMany, id, type Logger, type Many, model, type One } from 'latchwork'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { nodeEvents, type QueryEvent, queryEvents } from '../../lib/events.js'
import { forEachEngine } from '../support/engines.js'
import { rejectionOf, useDatabase } from './use-database.js'

const SECRET = 'hunter2'

class Token {
  constructor(readonly text: string) {}
}

@model({ uniques: [{ on: ['email', 'code'] }] })
class Person {
  @id() id!: Generated<number>
  @field.text({ maxLength: 50, unique: true }) email!: string
  @field.text({ maxLength: 50, nullable: true }) name!: string | null
  @field.text({
    maxLength: 50,
    redacted: true,
    default: SECRET,
    schema: z.string().refine((text) => !text.startsWith('!'), { error: ({ input }) => `not ${input}` }),
  })
  password!: Generated<string>
  @field.integer({ nullable: true, redacted: true, unique: true, check: { $gt: 0 } }) code!: number | null
  @field.custom({ type: 'text', encode: (token: Token) => token.text, decode: readToken, nullable: true, redacted: true })
  token!: Token | null
  @hasMany(() => Note, 'personId') notes!: Many<Note>
}

function readToken(text: string): Token {
  if (text.startsWith('?')) throw new Error(`malformed: ${text}`)
  return new Token(text)
}

@model()
class Note {
  @id() id!: Generated<number>
  @field.integer() personId!: number
  @field.text({ redacted: true }) body!: string
  @belongsTo(() => Person, 'personId') person!: One<Person>
}

const OUTSIDE = { redact: true }
const ADA = { email: 'ada@example.com', password: SECRET, code: 7, token: new Token(SECRET) }

forEachEngine((engine) => {
  const seen: unknown[] = []
  const logger: Logger = { debug: (...line) => seen.push(line), warn: (...line) => seen.push(line) }
  const house = useDatabase(engine, { people: Person, notes: Note }, { logger })
  const call = (name: string, input: unknown, more: object = {}) => house.db.node(name)(input, { ...OUTSIDE, ...more }) as Promise<never>

  const sent: string[] = []
  const listenToSql = ({ sql }: QueryEvent) => sent.push(sql)
  const listen = (event: unknown) => seen.push(event)

  beforeAll(() => {
    nodeEvents.subscribe(listen)
    queryEvents.subscribe(listen)
    queryEvents.subscribe(listenToSql)
  })
  afterAll(() => {
    nodeEvents.unsubscribe(listen)
    queryEvents.unsubscribe(listen)
    queryEvents.unsubscribe(listenToSql)
  })

  beforeEach(async () => {
    await house.clear()
    seen.length = 0
    sent.length = 0
  })

  describe('a redacted field', () => {
    it('is read, filtered and sorted by like any other where the application calls', async () => {
      const { people } = house.nodes
      const made = await people.create(ADA)
      expect(made).toMatchObject(ADA)
      expect(await people.read({ where: { id: made.id, password: SECRET } }, { select: ['password'] })).toEqual({ password: SECRET })
      expect((await people.list({ orderBy: { password: 'asc' } })).rows).toHaveLength(1)
    })

    it('is given by an outsider and never shown to one, by any node', async () => {
      const made = await call('PersonCreateNode', ADA)
      const shown = { id: (made as { id: number }).id, email: ADA.email, name: null }
      expect(made).toEqual(shown)
      expect(sent).not.toEqual([])
      const where = { id: shown.id }
      expect(await house.nodes.people.read({ where })).toMatchObject(ADA)
      await call('NoteCreateNode', { personId: shown.id, body: SECRET })
      expect(await call('PersonReadNode', { where })).toEqual(shown)
      expect(await call('PersonReadOrThrowNode', { where, include: { notes: true } })).toEqual({
        ...shown,
        notes: [{ id: expect.any(Number), personId: shown.id }],
      })
      expect(await call('NoteListNode', { include: { person: { include: { notes: true } } } })).toEqual({
        rows: [
          { id: expect.any(Number), personId: shown.id, person: { ...shown, notes: [{ id: expect.any(Number), personId: shown.id }] } },
        ],
      })
      expect(await call('PersonUpdateNode', { where, set: { password: 'other' } })).toEqual(shown)
      expect(await house.nodes.people.read({ where })).toMatchObject({ password: 'other' })
      expect(await call('PersonReadManyNode', { keys: [where, { id: -1 }] })).toEqual([shown, null])
      expect(await collected(house.db.node('PersonStreamNode')({}, OUTSIDE))).toEqual([shown])
      expect(await call('PersonClaimNode', { all: true, set: { code: 8 } })).toEqual([shown])
      const upsert = { on: ['email'], values: { ...ADA, name: 'Ada' }, update: { name: 'Ada' } }
      expect(await call('PersonUpsertNode', upsert)).toEqual({ row: { ...shown, name: 'Ada' }, outcome: 'updated' })
      const bulk = await call('PersonBulkCreateNode', { rows: [{ email: 'cyd@example.com', password: SECRET }], returning: true })
      expect(bulk).toEqual({ count: 1, rows: [{ id: expect.any(Number), email: 'cyd@example.com', name: null }] })
      const [note] = (await house.nodes.notes.list()).rows
      expect(await call('NoteDeleteNode', { where: { id: note!.id } })).toEqual({ id: note!.id, personId: shown.id })
    })

    it('is set by an upsert of an outsider in a new row alone', async () => {
      const input = { on: ['email'], values: ADA, update: { code: null } }
      expect(await rejectionOf(call('PersonUpsertNode', input))).toMatchObject({
        code: 'REDACTED_FIELD',
        issues: [{ path: ['update', 'code'] }],
      })
      expect(await rejectionOf(call('PersonUpsertNode', { on: ['email'], values: ADA }))).toMatchObject({
        code: 'REDACTED_FIELD',
        issues: [{ path: ['values', 'password'] }, { path: ['values', 'code'] }, { path: ['values', 'token'] }],
      })
      expect(await rejectionOf(call('PersonBulkUpsertNode', { on: ['email'], rows: [{ email: 'a' }, ADA] }))).toMatchObject({
        code: 'REDACTED_FIELD',
        field: 'password',
      })
      expect(await house.nodes.people.count()).toBe(0)
      expect(await call('PersonBulkUpsertNode', { on: ['email'], rows: [{ email: 'a' }] })).toEqual({
        created: 1,
        updated: 0,
        unchanged: 0,
      })
    })

    const asked: readonly (readonly [string, string, object, (string | number)[]])[] = [
      ['a filter', 'PersonListNode', { where: { password: SECRET } }, ['where', 'password']],
      ['a filter for null', 'PersonCountNode', { where: { code: null } }, ['where', 'code']],
      [
        'a filter inside others',
        'PersonExistsNode',
        { where: { $not: { $or: [{ code: { $gt: 1 } }] } } },
        ['where', '$not', '$or', 0, 'code'],
      ],
      ['a filter on related rows', 'PersonListNode', { where: { notes: { $some: { body: 'x' } } } }, ['where', 'notes', '$some', 'body']],
      ['a filter beside a key', 'PersonReadNode', { where: { id: 1, password: SECRET } }, ['where', 'password']],
      ['a filter of what is changed', 'PersonBulkUpdateNode', { where: { code: 7 }, set: { email: 'x' } }, ['where', 'code']],
      ['a filter of what is deleted', 'PersonBulkDeleteNode', { where: { code: 7 } }, ['where', 'code']],
      ['a filter of what is claimed', 'PersonClaimNode', { where: { code: 7 }, set: { email: 'x' } }, ['where', 'code']],
      ['an order', 'PersonListNode', { orderBy: { password: 'asc' } }, ['orderBy', 'password']],
      ['an order with a cursor', 'PersonListNode', { orderBy: [{ code: 'asc' }], limit: 1, after: 'x' }, ['orderBy', 0, 'code']],
      [
        'an order of included rows',
        'PersonListNode',
        { include: { notes: { orderBy: { body: 'asc' } } } },
        ['include', 'notes', 'orderBy', 'body'],
      ],
      [
        'a filter of included rows',
        'PersonListNode',
        { include: { notes: { where: { body: 'x' } } } },
        ['include', 'notes', 'where', 'body'],
      ],
      ['a choice of included fields', 'NoteListNode', { include: { person: { select: ['code'] } } }, ['include', 'person', 'select', 0]],
      ['a key', 'PersonReadManyNode', { keys: [{ code: 7 }] }, ['keys', 0, 'code']],
      ['a group', 'PersonAggregateNode', { groupBy: ['password'], values: { n: '$count' } }, ['groupBy', 0]],
      ['an extreme', 'PersonAggregateNode', { values: { least: { $min: 'password' } } }, ['values', 'least', '$min']],
      ['a count of values', 'PersonAggregateNode', { values: { n: { $count: 'code' } } }, ['values', 'n', '$count']],
    ]

    it.each(asked)('is refused to an outsider before any SQL in %s', async (_, node, input, path) => {
      const error = await rejectionOf(call(node, input))
      expect(error).toMatchObject({ code: 'REDACTED_FIELD' })
      expect((error.issues as { path: unknown }[]).map((issue) => issue.path)).toContainEqual(path)
      expect(sent).toEqual([])
    })

    it('is refused to an outsider as a choice of fields and as the key of an upsert', async () => {
      const chosen = await rejectionOf(call('PersonListNode', {}, { select: ['id', 'password'] }))
      expect(chosen).toMatchObject({ code: 'REDACTED_FIELD', field: 'password' })
      const met = await rejectionOf(call('PersonUpsertNode', { on: ['code'], values: { email: 'a', code: 7 }, update: { email: 'b' } }))
      expect(met).toMatchObject({ code: 'REDACTED_FIELD', field: 'code' })
    })

    it('shows in no error, event or log', async () => {
      const { people } = house.nodes
      await people.create(ADA)
      await engine.admin(house.url, `insert into persons (email, password, token) values ('bad', 'x', '?${SECRET}')`)
      const errors = await Promise.all(
        [
          people.create({ email: 'x', password: `!${SECRET}` }),
          people.create({ email: 'x', password: SECRET.repeat(20) }),
          people.create({ ...ADA, email: 'x' }),
          people.create({ email: 'x', code: -1 }),
          people.create({ email: 'x', token: { text: [SECRET] } as never }),
          people.list({ where: { email: 'bad' } }),
        ].map(rejectionOf),
      )
      expect(errors.map(({ code }) => code)).toEqual([
        'VALIDATION',
        'VALIDATION',
        'UNIQUE_VIOLATION',
        'CHECK_VIOLATION',
        'VALIDATION',
        'INVALID_VALUE',
      ])
      expect(seen.length).toBeGreaterThan(0)
      for (const shown of [...errors, ...errors.map(({ cause }) => cause), seen, house.db.nodes]) {
        expect(inspect(shown, { depth: 20, showHidden: true })).not.toContain(SECRET)
      }
    })
  })

  describe('published schemas', () => {
    it('tell of a redacted field only that it can be set', () => {
      const told = (name: string) => {
        const { inputSchema, outputSchema } = house.db.node(name)
        return { input: JSON.stringify(inputSchema), output: JSON.stringify(outputSchema), inputSchema }
      }
      for (const name of ['List', 'Read', 'ReadMany', 'Stream', 'Count', 'Aggregate', 'BulkUpsert', 'BulkDelete'].map(
        (each) => `Person${each}Node`,
      )) {
        const { input, output } = told(name)
        for (const redacted of ['password', '"code"', 'token', '"body"']) expect(input + output).not.toContain(redacted)
      }
      const create = told('PersonCreateNode')
      expect(create.output).not.toContain('password')
      expect(create.input).not.toContain(SECRET)
      expect(create.inputSchema).toMatchObject({ $defs: { newRow: { properties: { password: { type: 'string', writeOnly: true } } } } })
    })
  })

  it('an option that is no boolean is refused', async () => {
    expect(await rejectionOf(house.db.node('PersonCountNode')({}, { redact: 1 }) as Promise<never>)).toMatchObject({ code: 'VALIDATION' })
  })
})

async function collected(stream: unknown): Promise<unknown[]> {
  const all: unknown[] = []
  for await (const each of stream as AsyncIterable<unknown>) all.push(each)
  return all
}
