import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { plainSql } from '../../../../lib/dialect/ddl-statement.js'
import { ddl } from '../../../../lib/dialect/mysql/ddl.js'
import type { ColumnType } from '../../../../lib/model/column-type.js'
import type { ForeignKeySchema, TableSchema } from '../../../../lib/model/schema.js'
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

    it('gives each field its column type', async () => {
      const types = await db.run(
        `select column_name as name, column_type as type from information_schema.columns
         where table_schema = database() and table_name = 'everything' order by ordinal_position`,
      )
      // MariaDB and MySQL show the width of an integer or do not
      const byName = Object.fromEntries(types.map(({ name, type }) => [name, String(type).replace(/^(int|bigint)\(\d+\)/, '$1')]))
      expect(byName).toEqual({
        id: 'int',
        a_text: 'longtext',
        a_varchar: 'varchar(60)',
        an_integer: 'int',
        a_bigint: 'bigint',
        a_float: 'double',
        a_decimal: 'decimal(38,10)',
        a_boolean: 'tinyint(1)',
        a_date: 'date',
        a_time: 'time(6)',
        an_instant: 'datetime(3)',
        a_microsecond: 'datetime(6)',
        a_uuid: 'char(36)',
        a_json: expect.stringMatching(/^(json|longtext)$/),
        some_bytes: 'longblob',
        no_bytes: 'longblob',
        an_enum: 'varchar(6)',
        a_native_enum: expect.stringMatching(/^enum\('open','closed','o''pen\\+'\)$/),
        texts: expect.stringMatching(/^(json|longtext)$/),
        bigints: expect.stringMatching(/^(json|longtext)$/),
        native_enums: expect.stringMatching(/^(json|longtext)$/),
        empty: expect.stringMatching(/^(json|longtext)$/),
        expression: 'int',
        created_at: 'datetime(3)',
        updated_at: 'datetime(3)',
        version: 'int',
        deleted_at: 'datetime(3)',
      })
    })

    it('compares text by code point, in tables with transactions, whatever the database has', async () => {
      const tables = await db.run(
        'select distinct engine as engine, table_collation as collation from information_schema.tables where table_schema = database()',
      )
      expect(tables).toEqual([{ engine: 'InnoDB', collation: expect.stringMatching(/^utf8mb4_(0900|nopad)_bin$/) }])
      const [uuid] = await db.run(
        `select collation_name as collation from information_schema.columns where table_schema = database() and column_name = 'a_uuid'`,
      )
      expect(uuid).toEqual({ collation: 'ascii_bin' })
    })

    for (const mode of ['', 'NO_BACKSLASH_ESCAPES', 'ANSI_QUOTES']) {
      it(`leaves the defaults of the model where an insert names no column, made under sql_mode '${mode}'`, async () => {
        await db.run(`set sql_mode = '${mode}'`)
        await db.run('drop table everything')
        for (const statement of plainSql(ddl(diffSchemas(undefined, { version: 1, tables: [tableOf('everything')] }).changes)))
          await db.run(statement)
        await db.run("set sql_mode = 'STRICT_ALL_TABLES', time_zone = '+05:00'")
        await db.run('flush tables')
        await db.run('insert into everything () values ()')
        const [row] = await db.run(
          'select *, abs(timestampdiff(second, utc_timestamp(), created_at)) < 60 as is_now, length(no_bytes) as bytes from everything',
        )
        expect(row).toMatchObject({
          id: 1,
          a_text: AWKWARD,
          a_varchar: AWKWARD,
          an_integer: -2147483648,
          a_bigint: '-9223372036854775808',
          a_float: Number.MAX_VALUE,
          a_decimal: '-1234567890123456789012345678.0123456789',
          a_boolean: 1,
          a_date: '2024-02-29',
          a_time: '23:59:59.500000',
          an_instant: '2024-02-29 12:30:00.120',
          a_microsecond: '2024-02-29 12:30:00.120000',
          a_uuid: '6f9619ff-8b86-d011-b42d-00c04fc964ff',
          a_json: { list: [1, AWKWARD], nested: { yes: true } },
          some_bytes: Buffer.from([0, 39, 92, 255]),
          an_enum: `o'pen\\`,
          a_native_enum: `o'pen\\`,
          texts: [AWKWARD, 'null', ''],
          expression: 2,
          version: 1,
          deleted_at: null,
          is_now: 1,
          bytes: 0,
        })
      })
    }

    it('keeps comments with tables and columns', async () => {
      const [table] = await db.run(
        `select table_comment as it from information_schema.tables where table_schema = database() and table_name = 'everything'`,
      )
      const [column] = await db.run(
        `select column_comment as it from information_schema.columns where table_schema = database() and column_name = 'expression'`,
      )
      // the catalog has no characters beyond the basic plane
      const kept = AWKWARD.replace('😀', '\ufffd')
      // the last test made the table under ANSI_QUOTES, where a backslash escapes
      expect([table?.it, column?.it]).toEqual([kept, kept])
    })

    it('hides the columns that stand for partial and expression indexes', async () => {
      await db.insert('authors', { email: 'Ada@Example.com', nick: 'Ada', active: true })
      const [row] = await db.run("select *, _lw_authors_lower_email_idx as hidden from authors where email = 'Ada@Example.com'")
      expect(Object.keys(row ?? {})).toEqual(['id', 'email', 'nick', 'active', 'country_code', 'favourite_book_id', 'hidden'])
      expect(row?.hidden).toBe('ada@example.com')
      const [used] = await db.run("explain select id from authors where _lw_authors_lower_nick_idx = 'ada'")
      expect(used).toMatchObject({ key: 'authors_lower_nick_idx' })
    })

    it('takes rows whose indexed expression is longer than a key', async () => {
      const table: TableSchema = {
        ...tableOf('countries'),
        name: 'notes',
        columns: [
          { name: 'code', type: { kind: 'integer' }, nullable: false },
          { name: 'name', type: { kind: 'text' }, nullable: false },
        ],
      }
      await db.run(plainSql(ddl([{ kind: 'createTable', table }]))[0]!)
      const index = { name: 'notes_lower_idx', columns: [], expression: 'lower(name)' }
      for (const statement of plainSql(ddl([{ kind: 'createIndex', ...unchanged(table), index }]))) await db.run(statement)
      await db.insert('notes', { code: 1, name: 'é'.repeat(5_000) })
      expect(await db.run('select char_length(name) as length from notes')).toEqual([{ length: 5_000 }])
    })

    it('makes one index a key or index, and none of its own for a foreign key', async () => {
      const indexes = await db.run(
        `select index_name as name, group_concat(column_name order by seq_in_index separator ' ') as columns, min(non_unique) as several
         from information_schema.statistics where table_schema = database() and table_name in ('authors', 'books') group by 1, table_name order by 1`,
      )
      expect(indexes.map(({ name, columns, several }) => `${Number(several) === 0 ? 'unique ' : ''}${name}: ${columns}`)).toEqual([
        'authors_country_code_active_idx: country_code active',
        'unique authors_email_key: email',
        'authors_favourite_book_id_idx: favourite_book_id',
        'authors_lower_email_idx: _lw_authors_lower_email_idx',
        'authors_lower_nick_idx: _lw_authors_lower_nick_idx',
        'authors_nick_email_idx: nick email _lw_authors_nick_email_idx',
        'unique authors_nick_key: nick _lw_authors_nick_key',
        'unique books_author_id_title_key: author_id title',
        'books_sequel_of_idx: sequel_of',
        'unique PRIMARY: id',
        'unique PRIMARY: id',
      ])
    })

    it('quotes names with backticks in them', async () => {
      const table: TableSchema = {
        ...tableOf('countries'),
        name: 'a `quoted` table',
        primaryKey: { name: 'key', columns: ['a `column`'] },
        columns: [{ name: 'a `column`', type: { kind: 'integer' }, nullable: false }],
      }
      await db.run(plainSql(ddl([{ kind: 'createTable', table }]))[0]!)
      await db.insert('a `quoted` table', { 'a `column`': 1 })
    })
  },
  { engines: ['mysql'] },
)

describe('the MySQL writer refuses', () => {
  const refused: readonly (readonly [what: string, type: ColumnType, message: RegExp])[] = [
    ['a key over text without a length', { kind: 'text' }, /maxLength/],
    ['a key over bytes', { kind: 'bytes' }, /no key or index over bytes/],
    ['a key of more than 3072 bytes', { kind: 'varchar', length: 769 }, /3076 bytes/],
    ['an enum value that ENUM would cut', { kind: 'enum', name: 'e', values: ['a '], native: true }, /spaces at the end/],
  ]
  for (const [what, type, message] of refused) {
    it(what, () => {
      const columns = [{ name: 'code', type, nullable: false }]
      expect(() => plainSql(ddl([{ kind: 'createTable', table: { ...tableOf('countries'), columns } }]))).toThrow(message)
    })
  }

  it('an index over text without a length', () => {
    const index = { name: 'countries_name_idx', columns: ['name'] }
    expect(() => plainSql(ddl([{ kind: 'createIndex', ...unchanged(tableOf('countries')), index }]))).toThrow(/countries.*name.*maxLength/)
  })

  it('SET DEFAULT, which InnoDB does not have', () => {
    const foreignKey: ForeignKeySchema = { ...tableOf('books').foreignKeys[0]!, onDelete: 'setDefault' }
    expect(() => plainSql(ddl([{ kind: 'addForeignKey', ...unchanged(tableOf('books')), foreignKey }]))).toThrow(/SET DEFAULT/)
  })

  it.each([
    [true, { onDelete: 'setNull' }],
    [true, { onUpdate: 'setNull' }],
    [true, { onUpdate: 'cascade' }],
    [false, { onDelete: 'cascade' }],
    [false, { onDelete: 'restrict', onUpdate: 'restrict' }],
  ] as const)('says %s to an action that a check could not see: %j', (isRefused, actions) => {
    const books = tableOf('books')
    const table: TableSchema = { ...books, checks: [{ name: 'books_any_check', columns: ['title', 'author_id'], sql: '1 = 1' }] }
    const [toAuthor, toBook] = books.foreignKeys
    const add = (foreignKey: ForeignKeySchema) => () =>
      ddl([{ kind: 'addForeignKey', ...unchanged(table), foreignKey: { ...foreignKey, ...actions } }])
    if (isRefused) expect(add(toAuthor!)).toThrow(/books_author_id_fkey: MySQL lets no action .* books_any_check/)
    else expect(add(toAuthor!)).not.toThrow()
    expect(add(toBook!)).not.toThrow()
  })

  it('a varchar longer than a row', () => {
    const columns = [
      { name: 'code', type: { kind: 'integer' }, nullable: false },
      { name: 'name', type: { kind: 'varchar', length: 16_384 }, nullable: false },
    ] as const
    expect(() => plainSql(ddl([{ kind: 'createTable', table: { ...tableOf('countries'), columns } }]))).toThrow(/16383/)
  })

  it('a counter outside of a key', () => {
    const columns = [
      { name: 'code', type: { kind: 'integer' }, nullable: false },
      { name: 'counter', type: { kind: 'integer' }, nullable: false, default: { kind: 'increment' } },
    ] as const
    expect(() => plainSql(ddl([{ kind: 'createTable', table: { ...tableOf('countries'), columns } }]))).toThrow(/leads a key/)
  })
})

function tableOf(name: string): TableSchema {
  return schemaOf(MODELS).tables.find((table) => table.name === name)!
}

/** The table before and after a change, where the DDL asks for its name and columns alone. */
function unchanged(table: TableSchema) {
  return { before: table, table }
}
