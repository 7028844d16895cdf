import { describe, expect, it } from 'vitest'
import { forEachEngine } from '../../support/engines.js'
import { CliProject, type Printed } from './cli-project.js'

const PARTLY_APPLIED = `insert into _latchwork_migrations (id, state, steps_total, steps_done, started_at, tool_version, actor, host)
  values ('20261123T120000Z_first', 'failed', 2, 1, '2026-11-23 12:00:00', '0', 'somebody', 'somewhere')`

const FIRST = {
  'migrations/20261123T120000Z_first/migration.json': JSON.stringify({ id: '20261123T120000Z_first', parents: [], operations: [] }),
  'migrations/20261123T120000Z_first/data.mjs': 'export async function up() {}\n',
}

function checkOf({ checks }: Printed, name: string): Printed {
  return checks.find((check: Printed) => check.name === name)
}

describe('latchwork doctor', () => {
  forEachEngine((engine) => {
    it('looks at versions, connection, privileges, clock, settings, state and lock, and says what is in the way', {
      timeout: 60_000,
    }, async () => {
      const database = await engine.freshDatabase()
      await using project = await CliProject.create(FIRST)
      project.env.LATCHWORK_DATABASE_URL = database.url
      try {
        const well = await project.json('doctor')
        expect(well).toMatchObject({
          command: 'doctor',
          dialect: engine.name,
          ok: true,
          exitCode: 0,
          error: null,
          database: expect.any(String),
        })
        for (const name of [
          'node',
          'latchwork',
          'driver',
          'connection',
          'pooler',
          'server version',
          'clock',
          'privileges',
          'state',
          'lock',
        ])
          expect(checkOf(well, name)).toMatchObject({ status: 'ok', found: expect.any(String), advice: null })
        const setting = { postgres: 'lock_timeout', mysql: 'sql_mode', sqlite: 'foreign_keys' }[engine.name]
        expect(checkOf(well, setting)).toBeDefined()

        await project.json('migrate', 'up')
        await engine.admin(database.url, 'delete from _latchwork_migrations')
        await engine.admin(database.url, PARTLY_APPLIED)
        const { stdout, stderr, exitCode } = await project.run('doctor')
        expect(exitCode).toBe(2)
        expect(stdout).toMatch(/^ok +node +Node\.js \d+\.\d+\.\d+, supported from 20\.19\.0$/m)
        expect(stdout).toMatch(
          /^fail +state +20261123T120000Z_first is partly applied \(failed\)\n +→ latchwork migrate resume 20261123T120000Z_first$/m,
        )
        expect(stderr).toContain('MIGRATION_DOCTOR: not fit for migrations: state')
      } finally {
        await database.drop()
      }
    })
  })

  it('says with 10 that nothing answers, and a migration says of which engine', async () => {
    await using project = await CliProject.create(FIRST)
    const url = 'mysql://root:s3cretive@127.0.0.1:9/shop'
    const doctor = await project.json('doctor', '--url', url)
    expect(doctor).toMatchObject({ exitCode: 10, dialect: 'mysql', database: null })
    expect(checkOf(doctor, 'connection')).toMatchObject({ status: 'fail', advice: expect.stringContaining('check host') })
    const up = await project.run('migrate', 'up', '--url', url, '--json')
    expect(JSON.parse(up.stdout)).toMatchObject({ exitCode: 10, dialect: 'mysql' })
    expect(JSON.stringify(doctor) + up.stdout + up.stderr).not.toContain('s3cretive')
  })

  it('says that there is no folder of migrations, and shows examples with --help', async () => {
    await using project = await CliProject.create({})
    const { exitCode, stderr } = await project.run('migrate', 'status', '--url', 'sqlite:shop.db')
    expect([exitCode, stderr.split(':')[0]]).toEqual([2, 'MIGRATION_USAGE'])
    expect((await project.run('doctor', '--help')).stdout).toContain('latchwork doctor --json')
  })
})
