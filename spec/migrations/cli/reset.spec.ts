import { existsSync } from 'node:fs'
import { basename } from 'node:path'
import { sql } from 'kysely'
import { createDatabase } from 'latchwork'
import { createMigrator, exitCodeOf } from 'latchwork/migrations'
import { describe, expect, it } from 'vitest'
import { forEachEngine, type SpecEngine } from '../../support/engines.js'
import { CliProject } from './cli-project.js'
import { configText, shop } from './models.js'

const SEED = `export default ({ db, env }) => db.insertInto('users').values({ email: \`ada@\${env}.example\` }).execute()`

/** What a person calls the database. */
function nameOf(url: string): string {
  return url.startsWith('sqlite:') ? basename(url) : new URL(url).pathname.slice(1)
}

describe('db reset', () => {
  forEachEngine((engine) => {
    async function inShop(
      body: (project: CliProject, url: string, emails: () => Promise<readonly unknown[]>) => Promise<void>,
    ): Promise<void> {
      const database = await engine.freshDatabase()
      await using project = await CliProject.create({ ...shop(engine.name), 'seeds/1.mjs': SEED })
      project.env.LATCHWORK_DATABASE_URL = database.url
      const emails = async () => (await engine.admin(database.url, 'select email from users order by email')).map(({ email }) => email)
      try {
        await project.json('migrate', 'dev', 'first')
        await engine.admin(database.url, "insert into users (email) values ('old@example.com')")
        await engine.admin(database.url, 'create table stray (id integer)')
        await body(project, database.url, emails)
      } finally {
        await database.drop()
      }
    }

    it('drops the database, makes it anew, applies and seeds', async () => {
      await inShop(async (project, url, emails) => {
        const name = nameOf(url)
        const done = await project.json('db', 'reset', '--yes-delete', name)
        expect(done).toMatchObject({
          command: 'reset',
          ok: true,
          exitCode: 0,
          env: 'development',
          dropped: true,
          up: { ok: true, applied: [{}], pending: [] },
          seed: { ok: true, seeds: [{ id: '1' }] },
        })
        expect(basename(done.database)).toBe(name)
        expect(await emails()).toEqual(['ada@development.example'])
        await expect(engine.admin(url, 'select * from stray')).rejects.toThrow()
        const { stdout, exitCode } = await project.run('db', 'reset', '--yes-delete', name, '--env', 'test')
        expect([exitCode, stdout]).toEqual([
          0,
          expect.stringMatching(/^dropped {3}.*\napplied {3}.*_first {2}.*\nseeded {3}1 {2}\d+ ms\n$/),
        ])
        expect(await emails()).toEqual(['ada@test.example'])
      })
    }, 240_000)

    it('refuses, and loses nothing, where it is not meant or not meant for this database', async () => {
      await inShop(async (project, url, emails) => {
        const name = nameOf(url)
        const refusals: readonly (readonly [message: string, words: readonly string[]])[] = [
          ['say its name', []],
          ['it is not called "other"', ['--yes-delete', 'other']],
          ['the environment is production', ['--yes-delete', name, '--env', 'production']],
        ]
        for (const [message, words] of refusals) {
          const refused = await project.json('db', 'reset', ...words)
          expect(refused).toMatchObject({ ok: false, exitCode: 3, dropped: false, up: null, error: { code: 'MIGRATION_DECISION' } })
          expect(refused.error.message).toContain(message)
          expect(refused.error.message).toContain('nothing was dropped')
        }
        expect((await project.json('db', 'reset')).next).toEqual([`latchwork db reset --yes-delete ${name}`])
        project.env.NODE_ENV = 'production'
        expect(await project.json('db', 'reset', '--yes-delete', name)).toMatchObject({ exitCode: 3 })
        delete project.env.NODE_ENV
        // files that make no sense are found first
        await project.write({ 'migrations/HEAD': 'another\n' })
        expect(await project.json('db', 'reset', '--yes-delete', name)).toMatchObject({ exitCode: 6, dropped: false })
        expect(await emails()).toEqual(['old@example.com'])
        expect(await engine.admin(url, 'select * from stray')).toEqual([])
      })
    }, 240_000)

    it('refuses while others are connected, and ends them where that is said and can be done', async () => {
      await inShop(async (project, url, emails) => {
        const name = nameOf(url)
        await using other = createDatabase({ url, models: {} })
        await sql`select 1`.execute(other.kysely)
        const refused = await project.json('db', 'reset', '--yes-delete', name)
        expect(refused).toMatchObject({ exitCode: 3, dropped: false, error: { message: expect.stringContaining('is in use by') } })
        expect(await emails()).toEqual(['old@example.com'])
        const ended = await project.json('db', 'reset', '--yes-delete', name, '--terminate')
        if (engine.name === 'sqlite') {
          expect(ended).toMatchObject({ exitCode: 3, dropped: false })
          expect(await emails()).toEqual(['old@example.com'])
        } else {
          expect(ended).toMatchObject({ ok: true, dropped: true })
          expect(await emails()).toEqual(['ada@development.example'])
        }
      })
    }, 240_000)

    it('makes what is not there, and says how far it came where a migration or a seed fails', async () => {
      await inShop(async (project, url) => {
        const name = nameOf(url)
        await project.write({ 'seeds/2.mjs': 'export default () => { throw new Error("no") }' })
        expect(await project.json('db', 'reset', '--yes-delete', name)).toMatchObject({
          ok: false,
          exitCode: 8,
          dropped: true,
          error: { code: 'SEED_FAILED' },
          up: { ok: true, applied: [{}] },
          seed: { ok: false, seeds: [{ id: '1' }], failed: { id: '2' } },
        })
      })
      const database = await engine.freshDatabase()
      await database.drop()
      await using project = await CliProject.create(shop(engine.name))
      project.env.LATCHWORK_DATABASE_URL = database.url
      await project.json('migrate', 'generate', 'first')
      expect(await project.json('db', 'reset', '--yes-delete', nameOf(database.url))).toMatchObject({
        ok: true,
        dropped: false,
        up: { applied: [{}] },
        seed: null,
      })
      await database.drop()
    }, 240_000)

    if (engine.name === 'sqlite') sqliteAlone(engine)
    else serversAlone(engine)
  })
})

function sqliteAlone(engine: SpecEngine): void {
  it('removes the file with its log', async () => {
    const database = await engine.freshDatabase()
    const file = database.url.slice('sqlite:'.length)
    await using project = await CliProject.create(shop('sqlite'))
    await project.json('migrate', 'generate', 'first')
    await engine.admin(database.url, 'pragma journal_mode = wal')
    const migrator = createMigrator({ url: database.url, folder: `${project.folder}/migrations`, seeds: `${project.folder}/seeds` })
    expect(exitCodeOf(await migrator.reset().catch((error: unknown) => error))).toBe(3)
    expect(existsSync(file)).toBe(true)
    expect(await migrator.reset({ yesDelete: file })).toMatchObject({ dropped: true, up: { applied: [{}] }, seed: null })
    await database.drop()
  }, 240_000)
}

function serversAlone(engine: SpecEngine): void {
  it('is for this machine alone, and for hosts that the configuration names', async () => {
    const database = await engine.freshDatabase()
    const url = new URL(database.url)
    await using project = await CliProject.create(shop(engine.name))
    await project.json('migrate', 'generate', 'first')
    // a name of this machine that does not say so
    url.hostname = '0.0.0.0'
    const words = ['db', 'reset', '--yes-delete', nameOf(database.url), '--url', url.href] as const
    await engine.admin(database.url, 'create table stray (id integer)')
    expect(await project.json(...words)).toMatchObject({
      exitCode: 3,
      dropped: false,
      error: { message: expect.stringContaining('0.0.0.0 is not this machine') },
    })
    expect(await engine.admin(database.url, 'select * from stray')).toEqual([])
    await project.write({ 'latchwork.config.ts': configText(engine.name, "reset: { hosts: ['0.0.0.0'] },") })
    expect(await project.json(...words)).toMatchObject({ ok: true, dropped: true, up: { applied: [{}] } })
    await database.drop()
  }, 240_000)

  it('keeps the encoding and the collation of the database', async () => {
    const database = await engine.freshDatabase()
    await using project = await CliProject.create(shop(engine.name))
    await project.json('migrate', 'generate', 'first')
    const traits =
      engine.name === 'postgres'
        ? 'select pg_encoding_to_char(encoding) as e, datcollate as c from pg_database where datname = current_database()'
        : 'select default_character_set_name as e, default_collation_name as c from information_schema.schemata where schema_name = database()'
    if (engine.name === 'mysql')
      await engine.admin(database.url, `alter database ${nameOf(database.url)} character set utf8mb4 collate utf8mb4_bin`)
    const before = await engine.admin(database.url, traits)
    expect(await project.json('db', 'reset', '--yes-delete', nameOf(database.url), '--url', database.url)).toMatchObject({ ok: true })
    expect(await engine.admin(database.url, traits)).toEqual(before)
    await database.drop()
  }, 240_000)
}
