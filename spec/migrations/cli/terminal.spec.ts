import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { CliProject } from './cli-project.js'
import { shop } from './models.js'

const { version } = JSON.parse(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')) as { version: string }
const ESCAPE = '\u001B['

describe('latchwork', () => {
  it('says its version, and how each command is used', async () => {
    await using project = await CliProject.create({})
    expect(await project.run('--version')).toEqual({ exitCode: 0, stdout: `${version}\n`, stderr: '' })
    for (const words of [
      ['init'],
      ['migrate', 'generate'],
      ['migrate', 'dev'],
      ['migrate', 'up'],
      ['migrate', 'down'],
      ['migrate', 'mark'],
    ]) {
      const { exitCode, stdout } = await project.run(...words, '--help')
      expect([words, exitCode, stdout]).toEqual([words, 0, expect.stringContaining('Examples:\n  $ latchwork')])
    }
  })

  it.each([
    [['migrate', 'upp'], "unknown command 'upp'", '(Did you mean up?)'],
    [['migrate', 'up', '--stpes', '1'], "unknown option '--stpes'", '(Did you mean --steps?)'],
    [['migrate', 'up', '--steps', '0'], 'Expected a whole number from 1.', ''],
    [['migrate', 'up', '--lock-timeout', 'long'], 'Expected a time such as 5s, 10m, 250ms or 0.', ''],
    [['migrate', 'mark', 'x', 'done', '--reason', 'y'], 'Allowed choices are applied, pending, reverted.', ''],
    [['migrate', 'mark', 'x', 'applied'], "required option '--reason <text>' not specified", ''],
    [['migrate', 'resume'], "missing required argument 'id'", ''],
    [['migrate'], 'Usage: latchwork migrate', ''],
  ])('ends with 2 for %j', async (words, message, hint) => {
    await using project = await CliProject.create({})
    const { exitCode, stdout, stderr } = await project.run(...words)
    expect([exitCode, stdout]).toEqual([2, ''])
    expect(stderr).toContain(message)
    expect(stderr).toContain(hint)
    const document = await project.json(...words)
    expect(document).toMatchObject({ schema: 'latchwork.migrate/1', ok: false, exitCode: 2, error: { code: 'USAGE' } })
    expect(document.error.message).toMatch(/^[^(]/)
  })

  it.each([
    [['migrate', 'up', '--steps', '0'], 'up', 'latchwork migrate up --help'],
    [['--url', 'sqlite:up', '--cwd=.', 'migrate', 'mark', 'x'], 'mark', 'latchwork migrate mark --help'],
    [['db', 'seed', '--nothing'], 'seed', 'latchwork db seed --help'],
    [['migrate', 'upp'], 'migrate', 'latchwork migrate --help'],
    [['doctor', '--nothing'], 'doctor', 'latchwork doctor --help'],
    [['nothing'], 'latchwork', 'latchwork --help'],
  ])('names the command that was asked for: %j', async (words, command, next) => {
    await using project = await CliProject.create({})
    expect(await project.json(...words)).toMatchObject({ command, exitCode: 2, error: { code: 'USAGE' }, next: [next] })
  })

  it('says where a database is to be given', async () => {
    await using project = await CliProject.create({})
    const { exitCode, stderr } = await project.run('migrate', 'up')
    expect(exitCode).toBe(2)
    expect(stderr).toContain('LATCHWORK_DATABASE_URL')
  })

  it('has colours only where they are asked for or seen, and none with NO_COLOR or --no-color', async () => {
    await using project = await CliProject.create(shop('sqlite'))
    expect((await project.run('migrate', 'generate')).stderr).not.toContain(ESCAPE)
    project.env.FORCE_COLOR = '1'
    expect((await project.run('migrate', 'generate')).stderr).toContain(ESCAPE)
    expect((await project.run('migrate', 'generate', '--no-color')).stderr).not.toContain(ESCAPE)
    project.env.NO_COLOR = '1'
    const { stdout, stderr } = await project.run('migrate', 'generate', 'first')
    expect(stdout + stderr).not.toContain(ESCAPE)
  })

  it('writes a configuration once', async () => {
    await using project = await CliProject.create({ 'tsconfig.json': '{}' })
    expect(await project.json('init', '--dialect', 'sqlite')).toMatchObject({ ok: true, created: ['latchwork.config.ts', 'migrations/'] })
    expect(await project.read('latchwork.config.ts')).toContain("dialect: 'sqlite'")
    expect(await project.json('init')).toMatchObject({ ok: true, created: [] })
    const { error } = await project.json('migrate', 'generate', 'first')
    expect(error.message).toContain('no file matches "src/models/*.ts"')
  })

  it('writes a configuration in JavaScript where there is no TypeScript', async () => {
    await using project = await CliProject.create({})
    expect(await project.json('init')).toMatchObject({ created: ['latchwork.config.mjs', 'migrations/'] })
  })

  it('completes commands, choices, and the ids of migrations', async () => {
    await using project = await CliProject.create(shop('sqlite'))
    await project.run('migrate', 'generate', 'first')
    const [id] = await project.list('migrations')
    const words = async (...typed: readonly string[]) => (await project.run('complete', '--', ...typed)).stdout
    expect(await words('migrate', 'u')).toContain('up\tapply what is pending, in order\n')
    expect(await words('migrate', 'mark', 'x', '')).toContain('reverted\t')
    expect(await words('migrate', 'resume', '')).toContain(id)
    expect((await project.run('complete', 'bash')).stdout).toContain('# bash completion for latchwork')
  })
})
