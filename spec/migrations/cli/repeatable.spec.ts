import { describe, expect, it } from 'vitest'
import { forEachEngine, type SpecEngine } from '../../support/engines.js'
import { CliProject } from './cli-project.js'
import { NICK, shop, userModel } from './models.js'

/** A view anew, in two steps, since SQLite cannot replace one. */
function view(name: string, sql: string): string {
  return `drop view if exists ${name};\n-- latchwork:step\ncreate view ${name} as ${sql};\n`
}

async function inShop(
  engine: SpecEngine,
  repeatables: Readonly<Record<string, string>>,
  body: (project: CliProject, url: string) => Promise<void>,
): Promise<void> {
  const database = await engine.freshDatabase()
  const files = Object.entries(repeatables).map(([name, text]) => [`migrations/repeatable/${name}`, text])
  await using project = await CliProject.create({ ...shop(engine.name), ...Object.fromEntries(files) })
  project.env.LATCHWORK_DATABASE_URL = database.url
  try {
    await project.json('migrate', 'generate', 'first')
    await body(project, database.url)
  } finally {
    await database.drop()
  }
}

const IDS = view('ids', 'select id from users')

describe('repeatable SQL', () => {
  forEachEngine((engine) => {
    it('runs after the migrations, in the order of names, and again when it has changed', async () => {
      const first = { '2_more.sql': view('more', 'select id from ids'), '1_ids.sql': IDS, '._1_ids.sql': 'of the system' }
      await inShop(engine, first, async (project, url) => {
        expect(await project.json('migrate', 'status', '--exit-code')).toMatchObject({
          exitCode: 4,
          repeatables: [
            { id: 'repeatable/1_ids', state: 'pending', at: null },
            { id: 'repeatable/2_more', state: 'pending', at: null },
          ],
        })
        const { planned } = await project.json('migrate', 'up', '--dry-run')
        expect(planned.map(({ id }: { id: string }) => id)).toEqual([
          expect.stringMatching(/_first$/),
          'repeatable/1_ids',
          'repeatable/2_more',
        ])
        expect(planned[1].statements).toContainEqual(expect.stringContaining('create view ids as select id from users'))

        const up = await project.json('migrate', 'up')
        expect(up).toMatchObject({ ok: true, applied: [{}], repeated: [{ id: 'repeatable/1_ids', steps: 2 }, { id: 'repeatable/2_more' }] })
        await engine.admin(url, "insert into users (email) values ('ada@example.com')")
        expect(await engine.admin(url, 'select id from more')).toHaveLength(1)
        expect(await project.json('migrate', 'up')).toMatchObject({ ok: true, applied: [], repeated: [] })

        // line ends are no change
        await project.write({ 'migrations/repeatable/1_ids.sql': IDS.replaceAll('\n', '\r\n') })
        expect(await project.json('migrate', 'up')).toMatchObject({ repeated: [] })
        await project.write({ 'migrations/repeatable/2_more.sql': view('more', 'select id, email from users') })
        expect((await project.run('migrate', 'status')).stdout).toMatch(/\nchanged {4}repeatable\/2_more {2}.*Z\n\n1 pending\n$/)
        expect((await project.run('migrate', 'up')).stdout).toMatch(/^repeated {2}repeatable\/2_more {2}2 steps, \d+ ms\n$/)
        expect(await engine.admin(url, 'select email from more')).toEqual([{ email: 'ada@example.com' }])
        expect(await project.json('migrate', 'status', '--exit-code')).toMatchObject({
          exitCode: 0,
          repeatables: [{ state: 'applied', at: expect.stringMatching(/Z$/) }, { state: 'applied' }],
        })
      })
    }, 240_000)

    it('is of one engine by its name, and waits until all migrations are there', async () => {
      const other = engine.name === 'sqlite' ? 'mysql' : 'sqlite'
      const files = {
        'ids.sql': 'nonsense',
        [`ids.${engine.name}.sql`]: IDS,
        [`ids.${other}.sql`]: 'nonsense',
        [`only.${other}.sql`]: 'nonsense',
        'README.md': '',
      }
      await inShop(engine, files, async (project) => {
        await project.write({ 'models/user.ts': userModel(NICK) })
        await project.json('migrate', 'generate', 'nick')
        expect(await project.json('migrate', 'up', '--steps', '1')).toMatchObject({
          ok: true,
          applied: [{}],
          repeated: [],
          pending: [{}].map(() => expect.any(String)),
        })
        expect(await project.json('migrate', 'up')).toMatchObject({ applied: [{}], repeated: [{ id: 'repeatable/ids' }] })
      })
    }, 240_000)

    it('that fails is due again, and says what stayed', async () => {
      const broken = 'create table helper (id integer);\n-- latchwork:step\ncreate view ids as select nothing from users;\n'
      await inShop(engine, { 'ids.sql': broken }, async (project, url) => {
        const isKept = engine.name === 'mysql'
        const failed = await project.json('migrate', 'up')
        expect(failed).toMatchObject({
          ok: false,
          exitCode: isKept ? 9 : 8,
          applied: [{}],
          pending: [],
          repeated: [],
          failed: {
            id: 'repeatable/ids',
            step: 2,
            stepsTotal: 2,
            stepsDone: isKept ? 1 : 0,
            file: 'migrations/repeatable/ids.sql',
            line: 3,
            sqlPreview: 'create view ids as select nothing from users',
            code: expect.any(String),
            databaseUnchanged: !isKept,
          },
          next: ['latchwork migrate up'],
        })
        expect(failed.error.message).toContain(isKept ? 'its steps 1 to 1 are done and stay' : 'it left nothing')
        const look = engine.admin(url, 'select id from helper')
        if (isKept) expect(await look).toEqual([])
        else await expect(look).rejects.toThrow()
        await project.write({ 'migrations/repeatable/ids.sql': IDS })
        expect(await project.json('migrate', 'up')).toMatchObject({ ok: true, applied: [], repeated: [{ id: 'repeatable/ids' }] })
      })
    }, 240_000)

    it('makes no sense where a step has two statements, which is said before anything runs', async () => {
      await inShop(engine, { 'two.sql': 'select 1; select 2;' }, async (project) => {
        expect(await project.json('migrate', 'up')).toMatchObject({
          exitCode: 2,
          applied: [],
          error: { message: expect.stringContaining('two.sql:1: a step is one statement') },
        })
        expect(await project.json('migrate', 'status')).toMatchObject({ exitCode: 2 })
      })
    }, 240_000)

    it('is in the script, with its state', async () => {
      await inShop(engine, { 'ids.sql': IDS }, async (project, url) => {
        const { sql, repeatables } = await project.json('migrate', 'script')
        expect(repeatables).toEqual(['repeatable/ids'])
        for (const statement of (sql as string).split(/;\n/).filter((each) => each.trim() !== '' && !/^\s*--[^\n]*$/.test(each)))
          if (!/^\s*(begin|commit|set local|start transaction)/i.test(statement)) await engine.admin(url, statement)
        expect(await project.json('migrate', 'status', '--exit-code')).toMatchObject({ exitCode: 0, repeatables: [{ state: 'applied' }] })
        expect(await project.json('migrate', 'up')).toMatchObject({ applied: [], repeated: [] })
      })
    }, 240_000)
  })

  forEachEngine(
    (engine) => {
      it('holds functions, whose bodies have statements of their own', async () => {
        const body = 'create or replace function twice(n integer) returns integer language plpgsql as $$ begin return n; end $$;\n'
        await inShop(engine, { 'twice.postgres.sql': body.replace('return n', 'return 2 * n') }, async (project, url) => {
          await project.json('migrate', 'up')
          expect(await engine.admin(url, 'select twice(4) as n')).toEqual([{ n: 8 }])
        })
      }, 240_000)
    },
    { engines: ['postgres'] },
  )
})
