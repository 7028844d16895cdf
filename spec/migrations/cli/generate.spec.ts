import { describe, expect, it } from 'vitest'
import { CliProject, type Printed } from './cli-project.js'
import { HANDLE, NICK, shop, userModel } from './models.js'

const ENGINES = ['postgres', 'mysql', 'sqlite']

/** A project whose first migration is written, with the column `nick`. */
async function withFirst(dialect: string | readonly string[] = 'sqlite'): Promise<CliProject> {
  const project = await CliProject.create(shop(dialect, NICK))
  const { exitCode, stderr } = await project.run('migrate', 'generate', 'first')
  if (exitCode !== 0) throw new Error(stderr)
  return project
}

describe('latchwork migrate generate', () => {
  it('writes a folder with SQL for each engine, and HEAD', async () => {
    await using project = await CliProject.create(shop(ENGINES))
    const document = await project.json('migrate', 'generate', 'Add users')
    expect(document).toMatchObject({
      schema: 'latchwork.migrate/1',
      command: 'generate',
      ok: true,
      exitCode: 0,
      error: null,
      dialects: ENGINES,
      operations: [{ kind: 'createTable', table: 'users' }],
      ambiguous: [],
      decisions: [],
      next: ['latchwork migrate up'],
    })
    expect(document.id).toMatch(/^\d{8}T\d{6}Z_add_users$/)
    expect(await project.read('migrations/HEAD')).toBe(`${document.id}\n`)
    const files = await project.list('migrations', document.id)
    expect(files).toEqual(['migration.json', 'snapshot.json', ...ENGINES.flatMap((name) => [`down.${name}.sql`, `up.${name}.sql`])].sort())
    expect(document.files.map((file: string) => file.split('/').at(-1)).sort()).toEqual(files)
  })

  it('writes nothing the second time', async () => {
    await using project = await withFirst(ENGINES)
    const document = await project.json('migrate', 'generate', 'again')
    expect(document).toMatchObject({ ok: true, id: null, operations: [] })
    expect(await project.list('migrations')).toHaveLength(2)
  })

  it('follows the migration before it', async () => {
    await using project = await withFirst()
    await project.write({ 'models/user.ts': userModel(`${NICK}\n  @field.integer({ default: 0 }) age!: Generated<number>`) })
    const { id } = await project.json('migrate', 'generate', 'age')
    const [first] = await project.list('migrations')
    expect(JSON.parse(await project.read('migrations', id, 'migration.json'))).toMatchObject({
      id,
      parents: [first],
      operations: [{ kind: 'addColumn', table: 'users', name: 'age' }],
    })
    expect(await project.read('migrations/HEAD')).toBe(`${id}\n`)
  })

  it('ends with 4 with --check where models differ, and writes nothing', async () => {
    await using project = await withFirst()
    expect(await project.json('migrate', 'generate', '--check')).toMatchObject({ ok: true, exitCode: 0 })
    await project.write({ 'models/user.ts': userModel(`${NICK}\n  @field.integer({ nullable: true }) age!: number | null`) })
    expect(await project.json('migrate', 'generate', '--check')).toMatchObject({
      ok: false,
      exitCode: 4,
      id: null,
      error: { code: 'MODELS_DIFFER' },
      operations: [{ kind: 'addColumn', table: 'users', name: 'age' }],
    })
    expect(await project.list('migrations')).toHaveLength(2)
  })

  it('ends with 3 where a column may have been renamed, and asks nothing without a terminal', async () => {
    await using project = await withFirst()
    await project.write({ 'models/user.ts': userModel(HANDLE) })
    expect(await project.json('migrate', 'generate', 'handle')).toMatchObject({
      ok: false,
      exitCode: 3,
      error: { code: 'MIGRATION_DECISION' },
      ambiguous: [
        { table: 'users', removed: 'nick', added: 'handle', sameType: true, flags: ['--rename users.nick:handle', '--drop users.nick'] },
      ],
    })
    const { exitCode, stdout } = await project.run('migrate', 'generate', 'handle')
    expect(exitCode).toBe(3)
    expect(stdout).toContain('--rename users.nick:handle')
    expect(await project.list('migrations')).toHaveLength(2)
  })

  it('renames or drops as a flag says', async () => {
    await using project = await withFirst()
    await project.write({ 'models/user.ts': userModel(HANDLE) })
    const renamed = await project.json('migrate', 'generate', 'handle', '--rename', 'users.nick:handle')
    expect(renamed).toMatchObject({
      ok: true,
      operations: [{ kind: 'renameColumn', table: 'users', name: 'nick', to: 'handle' }],
      losses: [],
    })
    await project.write({ 'models/user.ts': userModel() })
    expect(await project.json('migrate', 'generate', 'cleanup')).toMatchObject({
      exitCode: 3,
      decisions: [{ flags: ['--drop users.handle'] }],
    })
    const dropped = await project.json('migrate', 'generate', 'cleanup', '--drop', 'users.handle')
    expect(dropped).toMatchObject({ ok: true, losses: [{ kind: 'notRestored', table: 'users', column: 'handle' }] })
    expect(await project.read('migrations', dropped.id, 'up.sqlite.sql')).toContain('-- latchwork:approve drop-column users.handle\n')
  })

  it('takes names that hold what separates them, in quotes, and prints flags that can be pasted', async () => {
    const named = (column: string, more = '') =>
      userModel(`@field.integer({ column: ${JSON.stringify(column)}, nullable: true }) odd!: number | null\n  ${more}`)
    await using project = await CliProject.create({ ...shop(ENGINES), 'models/user.ts': named('a:b, c') })
    await project.run('migrate', 'generate', 'first')
    // what a shell makes of a printed flag
    const pasted = (flag: string) => [flag.split(' ', 1)[0]!, flag.slice(flag.indexOf(' ') + 1).replace(/^'(.*)'$/, '$1')]

    await project.write({ 'models/user.ts': named('d=e') })
    const { ambiguous } = await project.json('migrate', 'generate', 'odd')
    expect(ambiguous[0].flags).toEqual([`--rename '"users.a:b, c":"d=e"'`, `--drop '"users.a:b, c"'`])
    expect(await project.json('migrate', 'generate', 'odd', ...pasted(ambiguous[0].flags[0]))).toMatchObject({
      ok: true,
      operations: [{ kind: 'renameColumn', name: 'a:b, c', to: 'd=e' }],
    })
    await project.write({ 'models/user.ts': named('d=e', "@field.integer({ column: 'f=g' }) more!: number") })
    const { decisions } = await project.json('migrate', 'generate', 'filled')
    expect(decisions[0].flags).toEqual([`--default '"users.f=g"=VALUE'`])
    const filled = pasted(decisions[0].flags[0]).map((word) => word.replace('VALUE', '21'))
    expect(await project.json('migrate', 'generate', 'filled', ...filled)).toMatchObject({ ok: true })
    await project.write({ 'models/user.ts': userModel() })
    const gone = await project.json('migrate', 'generate', 'gone')
    const drops = gone.decisions.flatMap(({ flags }: Printed) => pasted(flags[0]))
    expect(drops).toEqual(['--drop', '"users.d=e"', '--drop', '"users.f=g"'])
    expect(await project.json('migrate', 'generate', 'gone', ...drops)).toMatchObject({ ok: true })
    expect((await project.run('migrate', 'generate', '--help')).stdout).toContain('in double quotes')
  }, 120_000)

  it('says of a narrower type what it holds before and after', async () => {
    await using project = await withFirst()
    await project.write({ 'models/user.ts': userModel(NICK.replace('40', '20')) })
    const { exitCode, decisions } = await project.json('migrate', 'generate', 'short')
    expect(exitCode).toBe(3)
    expect(decisions).toMatchObject([{ kind: 'narrowType', message: expect.stringContaining('(varchar(40) to varchar(20))') }])
  })

  it('gives rows that are there what --default says, as the column takes it', async () => {
    await using project = await withFirst()
    await project.write({ 'models/user.ts': userModel(`${NICK}\n  @field.integer() age!: number`) })
    expect(await project.json('migrate', 'generate', 'age')).toMatchObject({
      exitCode: 3,
      decisions: [{ kind: 'fillColumn', column: 'age' }],
    })
    expect(await project.json('migrate', 'generate', 'age', '--default', 'users.age=many')).toMatchObject({ exitCode: 2 })
    expect(await project.json('migrate', 'generate', 'age', '--default', 'users.age=21')).toMatchObject({ ok: true })
  })

  it.each([
    [['--rename', 'users.nick'], '--rename: expected users.nick:handle'],
    [['--rename', 'users.nick:a:b'], '--rename: expected users.nick:handle, got users.nick:a:b; write a name that holds'],
    [['--rename', 'users."nick:a'], '--rename: expected users.nick:handle'],
    [['--drop', 'users.nick,'], '--drop: expected users.nick'],
    [['--default', '=1'], '--default: expected users.age=0'],
    [['--default', 'users.year=1'], '--default: no model has a column users.year'],
    [['--dialect', 'oracle'], 'Expected postgres, mysql or sqlite'],
    [['--empty', '--data'], 'cannot be used with'],
  ])('refuses %j', async (flags, message) => {
    await using project = await withFirst()
    const document = await project.json('migrate', 'generate', 'x', ...flags)
    expect(document).toMatchObject({ ok: false, exitCode: 2 })
    expect(document.error.message).toContain(message)
  })

  it('needs a name', async () => {
    await using project = await CliProject.create(shop('sqlite'))
    expect(await project.json('migrate', 'generate')).toMatchObject({ exitCode: 2, error: { code: 'CONFIGURATION' } })
  })

  it('writes one to be filled by hand with --empty, and a module with --data', async () => {
    await using project = await withFirst()
    const empty = await project.json('migrate', 'generate', 'view', '--empty')
    expect(await project.list('migrations', empty.id)).toEqual(['down.sqlite.sql', 'migration.json', 'snapshot.json', 'up.sqlite.sql'])
    const data = await project.json('migrate', 'generate', 'backfill', '--data')
    expect(await project.list('migrations', data.id)).toEqual(['data.ts', 'migration.json', 'snapshot.json'])
    expect(await project.json('migrate', 'generate', '--check')).toMatchObject({ ok: true })
  })

  it('ends with 6 where two branches left two heads', async () => {
    await using project = await withFirst()
    const [first] = await project.list('migrations')
    for (const name of ['20990101T000000Z_ours', '20990101T000001Z_theirs']) {
      await project.write({
        [`migrations/${name}/migration.json`]: JSON.stringify({ id: name, parents: [first] }),
        [`migrations/${name}/up.sqlite.sql`]: 'SELECT 1;\n',
      })
    }
    const document = await project.json('migrate', 'generate', 'more')
    expect(document).toMatchObject({ ok: false, exitCode: 6, error: { code: 'MIGRATION_HISTORY' } })
    expect(document.error.message).toContain('20990101T000000Z_ours and 20990101T000001Z_theirs')
  })

  it('refuses a snapshot that a merge has left broken', async () => {
    await using project = await withFirst()
    const [first] = await project.list('migrations')
    await project.write({ [`migrations/${first}/snapshot.json`]: '<<<<<<< ours' })
    expect(await project.json('migrate', 'generate', 'x')).toMatchObject({ exitCode: 2, error: { code: 'MIGRATION_USAGE' } })
  })
})
