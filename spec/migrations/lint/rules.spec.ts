import { describe, expect, it } from 'vitest'
import { createMigrationDialect } from '../../../lib/dialect/create-migration-dialect.js'
import type { Engine } from '../../../lib/dialect/dialect.js'
import type { ColumnType } from '../../../lib/model/column-type.js'
import type { ColumnSchema, Schema, TableSchema } from '../../../lib/model/schema.js'
import { lintFile } from '../../../migrations/lint/lint-file.js'
import { type Found, SQL_RULE_IDS, type SqlRuleId } from '../../../migrations/lint/rule.js'
import { SQL_RULES } from '../../../migrations/lint/sql-rules.js'
import { NOWHERE } from '../../../migrations/nowhere.js'

const column = (name: string, type: ColumnType): ColumnSchema => ({ name, type, nullable: true })

function table(name: string, columns: readonly ColumnSchema[], more: Partial<TableSchema> = {}): TableSchema {
  return {
    name,
    columns: [{ ...column('id', { kind: 'bigint' }), nullable: false }, ...columns],
    primaryKey: { name: `${name}_pkey`, columns: ['id'] },
    uniques: [],
    indexes: [],
    foreignKeys: [],
    checks: [],
    ...more,
  }
}

/** What was there before each of the migrations below. */
const BEFORE: Schema = {
  version: 1,
  tables: [
    table('users', [
      column('nick', { kind: 'varchar', length: 40 }),
      column('note', { kind: 'varchar', length: 2_000 }),
      column('age', { kind: 'integer' }),
      column('big', { kind: 'bigint' }),
    ]),
    table('posts', [column('user_id', { kind: 'bigint' }), column('owner_id', { kind: 'bigint' })], {
      indexes: [{ name: 'posts_user_id_idx', columns: ['user_id'] }],
      foreignKeys: [
        {
          name: 'posts_user_id_fkey',
          columns: ['user_id'],
          target: { table: 'users', columns: ['id'] },
          onDelete: 'cascade',
          onUpdate: 'noAction',
        },
      ],
    }),
    table('lonely', []),
  ],
}

interface Example {
  readonly engine: Engine
  readonly bad: string
  readonly good: string
  /** What is found, in part. */
  readonly says?: Partial<Found>
}

const step = (...statements: readonly string[]) => statements.join(';\n-- latchwork:step\n')
const LONG = 'a'.repeat(65)

const EXAMPLES: Readonly<Record<SqlRuleId, readonly Example[]>> = {
  'drop-table': [
    {
      engine: 'postgres',
      bad: 'DROP TABLE IF EXISTS "Hr"."users" CASCADE',
      good: "select 'drop table users'",
      says: { object: 'Hr.users' },
    },
    { engine: 'mysql', bad: 'drop database `old`', good: step('create table t (id bigint)', 'drop table t'), says: { object: 'old' } },
    {
      engine: 'sqlite',
      bad: 'drop table [users]',
      good: step('create table t (id integer)', 'drop table users', 'alter table t rename to users'),
      says: { object: 'users' },
    },
  ],
  'drop-column': [
    {
      engine: 'postgres',
      bad: 'alter table only users drop column if exists nick cascade',
      good: 'alter table users drop constraint c',
      says: { object: 'users.nick' },
    },
    {
      engine: 'mysql',
      bad: 'alter table users add x int, drop `nick`',
      good: 'alter table users drop index i, drop column `_lw_i`',
      says: { object: 'users.nick' },
    },
    {
      engine: 'sqlite',
      bad: '-- latchwork:rebuild lonely\ncreate table "__latchwork_new_lonely" (other integer);\ninsert into "__latchwork_new_lonely" select id from lonely',
      good: '-- latchwork:rebuild lonely\ncreate table "__latchwork_new_lonely" (id integer, x text);\ninsert into "__latchwork_new_lonely" select id, 1 from lonely',
      says: { object: 'lonely.id' },
    },
  ],
  truncate: [
    { engine: 'postgres', bad: 'truncate only users restart identity cascade', good: 'delete from users', says: { object: 'users' } },
    { engine: 'mysql', bad: 'TRUNCATE TABLE users', good: "update users set nick = 'truncate'", says: { object: 'users' } },
  ],
  'narrow-type': [
    {
      engine: 'postgres',
      bad: 'alter table users alter nick type varchar(20)',
      good: 'alter table users alter column nick set data type text',
      says: { object: 'users.nick' },
    },
    { engine: 'mysql', bad: 'alter table users change big small int', good: 'alter table users modify column age bigint not null' },
    {
      engine: 'sqlite',
      bad: '-- latchwork:rebuild users\ncreate table "__latchwork_new_users" (id bigint, nick varchar(10), note text, age integer, big integer);\ninsert into "__latchwork_new_users" select * from users',
      good: '-- latchwork:rebuild users\ncreate table "__latchwork_new_users" (id bigint, nick varchar(50), note text, age integer, big integer);\ninsert into "__latchwork_new_users" select * from users',
    },
  ],
  'rename-in-place': [
    { engine: 'postgres', bad: 'alter table users rename nick to handle', good: 'alter index a rename to b' },
    { engine: 'mysql', bad: 'rename table users to people', good: 'alter table users rename index a to b, change nick nick varchar(50)' },
    { engine: 'sqlite', bad: 'alter table users rename to people', good: step('create table t (id integer)', 'alter table t rename to u') },
  ],
  'index-not-concurrent': [
    {
      engine: 'postgres',
      bad: 'create unique index i on only public.users (nick)',
      good: step('create index concurrently i on users (nick)', 'create table t (id bigint)', 'create index j on t (id)'),
    },
  ],
  'fk-not-valid': [
    {
      engine: 'postgres',
      bad: 'alter table posts add constraint f foreign key (owner_id) references users (id)',
      good: 'alter table posts add constraint f foreign key (owner_id) references users (id) not valid',
    },
    {
      engine: 'postgres',
      bad: 'alter table posts add constraint "the owner" foreign key (owner_id) references users (id)',
      good: 'alter table posts add constraint "the owner" foreign key (owner_id) references users (id) not valid',
    },
    {
      engine: 'postgres',
      bad: 'alter table users add column boss_id bigint references users',
      good: step('create table t (id bigint)', 'alter table t add user_id bigint references users'),
    },
  ],
  'check-not-valid': [
    {
      engine: 'postgres',
      bad: 'alter table users add check (age > 0)',
      good: 'alter table users add constraint c check (age > 0) not valid',
    },
    {
      engine: 'postgres',
      bad: 'alter table users add column if not exists size integer constraint "of a size" check (size > 0)',
      good: 'alter table users add column checked boolean, add constraint "of a size" check (age > 0) not valid',
    },
  ],
  'not-null-unvalidated': [
    {
      engine: 'postgres',
      bad: 'alter table users alter column age set not null',
      good: step(
        'alter table users add constraint "c" check ("age" is not null) not valid',
        '-- latchwork:tx none\nalter table users validate constraint "c"',
        'alter table users alter column age set not null',
      ),
    },
  ],
  'volatile-default': [
    {
      engine: 'postgres',
      bad: 'alter table users add column token uuid not null default gen_random_uuid()',
      good: step(
        'alter table users add column at timestamptz not null default now()',
        "alter table users add column n text default 'a'::text",
        'alter table users add x int default -1',
      ),
    },
    { engine: 'postgres', bad: 'alter table users add n bigserial', good: 'create table t (token uuid default gen_random_uuid())' },
    { engine: 'postgres', bad: 'alter table users add n int generated always as (age * 2) stored', good: 'alter table users add n int' },
  ],
  'mysql-copy': [
    {
      engine: 'mysql',
      bad: 'alter table users modify age bigint',
      good: 'alter table users modify age bigint, algorithm=inplace, lock=none',
    },
    { engine: 'mysql', bad: 'alter table users convert to character set utf8mb4', good: 'alter table users add column x int' },
  ],
  'unique-not-using-index': [
    {
      engine: 'postgres',
      bad: 'alter table users add constraint k unique (nick)',
      good: 'alter table users add constraint k unique using index k_idx',
    },
    {
      engine: 'postgres',
      bad: 'alter table users add column tag text unique',
      good: 'alter table users add constraint "a key" unique using index k_idx',
    },
    { engine: 'postgres', bad: 'alter table users add constraint "a key" unique (nick)', good: 'alter table users add "unique" text' },
  ],
  'several-tables-one-tx': [
    {
      engine: 'postgres',
      bad: step('alter table users add a int', 'alter table posts add a int'),
      good: step('alter table users add a int', 'alter table users add b int', '-- latchwork:tx none\nalter table posts add a int'),
    },
  ],
  'concurrently-in-tx': [
    {
      engine: 'postgres',
      bad: "do $$ begin execute 'create index concurrently i on users (nick)'; end $$",
      good: 'create index concurrently i on users (nick)',
    },
    {
      engine: 'postgres',
      bad: step('alter table users add a int', 'create index concurrently i on users (a)'),
      good: "select 'create index concurrently'",
      says: { level: 'warning' },
    },
  ],
  'enum-value-same-tx': [
    {
      engine: 'postgres',
      bad: step("alter type mood add value 'glad'", "update users set mood = 'glad'"),
      good: step("-- latchwork:tx none\nalter type mood add value 'glad'", "update users set mood = 'glad'"),
    },
  ],
  'sqlite-rebuild-with-children': [
    {
      engine: 'sqlite',
      bad: step('create table new_users (id integer)', 'drop table users', 'alter table new_users rename to users'),
      good: '-- latchwork:rebuild users\ncreate table "__latchwork_new_users" (id integer);\ninsert into "__latchwork_new_users" select id from users',
    },
    {
      engine: 'sqlite',
      bad: step('create table n (id integer)', 'drop table lonely', 'alter table n rename to lonely'),
      good: 'drop table lonely',
      says: { level: 'warning' },
    },
    { engine: 'sqlite', bad: 'PRAGMA foreign_keys = OFF', good: 'pragma user_version = 3' },
  ],
  'multi-table-drop': [{ engine: 'mysql', bad: 'drop table if exists a, `b`', good: step('drop table a', 'drop table b') }],
  'timestamp-without-zone': [
    {
      engine: 'postgres',
      bad: 'create table t (at timestamp(3) not null)',
      good: 'create table t (a timestamptz, b timestamp(3) with time zone, "timestamp" text)',
    },
    { engine: 'postgres', bad: 'alter table users add at timestamp without time zone', good: 'alter table users add at timestamptz' },
  ],
  'int-primary-key': [
    { engine: 'postgres', bad: 'create table t (id serial primary key)', good: 'create table t (id bigserial primary key)' },
    {
      engine: 'mysql',
      bad: 'create table t (id int auto_increment, primary key (id))',
      good: 'create table t (id bigint auto_increment, n int, primary key (id))',
    },
  ],
  'identifier-too-long': [
    { engine: 'postgres', bad: `create index ${LONG} on users (nick)`, good: `create index ${LONG.slice(2)} on users (nick)` },
    { engine: 'mysql', bad: `alter table users add \`${LONG}\` int`, good: `alter table users add \`${LONG.slice(1)}\` int` },
  ],
  'reserved-word': [
    { engine: 'postgres', bad: 'create table "order" (id bigint)', good: 'create table orders (id bigint)' },
    { engine: 'mysql', bad: 'alter table users add `rank` int', good: 'alter table users add ranking int' },
    { engine: 'sqlite', bad: 'alter table users rename column nick to "user"', good: 'create view readers as select 1' },
  ],
  'missing-fk-index': [
    {
      engine: 'postgres',
      bad: step('create table "the posts" (id bigint, user_id bigint references users)', 'create index on "the posts" (id, user_id)'),
      good: step(
        'create table "the posts" (id bigint, user_id bigint references users)',
        'create index on "the posts" using btree (user_id)',
      ),
    },
    {
      engine: 'postgres',
      bad: 'alter table posts add constraint "the owner" foreign key (owner_id) references users (id)',
      good: step('create index if not exists "on posts (x)" on only public.posts (x)', 'alter table posts add owner bigint'),
    },
    {
      engine: 'postgres',
      bad: 'alter table posts add constraint f foreign key (owner_id) references users (id) not valid',
      good: step(
        'create index i on posts (owner_id, id)',
        'alter table posts add constraint f foreign key ("owner_id") references users (id)',
      ),
    },
    {
      engine: 'sqlite',
      bad: 'create table t (id integer primary key, user_id integer references users (id))',
      good: step('create table t (id integer primary key, user_id integer references users (id))', 'create index i on t (user_id)'),
    },
    {
      engine: 'sqlite',
      bad: 'alter table users add boss_id integer references users',
      good: 'create table t (user_id integer primary key references users)',
    },
  ],
  'long-index-prefix': [
    {
      engine: 'mysql',
      bad: 'create index i on users (note)',
      good: 'create index i on users (note(100), nick)',
      says: { message: 'a key of 8000 bytes, and 3072 are the most' },
    },
    { engine: 'mysql', bad: 'create table t (a text, unique key k (a))', good: 'create table t (a varchar(768), unique key k (a))' },
  ],
  'data-with-ddl': [
    {
      engine: 'postgres',
      bad: step('alter table users add a int', 'update users set a = 1'),
      good: step('create table t (id bigint)', 'insert into t values (1)'),
    },
    { engine: 'mysql', bad: step('delete from users', 'drop table posts'), good: 'update users set age = 1' },
    {
      engine: 'sqlite',
      bad: step('insert into users (id) values (1)', 'create index i on users (nick)'),
      good: 'create index i on users (nick)',
    },
  ],
  'no-lock-timeout': [
    { engine: 'postgres', bad: 'set lock_timeout = 0', good: "set local lock_timeout = '2s'" },
    { engine: 'postgres', bad: 'lock table users', good: 'lock table users in exclusive mode nowait', says: { level: 'warning' } },
    { engine: 'mysql', bad: 'set session lock_wait_timeout = 86400', good: 'set session lock_wait_timeout = 5' },
  ],
}

function find(rule: SqlRuleId, engine: Engine, text: string): readonly Found[] {
  const file = lintFile(
    'id',
    { kind: 'sql', file: `up.${engine}.sql`, text, checksum: '' },
    createMigrationDialect(NOWHERE[engine]),
    BEFORE,
    [],
  )
  return SQL_RULES[rule].find(file)
}

describe.each(SQL_RULE_IDS)('the rule %s', (rule) => {
  it('has an example for each of its engines', () => {
    expect(new Set(EXAMPLES[rule].map(({ engine }) => engine))).toEqual(new Set(SQL_RULES[rule].engines))
  })

  it.each(EXAMPLES[rule])('finds on $engine: $bad', ({ engine, bad, says }) => {
    const found = find(rule, engine, bad)
    expect(found).toHaveLength(1)
    expect(found[0]).toMatchObject({ line: expect.any(Number), message: expect.any(String), ...says })
  })

  it.each(EXAMPLES[rule])('lets be on $engine: $good', ({ engine, good }) => {
    expect(find(rule, engine, good)).toEqual([])
  })
})
