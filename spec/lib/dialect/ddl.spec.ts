import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { constraintCatalogue } from '../../../lib/dialect/constraint-catalogue.js'
import { plainSql } from '../../../lib/dialect/ddl-statement.js'
import type { ConstraintOrigin, Engine } from '../../../lib/dialect/dialect.js'
import { ddl as mysql } from '../../../lib/dialect/mysql/ddl.js'
import { ddl as postgres } from '../../../lib/dialect/postgres/ddl.js'
import { ddl as sqlite } from '../../../lib/dialect/sqlite/ddl.js'
import { schemaOf } from '../../../lib/model/schema.js'
import { diffSchemas } from '../../../lib/model/schema-diff.js'
import { type FreshDatabase, forEachEngine } from '../../support/engines.js'
import { CHECKED, MODELS } from './ddl-models.js'
import { openPlain, type PlainDatabase } from './plain-database.js'

const DDL = { postgres, mysql, sqlite }

forEachEngine((engine) => {
  let fresh: FreshDatabase
  let db: PlainDatabase
  const schema = schemaOf(MODELS)
  const catalogue = constraintCatalogue(MODELS, schema)

  beforeAll(async () => {
    fresh = await engine.freshDatabase()
    db = await openPlain(engine.name, fresh.url)
    for (const statement of plainSql(DDL[engine.name](diffSchemas(undefined, schema).changes))) await db.run(statement)
  })

  afterAll(async () => {
    await db?.close()
    await fresh?.drop()
  })

  /** What the catalogue makes of the refusal of a statement. */
  async function refusalOf(work: Promise<unknown>): Promise<ConstraintOrigin | string> {
    const error = await work.then(
      () => expect.fail('the statement was not refused'),
      (reason: unknown) => reason as Error & { constraint?: string; table?: string },
    )
    const { name, table, columns } = namedIn(engine.name, error)
    const found = columns === undefined ? catalogue.byName(name ?? '', table) : catalogue.byColumns(table ?? '', columns)
    return found ?? error.message
  }

  describe('checks', () => {
    for (const [field, { passes, fails }] of Object.entries(CHECKED)) {
      it(`let pass what ${field} allows, and null, and refuse the rest by name`, async () => {
        const { column } = MODELS.find(({ name }) => name === 'Checked')!.fieldByName.get(field)!
        for (const value of [...passes, null]) await db.insert('checked', { [column]: value })
        for (const value of fails) {
          const origin = { model: 'Checked', fields: [field], constraint: `checked_${column}_check` }
          expect(await refusalOf(db.insert('checked', { [column]: value }))).toEqual(origin)
        }
      })
    }

    it('hold a condition with $and, $or and $not, and SQL of the model', async () => {
      await db.insert('checked', { low: 3, high: 31 })
      await db.insert('checked', { low: 30, high: null })
      const fields = ['low', 'high']
      expect(await refusalOf(db.insert('checked', { low: 10, high: 11 }))).toEqual({
        model: 'Checked',
        fields,
        constraint: 'checked_low_high_check',
      })
      expect(await refusalOf(db.insert('checked', { low: 3, high: 30 }))).toMatchObject({ constraint: 'not both' })
      const bySql = { model: 'Checked', fields: [], constraint: 'low_before_high' }
      expect(await refusalOf(db.insert('checked', { low: 9, high: 10 }))).toEqual(bySql)
    })
  })

  describe('keys', () => {
    const author = { email: 'a@example.com', nick: 'ada', active: true }

    it('refuse a second row by the name of the key', async () => {
      await db.insert('authors', author)
      expect(await refusalOf(db.insert('authors', { ...author, nick: 'bob' }))).toEqual({
        model: 'Author',
        fields: ['email'],
        constraint: 'authors_email_key',
      })
    })

    it('that are partial let rows outside of the condition be, in any number', async () => {
      await db.insert('authors', { email: '1', nick: 'grace', active: false })
      await db.insert('authors', { email: '2', nick: 'grace', active: false })
      await db.insert('authors', { email: '3', nick: 'grace', active: true })
      expect(await refusalOf(db.insert('authors', { email: '4', nick: 'grace', active: true }))).toEqual({
        model: 'Author',
        fields: ['nick'],
        constraint: 'authors_nick_key',
      })
      await db.insert('authors', { email: '5', nick: null, active: true })
      await db.insert('authors', { email: '6', nick: null, active: true })
    })

    it('tell apart texts that differ in case', async () => {
      await db.insert('authors', { email: 'CASE@example.com', nick: 'case', active: true })
      await db.insert('authors', { email: 'case@example.com', nick: 'CASE', active: true })
    })

    it('have names with reserved words and odd characters', async () => {
      const row = { group: 1, user: 1, select: 'x', 'grösse & co-1; --': 6 }
      await db.insert('order', row)
      expect(await refusalOf(db.insert('order', { ...row, select: 'y', 'grösse & co-1; --': 7 }))).toMatchObject({
        model: 'Order',
        fields: ['group', 'user'],
        constraint: 'order_pkey',
      })
      expect(await refusalOf(db.insert('order', { ...row, user: 2, select: 'y' }))).toEqual({
        model: 'Order',
        fields: ['odd'],
        constraint: 'unique & odd',
      })
      expect(await refusalOf(db.insert('order', { ...row, user: 3, select: 'z', 'grösse & co-1; --': 0 }))).toEqual({
        model: 'Order',
        fields: ['odd'],
        constraint: 'order_grösse & co-1; --_check',
      })
    })

    it('that count never give a number twice, not even that of a deleted last row', async () => {
      await db.insert('authors', { email: 'last', active: true })
      const [last] = await db.run("select id from authors where email = 'last'")
      await db.run("delete from authors where email = 'last'")
      await db.insert('authors', { email: 'next', active: true })
      const [next] = await db.run("select id from authors where email = 'next'")
      expect(Number(next?.id)).toBe(Number(last?.id) + 1)
    })

    it('that do not count are required', async () => {
      await expect(db.insert('books', { author_id: 1, title: 'no id' })).rejects.toThrow(/id/)
    })
  })

  describe('foreign keys', () => {
    it('between two tables that refer to each other do what they say', async () => {
      await db.insert('countries', { code: 'FR', name: 'France' })
      await db.insert('authors', { id: 100, email: 'hugo', active: true, country_code: 'FR' })
      await db.insert('books', { id: 1, author_id: 100, title: 'one' })
      await db.insert('books', { id: 2, author_id: 100, title: 'two', sequel_of: 1 })
      await db.run('update authors set favourite_book_id = 2 where id = 100')
      await db.run("update countries set code = 'FX'")
      expect(await db.run('select country_code from authors where id = 100')).toEqual([{ country_code: 'FX' }])
      await db.run('delete from countries')
      await db.run('delete from books where id = 2')
      expect(await db.run('select country_code, favourite_book_id from authors where id = 100')).toEqual([
        { country_code: null, favourite_book_id: null },
      ])
      await db.run('delete from authors where id = 100')
      expect(await db.run('select id from books')).toEqual([])
    })

    it('refuse a row without its target', async () => {
      const refusal = await refusalOf(db.insert('books', { id: 9, author_id: 999, title: 'nobody' }))
      // SQLite names no foreign key
      if (engine.name === 'sqlite') expect(refusal).toBe('FOREIGN KEY constraint failed')
      else expect(refusal).toEqual({ model: 'Book', fields: ['authorId'], constraint: 'books_author_id_fkey' })
    })

    it('of several columns refuse a row without its target', async () => {
      const orphan = { group: 7, user: 7, select: 'orphan', 'grösse & co-1; --': 1, from: 70, to: 70 }
      await expect(db.insert('order', orphan)).rejects.toThrow(/foreign key/i)
    })
  })
})

/** The parts of the drivers' messages that the catalogue is asked with. */
function namedIn(
  engine: Engine,
  error: Error & { constraint?: string; table?: string },
): { name?: string | undefined; table?: string | undefined; columns?: readonly string[] } {
  if (engine === 'postgres') return { name: error.constraint, table: error.table }
  if (engine === 'mysql') {
    const key = /for key '(?:\w+\.)?(.*)'$/.exec(error.message)?.[1]
    const name = key ?? /CONSTRAINT `(.*?)` (?:failed|FOREIGN KEY)/.exec(error.message)?.[1]
    return { name, table: name === 'PRIMARY' ? 'order' : undefined }
  }
  const check = /^CHECK constraint failed: (.*)$/.exec(error.message)?.[1]
  if (check !== undefined) return { name: check }
  const columns = /^UNIQUE constraint failed: (.*)$/.exec(error.message)?.[1]?.split(', ') ?? []
  return columns.length === 0
    ? {}
    : { table: columns[0]!.split('.')[0], columns: columns.map((column) => column.slice(column.indexOf('.') + 1)) }
}
