import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import Sqlite from 'better-sqlite3'
import { build } from 'esbuild'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const FIXTURES = fileURLToPath(new URL('fixtures/package/', import.meta.url))
const DRIVERS = ['pg', 'mysql2', 'better-sqlite3']
const PROGRAMS = [
  'bare.mjs',
  'consumer.mjs',
  'consumer.cjs',
  'metrics.cjs',
  'stack.mjs',
  'plain.mjs',
  'later.mjs',
  'loads.mjs',
  'register-loads.mjs',
  'application.ts',
]

/** Modules that a process reads before the first line of an application: each costs it a search, a read and a link. */
const MOST_MODULES = 2
/** What an application's own bundle grows by beside Kysely for plain reads and writes; one engine's connections included. */
const MOST_GZIP_KB = 113

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
  readonly version: string
  readonly bin: { readonly latchwork: string }
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

  it('is a few modules when it is imported, and has those of one engine alone when it connects', async () => {
    const atImport = await modulesFrom(join(folder, 'node_modules/latchwork/dist/index.js'))
    expect(atImport.size).toBeLessThanOrEqual(MOST_MODULES)
    const { atConnection } = await bundled(folder)
    expect(atConnection).toHaveLength(DRIVERS.length)
  })

  it('loads nothing more for plain reads and writes than its core and the connections of one engine', async () => {
    const file = join(folder, 'plain.db')
    const driver = join(folder, 'node_modules/better-sqlite3')
    await rm(driver, { recursive: true })
    await symlink(join(ROOT, 'node_modules/better-sqlite3'), driver, 'junction')
    new Sqlite(file).exec('create table users (id integer primary key autoincrement, email text not null unique)').close()
    const { stdout } = await run(process.execPath, ['--import', './register-loads.mjs', 'plain.mjs', file], folder)
    const lines = stdout.trim().split('\n')
    expect(lines.filter((line) => !line.startsWith('loaded '))).toEqual(['UNIQUE_VIOLATION'])
    const parts = lines.filter((line) => /^loaded lib\/(?:\w+\/)+/.test(line))
    expect(parts).toEqual(['loaded lib/dialect/sqlite/connections.js'])
  })

  it('says which part of it is not there, where files of it are missing', async () => {
    const part = join(folder, 'node_modules/latchwork/dist/lib/query/aggregate.js')
    await rename(part, `${part}.away`)
    const { stdout } = await run(process.execPath, ['later.mjs'], folder).finally(() => rename(`${part}.away`, part))
    expect(JSON.parse(stdout)).toEqual({
      code: 'CONFIGURATION',
      message: 'latchwork: its part "aggregate" could not be loaded; see that all files of the package are where it runs',
      cause: 'ERR_MODULE_NOT_FOUND',
    })
  })

  it('adds little to the bundle of an application that has Kysely', async () => {
    const { atImport, atConnection } = await bundled(folder)
    const most = atImport + Math.max(...atConnection)
    expect(most / 1_000).toBeLessThanOrEqual(MOST_GZIP_KB)
  })

  it('names its functions in a stack, and with source maps its sources too', async () => {
    const inBuild = await run(process.execPath, ['stack.mjs'], folder)
    expect(inBuild.stdout).toMatch(/at new Database \(.*\/dist\/lib\/.*\.js:\d+:\d+\)/)
    const inSources = await run(process.execPath, ['--enable-source-maps', 'stack.mjs'], folder)
    expect(inSources.stdout).toMatch(/\/lib\/database\.ts:\d+:\d+/)
  })

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

  it('has a command line, which says what to install where a configuration is TypeScript and tsx is missing', async () => {
    const program = join(folder, 'node_modules/latchwork', packageJson.bin.latchwork)
    const { stdout } = await run(process.execPath, [program, '--version'], folder)
    expect(stdout).toBe(`${packageJson.version}\n`)
    await mkdir(join(folder, 'shop'))
    await writeFile(join(folder, 'shop/latchwork.config.ts'), 'enum Kept { A }\nexport default { dialect: Kept[0] }')
    const failed = await run(process.execPath, [program, 'migrate', 'generate', 'first'], join(folder, 'shop')).catch((error) => error)
    expect(failed).toMatchObject({ code: 2, stdout: '' })
    expect(failed.stderr).toContain('which is not installed: run: npm install --save-dev tsx')
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

/** The module at `path`, and those of the package that are loaded with it. */
async function modulesFrom(path: string, seen = new Set<string>()): Promise<ReadonlySet<string>> {
  if (seen.has(path)) return seen
  seen.add(path)
  const imports = (await readFile(path, 'utf8')).matchAll(/^(?:import|\} from) ?"(\.[^"]+)"|^import .* from "(\.[^"]+)"/gm)
  for (const [, bare, named] of imports) await modulesFrom(join(path, '..', (bare ?? named)!), seen)
  return seen
}

/** Bytes that an application's bundler makes of the package, compressed: at its import, and what the connections of each engine add. */
async function bundled(folder: string): Promise<{ atImport: number; atConnection: readonly number[] }> {
  const { outputFiles, metafile, warnings } = await build({
    absWorkingDir: folder,
    stdin: { contents: "export * from 'latchwork'", resolveDir: folder },
    external: ['kysely', ...DRIVERS],
    bundle: true,
    splitting: true,
    minify: true,
    format: 'esm',
    platform: 'node',
    outdir: 'bundled',
    write: false,
    metafile: true,
  })
  expect(warnings).toEqual([])
  const outputs = new Map(Object.entries(metafile.outputs))
  const reached = (path: string, seen = new Set<string>()): Set<string> => {
    if (seen.has(path)) return seen
    seen.add(path)
    const imported = outputs.get(path)!.imports.filter(({ kind, external }) => kind === 'import-statement' && external !== true)
    for (const { path } of imported) reached(path, seen)
    return seen
  }
  const gzipBytesOf = (path: string) =>
    gzipSync(outputFiles.find((file) => file.path === join(folder, path))!.contents, { level: 9 }).length
  const sumOf = (paths: readonly string[]) => paths.reduce((sum, path) => sum + gzipBytesOf(path), 0)
  const roots = [...outputs].filter(([, { entryPoint }]) => entryPoint !== undefined)
  const [entry] = roots.find(([, { entryPoint }]) => entryPoint === '<stdin>')!
  const first = reached(entry)
  const later = roots.filter(([path, { entryPoint }]) => !first.has(path) && entryPoint!.endsWith('/connections.js'))
  return {
    atImport: sumOf([...first]),
    atConnection: later.map(([path]) => sumOf([...reached(path)].filter((each) => !first.has(each)))),
  }
}

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
  for (const program of PROGRAMS) await cp(join(FIXTURES, program), join(folder, program))
}
