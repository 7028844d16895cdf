import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { plainSql } from '../../../../lib/dialect/ddl-statement.js'
import { ddl } from '../../../../lib/dialect/postgres/ddl.js'
import type { Schema, TableSchema } from '../../../../lib/model/schema.js'
import { schemaOf } from '../../../../lib/model/schema.js'
import { diffSchemas } from '../../../../lib/model/schema-diff.js'
import { type FreshDatabase, forEachEngine } from '../../../support/engines.js'
import { AWKWARD, MODELS } from '../ddl-models.js'
import { openPlain, type PlainDatabase, type Row } from '../plain-database.js'

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

    async function column(expression: string, from: string): Promise<readonly unknown[]> {
      return (await db.run(`select ${expression} as it from ${from}`)).map(({ it }) => it)
    }

    it('gives each field its column type, text in the order of code points', async () => {
      const types = await db.run(
        `select attname, format_type(atttypid, atttypmod) as type, collname from pg_attribute
         left join pg_collation on pg_collation.oid = attcollation and collname <> 'default'
         where attrelid = 'everything'::regclass and attnum > 0 order by attnum`,
      )
      expect(
        Object.fromEntries(types.map(({ attname, type, collname }) => [attname, collname === null ? type : [type, collname]])),
      ).toEqual({
        id: 'integer',
        a_text: ['text', 'C'],
        a_varchar: ['character varying(60)', 'C'],
        an_integer: 'integer',
        a_bigint: 'bigint',
        a_float: 'double precision',
        a_decimal: 'numeric(38,10)',
        a_boolean: 'boolean',
        a_date: 'date',
        a_time: 'time without time zone',
        an_instant: 'timestamp(3) with time zone',
        a_microsecond: 'timestamp(6) with time zone',
        a_uuid: 'uuid',
        a_json: 'jsonb',
        some_bytes: 'bytea',
        no_bytes: 'bytea',
        an_enum: ['text', 'C'],
        a_native_enum: 'everything_a_native_enum',
        texts: ['text[]', 'C'],
        bigints: 'bigint[]',
        native_enums: 'everything_a_native_enum[]',
        empty: 'integer[]',
        expression: 'integer',
        created_at: 'timestamp(3) with time zone',
        updated_at: 'timestamp(3) with time zone',
        version: 'integer',
        deleted_at: 'timestamp(3) with time zone',
      })
    })

    it('leaves the defaults of the model where an insert names no column', async () => {
      await db.run(`set timezone to 'UTC'`)
      await db.run('insert into everything default values')
      const [row] = await db.run(
        `select *, a_text as text, an_instant::text as instant, a_microsecond::text as microsecond, a_bigint::text as bigint,
         a_decimal::text as decimal, bigints::text[] as bigints, a_date::text as date, native_enums::text[] as enums,
         now() - created_at < interval '1 minute' as is_now from everything`,
      )
      expect(row).toMatchObject({
        id: 1,
        text: AWKWARD,
        a_varchar: AWKWARD,
        an_integer: -2147483648,
        bigint: '-9223372036854775808',
        a_float: Number.MAX_VALUE,
        decimal: '-1234567890123456789012345678.0123456789',
        a_boolean: true,
        date: '2024-02-29',
        a_time: '23:59:59.5',
        instant: '2024-02-29 12:30:00.12+00',
        microsecond: '2024-02-29 12:30:00.12+00',
        a_uuid: '6f9619ff-8b86-d011-b42d-00c04fc964ff',
        a_json: { list: [1, AWKWARD], nested: { yes: true } },
        some_bytes: Buffer.from([0, 39, 92, 255]),
        no_bytes: Buffer.alloc(0),
        an_enum: `o'pen\\`,
        a_native_enum: `o'pen\\`,
        texts: [AWKWARD, 'null', ''],
        bigints: ['9223372036854775807'],
        enums: ['open'],
        empty: [],
        expression: 2,
        version: 1,
        deleted_at: null,
        is_now: true,
      })
    })

    it('means the same whatever standard_conforming_strings is', async () => {
      await db.run('set standard_conforming_strings to off')
      await db.run('create schema other')
      for (const statement of plainSql(ddl(diffSchemas(undefined, { version: 1, tables: [movedTo('other', 'everything')] }).changes)))
        await db.run(statement)
      await db.run('set standard_conforming_strings to on')
      await db.run('insert into other.everything default values')
      const [row] = (await db.run('select a_text, some_bytes, texts, a_native_enum from other.everything')) as [Row]
      expect(row).toEqual({
        a_text: AWKWARD,
        some_bytes: Buffer.from([0, 39, 92, 255]),
        texts: [AWKWARD, 'null', ''],
        a_native_enum: `o'pen\\`,
      })
      expect(
        await column('nspname', `pg_type join pg_namespace n on n.oid = typnamespace where typname = 'everything_a_native_enum'`),
      ).toEqual(['public', 'other'])
    })

    it('makes keys and checks as constraints, partial keys and expressions as indexes', async () => {
      // since PostgreSQL 18 NOT NULL is listed as a constraint too: what it is on is read from the columns, below
      const constraints = `pg_constraint where conrelid = 'authors'::regclass and contype <> 'n' order by conname collate "C"`
      expect(await column(`conname || ' ' || pg_get_constraintdef(oid)`, constraints)).toEqual([
        'authors_country_code_fkey FOREIGN KEY (country_code) REFERENCES countries(code) ON UPDATE CASCADE ON DELETE SET NULL',
        'authors_email_key UNIQUE (email)',
        'authors_favourite_book_id_fkey FOREIGN KEY (favourite_book_id) REFERENCES books(id) ON DELETE SET NULL',
        'authors_pkey PRIMARY KEY (id)',
      ])
      const required = `pg_attribute where attrelid = 'authors'::regclass and attnum > 0 and attnotnull order by attname collate "C"`
      expect(await column('attname', required)).toEqual(['active', 'email', 'id'])
      const indexes = await column('indexdef', `pg_indexes where tablename = 'authors' order by indexname collate "C"`)
      expect(indexes.map((text) => String(text).replace(/^CREATE (UNIQUE )?INDEX (\S+) ON public.authors USING btree/, '$1$2'))).toEqual([
        'authors_country_code_active_idx (country_code, active)',
        'UNIQUE authors_email_key (email)',
        'authors_favourite_book_id_idx (favourite_book_id)',
        'authors_lower_email_idx (lower((email)::text))',
        'authors_lower_nick_idx (lower((nick)::text)) WHERE (active = true)',
        `authors_nick_email_idx (nick, email) WHERE ((active = true) AND ((country_code)::text = ANY ((ARRAY['FR'::character varying, 'it'::character varying])::text[])))`,
        'UNIQUE authors_nick_key (nick) WHERE (active = true)',
        'UNIQUE authors_pkey (id)',
      ])
    })

    it('renames an enum type, and writes no row of its columns anew', () => {
      const of = (name: string, ...values: string[]): Schema => {
        const mood = { kind: 'enum', name, values, native: true } as const
        const columns = [
          { name: 'id', type: { kind: 'integer' }, nullable: false },
          { name: 'mood', type: mood, nullable: true, default: { kind: 'value', value: 'sad' } },
          { name: 'moods', type: { kind: 'array', of: mood }, nullable: true },
        ] as const
        const primaryKey = { name: 'users_pkey', columns: ['id'] }
        return { version: 1, tables: [{ name: 'users', columns, primaryKey, uniques: [], indexes: [], foreignKeys: [], checks: [] }] }
      }
      expect(plainSql(ddl(diffSchemas(of('mood', 'sad'), of('spirit', 'sad', 'glad')).changes))).toEqual([
        'alter type "mood" rename to "spirit"',
        `alter type "spirit" add value 'glad'`,
      ])
    })

    it('keeps comments with tables and columns', async () => {
      expect(await column(`obj_description('everything'::regclass, 'pg_class')`, '(select 1) one')).toEqual([AWKWARD])
      const position = `attnum from pg_attribute where attrelid = 'everything'::regclass and attname = 'expression'`
      expect(await column(`col_description('everything'::regclass, (select ${position}))`, '(select 1) one')).toEqual([AWKWARD])
    })

    describe('names', () => {
      it('with quotes in them are quoted', async () => {
        const table: TableSchema = {
          ...movedTo(undefined, 'countries'),
          name: 'a "quoted" table',
          primaryKey: { name: 'its "key"', columns: ['a "column"'] },
          columns: [{ name: 'a "column"', type: { kind: 'integer' }, nullable: false }],
        }
        for (const statement of plainSql(ddl([{ kind: 'createTable', table }]))) await db.run(statement)
        await db.insert('a "quoted" table', { 'a "column"': 1 })
        await expect(db.insert('a "quoted" table', { 'a "column"': 1 })).rejects.toMatchObject({ constraint: 'its "key"' })
      })

      it('are qualified by the schema of the model, in foreign keys too', async () => {
        const foreignKey = {
          name: 'countries_name_fkey',
          columns: ['code'],
          target: { schema: 'other', table: 'countries', columns: ['code'] },
          onDelete: 'cascade',
          onUpdate: 'noAction',
        } as const
        expect(plainSql(ddl([{ kind: 'addForeignKey', ...unchanged(movedTo('shop', 'countries')), foreignKey }]))).toEqual([
          'alter table "shop"."countries" add constraint "countries_name_fkey" foreign key ("code") references "other"."countries" ("code") on delete cascade',
        ])
        const index = { name: 'countries_name_idx', columns: ['name'] }
        expect(plainSql(ddl([{ kind: 'createIndex', ...unchanged(movedTo('shop', 'countries')), index }]))).toEqual([
          'create index "countries_name_idx" on "shop"."countries" ("name")',
        ])
      })
    })
  },
  { engines: ['postgres'] },
)

function movedTo(schema: string | undefined, name: string): TableSchema {
  const table = schemaOf(MODELS).tables.find((one) => one.name === name)!
  return schema === undefined ? table : { ...table, schema }
}

/** The table before and after a change, where the DDL asks for its name and columns alone. */
function unchanged(table: TableSchema) {
  return { before: table, table }
}
