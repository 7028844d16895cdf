import { defineModel, type Generated, QueryError, sql, UnsupportedError, ValidationError } from 'latchwork'
import { describe, expect, it } from 'vitest'
import { createDatabase } from '../../../../lib/database.js'

class Person {
  id!: Generated<number>
  email!: string
  createdAt!: Date
  balance!: string
  tags!: string[]
}
defineModel(Person, {
  table: 'app_people',
  fields: {
    id: { kind: 'integer', primary: true, increment: true },
    email: { kind: 'text', column: 'email_address' },
    createdAt: { kind: 'timestamp', column: 'made_at' },
    balance: { kind: 'decimal', precision: 12, scale: 2, column: 'sum' },
    tags: { kind: 'array', of: { kind: 'text' } },
  },
})

/** Its `made_at` in SQL is what a person's `createdAt` is. */
class Entry {
  id!: Generated<number>
  personId!: number
  writtenAt!: Date
}
defineModel(Entry, {
  table: 'log',
  schema: 'audit',
  fields: {
    id: { kind: 'integer', primary: true, increment: true },
    personId: { kind: 'integer', column: 'person_id' },
    writtenAt: { kind: 'timestamp', column: 'made_at' },
  },
})

const models = { people: Person, entries: Entry } as const
const MOMENT = new Date('2024-01-02T03:04:05.006Z')

// nothing is connected to: the queries are compiled only
const { kysely } = createDatabase({ url: 'postgres://nobody@localhost/nowhere', models })
const { kysely: onSqlite } = createDatabase({ url: 'sqlite::memory:', models: { people: Person } })

describe('QueryTranslator', () => {
  it('selects a column under its property, where the two differ', () => {
    const { sql: text } = kysely.selectFrom('people').select(['id', 'createdAt', 'email as address']).compile()
    expect(text).toBe('select "id", "made_at" as "createdAt", "email_address" as "address" from "app_people"')
  })

  it('spells out all fields, each with its table where there are several', () => {
    expect(kysely.selectFrom('entries').selectAll().compile().sql).toBe(
      'select "id", "person_id" as "personId", "made_at" as "writtenAt" from "audit"."log"',
    )
    const { sql: text } = kysely.selectFrom('people as p').crossJoin('entries').selectAll('entries').select('p.id as person').compile()
    expect(text).toBe(
      'select "audit"."log"."id", "audit"."log"."person_id" as "personId", "audit"."log"."made_at" as "writtenAt", "p"."id" as "person" ' +
        'from "app_people" as "p" cross join "audit"."log"',
    )
  })

  it('says the table of a bare name that would mean another column in SQL', () => {
    const { sql: text } = kysely
      .selectFrom('people')
      .select('people.id')
      .where((eb) =>
        eb.exists(eb.selectFrom('entries').select('entries.id').where('createdAt', '<', MOMENT).whereRef('personId', '=', 'people.id')),
      )
      .compile()
    expect(text).toContain('where "app_people"."made_at" < $1 and "person_id" = "app_people"."id"')
    const joined = kysely.selectFrom('people').innerJoin('entries', 'personId', 'people.id').select(['createdAt', 'writtenAt']).compile()
    expect(joined.sql).toContain('select "app_people"."made_at" as "createdAt", "audit"."log"."made_at" as "writtenAt"')
  })

  it('refuses an alias that hides in SQL what is meant by another name', () => {
    const query = kysely
      .selectFrom('people')
      .select('people.id')
      .where((eb) =>
        eb.exists(eb.selectFrom('entries as app_people').select('app_people.id').whereRef('app_people.personId', '=', 'people.id')),
      )
    expect(() => query.compile()).toThrow(QueryError)
    expect(() => query.compile()).toThrow('"people" and "app_people" of a query inside it are both "app_people" in SQL')
  })

  it('is fit for use after it refused a query', () => {
    const { sql: text } = kysely.selectFrom('people').select('createdAt').orderBy('createdAt').compile()
    expect(text).toBe('select "made_at" as "createdAt" from "app_people" order by "createdAt"')
  })

  it('sorts by what is selected under a name, as SQL does, else by the column', () => {
    const people = kysely.selectFrom('people')
    const byLowered = people.select((eb) => eb.fn<string>('lower', ['email']).as('email')).orderBy('email', 'desc')
    expect(byLowered.compile().sql).toBe('select lower("email_address") as "email" from "app_people" order by "email" desc')
    expect(people.select('id').orderBy('people.email').orderBy('createdAt').compile().sql).toBe(
      'select "id" from "app_people" order by "app_people"."email_address", "made_at"',
    )
  })

  it('takes another schema for the tables, the models keeping their columns', () => {
    const { sql: text } = kysely
      .withSchema('other')
      .selectFrom('people')
      .select('people.createdAt')
      .where('people.email', '=', 'x')
      .compile()
    expect(text).toBe(
      'select "other"."app_people"."made_at" as "createdAt" from "other"."app_people" where "other"."app_people"."email_address" = $1',
    )
  })

  it('locks by the bare name of a table', () => {
    const query = kysely.selectFrom('entries').innerJoin('people as p', 'p.id', 'personId').select('p.id').forUpdate(['entries', 'p'])
    expect(query.compile().sql).toMatch(/for update of "log", "p"$/)
  })

  it('leaves names of no model as they are', () => {
    const others = kysely.withTables<{ others: { createdAt: Date; name: string } }>()
    const query = others.selectFrom('others').selectAll().where('createdAt', '>', MOMENT)
    expect(query.compile()).toMatchObject({ sql: 'select * from "others" where "createdAt" > $1', parameters: [MOMENT] })
    const nested = others
      .selectFrom('people')
      .select('people.id')
      .where((eb) => eb.exists(eb.selectFrom('others').select('createdAt')))
    expect(nested.compile().sql).toContain('(select "createdAt" from "others")')
  })

  it('leaves what the schema builder says as it is', () => {
    expect(kysely.schema.dropTable('people').compile().sql).toBe('drop table "people"')
  })

  it('binds values in the form of the column they stand against, on either side of an operator', () => {
    const stored = MOMENT.toISOString()
    const { parameters } = onSqlite
      .selectFrom('people')
      .select('id')
      .where((eb) => eb(eb.val(MOMENT), '>', eb.ref('createdAt')))
      .where((eb) => eb(eb.refTuple('createdAt', 'balance'), 'in', [eb.tuple(MOMENT, '1.5')]))
      .where('createdAt', 'not in', [MOMENT])
      .where('balance', 'is distinct from', '7')
      .where((eb) => eb.between('createdAt', MOMENT, MOMENT))
      .compile()
    expect(parameters).toEqual([stored, stored, '1.50', stored, '7.00', stored, stored])
  })

  it('takes an array beside = for one value of a field of arrays', () => {
    expect(
      onSqlite
        .selectFrom('people')
        .select('id')
        .where('tags', '=', ['a', 'b'] as never)
        .compile().parameters,
    ).toEqual(['["a","b"]'])
  })

  it('leaves alone what is no comparison', () => {
    const { parameters } = onSqlite.selectFrom('people').select('id').where('balance', 'like', '9%').compile()
    expect(parameters).toEqual(['9%'])
  })

  it('refuses a value of another type, and to pick a decimal by an order that is not its own', () => {
    expect(() => onSqlite.selectFrom('people').select('id').where('balance', '>', 'much').compile()).toThrow(ValidationError)
    const largest = onSqlite.selectFrom('people').select((eb) => eb.fn.max('balance').as('most'))
    expect(() => largest.compile()).toThrow(UnsupportedError)
    const elsewhere = kysely.selectFrom('people').select((eb) => eb.fn.max('balance').as('most'))
    expect(elsewhere.compile().sql).toBe('select max("sum") as "most" from "app_people"')
  })

  it('names tables in raw SQL, and their columns', () => {
    const query = sql`select ${sql.ref('createdAt')} from ${sql.table('people')} where ${sql.ref('people.email')} = ${'x'}`
    expect(query.compile(kysely).sql).toBe('select "made_at" from "app_people" where "app_people"."email_address" = $1')
  })

  it('inserts by the columns of the table, also where it merges', () => {
    const merge = kysely
      .mergeInto('people as p')
      .using('entries', 'personId', 'p.id')
      .whenNotMatched()
      .thenInsertValues({ email: 'x', createdAt: MOMENT, balance: '1', tags: [] })
      .compile()
    expect(merge.sql).toContain('insert ("email_address", "made_at", "sum", "tags") values')
    expect(merge.parameters).toEqual(['x', MOMENT.toISOString(), '1.00', '{}'])
  })
})
