import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const FIXTURES = join(ROOT, 'spec/fixtures')
const BIN = join(ROOT, 'node_modules/.bin')

interface Printed {
  readonly definitions: readonly { readonly name: string }[]
  readonly mistakes: readonly string[]
}

async function run(program: string, parameters: readonly string[], cwd: string): Promise<string> {
  const env = { ...process.env, NODE_OPTIONS: '', NO_COLOR: '1' }
  const { stdout } = await promisify(execFile)(program, parameters, { cwd, env }).catch((error: Error & { stdout?: string }) => {
    // the compiler prints what is wrong where a result belongs
    throw new Error(`${program}: ${error.message}\n${error.stdout ?? ''}`)
  })
  return stdout
}

/** The standard fixture, with what a fixture of the same name in `over` replaces. */
async function application(folder: string, over: string): Promise<string> {
  const path = join(folder, over)
  await cp(join(FIXTURES, 'decorators-standard'), path, { recursive: true })
  await cp(join(FIXTURES, over), path, { recursive: true })
  await mkdir(join(path, 'node_modules/@types'), { recursive: true })
  await symlink(ROOT, join(path, 'node_modules/latchwork'), 'junction')
  await symlink(join(ROOT, 'node_modules/@types/node'), join(path, 'node_modules/@types/node'), 'junction')
  return path
}

async function compiled(path: string): Promise<Printed> {
  await run(join(BIN, 'tsc'), ['-p', '.'], path)
  return JSON.parse(await run(process.execPath, ['built/print.js'], path))
}

describe('decorators', () => {
  let folder: string
  let standard: Printed
  let legacy: Printed

  beforeAll(async () => {
    if (!existsSync(join(ROOT, 'dist/index.js'))) throw new Error('there is no dist/ to import; run: npm run build')
    folder = await mkdtemp(join(tmpdir(), 'latchwork-modes-'))
    standard = await compiled(await application(folder, 'decorators-standard'))
    legacy = await compiled(await application(folder, 'decorators-legacy'))
  }, 120_000)

  afterAll(async () => {
    await rm(folder, { recursive: true, force: true })
  })

  it('define the same models in standard ESM and in legacy CommonJS with emitDecoratorMetadata', () => {
    expect(standard.definitions.map(({ name }) => name)).toEqual([
      'User',
      'Purchase',
      'Passport',
      'Product',
      'OrderLine',
      'Remark',
      'Account',
    ])
    expect(legacy.definitions).toEqual(standard.definitions)
  })

  it('put the fields of a base class first, and those said anew in their place', () => {
    const order = standard.definitions[1] as unknown as { fields: { name: string; type: object; renamedFrom: string }[] }
    expect(order.fields.map(({ name }) => name)).toEqual(['id', 'createdAt', 'updatedAt', 'note', 'buyerId'])
    expect(order.fields[3]).toMatchObject({ type: { kind: 'varchar', length: 200 }, renamedFrom: 'remark' })
    const user = standard.definitions[0] as unknown as typeof order
    expect(user.fields.find(({ name }) => name === 'note')).toMatchObject({ type: { kind: 'text' } })
  })

  it('define the same models under tsx, which emits no types', async () => {
    const path = join(folder, 'decorators-standard')
    expect(JSON.parse(await run(join(BIN, 'tsx'), ['print.ts'], path))).toEqual(standard)
  })

  it('refuse what stands where no field can, naming model and property', () => {
    expect(standard.mistakes).toEqual([
      'model NoKey: has no primary key; give a field @id(), or "primary: true"',
      'model Static, field "title": a field cannot be static',
      'model Method, field "title": decorates a method; it belongs on a property',
      'model Twice, field "id": has two decorators that each make a field or relation',
      'model (unnamed), field "createdAt": write @createdAt(), with brackets',
      'model Guessed, field "size": the compiler says nothing of its type; name the kind, such as @field.text(), with nullable: true for "| null"',
      'model ModelWithoutBrackets: write @model(), with brackets',
    ])
  })

  it('refuse the same in the legacy mode, where the compiler says what it can of a type', () => {
    const { mistakes } = legacy
    expect(mistakes[2]).toBe('model Method, field "title": decorates a method or accessor; it belongs on a property')
    expect(mistakes[5]).toContain('the compiler says too little of its type')
    const [same, sameInLegacy] = [standard.mistakes, mistakes].map((messages) => messages.filter((_, at) => at !== 2 && at !== 5))
    expect(sameInLegacy).toEqual(same)
  })
})
