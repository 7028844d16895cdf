import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const FIXTURES = fileURLToPath(new URL('fixtures/package/', import.meta.url))
const DRIVERS = ['pg', 'mysql2', 'better-sqlite3']

const APPLICATION = {
  target: 'ES2022',
  lib: ['ES2023', 'ESNext.Disposable', 'ESNext.Decorators'],
  module: 'nodenext',
  types: ['node'],
  strict: true,
  exactOptionalPropertyTypes: true,
  skipLibCheck: false,
}

interface PackageJson {
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>
  readonly dependencies: Readonly<Record<string, string>>
}

interface Packed {
  readonly filename: string
  readonly files: readonly { readonly path: string }[]
}

const packageJson = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as PackageJson

async function run(program: string, parameters: readonly string[], cwd: string): Promise<{ stdout: string; stderr: string }> {
  return promisify(execFile)(program, parameters, { cwd, env: { ...process.env, NODE_OPTIONS: '', NO_COLOR: '1' } })
}

describe('the package', () => {
  let folder: string
  let tarball: string
  let paths: readonly string[]

  beforeAll(async () => {
    if (!existsSync(join(ROOT, 'dist'))) throw new Error('there is no dist/ to pack; run: npm run build')
    folder = await mkdtemp(join(tmpdir(), 'latchwork-package-'))
    // without scripts: the package is packed as it was built, not built again
    const { stdout } = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], ROOT)
    const [packed] = JSON.parse(stdout) as readonly Packed[]
    tarball = join(folder, packed!.filename)
    paths = packed!.files.map(({ path }) => path)
    await installInto(folder, tarball)
  })

  afterAll(async () => {
    await rm(folder, { recursive: true, force: true })
  })

  it('holds what a user needs and nothing else', () => {
    const others = paths.filter((path) => !path.startsWith('dist/'))
    expect(others.sort()).toEqual(['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json'])
    expect(paths.filter((path) => !/^dist\/(index|lib\/|decorators\/|migrations\/)/.test(path) && path.startsWith('dist/'))).toEqual([])
    expect(paths.filter((path) => /\.spec\.|\.tsbuildinfo$/.test(path))).toEqual([])
  })

  it('has no source map that leads to a file outside of it', async () => {
    const lost: string[] = []
    for (const path of paths.filter((path) => path.endsWith('.map'))) {
      const map = JSON.parse(await readFile(join(folder, 'node_modules/latchwork', path), 'utf8')) as { sourcesContent?: readonly string[] }
      if (map.sourcesContent === undefined) lost.push(path)
    }
    expect(lost).toEqual([])
  })

  it('holds every file that its exports map names', () => {
    const targets = Object.values(packageJson.exports).flatMap((target) => (typeof target === 'string' ? [target] : Object.values(target)))
    expect(targets.filter((target) => !paths.includes(target.slice('./'.length)))).toEqual([])
  })

  it('has a README that shows each of its import paths', () => {
    const readme = readFileSync(join(ROOT, 'README.md'), 'utf8')
    const importPaths = Object.keys(packageJson.exports).filter((path) => path !== './package.json')
    const names = importPaths.map((path) => `latchwork${path.slice('.'.length)}`)
    expect(names.filter((name) => !readme.includes(`'${name}'`))).toEqual([])
  })

  it('passes publint', async () => {
    const bytes = await readFile(tarball)
    const { messages, pkg } = await publint({ pack: { tarball: new Uint8Array(bytes).buffer }, strict: true })
    expect(messages.map((message) => formatMessage(message, pkg, { color: false }))).toEqual([])
  })

  it('has types that resolve for ESM users', async () => {
    const attw = join(ROOT, 'node_modules/.bin/attw')
    // ends with another code, which rejects, where a resolution of the profile has a problem
    await expect(run(attw, [tarball, '--profile', 'esm-only'], folder)).resolves.toMatchObject({ stderr: '' })
  }, 60_000)

  it.each([
    ['standard', {}],
    ['legacy', { experimentalDecorators: true, emitDecoratorMetadata: true }],
  ])(
    'compiles in an application that checks the types of its packages too, with %s decorators',
    async (mode, decorators) => {
      const project = join(folder, `${mode}.json`)
      const compilerOptions = { ...APPLICATION, ...decorators, outDir: join(folder, mode) }
      await writeFile(project, JSON.stringify({ compilerOptions, files: [join(folder, 'application.ts')] }))
      const tsc = join(ROOT, 'node_modules/.bin/tsc')
      // the compiler prints what is wrong where a result belongs
      const printed = await run(tsc, ['-p', project], folder).catch((error: { stdout: string }) => error)
      expect(printed.stdout).toBe('')
    },
    60_000,
  )

  it('runs in an ESM application, and its import leaves no trace', async () => {
    const { stdout: bare } = await run(process.execPath, ['bare.mjs'], folder)
    const { stdout, stderr } = await run(process.execPath, ['consumer.mjs', bare], folder)
    expect(stderr).toBe('')
    expect(JSON.parse(stdout)).toMatchObject({ isErrorClass: true, addedGlobals: [], addedListeners: [], resources: [], loadedDrivers: [] })
  })

  it('runs in a CommonJS application, with the classes that an import gives', async () => {
    const { stdout, stderr } = await run(process.execPath, ['consumer.cjs'], folder)
    expect(stderr).toBe('')
    expect(JSON.parse(stdout)).toMatchObject({ isSameClass: true, loadedDrivers: [] })
  })

  it('loads its metrics where prom-client is missing, and says what to install when they are wanted', async () => {
    const { stdout, stderr } = await run(process.execPath, ['metrics.cjs'], folder)
    expect(stderr).toBe('')
    expect(JSON.parse(stdout)).toEqual({
      code: 'CONFIGURATION',
      option: 'prom-client',
      message: 'prom-client: the package is not installed; run: npm install prom-client',
    })
  })

  it('gives ESM and CommonJS the same names', async () => {
    const { stdout: bare } = await run(process.execPath, ['bare.mjs'], folder)
    const esm = await run(process.execPath, ['consumer.mjs', bare], folder)
    const commonJs = await run(process.execPath, ['consumer.cjs'], folder)
    const names = JSON.parse(esm.stdout).names as readonly string[]
    expect(names).toContain('LatchworkError')
    expect(JSON.parse(commonJs.stdout).names).toEqual(names)
  })
})

/** The packed package among its dependencies, as an application has it; the drivers tell when they are loaded. */
async function installInto(folder: string, tarball: string): Promise<void> {
  const modules = join(folder, 'node_modules')
  await mkdir(join(modules, 'latchwork'), { recursive: true })
  await run('tar', ['-xzf', tarball, '--strip-components=1', '-C', join(modules, 'latchwork')], folder)
  for (const name of [...Object.keys(packageJson.dependencies), '@types/node']) {
    await mkdir(join(modules, name, '..'), { recursive: true })
    await symlink(join(ROOT, 'node_modules', name), join(modules, name), 'junction')
  }
  for (const driver of DRIVERS) await cp(join(FIXTURES, 'driver'), join(modules, driver), { recursive: true })
  for (const program of ['bare.mjs', 'consumer.mjs', 'consumer.cjs', 'metrics.cjs', 'application.ts'])
    await cp(join(FIXTURES, program), join(folder, program))
}
