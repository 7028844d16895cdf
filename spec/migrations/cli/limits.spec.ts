import { describe, expect, it } from 'vitest'
import { deadlineAfter } from '../../../lib/deadline.js'
import { connectionConfig } from '../../../lib/dialect/connection-config.js'
import { createMigrationDialect } from '../../../lib/dialect/create-migration-dialect.js'
import { type FreshDatabase, forEachEngine } from '../../support/engines.js'
import { CliProject } from './cli-project.js'

const ID = '20261123T120000Z_first'

/** A statement that takes far longer than a spec waits. Not a `sleep()`, which MariaDB stops late. */
const ENDLESS: Readonly<Record<string, string>> = {
  postgres: 'select pg_sleep(60)',
  mysql: `select count(*) from ${[...'abcde'].map((alias) => `information_schema.columns ${alias}`).join(', ')}`,
}
const HALF_A_SECOND: Readonly<Record<string, string>> = { postgres: 'select pg_sleep(0.5)', mysql: 'select sleep(0.5)' }

/** One migration by hand, each text of `up` a step, and so of `down`. */
function byHand(engine: string, up: readonly string[], down: readonly string[] = []): Readonly<Record<string, string>> {
  const text = (steps: readonly string[]) => steps.map((sql) => `-- latchwork:step\n${sql};\n`).join('')
  return {
    [`migrations/${ID}/migration.json`]: JSON.stringify({ id: ID, parents: [], operations: [], lossyDown: false }),
    [`migrations/${ID}/up.${engine}.sql`]: text(up),
    [`migrations/${ID}/down.${engine}.sql`]: text(down),
    'migrations/HEAD': `${ID}\n`,
  }
}

forEachEngine((engine) => {
  async function inProject(
    files: Readonly<Record<string, string>>,
    body: (project: CliProject, database: FreshDatabase) => Promise<void>,
  ): Promise<void> {
    const database = await engine.freshDatabase()
    await using project = await CliProject.create(files)
    project.env.LATCHWORK_DATABASE_URL = database.url
    try {
      await body(project, database)
    } finally {
      await database.drop()
    }
  }

  it('ends with 7 where another process keeps the lock, says who it is, and has run nothing', async () => {
    await inProject(byHand(engine.name, ['create table a (id integer)']), async (project, { url }) => {
      const dialect = createMigrationDialect(connectionConfig({ url }))
      const holder = await dialect.migrations.open({
        table: '_latchwork_migrations',
        schema: undefined,
        access: 'write',
        createDatabase: false,
        allowSessionPooler: false,
        singleWriter: false,
        deadline: deadlineAfter(5_000),
        signal: undefined,
      })
      try {
        expect(await holder.tryLock()).toBe(true)
        const { exitCode, stderr } = await project.run('migrate', 'up', '--lock-timeout', '300ms')
        expect(exitCode).toBe(7)
        expect(stderr).toMatch(/MIGRATION_LOCK: the lock of migrations was not free within \d+ ms; held by session .*; nothing was run/)
        const document = await project.json('migrate', 'up', '--lock-timeout', '0')
        expect(document).toMatchObject({ ok: false, exitCode: 7, error: { code: 'MIGRATION_LOCK' }, applied: [], lock: null })
        expect(document.next[0]).toBe('latchwork migrate lock')
      } finally {
        await holder.close()
      }
      expect(await project.json('migrate', 'up')).toMatchObject({ ok: true, applied: [{ id: ID }] })
    })
  }, 120_000)

  if (engine.name === 'sqlite') {
    const rows = 'with recursive n(i) as (select 1 union all select i + 1 from n where i < 3000000)'
    const rebuild = (timeout: string) => [
      'create table users (id integer)',
      'insert into users values (1)',
      `-- latchwork:rebuild users\n${timeout}create table "__latchwork_new_users" (id integer, total integer);\ninsert into "__latchwork_new_users" ${rows} select 1, count(*) from n`,
    ]

    it('ends a rebuild whose time is over behind the statement that runs, and leaves the table as it was', async () => {
      for (const [timeout, flags] of [
        ['-- latchwork:timeout 50ms\n', []],
        ['', ['--statement-timeout', '50ms']],
      ] as const) {
        await inProject(byHand('sqlite', rebuild(timeout)), async (project, { url }) => {
          const document = await project.json('migrate', 'up', ...flags)
          expect(document).toMatchObject({ exitCode: 8, failed: { step: 3, databaseUnchanged: true } })
          expect(document.error.message).toContain('the step took longer than 50 ms and was stopped')
          expect(await engine.admin(url, "select name from sqlite_schema where name like '%users'")).toEqual([])
        })
      }
      await inProject(byHand('sqlite', rebuild('-- latchwork:timeout 1m\n')), async (project, { url }) => {
        expect(await project.json('migrate', 'up', '--statement-timeout', '50ms')).toMatchObject({ ok: true })
        expect(await engine.admin(url, 'select total from users')).toEqual([{ total: 3_000_000 }])
      })
    }, 180_000)

    it('has no schemas, and says so', async () => {
      await inProject(byHand('sqlite', ['create table a (id integer)']), async (project) => {
        const document = await project.json('migrate', 'up', '--schema', 'hr')
        expect(document).toMatchObject({ exitCode: 2, error: { message: expect.stringContaining('SQLite has no schemas') } })
      })
    })
    return
  }

  it('ends a statement that takes longer than it may, and leaves the database unchanged', async () => {
    await inProject(byHand(engine.name, [ENDLESS[engine.name]!]), async (project) => {
      const document = await project.json('migrate', 'up', '--statement-timeout', '300ms')
      expect(document).toMatchObject({ exitCode: 8, failed: { step: 1, databaseUnchanged: true }, pending: [ID] })
      expect(document.error.message).toContain('took longer than 300 ms and was stopped')
    })
    await inProject(byHand(engine.name, [`-- latchwork:timeout 200ms\n${ENDLESS[engine.name]}`]), async (project) => {
      const document = await project.json('migrate', 'up')
      expect(document).toMatchObject({ exitCode: 8, failed: { databaseUnchanged: true } })
      expect(document.error.message).toContain('took longer than 200 ms and was stopped')
    })
  }, 120_000)

  it('takes the time that a step gives itself before that of the command line', async () => {
    await inProject(byHand(engine.name, [`-- latchwork:timeout 30m\n${HALF_A_SECOND[engine.name]}`]), async (project) => {
      expect(await project.json('migrate', 'up', '--statement-timeout', '100ms')).toMatchObject({ ok: true, applied: [{ id: ID }] })
    })
  }, 120_000)

  it('runs in the schema that is named, and keeps its state there', async () => {
    // on MySQL and MariaDB a schema is a database
    const other = await engine.freshDatabase()
    await inProject(byHand(engine.name, ['create table places (id integer)']), async (project, { url }) => {
      const schema = engine.name === 'mysql' ? new URL(other.url).pathname.slice(1) : 'hr'
      if (engine.name === 'postgres') await engine.admin(url, 'create schema hr')
      expect(await project.json('migrate', 'up', '--schema', schema)).toMatchObject({ ok: true, applied: [{ id: ID }] })
      const tables = await engine.admin(
        url,
        `select table_schema as place, table_name as name from information_schema.tables where table_name in ('places', '_latchwork_migrations') and table_schema in ('${schema}', 'public', '${new URL(url).pathname.slice(1)}')`,
      )
      expect(tables.map(({ place, name }) => [place, name]).sort()).toEqual([
        [schema, '_latchwork_migrations'],
        [schema, 'places'],
      ])
      expect(await project.json('migrate', 'status')).toMatchObject({ pending: [ID] })
      expect(await project.json('migrate', 'status', '--schema', schema)).toMatchObject({ applied: [ID] })
    })
    await other.drop()
  }, 120_000)
})

describe('a migration that failed behind a step outside of its transaction', () => {
  /** A step that is committed by itself on the engine. */
  const ALONE: Readonly<Record<string, string>> = {
    postgres: 'create index concurrently a_idx on a (id)',
    mysql: 'create index a_idx on a (id)',
    sqlite: '-- latchwork:tx none\ncreate index a_idx on a (id)',
  }
  const DROP: Readonly<Record<string, string>> = {
    postgres: 'drop index a_idx',
    mysql: 'drop index a_idx on a',
    sqlite: 'drop index a_idx',
  }

  forEachEngine((engine) => {
    it('is undone as far as it came by resume --rollback, and can be applied again', async () => {
      const database = await engine.freshDatabase()
      await using project = await CliProject.create(
        byHand(
          engine.name,
          ['create table a (id integer)', ALONE[engine.name]!, 'create table taken (id integer)'],
          ['drop table taken', DROP[engine.name]!, 'drop table a'],
        ),
      )
      project.env.LATCHWORK_DATABASE_URL = database.url
      await engine.admin(database.url, 'create table taken (id integer)')
      expect(await project.json('migrate', 'up')).toMatchObject({
        exitCode: 9,
        failed: { step: 3, stepsDone: 2, databaseUnchanged: false },
      })
      expect(await project.json('migrate', 'resume', ID, '--rollback')).toMatchObject({ ok: true, reverted: [{ id: ID }], pending: [ID] })
      await expect(engine.admin(database.url, 'select * from a')).rejects.toThrow()
      expect(await engine.admin(database.url, 'select * from taken')).toEqual([])
      expect(await project.json('migrate', 'status')).toMatchObject({ pending: [ID], failed: [] })
      await engine.admin(database.url, 'drop table taken')
      expect(await project.json('migrate', 'up')).toMatchObject({ ok: true, applied: [{ id: ID }] })
      await database.drop()
    }, 120_000)
  })
})
