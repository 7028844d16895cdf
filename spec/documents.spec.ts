import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { collectMetrics } from 'latchwork/metrics'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { forEachEngine } from './support/engines.js'
import { codeBlocks } from './support/markdown.js'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const BIN = join(ROOT, 'node_modules/.bin')
const URL_SHOWN = 'sqlite:shop.db'
const GUIDES = readdirSync(join(ROOT, 'docs')).filter((name) => name.endsWith('.md'))

describe.each(['README.md', ...GUIDES.map((name) => `docs/${name}`)])('%s', (path) => {
  const text = readFileSync(join(ROOT, path), 'utf8')
  // all blocks in order are one program: a reader who came this far knows the names from above
  const program = codeBlocks(text, 'ts').join('\n')
  // what a line is said to print stands behind it
  const printed = program.split('\n').flatMap((line) => /console\.log\(.*\) \/\/ (.*)$/.exec(line)?.[1] ?? [])
  let folder: string

  beforeAll(async () => {
    // inside the project, so that the compiler finds its dependencies
    folder = await mkdtemp(join(ROOT, 'spec/.readme-'))
    await writeFile(join(folder, 'app.ts'), program)
    await writeProject('standard', {})
    await writeProject('legacy', { experimentalDecorators: true, emitDecoratorMetadata: true })
  })

  afterAll(async () => {
    await rm(folder, { recursive: true, force: true })
  })

  async function writeProject(name: string, options: object): Promise<void> {
    const paths = {
      latchwork: [join(ROOT, 'index.ts')],
      'latchwork/metrics': [join(ROOT, 'lib/metrics/index.ts')],
      'latchwork/migrations': [join(ROOT, 'migrations/index.ts')],
      'latchwork/testing': [join(ROOT, 'lib/testing/index.ts')],
      'latchwork/workflow': [join(ROOT, 'lib/workflow/index.ts')],
    }
    const compilerOptions = { rootDir: ROOT, noEmit: true, declaration: false, sourceMap: false, inlineSources: false, paths, ...options }
    const project = { extends: join(ROOT, 'tsconfig.json'), compilerOptions, include: [], files: [join(folder, 'app.ts')] }
    await writeFile(join(folder, `${name}.json`), JSON.stringify(project))
  }

  it.each(['standard', 'legacy'])(
    'shows code that compiles with %s decorators',
    async (mode) => {
      expect(program).not.toBe('')
      await expect(run('tsc', ['-p', join(folder, `${mode}.json`)], folder)).resolves.toBe('')
    },
    60_000,
  )

  forEachEngine((engine) => {
    it('shows code that runs, and prints what it says', async () => {
      const database = await engine.freshDatabase()
      const file = `on-${engine.name}.ts`
      await writeFile(join(folder, file), program.replaceAll(`'${URL_SHOWN}'`, `'${database.url}'`))
      const output = await run('tsx', ['--tsconfig', 'standard.json', file], folder)
      expect(output.trimEnd().split('\n')).toEqual(printed)
      await database.drop()
    }, 60_000)
  })

  it('links to files that are there', () => {
    const links = [...text.matchAll(/\]\((?!https?:)([^)#]+)/g)].map(([, link]) => link!)
    expect(links.filter((link) => !existsSync(join(ROOT, dirname(path), link)))).toEqual([])
  })

  it('links to headings that are there', () => {
    const headings = [...text.matchAll(/^#+ (.*)$/gm)].map(([, words]) =>
      words!
        .toLowerCase()
        .replaceAll(/[^\w -]/g, '')
        .replaceAll(' ', '-'),
    )
    const anchors = [...text.matchAll(/\]\(#([^)]+)\)/g)].map(([, anchor]) => anchor!)
    expect(anchors.filter((anchor) => !headings.includes(anchor))).toEqual([])
  })

  it('shows commands that package.json has', () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> }
    const shown = [...text.matchAll(/npm run ([\w:]+)/g)].map(([, script]) => script!)
    expect(shown.filter((script) => scripts[script] === undefined)).toEqual([])
  })

  it('names metrics that are counted', async () => {
    using metrics = await collectMetrics()
    const counted = new Set((await metrics.registry.getMetricsAsJSON()).map(({ name }) => name))
    const named = [...text.matchAll(/\blatchwork_[a-z_]+/g)].map(([name]) => name.replace(/_(bucket|count|sum)$/, ''))
    expect(named.filter((name) => !counted.has(name))).toEqual([])
  })
})

async function run(program: 'tsc' | 'tsx', parameters: readonly string[], cwd: string): Promise<string> {
  const env = { ...process.env, NODE_OPTIONS: '', NO_COLOR: '1', NODE_NO_WARNINGS: '1' }
  return promisify(execFile)(join(BIN, program), parameters, { cwd, env }).then(
    ({ stdout, stderr }) => stdout + stderr,
    // the compiler prints what is wrong where a result belongs
    (error: { stdout?: string; stderr?: string }) => `${error.stdout ?? ''}${error.stderr ?? ''}` || String(error),
  )
}
