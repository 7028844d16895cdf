import { describe, expect, it } from 'vitest'
import { forEachEngine, type SpecEngine } from '../../support/engines.js'
import { CliProject, type Printed } from './cli-project.js'
import { NICK, shop, userModel } from './models.js'

const FIRST = '20261123T120000Z_first'
const SECOND = '20261123T120001Z_second'
const THIRD = '20261123T120002Z_third'
const BROKEN = 'CREATE TABLE users (id INTEGER);\n'

const NICKS = `import type { DataContext } from 'latchwork/migrations'

export async function up({ batch, log }: DataContext): Promise<void> {
  await batch({ table: 'users', key: 'id', size: 2 }, async ({ db, keys }) => {
    for (const key of keys) await db.updateTable('users').set({ nick: \`nick\${key}\` }).where('id', '=', key).execute()
    log(\`\${keys.length} rows\`)
  })
}
`

/** Two migrations by hand, which make a table each. */
function twoByHand(engine: string): Readonly<Record<string, string>> {
  return { ...byHand(engine, FIRST, [], 'users'), ...byHand(engine, SECOND, [FIRST], 'posts'), 'migrations/HEAD': `${SECOND}\n` }
}

function byHand(engine: string, id: string, parents: readonly string[], table: string, up?: string): Readonly<Record<string, string>> {
  return {
    [`migrations/${id}/migration.json`]: JSON.stringify({ id, parents, operations: [], lossyDown: false }),
    [`migrations/${id}/up.${engine}.sql`]: up ?? `CREATE TABLE ${table} (id INTEGER PRIMARY KEY);\n`,
    [`migrations/${id}/down.${engine}.sql`]: `DROP TABLE ${table};\n`,
    'migrations/HEAD': `${id}\n`,
  }
}

describe('the command line', () => {
  forEachEngine((engine) => {
    /** A project with these files and an empty database, for the length of `body`. */
    async function inProject(
      files: Readonly<Record<string, string>>,
      body: (project: CliProject, url: string) => Promise<void>,
    ): Promise<void> {
      const database = await engine.freshDatabase()
      await using project = await CliProject.create(files)
      project.env.LATCHWORK_DATABASE_URL = database.url
      try {
        await body(project, database.url)
      } finally {
        await database.drop()
      }
    }

    it('goes from models to a database and back: generate, up, status, down', async () => {
      await inProject(shop(engine.name), async (project, url) => {
        const { id } = await project.json('migrate', 'generate', 'first')
        expect(await project.json('migrate', 'status')).toMatchObject({ ok: true, pending: [id], applied: [] })
        expect(await project.json('migrate', 'status', '--exit-code')).toMatchObject({ ok: false, exitCode: 4 })

        const up = await project.json('migrate', 'up')
        expect(up).toMatchObject({
          schema: 'latchwork.migrate/1',
          command: 'up',
          dialect: engine.name,
          ok: true,
          exitCode: 0,
          error: null,
          applied: [{ id, ms: expect.any(Number), steps: expect.any(Number) }],
          failed: null,
          pending: [],
          warnings: [],
        })
        await engine.admin(url, "insert into users (email) values ('ada@example.com')")
        expect(await project.json('migrate', 'up')).toMatchObject({ ok: true, applied: [] })

        await project.write({ 'models/user.ts': userModel(NICK) })
        expect(await project.json('migrate', 'dev', 'nick')).toMatchObject({ ok: true, generated: { ok: true }, up: { applied: [{}] } })
        expect(await engine.admin(url, 'select email, nick from users')).toEqual([{ email: 'ada@example.com', nick: null }])
        expect(await project.json('migrate', 'status')).toMatchObject({ pending: [], applied: [id, expect.stringMatching(/_nick$/)] })
        expect(await project.json('migrate', 'verify')).toMatchObject({ ok: true, problems: [] })

        expect(await project.json('migrate', 'down', '--steps', '1')).toMatchObject({ ok: false, exitCode: 3 })
        expect(await project.json('migrate', 'down', '--steps', '1', '--allow-lossy')).toMatchObject({ ok: true, reverted: [{}] })
        expect(await engine.admin(url, 'select * from users')).toEqual([{ id: 1, email: 'ada@example.com' }])
        expect(await project.json('migrate', 'redo', '--allow-lossy')).toMatchObject({ ok: true, reverted: [{ id }], applied: [{ id }] })
        expect(await engine.admin(url, 'select * from users')).toEqual([])
      })
    }, 60_000)

    it('runs a module of TypeScript for rows that are there', async () => {
      await inProject(shop(engine.name, NICK), async (project, url) => {
        await project.json('migrate', 'dev', 'first')
        for (const name of ['ada', 'bob', 'eve']) await engine.admin(url, `insert into users (email) values ('${name}@example.com')`)
        const { id } = await project.json('migrate', 'generate', 'nicks', '--data')
        await project.write({ [`migrations/${id}/data.ts`]: NICKS })
        expect(await project.json('migrate', 'up')).toMatchObject({ ok: true, applied: [{ id }] })
        expect(await engine.admin(url, 'select nick from users order by id')).toEqual([
          { nick: 'nick1' },
          { nick: 'nick2' },
          { nick: 'nick3' },
        ])
        expect(await project.json('migrate', 'up')).toMatchObject({ ok: true, applied: [] })
      })
    }, 60_000)

    it('prints for people what it prints for programs', async () => {
      await inProject(twoByHand(engine.name), async (project) => {
        const up = await project.run('migrate', 'up')
        expect(up.exitCode).toBe(0)
        expect(up.stdout.replaceAll(/\d+ ms/g, '1 ms')).toBe(`applied   ${FIRST}  1 step, 1 ms\napplied   ${SECOND}  1 step, 1 ms\n`)
        expect(up.stderr).toContain(`applying ${FIRST} (1 of 2)`)
        expect(await project.run('migrate', 'up', '--quiet')).toEqual({ exitCode: 0, stdout: 'nothing to do\n', stderr: '' })
        const { stdout } = await project.run('migrate', 'status')
        expect(stdout).toMatch(
          new RegExp(`^applied {4}${FIRST}  \\d{4}-\\d\\d-\\d\\dT.*Z  \\d+ ms\napplied {4}${SECOND}  .*\n\nup to date\n$`),
        )
        expect((await project.run('migrate', 'lock')).stdout).toBe('nobody has the lock\n')
        expect((await project.run('migrate', 'verify')).stdout).toBe('files, snapshots and history fit together\n')
      })
    }, 60_000)

    it('applies and reverts as far as it is told, and prints without running', async () => {
      await inProject(twoByHand(engine.name), async (project) => {
        const planned = await project.run('migrate', 'up', '--dry-run')
        expect(planned.stdout).toContain(`-- up ${FIRST}`)
        expect(planned.stdout).toContain('CREATE TABLE posts')
        expect(await project.json('migrate', 'up', '--steps', '1')).toMatchObject({ applied: [{ id: FIRST }], pending: [SECOND] })
        expect(await project.json('migrate', 'up', '--to', SECOND)).toMatchObject({ applied: [{ id: SECOND }] })
        expect(await project.json('migrate', 'down', '--to', FIRST)).toMatchObject({ reverted: [{ id: SECOND }], pending: [SECOND] })
        expect(await project.json('migrate', 'down')).toMatchObject({ exitCode: 2 })
        expect(await project.json('migrate', 'up', '--to', 'nowhere')).toMatchObject({ exitCode: 2 })
      })
    }, 60_000)

    it('ends with 6 where an applied file was changed, and with 0 where only its line ends were', async () => {
      await inProject(twoByHand(engine.name), async (project) => {
        await project.run('migrate', 'up')
        const file = `migrations/${FIRST}/up.${engine.name}.sql`
        const text = await project.read(file)
        await project.write({ [file]: text.replaceAll('\n', '\r\n') })
        expect(await project.json('migrate', 'up')).toMatchObject({ ok: true, exitCode: 0 })
        await project.write({ [file]: text.replace('users', 'user') })
        expect(await project.json('migrate', 'up')).toMatchObject({ ok: false, exitCode: 6 })
        expect(await project.json('migrate', 'verify')).toMatchObject({
          ok: false,
          exitCode: 6,
          problems: [{ kind: 'modified', ids: [FIRST] }],
        })
        expect(await project.json('migrate', 'status')).toMatchObject({ modified: [FIRST] })
      })
    }, 60_000)

    it('ends with 8 where a step failed and nothing of it stayed', async () => {
      await inProject({ ...twoByHand(engine.name), ...byHand(engine.name, THIRD, [SECOND], 'users', BROKEN) }, async (project) => {
        const { exitCode, stdout, stderr } = await project.run('migrate', 'up')
        expect(exitCode).toBe(8)
        expect(stdout).toContain(`applied   ${SECOND}`)
        expect(stdout).toContain(`failed    ${THIRD}  step 1 of 1, database unchanged`)
        expect(stderr).toContain('MIGRATION_FAILED: ')
        expect(await project.json('migrate', 'up')).toMatchObject({
          ok: false,
          exitCode: 8,
          error: { code: 'MIGRATION_FAILED' },
          failed: { id: THIRD, step: 1, stepsTotal: 1, databaseUnchanged: true },
          pending: [THIRD],
        })
      })
    }, 60_000)

    it('writes the SQL of up for somebody else to run, without a database', async () => {
      await using project = await CliProject.create(twoByHand(engine.name))
      const { stdout, exitCode } = await project.run('migrate', 'script', '--dialect', engine.name)
      expect(exitCode).toBe(0)
      expect(stdout).toContain('CREATE TABLE posts')
      expect(await project.json('migrate', 'script', '--dialect', engine.name, '--from', FIRST, '--out', 'release.sql')).toMatchObject({
        ids: [SECOND],
      })
      expect(await project.read('release.sql')).toContain('CREATE TABLE posts')
      expect(await project.json('migrate', 'verify', '--offline', '--dialect', engine.name)).toMatchObject({ ok: true, problems: [] })
    })

    it('says what a person has put right by hand', async () => {
      await inProject(twoByHand(engine.name), async (project) => {
        const { exitCode, stdout } = await project.run('migrate', 'mark', FIRST, 'applied', '--reason', 'restored from a dump')
        expect([exitCode, stdout]).toEqual([0, 'the state is written, and the reason in the log\n'])
        expect(await project.json('migrate', 'status')).toMatchObject({ applied: [FIRST], pending: [SECOND] })
      })
    })
  })
})

describe('the command line where DDL cannot be undone', () => {
  forEachEngine(
    (engine: SpecEngine) => {
      it('ends with 9 where a step failed behind one that stays, and resume goes on', async () => {
        const database = await engine.freshDatabase()
        const up = 'CREATE TABLE logs (id INTEGER PRIMARY KEY);\n-- latchwork:step\nCREATE TABLE users (id INTEGER);\n'
        await using project = await CliProject.create({
          ...byHand(engine.name, FIRST, [], 'users'),
          ...byHand(engine.name, SECOND, [FIRST], 'logs', up),
        })
        project.env.LATCHWORK_DATABASE_URL = database.url
        const failed: Printed = await project.json('migrate', 'up')
        expect(failed).toMatchObject({ exitCode: 9, failed: { id: SECOND, step: 2, stepsTotal: 2, databaseUnchanged: false } })
        expect(failed.next[0]).toContain(`latchwork migrate resume ${SECOND}`)
        expect(await project.json('migrate', 'up')).toMatchObject({ exitCode: 9, applied: [] })
        await engine.admin(database.url, 'drop table users')
        expect(await project.json('migrate', 'resume', SECOND)).toMatchObject({ ok: true, applied: [{ id: SECOND }] })
        await database.drop()
      }, 60_000)
    },
    { engines: ['mysql'] },
  )
})

describe('a database that is not there', () => {
  forEachEngine(
    (engine) => {
      it('is made where that is wanted', async () => {
        const database = await engine.freshDatabase()
        await database.drop()
        await using project = await CliProject.create(twoByHand(engine.name))
        project.env.LATCHWORK_DATABASE_URL = database.url
        expect(await project.json('migrate', 'up')).toMatchObject({ ok: false, exitCode: 10 })
        expect(await project.json('migrate', 'up', '--create-database')).toMatchObject({
          ok: true,
          applied: [{ id: FIRST }, { id: SECOND }],
        })
        await database.drop()
      }, 60_000)
    },
    { engines: ['postgres', 'mysql'] },
  )
})

describe('a database that cannot be reached', () => {
  it.each(['postgres', 'mysql'])('is exit code 10 on %s, and its password is nowhere', async (engine) => {
    await using project = await CliProject.create(twoByHand(engine))
    const words = ['migrate', 'up', '--url', `${engine}://ada:p%40ssw0rd@127.0.0.1:1/shop`]
    const { exitCode, stdout, stderr } = await project.run(...words)
    expect(exitCode).toBe(10)
    expect(stderr).toContain('CONNECTION: ')
    expect(stdout + stderr).not.toMatch(/p(%40|@)ssw0rd/)
    const document = await project.json(...words)
    expect(document).toMatchObject({ ok: false, exitCode: 10, error: { code: 'CONNECTION' } })
    expect(JSON.stringify(document)).not.toMatch(/p(%40|@)ssw0rd/)
  })
})
