import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { plainSql } from '../../../../lib/dialect/ddl-statement.js'
import { ddl } from '../../../../lib/dialect/sqlite/ddl.js'
import type { TableSchema } from '../../../../lib/model/schema.js'
import { schemaOf } from '../../../../lib/model/schema.js'
import { diffSchemas } from '../../../../lib/model/schema-diff.js'
import { type FreshDatabase, forEachEngine } from '../../../support/engines.js'
import { AWKWARD, MODELS } from '../ddl-models.js'
import { openPlain, type PlainDatabase } from '../plain-database.js'

forEachEngine(
  (engine) => {
    let fresh: FreshDatabase
    let db: PlainDatabase

    beforeAll(async () => {
      fresh = await engine.freshDatabase()
      db = await openPlain(engine.name, fresh.url)
      for (const statement of plainSql(ddl(diffSchemas(undefined, schemaOf(MODELS)).changes))) await db.run(statement)
    })

    afterAll(async () => {
      await db?.close()
      await fresh?.drop()
    })

    it('gives each field a declared type that can be recognised', async () => {
      const columns = await db.run('select name, type from pragma_table_info(?)', ['everything'])
      expect(Object.fromEntries(columns.map(({ name, type }) => [name, type]))).toEqual({
        id: 'INTEGER',
        a_text: 'TEXT',
        a_varchar: 'VARCHAR(60)',
        an_integer: 'INTEGER',
        a_bigint: 'BIGINT',
        a_float: 'REAL',
        a_decimal: 'DECIMAL_TEXT(38,10)',
        a_boolean: 'BOOLEAN_INTEGER',
        a_date: 'DATE_TEXT',
        a_time: 'TIME_TEXT',
        an_instant: 'TIMESTAMP_TEXT',
        a_microsecond: 'TIMESTAMP_TEXT',
        a_uuid: 'UUID_TEXT',
        a_json: 'JSON_TEXT',
        some_bytes: 'BLOB',
        no_bytes: 'BLOB',
        an_enum: 'ENUM_TEXT',
        a_native_enum: 'ENUM_TEXT',
        texts: 'JSON_TEXT',
        bigints: 'JSON_TEXT',
        native_enums: 'JSON_TEXT',
        empty: 'JSON_TEXT',
        expression: 'INTEGER',
        created_at: 'TIMESTAMP_TEXT',
        updated_at: 'TIMESTAMP_TEXT',
        version: 'INTEGER',
        deleted_at: 'TIMESTAMP_TEXT',
      })
    })

    it('stores text that looks like a number as text, and numbers given as text as numbers', async () => {
      const lookingLikeNumbers = {
        a_text: '1.50',
        a_varchar: '007',
        a_decimal: '1.5000000000',
        a_date: '2024',
        a_time: '10',
        an_instant: '1',
        a_uuid: '1e3',
        a_json: '1.0',
        an_integer: '7',
        a_bigint: '9223372036854775807',
        a_float: '1',
        a_boolean: '1',
      }
      await db.insert('everything', lookingLikeNumbers)
      const columns = Object.keys(lookingLikeNumbers)
      const [row] = await db.run(
        `select ${columns.map((name) => `${name} || ' ' || typeof(${name}) as ${name}`).join(', ')} from everything where a_text = '1.50'`,
      )
      expect(row).toEqual({
        a_text: '1.50 text',
        a_varchar: '007 text',
        a_decimal: '1.5000000000 text',
        a_date: '2024 text',
        a_time: '10 text',
        an_instant: '1 text',
        a_uuid: '1e3 text',
        a_json: '1.0 text',
        an_integer: '7 integer',
        a_bigint: '9223372036854775807 integer',
        a_float: '1.0 real',
        a_boolean: '1 integer',
      })
    })

    it('leaves the defaults of the model where an insert names no column', async () => {
      await db.run('delete from everything')
      await db.run('insert into everything default values')
      const [row] = await db.run('select *, cast(a_bigint as text) as bigint from everything')
      const { created_at: createdAt, ...rest } = row ?? {}
      expect(createdAt).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
      expect(Math.abs(Date.now() - Date.parse(String(createdAt)))).toBeLessThan(60_000)
      expect(rest).toMatchObject({
        a_text: AWKWARD,
        a_varchar: AWKWARD,
        an_integer: -2147483648,
        bigint: '-9223372036854775808',
        a_float: Number.MAX_VALUE,
        a_decimal: '-1234567890123456789012345678.0123456789',
        a_boolean: 1,
        a_date: '2024-02-29',
        a_time: '23:59:59.5',
        an_instant: '2024-02-29T12:30:00.120Z',
        a_microsecond: '2024-02-29T12:30:00.120000Z',
        a_uuid: '6f9619ff-8b86-d011-b42d-00c04fc964ff',
        a_json: JSON.stringify({ list: [1, AWKWARD], nested: { yes: true } }),
        some_bytes: Buffer.from([0, 39, 92, 255]),
        no_bytes: Buffer.alloc(0),
        an_enum: `o'pen\\`,
        a_native_enum: `o'pen\\`,
        texts: JSON.stringify([AWKWARD, 'null', '']),
        bigints: '["9223372036854775807"]',
        empty: '[]',
        expression: 2,
        version: 1,
        deleted_at: null,
      })
    })

    it('holds a native enum to its values by a check with the name of the type', async () => {
      await expect(db.insert('everything', { a_native_enum: 'other' })).rejects.toThrow('CHECK constraint failed: everything_a_native_enum')
    })

    it('names every key and index, so that each can be dropped', async () => {
      const indexes = await db.run(`select name, sql from sqlite_schema where type = 'index' and tbl_name = 'authors' order by name`)
      expect(indexes).toEqual([
        { name: 'authors_country_code_active_idx', sql: expect.stringContaining('("country_code", "active")') },
        { name: 'authors_email_key', sql: expect.stringMatching(/^CREATE UNIQUE INDEX .* \("email"\)$/i) },
        { name: 'authors_favourite_book_id_idx', sql: expect.stringContaining('("favourite_book_id")') },
        { name: 'authors_lower_email_idx', sql: expect.stringContaining('((lower(email)))') },
        { name: 'authors_lower_nick_idx', sql: expect.stringContaining('((lower(nick))) where "active" = 1') },
        { name: 'authors_nick_email_idx', sql: expect.stringContaining(`where "active" = 1 and "country_code" in ('FR', 'it')`) },
        { name: 'authors_nick_key', sql: expect.stringContaining('where "active" = 1') },
      ])
    })

    it('invents no value for an integer key that does not count', async () => {
      await db.insert('authors', { id: 1, email: 'a', active: true })
      await expect(db.insert('books', { author_id: 1, title: 'no id' })).rejects.toThrow('NOT NULL constraint failed: books.id')
    })

    it('quotes names with quotes in them', async () => {
      const table: TableSchema = {
        ...tableOf('countries'),
        name: 'a "quoted" table',
        primaryKey: { name: 'its "key"', columns: ['a "column"'] },
        columns: [{ name: 'a "column"', type: { kind: 'integer' }, nullable: false }],
      }
      await db.run(plainSql(ddl([{ kind: 'createTable', table }]))[0]!)
      await db.insert('a "quoted" table', { 'a "column"': 1 })
    })
  },
  { engines: ['sqlite'] },
)

describe('the SQLite writer', () => {
  it('refuses a schema', () => {
    const table = { ...tableOf('countries'), schema: 'shop' }
    expect(() => plainSql(ddl([{ kind: 'createTable', table }]))).toThrow(/SQLite has no schemas/)
  })

  it('refuses a counter that is not the whole primary key', () => {
    const table = tableOf('authors')
    const composite = { ...table, primaryKey: { name: 'authors_pkey', columns: ['id', 'email'] } }
    expect(() => plainSql(ddl([{ kind: 'createTable', table: composite }]))).toThrow(/whole primary key/)
  })

  it('writes foreign keys with the table, and nothing when they are added', () => {
    const table = tableOf('books')
    const made = { kind: 'createTable', table } as const
    const added = { kind: 'addForeignKey', ...unchanged(table), foreignKey: table.foreignKeys[0]! } as const
    expect(plainSql(ddl([made]))[0]).toContain('foreign key ("author_id") references "authors" ("id") on delete cascade')
    expect(plainSql(ddl([made, added]))).toEqual(plainSql(ddl([made])))
  })
})

function tableOf(name: string): TableSchema {
  return schemaOf(MODELS).tables.find((table) => table.name === name)!
}

/** The table before and after a change, where the DDL asks for its name and columns alone. */
function unchanged(table: TableSchema) {
  return { before: table, table }
}
