import { createMigrator, documentOf } from 'latchwork/migrations'
import { describe, expect, it } from 'vitest'
import { forEachEngine } from '../../support/engines.js'
import { CliProject } from './cli-project.js'

const FIRST = '20261123T120000Z_first'
const SECOND = '20261123T120001Z_second'

describe('an error says what to run next', () => {
  it('where nobody says which database', async () => {
    await using project = await CliProject.create({})
    const { exitCode, stderr } = await project.run('migrate', 'up')
    expect(exitCode).toBe(2)
    expect(stderr).toContain('next: latchwork migrate up --help')
    expect(await project.json('db', 'seed')).toMatchObject({ exitCode: 2, next: ['latchwork db seed --help'] })
  })

  forEachEngine((engine) => {
    async function inProject(body: (project: CliProject, url: string) => Promise<void>): Promise<void> {
      const database = await engine.freshDatabase()
      await using project = await CliProject.create({
        [`migrations/${FIRST}/migration.json`]: JSON.stringify({ id: FIRST, parents: [] }),
        [`migrations/${FIRST}/up.${engine.name}.sql`]: 'create table users (id integer primary key);\n',
        [`migrations/${SECOND}/migration.json`]: JSON.stringify({ id: SECOND, parents: [FIRST] }),
        [`migrations/${SECOND}/up.${engine.name}.sql`]: 'create table posts (id integer primary key);\n',
      })
      project.env.LATCHWORK_DATABASE_URL = database.url
      try {
        await body(project, database.url)
      } finally {
        await database.drop()
      }
    }

    it('where a file is not what it should be', async () => {
      await inProject(async (project) => {
        await project.write({ [`migrations/${SECOND}/migration.json`]: '{' })
        expect(await project.json('migrate', 'up')).toMatchObject({ exitCode: 2, next: ['latchwork migrate verify --offline'] })
      })
    })

    it('where the database refuses what keeps the state, and shows no code of ours', async () => {
      await inProject(async (project, url) => {
        await project.run('migrate', 'up', '--steps', '1')
        await engine.admin(url, 'drop table _latchwork_migration_log')
        const { exitCode, stderr } = await project.run('migrate', 'mark', SECOND, 'applied', '--reason', 'by hand')
        expect(exitCode).toBe(1)
        expect(stderr).toMatch(/^QUERY: .*nothing was run\n {2}next: latchwork doctor\n$/)
        expect(await project.json('migrate', 'status')).toMatchObject({ applied: [FIRST], pending: [SECOND] })
      })
    })

    if (engine.name !== 'sqlite')
      it('where there is no such database, in the words of the library', async () => {
        await inProject(async (project, given) => {
          const url = Object.assign(new URL(given), { pathname: '/latchwork_nowhere' }).href
          project.env.LATCHWORK_DATABASE_URL = url
          const document = await project.json('migrate', 'up')
          expect(document).toMatchObject({ exitCode: 10, database: null, lock: null, applied: [], failed: null, planned: null })
          expect(document.next).toEqual(['latchwork migrate up --create-database', 'latchwork doctor'])
          expect(document.error.message).toContain('; nothing was run')
          const error = await createMigrator({ url, folder: `${project.folder}/migrations` })
            .up()
            .catch((reason: unknown) => reason)
          expect(document).toEqual(documentOf(error))
        })
      })
  })
})
