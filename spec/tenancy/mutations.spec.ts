import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const QUERY = join(ROOT, 'lib/query')

/** A place in the sources that keeps tenants apart, and what stands there without it. */
interface Site {
  readonly file: string
  readonly line: number
  readonly original: string
  readonly mutated: string
}

/** Every place that adds the tenant to a condition or a row. What stands instead lets all rows through. */
const REPLACEMENTS: readonly (readonly [pattern: RegExp, replacement: string])[] = [
  [/(?<!function )visibleOnly\([\w.]+, [\w.]+(, \w+)?\)/, "({ kind: 'constant', value: true } as const)"],
  [/(?<!function )related\((\w+), (.+), [\w.]*shape(, \w+)?\)/, "{ part: $2, between: { kind: 'constant', value: true } as const }"],
  [/row\[tenant\.name\] = id/, 'void id'],
  [/const usable = tenant === undefined \? model\.keys : .*/, 'const usable = model.keys'],
]

function sites(): readonly Site[] {
  return readdirSync(QUERY)
    .filter((name) => name.endsWith('.ts'))
    .flatMap((file) => {
      const lines = readFileSync(join(QUERY, file), 'utf8').split('\n')
      return lines.flatMap((original, line) => {
        const fit = REPLACEMENTS.find(([pattern]) => pattern.test(original))
        return fit === undefined ? [] : [{ file, line, original, mutated: original.replace(fit[0], fit[1]) }]
      })
    })
}

describe('the checks of tenancy', () => {
  let folder: string

  beforeAll(() => {
    // inside the project, so that the copy finds its dependencies
    folder = mkdtempSync(join(ROOT, 'spec/.mutations-'))
    for (const part of ['lib', 'decorators', 'index.ts', 'spec/tenancy']) cpSync(join(ROOT, part), join(folder, part), { recursive: true })
    mkdirSync(join(folder, 'spec'), { recursive: true })
    const compilerOptions = { paths: { latchwork: [join(folder, 'index.ts')] } }
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ extends: join(ROOT, 'tsconfig.json'), compilerOptions }))
  })

  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it('pass on the sources as they are', async () => {
    expect(await failureOfChecks(folder)).toBe('')
  }, 30_000)

  it('cover every place that there is', () => {
    expect(sites().length).toBeGreaterThanOrEqual(10)
  })

  it.each(sites())('fail where $file:$line lets all rows through', { timeout: 30_000 }, async ({ file, line, mutated }) => {
    const path = join(folder, 'lib/query', file)
    const source = readFileSync(join(QUERY, file), 'utf8')
    writeFileSync(path, source.split('\n').with(line, mutated).join('\n'))
    try {
      expect(await failureOfChecks(folder)).not.toBe('')
    } finally {
      writeFileSync(path, source)
    }
  })
})

/** What the checks say is wrong; nothing: an empty text. */
function failureOfChecks(folder: string): Promise<string> {
  const tsx = join(ROOT, 'node_modules/.bin/tsx')
  const parameters = ['--tsconfig', 'tsconfig.json', 'spec/tenancy/run-checks.ts']
  return new Promise((resolve) => {
    execFile(
      tsx,
      parameters,
      { cwd: folder, env: { ...process.env, NODE_OPTIONS: '', NODE_NO_WARNINGS: '1' } },
      (error, stdout, stderr) => {
        resolve(error === null ? '' : stdout + stderr || String(error))
      },
    )
  })
}
