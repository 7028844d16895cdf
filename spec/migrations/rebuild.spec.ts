import { createMigrator } from 'latchwork/migrations'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type FreshDatabase, forEachEngine } from '../support/engines.js'
import { type Draft, folderOf } from './draft.js'
import { shapeOf } from './look.js'

/** Indented and commented as their author left them: they are to come back byte for byte. */
const VIEW = 'create view  grown as\n  select id, name /* their names */ from users where age >= 18'
const VIEW_ON_VIEW = 'create view grown_names as select name from grown'
const TRIGGER = `create trigger users_log after update on users begin\n  insert into log values (new.id, 'changed');\nend`
const OTHERS_TRIGGER =
  'create trigger posts_count after insert on posts begin update users set posts = posts + 1 where id = new.user_id; end'
const INDEXES = [
  'create index users_name_idx on users (name)',
  'create unique index "users email" on users (email)',
  'create index users_grown_idx on users (age) where age >= 18',
]

const BASE: Draft = {
  slug: 'base',
  up: {
    sqlite: [
      'create table users (id integer primary key autoincrement, name text not null, email text, age integer, posts integer not null default 0)',
      'create table posts (id integer primary key, user_id integer not null references users (id) on delete cascade)',
      'create table log (id integer, what text)',
      ...INDEXES,
      "insert into users (id, name, email, age) values (1, 'Ada', 'a@example.com', 36), (2, 'Grace', 'g@example.com', 17), (7, 'Edsger', 'e@example.com', 40)",
      'delete from users where id = 7',
      TRIGGER,
      OTHERS_TRIGGER,
      VIEW,
      VIEW_ON_VIEW,
      'insert into posts values (1, 1), (2, 1), (3, 2)',
    ],
  },
}

const rebuildOf = (select: string, slug = 'rebuild', more: readonly string[] = []): Draft => ({
  slug,
  up: {
    sqlite: [
      `-- latchwork:rebuild users\ncreate table "__latchwork_new_users" (id integer primary key autoincrement, name varchar(80) not null check (name <> ''), email text, age integer, posts integer not null default 0);\n${select}`,
      ...more,
    ],
  },
})
const ALL = 'insert into "__latchwork_new_users" (id, name, email, age, posts) select id, name, email, age, posts from users'

forEachEngine(
  (engine) => {
    let database: FreshDatabase

    beforeEach(async () => {
      database = await engine.freshDatabase()
    })

    afterEach(() => database.drop())

    const objects = () =>
      engine.admin(
        database.url,
        "select type, name, sql from sqlite_schema where name not like '%latchwork%' and name not like 'sqlite%' order by name",
      )
    const rows = async () => [
      await engine.admin(database.url, 'select * from users order by id'),
      await engine.admin(database.url, 'select * from posts order by id'),
      await engine.admin(database.url, 'select * from log'),
    ]

    describe('a table that is made anew', () => {
      it('keeps its rows, those that refer to it, and every index, trigger and view', async () => {
        const drafts = [BASE, rebuildOf(ALL)]
        const migrator = createMigrator({ url: database.url, folder: await folderOf(drafts) })
        await migrator.up({ steps: 1 })
        const [before, rowsBefore] = [await objects(), await rows()]
        expect(await migrator.up()).toMatchObject({ ok: true })
        expect(await rows()).toEqual(rowsBefore)
        const after = await objects()
        const others = (list: typeof before) => list.filter(({ name }) => name !== 'users')
        expect(others(after)).toEqual(others(before))
        expect(after.find(({ name }) => name === 'users')!.sql).toContain('varchar(80)')
        // the key of a row that was deleted does not come back
        await engine.admin(database.url, "insert into users (name) values ('New')")
        expect(await engine.admin(database.url, 'select max(id) as id from users')).toEqual([{ id: 8 }])
        expect(await engine.admin(database.url, 'select name from grown_names')).toEqual([{ name: 'Ada' }])
        await engine.admin(database.url, "update users set name = 'Ada L.' where id = 1")
        expect(await engine.admin(database.url, 'select * from log order by id')).toHaveLength(rowsBefore[2]!.length + 1)
      })

      it.each([
        ['loses a row', [BASE, rebuildOf(`${ALL} where id <> 2`)], /would have kept 1 of its 2 rows/],
        ['fails behind it', [BASE, rebuildOf(ALL, 'rebuild', ['create table users (id integer)'])], /already exists/],
        [
          'leaves rows without their parent',
          [BASE, rebuildOf(ALL, 'rebuild', ['delete from users where id = 1'])],
          /refer to rows of "users" that are not there/,
        ],
      ])('is as it was where the migration %s', async (_case, drafts, message) => {
        const migrator = createMigrator({ url: database.url, folder: await folderOf(drafts) })
        await migrator.up({ steps: 1 })
        const before = [await objects(), await rows()]
        const error = await migrator.up().catch((reason: unknown) => reason)
        expect(error).toMatchObject({ exitCode: 8, failed: { databaseUnchanged: true } })
        expect(String(error)).toMatch(message)
        expect([await objects(), await rows()]).toEqual(before)
      })

      it('shows in a dry run what is done around it where what stands on the table is pending too', async () => {
        const more: Draft = {
          slug: 'more',
          up: ['create index users_posts_idx on users (posts)', 'create virtual table words using fts5 (word)'],
        }
        const last = rebuildOf(ALL, 'again', ['create view last as select id from users'])
        const folder = await folderOf([BASE, more, rebuildOf(ALL), last])
        const migrator = createMigrator({ url: database.url, folder })
        const fresh = (await migrator.up({ dryRun: true })).planned!
        await migrator.up({ steps: 2 })
        const behind = (await migrator.up({ dryRun: true })).planned!
        expect(fresh.slice(2)).toEqual(behind)
        const other = await engine.freshDatabase()
        await engine.admin(other.url, fresh.flatMap(({ statements }) => statements).join(';\n'))
        await migrator.up()
        expect(await shapeOf(other.url, 'users', 'last')).toEqual(await shapeOf(database.url, 'users', 'last'))
        await other.drop()
      })

      it('is refused in a dry run where there is no such table', async () => {
        const migrator = createMigrator({ url: database.url, folder: await folderOf([rebuildOf(ALL)]) })
        await expect(migrator.up({ dryRun: true })).rejects.toMatchObject({
          exitCode: 2,
          message: expect.stringContaining('no table "users"'),
        })
      })

      it('shows in a dry run all that is done around it', async () => {
        const migrator = createMigrator({ url: database.url, folder: await folderOf([BASE, rebuildOf(ALL)]) })
        await migrator.up({ steps: 1 })
        const [planned] = (await migrator.up({ dryRun: true })).planned!
        expect(planned!.statements.slice(0, 2)).toEqual(['pragma foreign_keys = off', 'begin immediate'])
        const made = (await objects()).filter(({ name }) => name === 'users_log' || name === 'grown').map(({ sql }) => sql)
        const around = ['drop view "grown"', 'alter table "__latchwork_new_users" rename to "users"', ...made]
        expect(planned!.statements).toEqual(expect.arrayContaining(around))
        expect(planned!.statements.at(-1)).toBe('pragma foreign_keys = on')
      })
    })
  },
  { engines: ['sqlite'] },
)
