import { execFileSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { LINT_RULE_IDS } from '../../../migrations/lint/rule.js'
import { forEachEngine } from '../../support/engines.js'
import { CliProject } from './cli-project.js'
import { NICK, shop, userModel } from './models.js'

const FIRST = '20261123T120000Z_first'
const SECOND = '20261123T120001Z_second'

function byHand(engine: string, id: string, parents: readonly string[], up: string): Readonly<Record<string, string>> {
  return {
    [`migrations/${id}/migration.json`]: JSON.stringify({ id, parents, operations: [], lossyDown: true }),
    [`migrations/${id}/up.${engine}.sql`]: up,
    'migrations/HEAD': `${id}\n`,
  }
}

const USERS = 'create table users (id bigint primary key, nick varchar(40));\n'

function git(project: CliProject, ...words: readonly string[]): void {
  const who = ['-c', 'user.name=spec', '-c', 'user.email=spec@example.com', '-c', 'commit.gpgsign=false']
  execFileSync('git', [...who, ...words], { cwd: project.folder, stdio: 'pipe' })
}

describe('latchwork migrate lint', () => {
  forEachEngine((engine) => {
    const lint = ['migrate', 'lint', '--dialect', engine.name] as const

    it('ends with 11 at an error, says where and what to write instead, and with 0 where a person has said why it may be', async () => {
      const drop = 'alter table users drop column nick;\n'
      await using project = await CliProject.create({
        ...byHand(engine.name, FIRST, [], USERS),
        ...byHand(engine.name, SECOND, [FIRST], `-- gone\n${drop}`),
      })
      const file = `migrations/${SECOND}/up.${engine.name}.sql`
      const { exitCode, stdout, stderr } = await project.run(...lint)
      expect(exitCode).toBe(11)
      expect(stdout).toContain(`${file}:2  error  drop-column  drops column users.nick with all that is in it\n    The values are gone`)
      expect(stdout).toContain('2 migrations: 1 errors, 2 warnings')
      expect(stderr).toContain('LINT: 1 error;')
      expect(await project.json(...lint, SECOND)).toMatchObject({
        schema: 'latchwork.migrate/1',
        command: 'lint',
        ok: false,
        exitCode: 11,
        error: { code: 'LINT' },
        dialects: [engine.name],
        ids: [SECOND],
        findings: [
          { rule: 'missing-down', level: 'warning', id: SECOND },
          { rule: 'drop-column', level: 'error', id: SECOND, engine: engine.name, file, line: 2 },
        ],
      })
      for (const consent of [
        '-- latchwork:approve drop-column users.nick',
        '-- latchwork:nolint drop-column nobody has read it for a year',
      ]) {
        await project.write({ [file]: `${consent}\n${drop}` })
        expect(await project.json(...lint, SECOND)).toMatchObject({
          ok: true,
          exitCode: 0,
          covered: 1,
          findings: [{ rule: 'missing-down' }],
        })
      }
      await project.write({ [file]: `-- latchwork:nolint drop-column\n${drop}` })
      expect(await project.json(...lint)).toMatchObject({ exitCode: 2, error: { message: expect.stringContaining('needs a reason') } })
      await project.write({ [file]: `-- latchwork:nolint drop-colum x\n${drop}` })
      expect(await project.json(...lint)).toMatchObject({
        exitCode: 2,
        error: { message: expect.stringContaining('did you mean drop-column?') },
      })
      await project.write({ [file]: `-- latchwork:nolint truncate for no reason\n${USERS.replace('users', 'others')}` })
      expect((await project.json(...lint)).warnings).toEqual([expect.stringContaining(`${file}:1: nothing is found by truncate there`)])
    }, 120_000)

    it('finds no error in what generate writes, a drop included, which has its approval', async () => {
      await using project = await CliProject.create(shop(engine.name, NICK))
      await project.json('migrate', 'generate', 'first')
      const age = '@field.integer() age!: number'
      await project.write({ 'models/user.ts': userModel(age) })
      await project.json('migrate', 'generate', 'second', '--drop', 'users.nick', '--default', 'users.age=0')
      const document = await project.json('migrate', 'lint')
      expect(document).toMatchObject({ ok: true, exitCode: 0, covered: 1 })
    }, 120_000)

    it('finds a file that was changed after a database has applied it', async () => {
      const database = await engine.freshDatabase()
      await using project = await CliProject.create(byHand(engine.name, FIRST, [], USERS))
      project.env.LATCHWORK_DATABASE_URL = database.url
      await project.json('migrate', 'up')
      expect(await project.json('migrate', 'lint', '--applied')).toMatchObject({ ok: true })
      await project.write(byHand(engine.name, FIRST, [], USERS.replace('40', '80')))
      expect(await project.json('migrate', 'lint')).toMatchObject({ ok: true })
      const document = await project.json('migrate', 'lint', '--applied')
      expect(document).toMatchObject({ exitCode: 11, findings: [{ rule: 'edited-after-applied', id: FIRST }, {}] })
      await database.drop()
    }, 120_000)
  })

  const BAD = byHand('postgres', FIRST, [], '-- 100% sure\ndrop table users;\n')

  it('looks, since a commit, at what is new, and finds what was changed or removed there; line ends are no change', async () => {
    await using project = await CliProject.create({
      ...byHand('postgres', FIRST, [], USERS),
      ...byHand('postgres', SECOND, [FIRST], 'truncate users;\n'),
      '.gitignore': 'node_modules\n',
    })
    git(project, 'init', '-q', '-b', 'main')
    git(project, 'add', '.')
    git(project, 'commit', '-q', '-m', 'two migrations')
    const since = ['migrate', 'lint', '--dialect', 'postgres', '--since', 'main'] as const
    expect(await project.json(...since)).toMatchObject({ ok: true, ids: [], findings: [] })
    const third = '20261123T120002Z_third'
    await project.write({
      ...byHand('postgres', FIRST, [], USERS.replaceAll('\n', '\r\n')),
      ...byHand('postgres', third, [SECOND], 'drop table users;\n'),
    })
    expect(await project.json(...since)).toMatchObject({
      ids: [FIRST, third],
      findings: [{ rule: 'missing-down' }, {}, { rule: 'drop-table', id: third }],
    })
    await project.write({ [`migrations/${SECOND}/up.postgres.sql`]: 'delete from users;\n' })
    const { findings } = await project.json(...since)
    expect(findings[0]).toMatchObject({ rule: 'edited-after-applied', level: 'error', id: SECOND })
    expect(await project.json('migrate', 'lint', '--dialect', 'postgres', '--since', 'nowhere')).toMatchObject({
      exitCode: 2,
      error: { message: expect.stringContaining('"nowhere"') },
    })
  }, 120_000)

  it('prints SARIF 2.1.0 with all that readers of it need', async () => {
    await using project = await CliProject.create(BAD)
    const { exitCode, stdout } = await project.run('migrate', 'lint', '--dialect', 'postgres', '--format', 'sarif')
    expect(exitCode).toBe(11)
    const log = JSON.parse(stdout)
    expect(log).toMatchObject({
      $schema: expect.stringContaining('sarif'),
      version: '2.1.0',
      runs: [{ tool: { driver: { name: 'latchwork' } } }],
    })
    const [{ tool, results }] = log.runs
    expect(tool.driver.rules.map(({ id }: { id: string }) => id)).toEqual(LINT_RULE_IDS)
    for (const rule of tool.driver.rules) {
      expect(rule).toMatchObject({ shortDescription: { text: expect.any(String) }, help: { text: expect.any(String) } })
      expect(['error', 'warning']).toContain(rule.defaultConfiguration.level)
    }
    for (const result of results) {
      expect(tool.driver.rules[result.ruleIndex].id).toBe(result.ruleId)
      expect(['error', 'warning']).toContain(result.level)
      expect(result.message.text).not.toBe('')
    }
    expect(results.at(-1)).toMatchObject({
      ruleId: 'drop-table',
      level: 'error',
      locations: [{ physicalLocation: { artifactLocation: { uri: `migrations/${FIRST}/up.postgres.sql` }, region: { startLine: 2 } } }],
    })
  })

  it('prints commands of GitHub Actions, what would end one escaped', async () => {
    const dir = 'db, 100%'
    await using project = await CliProject.create({
      ...Object.fromEntries(Object.entries(BAD).map(([path, text]) => [path.replace('migrations', dir), text])),
      'latchwork.config.json': JSON.stringify({ dialect: 'postgres', migrations: { dir }, lint: { rules: { 'missing-down': 'off' } } }),
    })
    const { exitCode, stdout } = await project.run('migrate', 'lint', '--format', 'github')
    expect(exitCode).toBe(11)
    expect(stdout).toMatch(
      new RegExp(
        `^::error file=db%2C 100%25/${FIRST}/up\\.postgres\\.sql,line=2,title=drop-table::drops table users with all that is in it%0ARelease .*\n$`,
      ),
    )
    expect((await project.run('migrate', 'lint', '--format', 'json')).stdout).toMatch(
      /^\{"schema":"latchwork\.migrate\/1","command":"lint"/,
    )
  })

  it('takes what blocks others for an error on a large table, and for nothing on a small one', async () => {
    await using project = await CliProject.create(byHand('postgres', FIRST, [], 'create index users_nick_idx on users (nick);\n'))
    const levels = async (...words: readonly string[]) => {
      const { findings } = await project.json('migrate', 'lint', '--dialect', 'postgres', ...words)
      return findings.filter(({ rule }: { rule: string }) => rule === 'index-not-concurrent').map(({ level }: { level: string }) => level)
    }
    expect(await levels()).toEqual(['warning'])
    expect(await levels('--rows', 'users=50M,posts=1k')).toEqual(['error'])
    expect(await levels('--rows', 'users=900')).toEqual([])
    await project.write({ 'latchwork.config.json': JSON.stringify({ lint: { rows: { users: '2M' } } }) })
    expect(await levels()).toEqual(['error'])
    expect(await project.json('migrate', 'lint', '--dialect', 'postgres', '--rows', 'users=many')).toMatchObject({ exitCode: 2 })
  }, 120_000)

  it('finds heads that were not merged, whatever is chosen', async () => {
    await using project = await CliProject.create({ ...byHand('postgres', FIRST, [], USERS), ...byHand('postgres', SECOND, [], USERS) })
    const { findings, exitCode } = await project.json('migrate', 'lint', '--dialect', 'postgres', FIRST)
    expect([exitCode, findings[0]]).toMatchObject([11, { rule: 'two-heads', level: 'error' }])
  })

  it('shows in its help how it is used', async () => {
    await using project = await CliProject.create({})
    const { stdout } = await project.run('migrate', 'lint', '--help')
    expect(stdout).toContain('$ latchwork migrate lint --since origin/main --format github')
  })
})
