import { describe, expect, it } from 'vitest'
import { forEachEngine } from '../../support/engines.js'
import { CliProject } from './cli-project.js'

const ID = '20261123T120000Z_slow'

/** A statement that runs far longer than a spec waits. */
const SLOW: Readonly<Record<string, string>> = {
  postgres: 'SELECT pg_sleep(60)',
  mysql: 'SELECT SLEEP(60)',
  // it lets nothing else happen in the process: the signal is heard when it has ended
  sqlite:
    'CREATE TABLE slow AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 12000000) SELECT count(*) AS total FROM n',
}

describe('a command that is interrupted', () => {
  forEachEngine((engine) => {
    it.each([
      ['SIGINT', 130],
      ['SIGTERM', 143],
    ] as const)(
      'by %s ends with %d, and the state is true',
      async (signal, exitCode) => {
        const database = await engine.freshDatabase()
        await using project = await CliProject.create({
          [`migrations/${ID}/migration.json`]: JSON.stringify({ id: ID, parents: [] }),
          [`migrations/${ID}/up.${engine.name}.sql`]: `${SLOW[engine.name]};\n`,
        })
        project.env.LATCHWORK_DATABASE_URL = database.url
        const ran = await project.interrupt(signal, `applying ${ID}`, 'migrate', 'up', '--json')
        expect(ran.exitCode).toBe(exitCode)
        expect(JSON.parse(ran.stdout)).toMatchObject({ ok: false, exitCode, error: { code: 'MIGRATION_INTERRUPTED' } })
        const status = await project.json('migrate', 'status')
        expect([...status.pending, ...status.failed]).toEqual([ID])
        expect(await project.json('migrate', 'lock')).toMatchObject({ holder: null })
        await database.drop()
      },
      60_000,
    )
  })
})
