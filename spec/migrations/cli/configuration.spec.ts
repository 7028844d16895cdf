import { describe, expect, it } from 'vitest'
import { CliProject } from './cli-project.js'
import { configText, shop, userModel } from './models.js'

/** What a project's files say, seen by what `generate` writes for them. */
async function generated(files: Readonly<Record<string, string>>, name?: string) {
  await using project = await CliProject.create(files, name)
  return await project.json('migrate', 'generate', 'first')
}

const MODELS = { 'models/user.ts': userModel() }
const PLAIN_MODEL = `import { defineModel } from 'latchwork'
export class User {}
defineModel(User, { fields: { id: { kind: 'integer', primary: true, increment: true } } })
`

describe('latchwork.config', () => {
  it.each([
    ['ts', configText('sqlite')],
    ['mts', configText('sqlite')],
    ['mjs', configText('sqlite')],
    ['js', configText('sqlite')],
    ['json', JSON.stringify({ dialect: 'sqlite', models: ['models/*.ts'] })],
  ])('may be .%s', async (ending, text) => {
    expect(await generated({ [`latchwork.config.${ending}`]: text, ...MODELS })).toMatchObject({ ok: true, dialects: ['sqlite'] })
  })

  it('may be TypeScript in a CommonJS package', async () => {
    const document = await generated({ ...shop('sqlite'), 'package.json': '{ "type": "commonjs" }' })
    expect(document).toMatchObject({ ok: true, operations: [{ kind: 'createTable', table: 'users' }] })
  })

  it('needs no TypeScript where models are JavaScript', async () => {
    const document = await generated({
      'latchwork.config.mjs': configText('sqlite').replace('*.ts', '*.js'),
      'models/user.js': PLAIN_MODEL,
    })
    expect(document).toMatchObject({ ok: true, operations: [{ kind: 'createTable', table: 'users' }] })
  })

  it('is found by --config, and its paths count from it', async () => {
    await using project = await CliProject.create({
      'db/latchwork.config.ts': configText('sqlite', "migrations: { dir: 'steps' }"),
      'db/models/user.ts': userModel(),
    })
    const document = await project.json('migrate', 'generate', 'first', '--config', 'db/latchwork.config.ts')
    expect(document.files[0]).toMatch(/^db\/steps\/\d{8}T\d{6}Z_first\//)
  })

  it('is looked for in the folder of --cwd', async () => {
    await using project = await CliProject.create(shop('sqlite'))
    const { exitCode } = await project.runIn('/', '--cwd', project.folder, 'migrate', 'generate', 'first')
    expect([exitCode, await project.list('migrations')]).toEqual([0, [expect.stringMatching(/_first$/), 'HEAD']])
  })

  it.each([
    ['an unknown option', { 'latchwork.config.json': '{ "modells": [] }' }, 'modells: unknown option; did you mean models?'],
    ['no JSON', { 'latchwork.config.json': '{' }, 'is not JSON'],
    ['no default export', { 'latchwork.config.mjs': 'export const config = {}' }, 'has no default export'],
    ['a mistake in it', { 'latchwork.config.ts': 'export default {' }, 'cannot be loaded'],
    ['an error in it', { 'latchwork.config.mjs': "throw new Error('no settings')" }, 'cannot be loaded: Error: no settings'],
    [
      'another one beside it',
      { ...shop('sqlite'), 'latchwork.config.json': '{}' },
      'latchwork.config.ts and latchwork.config.json are both there',
    ],
    ['no models', { 'latchwork.config.json': '{ "dialect": "sqlite" }' }, 'say where the models are'],
    ['no engine', { 'latchwork.config.json': '{ "models": ["a.ts"] }' }, 'say for which engine'],
    ['a glob without files', { 'latchwork.config.ts': configText('sqlite') }, 'no file matches "models/*.ts"'],
    ['no model in its files', { ...shop('sqlite'), 'models/user.ts': 'export const user = 1' }, 'none of the 1 files exports a class'],
    [
      'two models for one table',
      {
        ...shop('sqlite'),
        'models/people.ts': userModel().replace('class User', 'class Person').replace('@model()', "@model({ table: 'users' })"),
      },
      'users',
    ],
    [
      'a model that is wrong',
      { ...shop('sqlite'), 'models/user.ts': userModel('@field() nick!: string') },
      'name the kind, such as @field.text()',
    ],
  ] as const)('is refused with %s', async (_what, files, message) => {
    const document = await generated(files)
    expect(document).toMatchObject({ ok: false, exitCode: 2 })
    expect(document.error.message).toContain(message)
  })

  it('is refused where --config or --cwd name what is not there', async () => {
    await using project = await CliProject.create({})
    expect(await project.json('migrate', 'generate', 'a', '--config', 'no.json')).toMatchObject({ exitCode: 2 })
    expect(await project.json('migrate', 'generate', 'a', '--cwd', 'nowhere')).toMatchObject({ exitCode: 2 })
  })
})

describe('models', () => {
  it.each([
    ['standard', '{ "compilerOptions": { "target": "ES2022" } }'],
    ['legacy', '{ "compilerOptions": { "target": "ES2022", "experimentalDecorators": true, "emitDecoratorMetadata": true } }'],
  ])('are read with %s decorators, in a path that a URL or a glob would take for something else', async (_mode, tsconfig) => {
    const document = await generated({ ...shop('sqlite'), 'tsconfig.json': tsconfig }, 'my #1 shop (new) [x] 100%')
    expect(document).toMatchObject({ ok: true, operations: [{ kind: 'createTable', table: 'users' }] })
  })

  it('are read with legacy decorators in a CommonJS package', async () => {
    const tsconfig = '{ "compilerOptions": { "module": "nodenext", "experimentalDecorators": true, "emitDecoratorMetadata": true } }'
    const document = await generated({ ...shop('sqlite'), 'tsconfig.json': tsconfig, 'package.json': '{ "type": "commonjs" }' })
    expect(document).toMatchObject({ ok: true, operations: [{ kind: 'createTable', table: 'users' }] })
  })

  it('count once, however often they are exported, and in any shape', async () => {
    const document = await generated({
      ...shop('sqlite'),
      'models/again.ts':
        "export { User } from './user.js'\nimport { User } from './user.js'\nexport const models = { users: User }\nexport default User",
    })
    expect(document.operations).toEqual([{ kind: 'createTable', table: 'users' }])
  })

  it('are left out by a glob with !', async () => {
    const document = await generated({
      ...shop('sqlite'),
      'latchwork.config.ts': configText('sqlite').replace("['models/*.ts']", "['models/*.ts', '!models/*.test.ts']"),
      'models/user.test.ts': "throw new Error('not to be loaded')",
    })
    expect(document).toMatchObject({ ok: true })
  })

  it('may keep the process busy: the command ends all the same', async () => {
    const busy = `${userModel()}\nsetInterval(() => undefined, 1_000)\n`
    expect(await generated({ ...shop('sqlite'), 'models/user.ts': busy })).toMatchObject({ ok: true })
  })
})
