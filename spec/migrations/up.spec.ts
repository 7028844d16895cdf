import { readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { createMigrator, type MigrationFailedError, type MigrationHistoryError, type MigratorOptions } from 'latchwork/migrations'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type FreshDatabase, forEachEngine } from '../support/engines.js'
import { dropDatabase } from '../support/plain-sql.js'
import { type Draft, FIVE, folderOf, idOf, writeDraft } from './draft.js'
import { shapeOf } from './look.js'

const ids = FIVE.map(({ slug }) => idOf(FIVE, slug))

async function failureOf<E>(work: Promise<unknown>): Promise<E> {
  return (await work.then(
    () => expect.unreachable('it was to fail'),
    (error: unknown) => error,
  )) as E
}

forEachEngine((engine) => {
  let database: FreshDatabase

  beforeEach(async () => {
    database = await engine.freshDatabase()
  })

  afterEach(() => database.drop())

  /** All of them, those of the state too. */
  const tablesOf = () =>
    engine.admin(
      database.url,
      {
        postgres: "select table_name as name from information_schema.tables where table_schema = 'public' order by 1",
        mysql: 'select table_name as name from information_schema.tables where table_schema = database() order by 1',
        sqlite: "select name from sqlite_schema where type = 'table' order by 1",
      }[engine.name],
    )
  const migratorOf = (folder: string, options: Partial<MigratorOptions> = {}) => createMigrator({ url: database.url, folder, ...options })
  const isUndone = engine.name !== 'mysql'

  describe('up', () => {
    it('applies what is pending in order, and then finds nothing to do', async () => {
      const migrator = migratorOf(await folderOf(FIVE))
      const first = await migrator.up()
      expect(first).toMatchObject({
        schema: 'latchwork.migrate/1',
        command: 'up',
        dialect: engine.name,
        ok: true,
        exitCode: 0,
        failed: null,
      })
      expect(first.applied.map(({ id }) => id)).toEqual(ids)
      expect(first.applied.map(({ steps }) => steps)).toEqual([1, 2, 3, 3, 2])
      expect(first.pending).toEqual([])
      expect(await engine.admin(database.url, 'select id from marks order by id')).toEqual([2, 3, 4, 5].map((id) => ({ id })))
      expect(await migrator.up()).toMatchObject({ ok: true, applied: [], pending: [] })
    })

    it('stops at an id, or after a number', async () => {
      const migrator = migratorOf(await folderOf(FIVE))
      expect((await migrator.up({ to: ids[1]! })).pending).toEqual(ids.slice(2))
      expect((await migrator.up({ steps: 1 })).applied.map(({ id }) => id)).toEqual([ids[2]])
      await expect(migrator.up({ to: '20260101T000000Z_none' })).rejects.toMatchObject({ code: 'MIGRATION_USAGE', exitCode: 2 })
    })

    it('says in a dry run what it would do, and does nothing', async () => {
      const migrator = migratorOf(await folderOf(FIVE))
      const { planned, applied, pending } = await migrator.up({ dryRun: true })
      expect(planned!.map(({ id }) => id)).toEqual(ids)
      expect(planned![0]!.statements).toContain('create table marks (id integer primary key, migration varchar(20) not null)')
      expect([applied, pending]).toEqual([[], ids])
      expect(await tablesOf()).toEqual([])
      await migrator.up()
      expect((await migrator.up({ dryRun: true })).planned).toEqual([])
      const before = await tablesOf()
      expect((await migrator.down({ steps: 1, dryRun: true })).planned!.map(({ id }) => id)).toEqual([ids.at(-1)])
      expect(await tablesOf()).toEqual(before)
    })

    it('applies an older one that came late by a merge', async () => {
      const drafts: readonly Draft[] = [
        { slug: 'base', up: ['create table a (id integer primary key)'] },
        { slug: 'theirs', up: ['create table b (id integer primary key)'], parents: ['base'] },
        { slug: 'ours', up: ['create table c (id integer primary key)'], parents: ['base'] },
        { slug: 'merge', up: '', parents: ['theirs', 'ours'] },
      ]
      const folder = await folderOf([])
      for (const slug of ['base', 'ours']) await writeDraft(folder, drafts, drafts.find((draft) => draft.slug === slug)!)
      await migratorOf(folder).up()
      await writeDraft(folder, drafts, drafts[1]!)
      const heads = await failureOf<MigrationHistoryError>(migratorOf(folder).up())
      expect(heads).toMatchObject({ exitCode: 6, problems: [{ kind: 'heads' }] })
      await writeDraft(folder, drafts, drafts[3]!)
      expect((await migratorOf(folder).status()).migrations.filter(({ late }) => late).map(({ id }) => id)).toEqual([
        idOf(drafts, 'theirs'),
      ])
      expect((await migratorOf(folder).up()).applied.map(({ id }) => id)).toEqual([idOf(drafts, 'theirs'), idOf(drafts, 'merge')])
    })

    it('refuses one on which an applied one stands', async () => {
      const drafts: readonly Draft[] = [
        { slug: 'one', up: ['create table a (id integer primary key)'] },
        { slug: 'between', up: ['create table b (id integer primary key)'] },
        { slug: 'two', up: ['create table c (id integer primary key)'], parents: ['one'] },
      ]
      const folder = await folderOf([])
      for (const at of [0, 2]) await writeDraft(folder, drafts, drafts[at]!)
      await migratorOf(folder).up()
      await writeDraft(folder, drafts, drafts[1]!)
      const file = join(folder, idOf(drafts, 'two'), 'migration.json')
      await writeFile(file, JSON.stringify({ id: idOf(drafts, 'two'), parents: [idOf(drafts, 'between')] }))
      const error = await failureOf<MigrationHistoryError>(migratorOf(folder).up())
      expect(error).toMatchObject({ exitCode: 6, problems: [{ kind: 'skipped', ids: [idOf(drafts, 'between'), idOf(drafts, 'two')] }] })
    })

    it('takes LF and CRLF for the same, and one character for another', async () => {
      const folder = await folderOf(FIVE)
      await migratorOf(folder).up()
      const file = join(folder, ids[1]!, `up.${engine.name}.sql`)
      const text = await readFile(file, 'utf8')
      await writeFile(file, `\u{feff}${text.replaceAll('\n', '\r\n')}`)
      expect(await migratorOf(folder).up()).toMatchObject({ ok: true, applied: [] })
      await writeFile(file, text.replace('varchar(40)', 'varchar(41)'))
      const error = await failureOf<MigrationHistoryError>(migratorOf(folder).up())
      expect(error).toMatchObject({ exitCode: 6, problems: [{ kind: 'modified', ids: [ids[1]] }] })
      expect(JSON.stringify(error.document)).not.toMatch(/reset/i)
      expect((await migratorOf(folder).status()).modified).toEqual([ids[1]])
    })

    it('finds what stands in no file any more', async () => {
      const folder = await folderOf(FIVE)
      await migratorOf(folder).up()
      const smaller = await folderOf(FIVE.slice(0, 4))
      await expect(migratorOf(smaller).up()).rejects.toMatchObject({ exitCode: 6, problems: [{ kind: 'missing', ids: [ids[4]] }] })
      expect(await migratorOf(smaller).verify()).toMatchObject({ ok: false, exitCode: 6, problems: [{ kind: 'missing' }] })
      expect((await migratorOf(smaller).status()).unknown).toEqual([ids[4]])
    })

    it('looks at every pending file before it runs the first', async () => {
      const drafts: readonly Draft[] = [
        { slug: 'good', up: ['create table good (id integer primary key)'] },
        { slug: 'bad', up: 'create table b (id integer);\n\ncreate table c (id integer);\n' },
      ]
      const folder = await folderOf(drafts)
      const error = await failureOf<Error>(migratorOf(folder).up())
      expect(error).toMatchObject({ exitCode: 2, line: 3, file: join(folder, idOf(drafts, 'bad'), `up.${engine.name}.sql`) })
      expect(error.message).toContain('put a line "-- latchwork:step" before line 3')
      expect(await migratorOf(folder).status()).toMatchObject({ applied: [] })
    })
  })

  it('finds its state by whoever only looks, although its version is not written down yet', async () => {
    const migrator = migratorOf(await folderOf(FIVE))
    await migrator.up()
    // as a process leaves it that was killed before its last statement
    await engine.admin(database.url, 'delete from _latchwork_meta')
    const versions = () => engine.admin(database.url, 'select version from _latchwork_meta')
    expect((await migrator.status()).applied).toEqual(ids)
    expect((await migrator.up({ dryRun: true })).planned).toEqual([])
    expect(await versions()).toEqual([])
    expect(await migrator.up()).toMatchObject({ ok: true, applied: [] })
    expect(await versions()).toEqual([{ version: 1 }])
  })

  it('finds a migration whose folder is elsewhere, by a symbolic link', async () => {
    const [folder, elsewhere] = [await folderOf(FIVE), await folderOf(FIVE)]
    await rm(join(folder, ids[4]!), { recursive: true })
    await symlink(join(elsewhere, ids[4]!), join(folder, ids[4]!), 'junction')
    expect((await migratorOf(folder).up()).applied.map(({ id }) => id)).toEqual(ids)
  })

  describe('a migration that fails', () => {
    const drafts: readonly Draft[] = [
      { slug: 'good', up: ['create table good (id integer primary key)'] },
      {
        slug: 'bad',
        up: [
          'create table one (id integer primary key)',
          'create table good (id integer primary key)',
          'create table two (id integer primary key)',
        ],
      },
      { slug: 'after', up: ['create table later (id integer primary key)'] },
    ]
    const bad = idOf(drafts, 'bad')

    it(isUndone ? 'leaves the database as it was before it' : 'names the step, and what is done', async () => {
      const folder = await folderOf(drafts)
      const error = await failureOf<MigrationFailedError>(migratorOf(folder).up())
      expect(error.exitCode).toBe(isUndone ? 8 : 9)
      expect(error.failed).toMatchObject({
        id: bad,
        step: 2,
        stepsTotal: 3,
        stepsDone: isUndone ? 0 : 1,
        line: 5,
        databaseUnchanged: isUndone,
      })
      expect(error.failed.sqlPreview).toBe('create table good (id integer primary key)')
      expect(error.failed.code).not.toBeNull()
      expect(error.document).toMatchObject({ command: 'up', ok: false, exitCode: error.exitCode, applied: [{ id: idOf(drafts, 'good') }] })
      expect(error.document).toMatchObject({ failed: error.failed, pending: [bad, idOf(drafts, 'after')] })
      const tables = JSON.stringify(await shapeOf(database.url))
      expect([tables.includes('"one"'), tables.includes('"later"')]).toEqual([!isUndone, false])
      const status = await migratorOf(folder).status()
      const of = status.migrations.find(({ id }) => id === bad)!
      expect(of).toMatchObject({ state: isUndone ? 'pending' : 'failed', lastError: { code: error.failed.code } })
    })

    it('goes on where it was put right', async () => {
      const folder = await folderOf(drafts)
      await failureOf(migratorOf(folder).up())
      const file = join(folder, bad, `up.${engine.name}.sql`)
      await writeFile(file, (await readFile(file, 'utf8')).replace('table good', 'table better'))
      if (isUndone) return expect((await migratorOf(folder).up()).applied).toHaveLength(2)
      await expect(migratorOf(folder).up()).rejects.toMatchObject({ exitCode: 9, failed: { id: bad, stepsDone: 1 } })
      const resumed = await migratorOf(folder).resume(bad)
      expect(resumed).toMatchObject({ ok: true, command: 'resume', applied: [{ id: bad, steps: 3 }], pending: [idOf(drafts, 'after')] })
      expect((await migratorOf(folder).up()).applied.map(({ id }) => id)).toEqual([idOf(drafts, 'after')])
    })
  })

  if (engine.name === 'mysql')
    it.each([
      "begin not atomic create table part (id integer); signal sqlstate '45000'; end",
      'create or replace table good (id integer, id integer)',
    ])('that may stay in part is not said to have left nothing: %s', async (sql) => {
      const bad: readonly Draft[] = [
        { slug: 'good', up: ['create table good (id integer primary key)'] },
        { slug: 'bad', up: [sql] },
      ]
      const id = idOf(bad, 'bad')
      const migrator = migratorOf(await folderOf(bad))
      await expect(migrator.up()).rejects.toMatchObject({ exitCode: 9, failed: { id, step: 1, stepsDone: 0, databaseUnchanged: false } })
      expect((await migrator.status()).failed).toEqual([id])
    })

  it('says of a file without a statement, too, where it could not be written down', async () => {
    const drafts: readonly Draft[] = [
      { slug: 'first', up: ['create table a (id integer)'] },
      { slug: 'empty', up: '-- nothing yet\n' },
    ]
    const empty = idOf(drafts, 'empty')
    const migrator = migratorOf(await folderOf(drafts))
    await migrator.up({ steps: 1 })
    await engine.admin(database.url, 'drop table _latchwork_migration_log')
    const error = await failureOf<MigrationFailedError>(migrator.up())
    expect(error).toMatchObject({ exitCode: 8, failed: { id: empty, stepsTotal: 0, stepsDone: 0, databaseUnchanged: true } })
    expect(error.message).toContain('failed as its end was written down')
  })

  if (engine.name !== 'sqlite')
    it('makes the database where it is told to, and else says that there is none', async () => {
      const url = Object.assign(new URL(database.url), { pathname: `${new URL(database.url).pathname}_made` }).href
      const folder = await folderOf(FIVE)
      await expect(createMigrator({ url, folder }).up()).rejects.toMatchObject({ code: 'CONNECTION' })
      await expect(createMigrator({ url, folder }).up({ dryRun: true })).rejects.toMatchObject({ code: 'CONNECTION' })
      const migrator = createMigrator({ url, folder, createDatabase: true })
      const { planned, lock, warnings } = await migrator.up({ dryRun: true })
      expect([planned!.map(({ id }) => id), lock, warnings]).toEqual([ids, null, [expect.stringContaining('is yet to be made')]])
      expect((await migrator.down({ steps: 1, dryRun: true })).planned).toEqual([])
      await expect(migrator.status()).rejects.toMatchObject({ code: 'CONNECTION' })
      expect(await migrator.up()).toMatchObject({ ok: true, applied: ids.map((id) => ({ id })) })
      expect(await migrator.up()).toMatchObject({ ok: true, applied: [] })
      await dropDatabase(database.url, new URL(url).pathname.slice(1))
    })

  if (engine.name === 'sqlite')
    it('makes no file in a dry run', async () => {
      const file = database.url.slice('sqlite:'.length)
      await rm(file, { force: true })
      const { planned, lock, warnings } = await migratorOf(await folderOf(FIVE)).up({ dryRun: true })
      expect([planned!.map(({ id }) => id), lock, warnings]).toEqual([ids, null, [expect.stringContaining('is yet to be made')]])
      expect((await readdir(dirname(file))).filter((name) => name.startsWith(basename(file)))).toEqual([])
    })

  it('keeps its times in UTC, and no values and secrets in what it says', async () => {
    const drafts: readonly Draft[] = [{ slug: 'bad', up: ["insert into nowhere (token) values ('s3cr3t-token')"] }]
    const folder = await folderOf(drafts)
    const error = await failureOf<MigrationFailedError>(migratorOf(folder).up())
    const said = JSON.stringify([
      error.message,
      error.document,
      await migratorOf(folder).status(),
      await shapeOf(database.url, '_latchwork_migration_log'),
    ])
    expect(said).not.toContain('s3cr3t')
    const at = (await migratorOf(folder).status()).migrations[0]!.lastError!.at
    expect(Math.abs(Date.parse(at) - Date.now())).toBeLessThan(60_000)
  })
})
