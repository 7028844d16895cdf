import { createMigrator, documentOf } from 'latchwork/migrations'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type FreshDatabase, forEachEngine } from '../support/engines.js'
import { type Draft, FIVE, folderOf, idOf } from './draft.js'
import { shapeOf } from './look.js'

const DATA: Draft = { slug: 'rows', data: 'export const up = async () => undefined' }

/** A table that is made anew after one that refers to it, a view, a trigger and an index stand on it. */
const REBUILT: readonly Draft[] = [
  {
    slug: 'tables',
    up: [
      'create table users (id integer primary key autoincrement, name text)',
      'create table posts (id integer primary key, user_id integer references users (id) on delete cascade)',
      'create index users_name_idx on users (name)',
      'create view names as select name from users',
      "create trigger users_added after insert on users begin update users set name = 'new' where name is null; end",
      'create table log (id integer)',
    ],
  },
  {
    slug: 'rebuild',
    up: [
      '-- latchwork:rebuild users\ncreate table "__latchwork_new_users" (id integer primary key autoincrement, name text not null default \'none\');\ninsert into "__latchwork_new_users" select id, name from users',
    ],
  },
  { slug: 'more', up: ['alter table users add column age integer'] },
]
const FILL = "insert into users (id, name) values (1, 'ada'), (7, 'bob'); delete from users where id = 7; insert into posts values (1, 1)"

forEachEngine((engine) => {
  let database: FreshDatabase

  beforeEach(async () => {
    database = await engine.freshDatabase()
  })

  afterEach(() => database.drop())

  describe('a script', () => {
    it('leaves what up does, the state included, whether it is one or two', async () => {
      const folder = await folderOf(FIVE)
      const migrator = createMigrator({ url: database.url, folder })
      const middle = idOf(FIVE, 'users')
      await engine.admin(database.url, (await migrator.script({ to: middle })).sql)
      expect(await migrator.status()).toMatchObject({ applied: [idOf(FIVE, 'marks'), middle] })
      await engine.admin(database.url, (await migrator.script({ from: middle })).sql)
      expect(await migrator.up()).toMatchObject({ ok: true, applied: [], pending: [] })
      expect(await migrator.verify()).toMatchObject({ ok: true })
      const other = await engine.freshDatabase()
      await createMigrator({ url: other.url, folder }).up()
      expect(await shapeOf(database.url, 'marks', 'users')).toEqual(await shapeOf(other.url, 'marks', 'users'))
      await other.drop()
    })

    it('holds no module: it is refused, and the way around it is said', async () => {
      const drafts = [FIVE[0]!, DATA, { slug: 'last', up: 'create table last (id integer)' }]
      const migrator = createMigrator({ url: database.url, folder: await folderOf(drafts) })
      const error = await migrator.script().catch((reason: unknown) => reason)
      const rows = idOf(drafts, 'rows')
      expect(error).toMatchObject({ code: 'MIGRATION_USAGE', exitCode: 2, file: expect.stringContaining('data.mjs') })
      expect(documentOf(error)!.next).toEqual([
        `latchwork migrate script --to ${idOf(drafts, 'marks')}`,
        `latchwork migrate up --to ${rows}`,
        `latchwork migrate script --from ${rows}`,
      ])
      // which it is
      await engine.admin(database.url, (await migrator.script({ to: idOf(drafts, 'marks') })).sql)
      await migrator.up({ to: rows })
      await engine.admin(database.url, (await migrator.script({ from: rows })).sql)
      expect(await migrator.up()).toMatchObject({ applied: [], pending: [] })
    })

    if (engine.name === 'mysql')
      it('says where a statement ends that has semicolons in it', async () => {
        const body = "begin set new.name = 'a;$$'; if new.id = 1 then set new.name = 'b'; end if; end"
        const drafts: readonly Draft[] = [
          { slug: 'table', up: ["create table users (id integer primary key, name varchar(40) default ';')"] },
          { slug: 'trigger', up: [`create trigger users_added before insert on users for each row ${body}`] },
        ]
        const { sql } = await createMigrator({ url: database.url, folder: await folderOf(drafts) }).script()
        expect(sql).toContain("default ';');\n")
        expect(sql).toContain(`\ndelimiter //\ncreate trigger users_added before insert on users for each row ${body}\n//\ndelimiter ;\n`)
        expect(sql.match(/^delimiter /gm)).toHaveLength(2)
      })

    if (engine.name === 'sqlite') {
      it('rebuilds a table with all that stands on it, without a database', async () => {
        const migrator = createMigrator({ url: database.url, folder: await folderOf(REBUILT) })
        const other = await engine.freshDatabase()
        const beside = createMigrator({ url: other.url, folder: await folderOf(REBUILT) })
        for (const [url, each] of [
          [database.url, migrator],
          [other.url, beside],
        ] as const) {
          await each.up({ steps: 1 })
          await engine.admin(url, FILL)
        }
        const { sql } = await migrator.script({ from: idOf(REBUILT, 'tables') })
        expect(sql.indexOf('pragma foreign_keys = off')).toBeLessThan(sql.indexOf('begin immediate'))
        await engine.admin(database.url, sql)
        await beside.up()
        expect(await shapeOf(database.url, 'users', 'posts', 'names', 'sqlite_sequence')).toEqual(
          await shapeOf(other.url, 'users', 'posts', 'names', 'sqlite_sequence'),
        )
        expect(await migrator.up()).toMatchObject({ applied: [], pending: [] })
        await other.drop()
      })

      it('fails where a rebuild loses rows, and leaves the table as it was', async () => {
        const loses = { ...REBUILT[1]!, up: [(REBUILT[1]!.up as string[])[0]!.replace('from users', 'from users where id > 1')] }
        const migrator = createMigrator({ url: database.url, folder: await folderOf([REBUILT[0]!, loses]) })
        await migrator.up({ steps: 1 })
        await engine.admin(database.url, FILL)
        const { sql } = await migrator.script({ from: idOf(REBUILT, 'tables') })
        await expect(engine.admin(database.url, sql)).rejects.toThrow('rows_are_kept')
        expect(await engine.admin(database.url, 'select * from users')).toEqual([{ id: 1, name: 'ada' }])
      })

      it('refuses to rebuild a table that the folder does not make', async () => {
        const migrator = createMigrator({ url: database.url, folder: await folderOf([REBUILT[1]!]) })
        await expect(migrator.script()).rejects.toMatchObject({
          exitCode: 2,
          message: expect.stringContaining('use up --dry-run on the database'),
        })
      })
    }
  })
})
