import { createMigrator, documentOf, exitCodeOf } from 'latchwork/migrations'
import { describe, expect, it } from 'vitest'
import { forEachEngine } from '../../support/engines.js'
import { CliProject } from './cli-project.js'
import { shop } from './models.js'

const ADA = `export default async ({ db, log, env }) => {
  await db.insertInto('users').values({ email: \`ada@\${env}.example\` }).execute()
  log('Ada is there')
}
`
const BOB = `import type { Seed } from 'latchwork/migrations'

const seed: Seed = async ({ db, env }) => {
  await db.insertInto('users').values({ email: \`bob@\${env}.example\` }).execute()
}
export default seed
`

describe('db seed', () => {
  forEachEngine((engine) => {
    async function inShop(
      seeds: Readonly<Record<string, string>>,
      body: (project: CliProject, emails: () => Promise<readonly unknown[]>, url: string) => Promise<void>,
    ): Promise<void> {
      const database = await engine.freshDatabase()
      await using project = await CliProject.create({ ...shop(engine.name), ...seeds })
      project.env.LATCHWORK_DATABASE_URL = database.url
      try {
        await project.json('migrate', 'dev', 'first')
        const emails = async () => (await engine.admin(database.url, 'select email from users order by email')).map(({ email }) => email)
        await body(project, emails, database.url)
      } finally {
        await database.drop()
      }
    }

    it('runs each once an environment, in order, JavaScript and TypeScript', async () => {
      await inShop({ 'seeds/02_bob.ts': BOB, 'seeds/01_ada.mjs': ADA, 'seeds/notes.md': '' }, async (project, emails) => {
        const first = await project.json('db', 'seed')
        expect(first).toMatchObject({
          schema: 'latchwork.migrate/1',
          command: 'seed',
          dialect: engine.name,
          ok: true,
          env: 'development',
          seeds: [{ id: '01_ada', ms: expect.any(Number) }, { id: '02_bob' }],
          skipped: [],
          failed: null,
          lock: { waitedMs: expect.any(Number) },
        })
        expect(await emails()).toEqual(['ada@development.example', 'bob@development.example'])
        expect(await project.json('db', 'seed')).toMatchObject({ ok: true, seeds: [], skipped: ['01_ada', '02_bob'] })

        project.env.NODE_ENV = 'test'
        const { stdout, stderr } = await project.run('db', 'seed', '--only', '01_ada')
        expect(stdout).toMatch(/^seeded {3}01_ada {2}\d+ ms\n$/)
        expect(stderr).toContain('Ada is there')
        expect(await project.json('db', 'seed', '--env', 'demo', '--only', '02_bob')).toMatchObject({
          env: 'demo',
          seeds: [{ id: '02_bob' }],
        })
        expect(await emails()).toEqual(['ada@development.example', 'ada@test.example', 'bob@demo.example', 'bob@development.example'])
      })
    }, 240_000)

    it('runs one again where that is said', async () => {
      await inShop(
        { 'seeds/01_ada.mjs': "export default ({ db }) => db.insertInto('users').values({ email: String(Math.random()) }).execute()" },
        async (project, emails, url) => {
          await project.json('db', 'seed')
          expect(await project.json('db', 'seed', '--again')).toMatchObject({ ok: true, seeds: [{ id: '01_ada' }], skipped: [] })
          expect(await emails()).toHaveLength(2)
          expect(await engine.admin(url, 'select id, env from _latchwork_seeds')).toEqual([{ id: '01_ada', env: 'development' }])
        },
      )
    }, 240_000)

    it('leaves nothing of one that fails, and keeps those before it', async () => {
      const broken = `export default async ({ db }) => {
        await db.insertInto('users').values({ email: 'half@example.com' }).execute()
        await db.insertInto('users').values({ email: 'half@example.com' }).execute()
      }`
      await inShop({ 'seeds/1.mjs': ADA, 'seeds/2.mjs': broken, 'seeds/3.mjs': ADA }, async (project, emails, url) => {
        const failed = await project.json('db', 'seed')
        expect(failed).toMatchObject({
          ok: false,
          exitCode: 8,
          error: {
            code: 'SEED_FAILED',
            message: expect.stringContaining('it and its record are rolled back; 1 before it are done and stay'),
          },
          seeds: [{ id: '1' }],
          failed: { id: '2', file: 'seeds/2.mjs', code: expect.any(String), databaseUnchanged: true },
          next: ['latchwork db seed'],
        })
        expect(JSON.stringify(failed)).not.toContain('half@example.com')
        expect(await emails()).toEqual(['ada@development.example'])
        await project.write({ 'seeds/2.mjs': 'export default () => {}' })
        expect(await project.json('db', 'seed', '--only', '2')).toMatchObject({ seeds: [{ id: '2' }] })
        expect((await engine.admin(url, 'select id from _latchwork_seeds order by id')).map(({ id }) => id)).toEqual(['1', '2'])
      })
    }, 240_000)

    it('says what an engine without transactional DDL keeps of one that fails', async () => {
      const ddl = `export default async ({ db }) => {
        await db.schema.createTable('extra').addColumn('id', 'integer').execute()
        throw new Error('and then it broke')
      }`
      await inShop({ 'seeds/ddl.mjs': ddl }, async (project, _emails, url) => {
        const isKept = engine.name === 'mysql'
        expect(await project.json('db', 'seed')).toMatchObject({
          exitCode: isKept ? 9 : 8,
          error: { message: expect.stringContaining('and then it broke') },
          failed: { databaseUnchanged: !isKept },
        })
        const look = engine.admin(url, 'select * from extra')
        if (isKept) expect(await look).toEqual([])
        else await expect(look).rejects.toThrow()
      })
    }, 240_000)

    it('refuses, before any is run, what is no seed or is not there', async () => {
      await inShop({ 'seeds/1.mjs': ADA, 'seeds/2.mjs': 'export const seed = 1' }, async (project, emails) => {
        expect(await project.json('db', 'seed')).toMatchObject({
          exitCode: 2,
          error: { message: expect.stringContaining('seeds/2.mjs: exports no function') },
        })
        expect(await project.json('db', 'seed', '--only', '1,ada')).toMatchObject({
          exitCode: 2,
          error: { message: expect.stringContaining('no seed "ada"') },
        })
        expect(await project.json('db', 'seed', '--env', 'a b')).toMatchObject({ exitCode: 2, error: { code: 'CONFIGURATION' } })
        await project.write({ 'seeds/2.mjs': 'export default (' })
        expect(await project.json('db', 'seed')).toMatchObject({
          exitCode: 2,
          error: { message: expect.stringContaining('does not load') },
        })
        await project.write({ 'seeds/2.mjs': '', 'seeds/1.ts': BOB })
        expect(await project.json('db', 'seed')).toMatchObject({
          exitCode: 2,
          error: { message: expect.stringContaining('is the seed "1"') },
        })
        expect(await emails()).toEqual([])
      })
    }, 240_000)

    it('gives a program what it prints', async () => {
      await inShop(
        { 'seeds/1.mjs': ADA, 'seeds/2.mjs': 'export default () => { throw new Error("no") }' },
        async (project, emails, url) => {
          const migrator = createMigrator({ url, folder: `${project.folder}/migrations`, seeds: `${project.folder}/seeds` })
          expect(await migrator.seed({ env: 'test', only: ['1'] })).toMatchObject({ command: 'seed', env: 'test', seeds: [{ id: '1' }] })
          const error = await migrator.seed({ env: 'test' }).catch((thrown: unknown) => thrown)
          expect([exitCodeOf(error), documentOf(error)]).toMatchObject([8, { skipped: ['1'], failed: { id: '2', message: 'no' } }])
          expect(await emails()).toEqual(['ada@test.example'])
        },
      )
    }, 240_000)

    it('waits while another process has the lock', async () => {
      const slow = `export default async ({ db, log }) => {
        log('begun')
        await new Promise((resolve) => setTimeout(resolve, 1_500))
        await db.insertInto('users').values({ email: 'slow@example.com' }).execute()
      }`
      await inShop({ 'seeds/1.mjs': slow }, async (project, emails) => {
        const both = await Promise.all([project.json('db', 'seed'), project.json('db', 'seed')])
        expect(both.map(({ seeds }) => seeds.length).sort()).toEqual([0, 1])
        expect(await emails()).toEqual(['slow@example.com'])
      })
    }, 240_000)
  })
})
